# SPDX-License-Identifier: Apache-2.0
import gzip
import multiprocessing
import pickle
import resource

import numpy as np
import pytest
from Bio import bgzf

from modelgenerator.long_context.data import Genome
from modelgenerator.long_context.data.vocabulary import decode


def sequences(genome):
    return {
        name: decode(genome.read(start, stop - start))
        for name, start, stop in zip(
            genome.names, genome.offsets[:-1], genome.offsets[1:], strict=True
        )
        if stop > start
    }


def test_records_of_several_files_lie_end_to_end(write_fasta):
    first = write_fasta({"a": "ACGTN", "b": "GG"}, "first.fa")
    second = write_fasta({"c": "NNTT"}, "second.fa")
    genome = Genome([first, second])
    assert sequences(genome) == {"a": "ACGTN", "b": "GG", "c": "NNTT"}
    assert len(genome) == 11
    assert genome.offsets.tolist() == [0, 5, 7, 11]
    assert genome.n_runs.tolist() == [[4, 5], [7, 9]]


def test_locate_is_0_based_and_half_open(write_fasta):
    genome = Genome([write_fasta({"a": "ACGT", "b": "GGGGGG"})])
    assert genome.locate(0, 4) == "a:0-4"
    assert genome.locate(5, 3) == "b:1-4"
    assert decode(genome.read(3, 1)) == "T"


def test_plain_gzip_and_bgzip_are_the_same_genome(write_fasta, random_dna, tmp_path):
    plain = write_fasta({"a": random_dna(100_000), "b": random_dna(5_000, 1)})
    zipped, blocked = tmp_path / "zipped", tmp_path / "blocked"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    with bgzf.BgzfWriter(str(blocked)) as out:
        out.write(plain.read_bytes())
    genomes = [Genome([path]) for path in (plain, zipped, blocked)]
    assert genomes[0].digests == genomes[1].digests == genomes[2].digests
    assert sequences(genomes[0]) == sequences(genomes[1]) == sequences(genomes[2])


def test_a_name_in_several_files_is_told_apart(write_fasta):
    human = write_fasta({"chr1": "ACGT", "chrX": "AA"}, "human.v1.fa")
    mouse = write_fasta({"chr1": "GGGG"}, "mouse.fna")
    assert Genome([human, mouse]).names == ["human.v1/chr1", "chrX", "mouse/chr1"]


def test_names_that_cannot_be_told_apart(write_fasta, tmp_path):
    (tmp_path / "other").mkdir()
    files = [write_fasta({"chr1": "ACGT"}), write_fasta({"chr1": "CC"}, "other/genome.fa")]
    with pytest.raises(ValueError, match="both have a record 'genome/chr1'. Rename one file"):
        Genome(files)


def test_a_file_given_twice(write_fasta):
    path = write_fasta({"a": "ACGT"})
    with pytest.raises(ValueError, match="genome.fa is given twice"):
        Genome([path, path.parent / "." / path.name])


def test_other_letters_are_counted_in_one_warning(write_fasta):
    first = write_fasta({"a": "ACGTRRYn"}, "first.fa")
    second = write_fasta({"b": "rKKK"}, "second.fa")
    genome = Genome([first, second])
    assert genome.folded == 2
    with pytest.warns(UserWarning, match="7 of 12 bases .* are read as N") as found:
        genome.warn_ambiguous()
    assert len(found) == 1
    assert "(R 3, Y 1, K 3)" in str(found[0].message)


def test_no_other_letters_no_warning(write_fasta, recwarn):
    Genome([write_fasta({"a": "ACGTNNacgtn"})]).warn_ambiguous()
    assert not recwarn.list


def test_a_pickled_genome_is_small_and_reads_the_same(write_fasta, random_dna):
    genome = Genome([write_fasta({f"contig{i}": random_dna(900, i) for i in range(100)})])
    pickled = pickle.dumps(genome)
    assert len(pickled) < 1_000
    assert sequences(pickle.loads(pickled)) == sequences(genome)


def test_what_is_read_does_not_change_the_genome(write_fasta):
    genome = Genome([write_fasta({"a": "ACGT"})])
    genome.read(0, 4)[:] = 0
    assert decode(genome.read(0, 4)) == "ACGT"


def _memory_of_indexing_and_reading(path, results):
    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    before = peak()
    genome = Genome([path])
    indexed = peak()
    for start in range(0, 3_000_000, 65_536):
        genome.read(start, 65_536)
    results.put((len(genome), indexed - before, peak() - indexed))


def test_memory_does_not_grow_with_the_genome(tmp_path):
    """60 Mb in one record: held as a parser's strings, it alone would need several times that."""
    letters = np.frombuffer(b"ACGTacgt", dtype=np.uint8)
    lines = np.random.default_rng(0).choice(letters, (1_000, 60))
    lines = np.concatenate([lines, np.full((1_000, 1), ord("\n"), np.uint8)], axis=1).tobytes()
    with open(tmp_path / "large.fa", "wb") as out:
        out.write(b">one\n")
        for _ in range(1_000):
            out.write(lines)
    fork = multiprocessing.get_context("fork")  # a peak of its own, without importing again
    results = fork.Queue()
    child = fork.Process(
        target=_memory_of_indexing_and_reading, args=(tmp_path / "large.fa", results)
    )
    child.start()
    bases, indexed, read = results.get(timeout=300)
    child.join()
    assert bases == 60_000_000
    assert indexed < 50, f"indexing took {indexed} MB"
    assert read < 20, f"reading took {read} MB"
