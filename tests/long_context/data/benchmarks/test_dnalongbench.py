# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.data.benchmarks import EnhancerTargetGene, VariantTargetGene
from modelgenerator.long_context.data.vocabulary import decode

COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def make(layouts, tmp_path):
    records = layouts.genome(tmp_path / "genome.fa")
    layouts.enhancer_gene(tmp_path)

    def make(**options):
        options = {"window": 16_000, "shuffle": False, **options}
        fasta = str(tmp_path / "genome.fa")
        data = EnhancerTargetGene(str(tmp_path / "pairs.tsv"), fasta, **options)
        data.setup()
        return data, records

    return make


def test_a_window_spans_region_and_start_of_transcription(make):
    data, records = make()
    # Row 2: gene + at 5,600, region 10,600 to 11,100 behind it.
    row = next(r for r in data.train_dataset if r["ids"].startswith("chr1:2600"))
    assert row["sequences"] == records["chr1"][5_600 - 3_000 : 11_100 + 500]
    assert row["labels"].item() == 1
    # Row 3: gene - from 5,900 to 7,900, region 4,400 to 4,900 before it: turned around.
    row = next(r for r in data.train_dataset if r["ids"].startswith("chr1:3900"))
    expected = records["chr1"][4_400 - 500 : 7_900 + 3_000][::-1].translate(COMPLEMENT)
    assert row["sequences"] == expected
    assert row["ids"].endswith("(-)")


def test_pairs_too_far_apart_are_left_out(make):
    data, _ = make(window=8_000)
    assert data.counts["train"]["left_out"] == {"that need more than 8,000 nt": 4}


@pytest.mark.parametrize("chr", ["chr", ""])
def test_other_enhancers_in_between_are_read_as_n(make, tmp_path, chr):
    # Of row 2, what is between 5,601 + 3,000 and 10,600 - 500.
    bed = tmp_path / "enhancers.bed"
    bed.write_text(f"{chr}1\t9000\t9100\n{chr}1\t3000\t3100\n{chr}2\t9000\t9100\n")
    data, records = make(enhancers=str(bed))
    row = next(r for r in data.train_dataset if r["ids"].startswith("chr1:2600"))
    expected = records["chr1"][2_600:11_600]
    expected = expected[:6_400] + "N" * 100 + expected[6_500:]
    assert row["sequences"] == expected
    assert (row["input_ids"][1 + 6_400 : 1 + 6_500] == 10).all()


def test_other_tables_are_refused(make, tmp_path):
    (tmp_path / "pairs.tsv").write_text("gene_chrom\tgene_start\nchr1\t5\n")
    with pytest.raises(ValueError, match="has no column gene_end, gene_strand, region_chrom"):
        make()


@pytest.fixture
def make_eqtl(layouts, tmp_path):
    records = layouts.genome(tmp_path / "genome.fa")
    layouts.eqtl_gene(tmp_path, records)

    def make(**options):
        options = {"window": 16_000, "shuffle": False, **options}
        fasta = str(tmp_path / "genome.fa")
        data = VariantTargetGene(str(tmp_path / "eqtls.tsv"), fasta, **options)
        data.setup()
        return data, records

    return make


def pair_of(row):
    return row["sequences"], decode(row["pair_ids"][1:-1].numpy().astype("uint8"))


def test_a_pair_of_windows_differs_in_the_variant_alone(make_eqtl):
    data, records = make_eqtl()
    # Row 2: gene + at 5,600, variant at 10,600.
    row = next(r for r in data.train_dataset if r["ids"].startswith("chr1:2600"))
    reference, other = pair_of(row)
    assert reference == records["chr1"][2_600 : 10_601 + 500]
    at = 10_600 - 2_600
    assert reference[:at] + "ACGT"["ACGT".index(reference[at]) - 1] + reference[at + 1 :] == other
    assert "pair_ids" in data.provided_columns
    # Row 3: gene - from 5,900 to 7,900, variant at 4,400 before it: both turned around.
    row = next(r for r in data.train_dataset if r["ids"].startswith("chr1:3900"))
    reference, other = (one[::-1].translate(COMPLEMENT) for one in pair_of(row))
    assert reference == records["chr1"][3_900 : 7_900 + 3_000]
    assert [i for i in range(len(other)) if other[i] != reference[i]] == [500]


def test_deletions_are_left_out_and_counted(make_eqtl):
    data, _ = make_eqtl()
    assert data.counts["train"]["left_out"] == {"that are no substitution of one base": 1}


def test_other_eqtls_in_between_are_read_as_n_and_the_variant_is_not(make_eqtl, tmp_path):
    (tmp_path / "others.bed").write_text("chr1\t9000\t9001\nchr1\t10600\t10601\n")
    data, records = make_eqtl(variants=str(tmp_path / "others.bed"))
    row = next(r for r in data.train_dataset if r["ids"].startswith("chr1:2600"))
    for sequence in pair_of(row):
        assert sequence.count("N") == 1
        assert sequence[6_400] == "N"


def test_alleles_of_another_genome_are_refused(make_eqtl, tmp_path):
    text = (tmp_path / "genome.fa").read_text()
    (tmp_path / "genome.fa").write_text(text.translate(COMPLEMENT))
    with pytest.raises(ValueError, match="are not what the genome says"):
        make_eqtl()
