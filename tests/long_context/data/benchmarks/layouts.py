# SPDX-License-Identifier: Apache-2.0
"""Writes small files laid out as each benchmark's own: same names, same columns, random DNA."""

import gzip

import h5py
import numpy as np
import pandas as pd

SPLITS = {"train": 12, "valid": 4, "test": 6}


def dna(length, seed):
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    return np.random.default_rng(seed).choice(letters, length).tobytes().decode()


def write(path, frame):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="," if path.suffix == ".csv" else "\t")


def sequences(count, length, seed):
    return [dna(length, 1000 * seed + i) for i in range(count)]


def bgi(folder, name="CPC_8192", n_classes=2, length=300):
    files = {"train": "train", "valid": "eval", "test": "test"}
    for seed, (split, count) in enumerate(SPLITS.items()):
        labels = [i % n_classes for i in range(count)]
        frame = pd.DataFrame({"seq": sequences(count, length, seed), "label": labels})
        write(folder / name / f"{files[split]}.jsonl", frame)


def generteam(folder, config="taxonomic_classification", n_classes=6, length=300):
    """A clone of the repository: a folder for the config, and the card that says so."""
    for seed, split in enumerate(("train", "test")):
        count = 2 * n_classes if split == "train" else n_classes
        labels = [i % n_classes for i in range(count)]
        frame = pd.DataFrame({"sequence": sequences(count, length, seed), "label": labels})
        write(folder / config / f"{split}-00000-of-00001.parquet", frame)
    card(folder, config, {s: f"{config}/{s}-*" for s in ("train", "test")})


def gue(folder, name="virus_species_40", n_classes=40, length=300):
    for seed, (split, count) in enumerate({"train": 80, "dev": 40, "test": 40}.items()):
        labels = [i % n_classes for i in range(count)]
        frame = pd.DataFrame({"sequence": sequences(count, length, seed), "label": labels})
        write(folder / name / f"{split}.csv", frame)
    card(folder, name, {s: f"{name}/{s}.csv" for s in ("train", "dev", "test")})


def card(folder, config, files):
    rows = "".join(
        f"      - split: {split}\n        path: {path}\n" for split, path in files.items()
    )
    text = f"---\nconfigs:\n  - config_name: {config}\n    data_files:\n{rows}---\n"
    (folder / "README.md").write_text(text)


def transcripts(folder, file, lists=False, rows=40):
    rng = np.random.default_rng(0)
    target = (
        [rng.integers(0, 2, 5).tolist() for _ in range(rows)] if lists else rng.normal(size=rows)
    )
    frame = pd.DataFrame(
        {
            "sequence": [dna(int(n), i) for i, n in enumerate(rng.integers(100, 400, rows))],
            "target": target,
            "gene": [f"gene{i // 2}" for i in range(rows)],
            "cds": [[0, 1, 0]] * rows,
        }
    )
    write(folder / file, frame)


def alleles(folder, file, rows=16, width=8192):
    frame = pd.DataFrame({"chrom": [str(1 + i % 4) for i in range(rows)], "pos": range(rows)})
    frame["ref_seq"] = sequences(rows, width, 5)
    frame["ref"] = [s[width // 2] for s in frame["ref_seq"]]
    frame["alt"] = ["ACGT"["ACGT".index(r) - 1] for r in frame["ref"]]
    frame["var_seq"] = [
        s[: width // 2] + a + s[width // 2 + 1 :]
        for s, a in zip(frame["ref_seq"], frame["alt"], strict=True)
    ]
    frame["score"] = 0.5
    frame["class"] = [("FUNC/INT", "LOF")[(i // 4) % 2] for i in range(rows)]
    write(folder / file, frame)


def needles(folder, config="niah_4k", rows=4, tokens=4096):
    made = []
    for i in range(rows):
        key, value = dna(24, 10 * i), dna(24, 10 * i + 1)
        haystack = dna(tokens * 6 - 48 - 48, 10 * i + 2)
        at = (i + 1) * len(haystack) // (rows + 1)
        prompt = haystack[:at] + key + value + haystack[at:] + key
        made.append(
            {
                "uid": f"row{i}",
                "prompt": prompt,
                "value": value,
                "value_len_bp": 24,
                "context_length_tokens": tokens,
                "positive_sequence": prompt + value,
                "negative_sequence": prompt + dna(24, 10 * i + 3),
            }
        )
    write(folder / config / "test.parquet", pd.DataFrame(made))


def genome(path, lengths=(("chr1", 20_000), ("chr2", 20_000))):
    records = {name: dna(length, 77 + i) for i, (name, length) in enumerate(lengths)}
    lines = [f">{name}\n{sequence}" for name, sequence in records.items()]
    path.write_text("\n".join(lines) + "\n")
    return records


def points(rows=24):
    """Positions 600 bases apart, from 1; those of chr2 test."""
    frame = pd.DataFrame({"CHROM": ["chr1"] * (rows // 2) + ["chr2"] * (rows // 2)})
    frame["POS"] = [3_000 + 600 * (i % (rows // 2)) for i in range(rows)]
    frame["split"] = ["train"] * (rows // 2) + ["test"] * (rows // 2)
    return frame


def long_range_benchmark(folder, records):
    """All tables of the benchmark, and a shard of targets for each split of CAGE."""
    frame = points()
    label = [i % 2 for i in range(len(frame))]
    bases = [records[c][p - 1] for c, p in zip(frame["CHROM"], frame["POS"], strict=True)]
    variants = frame.assign(ALT=["ACGT"["ACGT".index(b) - 1] for b in bases])
    write(
        folder / "variant_effect_causal_eqtl/All_Tissues.csv",
        variants.assign(label=label, tissue="Lung", distance_to_nearest_TSS=5),
    )
    pathogenic = variants.assign(REF=bases, INT_LABEL=label)
    write(folder / "variant_effect_pathogenic/vep_pathogenic_coding.csv", pathogenic)
    for name in ("vep_pathogenic_non_coding", "vep_pathogenic_non_coding_subset"):
        write(folder / f"variant_effect_pathogenic/{name}.csv", pathogenic.assign(split="test"))
    lists = frame.assign(
        HISTONES=[str([i % 2, 1, 0]) for i in label], DNASE=[str([i, 1 - i]) for i in label]
    )
    intervals = frame.drop(columns="POS").assign(START=frame["POS"], STOP=frame["POS"] + 200)
    for suffix in ("", "_subset"):
        write(folder / f"chromatin_features/histones_and_dnase{suffix}.csv", lists)
        for kind in ("promoter", "enhancer"):
            file = f"regulatory_elements/{kind}_dataset{suffix}.csv"
            write(folder / file, intervals.assign(label=label))
    genes = frame.rename(columns={"CHROM": "chrom", "POS": "CAGE_representative_TSS"})
    genes["strand"] = ["+-"[i] for i in label]
    write(folder / "bulk_rna_expression/gene_coordinates.csv", genes)
    values = np.random.default_rng(0).normal(size=(len(frame), 218))
    write(
        folder / "bulk_rna_expression/rna_expression_values.csv",
        pd.DataFrame(values, columns=[f"tissue{i}" for i in range(218)]),
    )
    cage(folder / "cage_prediction")


def cage(folder, each=3):
    """Windows of 114,688 bases about the middle of short chromosomes: only crops of them fit."""
    rows = []
    for split, chrom in (("train", "chr1"), ("validation", "chr1"), ("test", "chr2")):
        name = {"validation": "valid"}.get(split, split)
        start = 10_000 - 896 * 128 // 2 + 1
        rows += [
            {
                "chrom": chrom,
                "start": start,
                "stop": start + 896 * 128,
                "split": split,
                "npy_idx": i,
            }
            for i in range(each)
        ]
        targets = {
            f"target-{name}-{i}.npy": np.arange(896, dtype=np.float32).reshape(1, 896, 1)
            + np.zeros(50)
            for i in range(each)
        }
        last = min(999, {"train": 33_891, "valid": 2_195, "test": 1_922}[name] - 1)
        shard = folder / f"targets_subset/targets-{name}-0-{last}.npz"
        shard.parent.mkdir(parents=True, exist_ok=True)
        with open(shard, "wb") as file:
            np.savez(file, **targets)
    write(folder / "sequences_coordinates.csv", pd.DataFrame(rows))


def bend(folder, task="gene_finding", rows=12, size=1000, bin_size=1, n_classes=9):
    frame = pd.DataFrame(
        {
            "chromosome": ["chr1"] * (rows // 2) + ["chr2"] * (rows // 2),
            "start": [3_000 + 1_000 * (i % (rows // 2)) for i in range(rows)],
        }
    )
    frame["end"] = frame["start"] + size
    frame["strand"] = "-"
    frame["split"] = ["train"] * (rows // 2) + ["valid"] * 2 + ["test"] * (rows // 2 - 2)
    write(folder / f"{task}.bed", frame)
    rng = np.random.default_rng(0)
    with h5py.File(folder / f"{task}.hdf5", "w") as file:
        kind = h5py.vlen_dtype(np.int64)
        labels = file.create_dataset("labels", (rows,), dtype=kind)
        for i in range(rows):
            labels[i] = rng.integers(0, n_classes, size // bin_size)
    return frame


def enhancer_gene(folder):
    rows = []
    for i in range(16):
        start = 5_000 + 300 * i
        plus = i % 2 == 0
        rows.append(
            {
                "gene_chrom": "chr1" if i < 8 else "chr2",
                "gene_start": start,
                "gene_end": start + 2_000,
                "region_chrom": "chr1" if i < 8 else "chr2",
                "region_start": start + 5_000 if plus else start - 1_500,
                "region_end": start + 5_500 if plus else start - 1_000,
                "gene_id": f"g{i}",
                "gene_strand": "+" if plus else "-",
                "region_id": f"r{i}",
                "target": "positive" if i % 3 else "negative",
                "subset": ["train", "test"][i // 8] if i % 8 != 1 else "valid",
            }
        )
    write(folder / "pairs.tsv", pd.DataFrame(rows))


def eqtl_gene(folder, records):
    """The same pairs with variants for regions; row 6 is a deletion."""
    enhancer_gene(folder)
    frame = pd.read_csv(folder / "pairs.tsv", sep="\t")
    frame["region_end"] = frame["region_start"] + 1
    sites = zip(frame["region_chrom"], frame["region_start"], strict=True)
    frame["allele1"] = [records[chrom][at] for chrom, at in sites]
    frame["allele2"] = ["ACGT"["ACGT".index(base) - 1] for base in frame["allele1"]]
    frame.loc[6, "region_end"] += 1
    chrom, at = frame.loc[6, ["region_chrom", "region_start"]]
    frame.loc[6, "allele1"] = records[chrom][at : at + 2]
    write(folder / "eqtls.tsv", frame)


def transcription_initiation(folder, names, chroms):
    """Tracks i = 0 to 9 that are i + 1 on the second half of each chromosome, and nothing before.

    `names` are the files in the order of the tracks, two blacklists last.
    """
    import pyBigWig

    folder.mkdir(parents=True, exist_ok=True)
    *tracks, plus, minus = names
    for i, name in enumerate(tracks):
        with pyBigWig.open(str(folder / name), "w") as file:
            file.addHeader(list(chroms.items()))
            for chrom, length in chroms.items():
                file.addEntries([chrom], [length // 2], ends=[length], values=[i + 1.0])
    for name, start in ((plus, 600), (minus, 900)):
        with gzip.open(folder / name, "wt") as out:
            out.write(f"chr8\t{start}\t{start + 100}\n")
