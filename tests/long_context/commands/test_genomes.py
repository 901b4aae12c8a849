# SPDX-License-Identifier: Apache-2.0
def test_list_fetch_and_verify_one_of_ones_own(run, tmp_path):
    (tmp_path / "x.fa").write_text(">chr1\nACGT\n")
    environment = dict(MGEN_LC_CACHE=str(tmp_path / "cache"))
    done = run("mgen-lc", "genomes", "list", "ci", **environment)
    assert done.returncode == 0, done.stderr
    assert "m_tuberculosis" in done.stdout
    assert "human_chr20" not in done.stdout
    source = tmp_path / "x.fa"
    done = run("mgen-lc", "genomes", "fetch", "mine", "--source", source, **environment)
    assert done.returncode == 0, done.stderr
    assert f"mine: fetched and verified; from {source}, licence unknown" in done.stdout
    assert run("mgen-lc", "genomes", "verify", **environment).stdout == "mine: as fetched\n"
    next((tmp_path / "cache").rglob("sequence/x.fa")).write_text("")
    done = run("mgen-lc", "genomes", "verify", "mine", **environment)
    assert done.returncode == 1
    assert "has changed since it was fetched" in done.stdout
    done = run("mgen-lc", "genomes", "fetch", "human_chr2", **environment)
    assert done.returncode == 1
    assert "mgen-lc: No genome is named 'human_chr2'. Did you mean 'human_chr20'?" in done.stderr
