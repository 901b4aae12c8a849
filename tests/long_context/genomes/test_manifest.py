# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from modelgenerator.long_context.genomes import SETS, known_genomes, names_in_set
from modelgenerator.long_context.genomes.manifest import expand


def test_every_row_says_what_it_is_and_where_from():
    for name, files in known_genomes().items():
        assert name.isidentifier()
        assert len({(f.set, f.package, f.version, f.organism, f.licence) for f in files}) == 1
        assert len({file.kind for file in files}) == len(files)
        for file in files:
            assert file.kind in ("sequence", "annotation")
            assert (file.registry, file.form) in (
                ("pypi", "wheel"), ("pypi", "sdist"), ("debian", "deb"),
            )  # fmt: skip
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.bytes > 0
            assert file.licence
            assert file.accession
            assert (file.bases > 0) == (file.kind == "sequence")


def test_sets_hold_one_another():
    ci, dev, large = (set(names_in_set(name)) for name in SETS)
    assert ci < dev < large == set(known_genomes())
    packages = {f.package: f for name in ci for f in known_genomes()[name]}
    assert "ariba" in packages


def test_expand():
    assert expand(["e_coli_k12", "ci", "e_coli_k12"]) == ["e_coli_k12", *names_in_set("ci")]
    with pytest.raises(ValueError, match="named 'e_coli_k13'. Did you mean 'e_coli_k1"):
        expand(["e_coli_k13"])
