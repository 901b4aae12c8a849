# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pandas as pd
import pytest

from modelgenerator.long_context.data import Variants
from modelgenerator.long_context.data.vocabulary import decode

LETTERS = np.random.default_rng(0).choice(list("ACGT"), 200)
SEQUENCE = "".join(LETTERS)


def other(letter):
    return "ACGT"[("ACGT".index(letter) + 1) % 4]


@pytest.fixture
def make(tmp_path):
    (tmp_path / "g.fa").write_text(f">chr1\n{SEQUENCE}\n")

    def make(positions, **options):
        rows = [("1", p, SEQUENCE[p - 1], other(SEQUENCE[p - 1]), p % 2) for p in positions]
        frame = pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt", "label"])
        frame.to_csv(tmp_path / "v.tsv", sep="\t", index=False)
        options = {"window": 20, "batch_size": 4, **options}
        data = Variants(str(tmp_path / "v.tsv"), str(tmp_path / "g.fa"), **options)
        data.setup()
        return data

    return make


def text(ids):
    return decode(ids.numpy().astype(np.uint8))


def rows_of(data, length=0):
    for batch in data.test_dataloader()[length]:
        for k, index in enumerate(batch["index"].tolist()):
            window, site = batch["window"][k], batch["site"][k]
            yield (
                data.table.iloc[index],
                batch["reference"][window],
                batch["masked"][site],
                batch["alternate"][k],
                int(batch["position"][k]),
            )


def test_window_is_centred_and_alleles_differ_at_the_variant_alone(make):
    data = make([30, 60, 61, 100])
    for variant, reference, masked, alternate, position in rows_of(data):
        assert position == 1 + 10  # [CLS], then half a window
        assert text(reference[1:-1]) == SEQUENCE[variant["pos"] - 11 :][:20]
        assert text(reference[position : position + 1]) == variant["ref"]
        assert text(alternate[position : position + 1]) == variant["alt"]
        assert masked[position] == 1
        for changed in (alternate, masked):
            assert (changed != reference).nonzero().flatten().tolist() == [position]


@pytest.mark.parametrize(("share", "longest"), [(1, 10), (10, 6)])
def test_what_is_too_long_for_a_window_is_left_out_and_counted(make, tmp_path, share, longest):
    data = make([30])
    rows = []
    for pos in range(60, 70):
        for size in (longest, longest + 1):
            ref = SEQUENCE[pos - 1 : pos - 1 + size]
            rows.append(("1", pos, ref, "".join(map(other, ref))))
    frame = pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt"])
    frame.to_csv(tmp_path / "v.tsv", sep="\t", index=False)
    data = Variants(data.variants, data.fasta, window=20, share=share)
    data.setup()
    assert data.left_out == {f"longer than the {longest} bases that a window has for it": 10}
    seen = 0
    for variant, reference, masked, alternate, position in rows_of(data):
        here = slice(position, position + longest)
        assert text(reference[here]) == variant["ref"]
        assert text(alternate[here]) == variant["alt"]
        assert reference[-1] == masked[-1] == alternate[-1] == 3, "[SEP] stays"
        seen += 1
    assert seen == 10


def test_window_at_an_end_is_moved_inwards(make):
    for variant, reference, _, _, position in rows_of(make([1, 5, 199, 200])):
        assert text(reference[position : position + 1]) == variant["ref"]
        inside = text(reference[1:-1])
        assert inside in (SEQUENCE[:20], SEQUENCE[-20:])


def test_every_length_has_the_same_variants(make):
    data = make([30, 60, 61, 100, 150], lengths=[20, 40, 80])
    assert data.longest == 80
    found = [sorted(v["pos"] for v, *_ in rows_of(data, k)) for k in range(3)]
    assert found == [[30, 60, 61, 100, 150]] * 3
    long = data.test_dataloader()[2].dataset
    assert max(sum(map(len, batch)) for batch in long.batches) == 1  # as many bases as before


LONG = [512, 2048, 8192, 65_536]


@pytest.fixture(scope="module")
def long_data(tmp_path_factory):
    """Variants at both ends and inside of two chromosomes, one as long as the longest window."""
    folder = tmp_path_factory.mktemp("long")
    draw = np.random.default_rng(2)
    records = {"a": 65_536, "b": 70_001}
    letters = {name: "".join(draw.choice(list("ACGT"), n)) for name, n in records.items()}
    (folder / "g.fa").write_text("".join(f">{n}\n{text}\n" for n, text in letters.items()))
    rows = []
    for name, length in records.items():
        for pos in (1, 2, 255, 256, 257, 32_768, 32_769, length - 256, length - 1, length):
            ref = letters[name][pos - 1]
            rows += [(name, pos, ref, alt) for alt in "ACGT" if alt != ref]
    frame = pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt"])
    frame.to_csv(folder / "v.tsv", sep="\t", index=False)
    data = Variants(str(folder / "v.tsv"), str(folder / "g.fa"), window=512, lengths=LONG)
    data.setup()
    return data, letters


@pytest.mark.parametrize("which", range(len(LONG)))
def test_windows_up_to_64k_end_with_their_chromosome(long_data, which):
    data, letters = long_data
    length, seen = LONG[which], 0
    for variant, reference, masked, alternate, position in rows_of(data, which):
        whole = letters[variant["chrom"]]
        centred = variant["pos"] - 1 - length // 2
        start = min(max(centred, 0), len(whole) - length)
        assert text(reference[1:-1]) == whole[start : start + length]
        assert reference[[0, -1]].tolist() == [2, 3]
        assert position == variant["pos"] - start, "[CLS] comes first"
        assert text(reference[position : position + 1]) == variant["ref"]
        assert text(alternate[position : position + 1]) == variant["alt"]
        for changed in (alternate, masked):
            assert (changed != reference).nonzero().flatten().tolist() == [position]
        seen += 1
    assert seen == 2 * 10 * 3


@pytest.mark.parametrize("which", range(len(LONG)))
def test_alternatives_share_reference_and_mask_at_every_length(long_data, which):
    data, _ = long_data
    batches = list(data.test_dataloader()[which])
    sizes = [[len(b[name]) for b in batches] for name in ("reference", "masked", "alternate")]
    assert [sum(size) for size in sizes] == [20, 20, 60], "one of each position, three of each"
    assert max(sizes[2]) == (6 if which == 0 else 3), "8 at once in 512 nt; whole sites"


def test_alternatives_of_a_site_share_reference_and_mask(make, tmp_path):
    data = make([30])
    ref = SEQUENCE[29]
    alts = ",".join(set("ACGT") - {ref})
    (tmp_path / "v.tsv").write_text(f"chrom\tpos\tref\talt\n1\t30\t{ref}\t{alts}\n")
    data = Variants(str(tmp_path / "v.tsv"), str(tmp_path / "g.fa"), window=20)
    data.setup()
    (batch,) = data.test_dataloader()[0]
    assert [len(batch[name]) for name in ("reference", "masked", "alternate")] == [1, 1, 3]
    assert data.labels is None


def test_neighbours_share_a_window_if_asked_to(make):
    shared = make([41, 43, 48, 60], share=10)  # 0-based 40, 42, 47 and 59
    (batch,) = shared.test_dataloader()[0]
    assert [len(batch[name]) for name in ("reference", "masked", "alternate")] == [2, 4, 4]
    for variant, reference, _, alternate, position in rows_of(shared):
        assert text(reference[position : position + 1]) == variant["ref"]
        assert text(alternate[position : position + 1]) == variant["alt"]


def test_batch_holds_at_most_its_size(make):
    data = make(range(20, 180), batch_size=7, share=10)
    sizes = [sum(map(len, batch)) for batch in data.test_dataloader()[0].dataset.batches]
    assert sum(sizes) == 160
    assert max(sizes) <= 7


def test_alleles_of_several_bases(make, tmp_path):
    make([30])
    ref = SEQUENCE[29:32]
    alt = "".join(map(other, ref))
    one, two = SEQUENCE[59], other(SEQUENCE[59])
    (tmp_path / "v.tsv").write_text(
        f"chrom\tpos\tref\talt\n1\t30\t{ref}\t{alt}\n1\t60\t{one}\t{two}\n"
    )
    data = Variants(str(tmp_path / "v.tsv"), str(tmp_path / "g.fa"), window=20)
    data.setup()
    (batch,) = data.test_dataloader()[0]
    assert text(batch["ref_ids"][0]) == ref
    assert text(batch["alt_ids"][0]) == alt
    assert batch["ref_ids"][1, 1:].tolist() == [-1, -1]
    assert (batch["masked"][0] == 1).sum() == 3


def test_describe_counts_what_was_left_out(make, tmp_path):
    make([30])
    table = tmp_path / "v.tsv"
    table.write_text(f"chrom\tpos\tref\talt\n1\t30\t{SEQUENCE[29]}\tA,C,G,T,AA\n9\t1\tA\tC\n")
    data = Variants(str(table), str(tmp_path / "g.fa"), window=20)
    data.setup()
    assert data.describe()["scored"] == 3
    assert data.describe()["left_out"] == {
        "no substitution (indel, symbolic or missing allele)": 2,
        "sequence not in the genome": 1,
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "window, lengths: 0"),
        ({"lengths": []}, "lengths: none is given"),
        ({"share": 11}, "share: 11; a window of 20"),
        ({"share": 0}, "share: 0"),
        ({"max_mismatch": 2.0}, "max_mismatch: 2.0"),
        ({"lengths": [20, 300]}, "200|none can be placed"),
    ],
)
def test_bad_arguments(make, options, message):
    with pytest.raises(ValueError, match=message):
        make([30], **options)
