# SPDX-License-Identifier: Apache-2.0
"""Features of an annotation as runs of a genome: chosen by type, placed, and counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn

from modelgenerator.long_context.data.annotation import Feature
from modelgenerator.long_context.data.chromosomes import find_records
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.regions import union


def select(features: Iterable[Feature], wanted: Sequence[str]) -> list[Feature]:
    """Features of some types: "CDS", or only those with an attribute, "CDS:is_phage=1".

    "CDS:product~prophage" asks that the attribute contains a text, in either case.

    Raises:
        ValueError: If none fits.
    """
    features = list(features)
    fitting = {one: [f for f in features if _fits(f, one)] for one in wanted}
    rank_zero_info(
        "features: " + ", ".join(f"{one} fits {len(found):,}" for one, found in fitting.items())
    )
    if not any(fitting.values()):
        types = Counter(f.type for f in features)
        raise ValueError(
            f"features: {', '.join(wanted)} fits none of {len(features):,} features. Types are "
            + ", ".join(f"{kind} ({count:,})" for kind, count in types.most_common(12))
            + "."
        )
    return [feature for found in fitting.values() for feature in found]


def _fits(feature: Feature, wanted: str) -> bool:
    kind, _, condition = wanted.partition(":")
    return feature.type == kind and _has(feature.attributes, condition)


def _has(attributes: str, condition: str) -> bool:
    if not condition:
        return True
    key, equal, value = condition.partition("=")
    if equal:
        return f"{key}={value}" in attributes.split(";")
    key, _, value = condition.partition("~")
    return any(
        part.startswith(f"{key}=") and value.lower() in part.lower()
        for part in attributes.split(";")
    )


def runs_of(features: Iterable[Feature], strand: int = 0, join: int = 0) -> np.ndarray:
    """What features cover, int64 [runs, 2].

    Args:
        features: With global positions.
        strand: 1 or -1 for one strand only, 0 for both.
        join: Gaps up to so many bases are filled.
    """
    rows = defaultdict(list)
    for feature in features:
        if strand in (0, feature.strand):
            rows[feature.record].append((feature.start, feature.stop + join))
    # A record at a time: what lies between two records' features is no gap.
    runs = [union(np.array(own, dtype=np.int64)) - np.array([0, join]) for own in rows.values()]
    return union(*runs)


class Placed:
    """Features of a genome's records, in global positions; others are left out and counted.

    A record may be called chr1 in one file and 1 in the other, and if both files have one record
    only, names do not matter.

    Args:
        argument: Name of the argument that gave the features, for messages.
        genome: The genome.
        features: From one or several files.

    Attributes:
        features: Those that lie on the genome, with global positions.

    Raises:
        ValueError: If none does.
    """

    def __init__(self, argument: str, genome: Genome, features: Sequence[Feature]):
        self._argument = argument
        names = list(dict.fromkeys(feature.record for feature in features))
        records = find_records(genome, names)
        if len(names) == len(genome.names) == 1:
            if records[names[0]] < 0:
                rank_zero_info(f"{argument}: {names[0]} is taken for {genome.names[0]}")
            records = {names[0]: 0}
        self.features = []
        elsewhere, beyond = Counter(), Counter()
        for feature in features:
            index = records[feature.record]
            if index < 0:
                elsewhere[feature.record] += 1
                continue
            offset, stop = genome.offsets[index : index + 2].tolist()
            if offset + feature.stop > stop:
                beyond[feature.record] += 1
                continue
            self.features.append(
                feature._replace(start=offset + feature.start, stop=offset + feature.stop)
            )
        if not self.features:
            raise ValueError(
                f"{argument}: none of {len(features):,} features lies on the genome. Its records "
                f"are {', '.join(names[:5])}; those of the genome {', '.join(genome.names[:5])}. "
                "Give them the same names."
            )
        if beyond:
            rank_zero_warn(
                f"{argument}: {sum(beyond.values()):,} features reach beyond the end of "
                f"{', '.join(list(beyond)[:5])} and are left out. The sequence is cut short there, "
                "or of another assembly than the annotation."
            )
        rank_zero_info(
            f"{argument}: {len(self.features):,} of {len(features):,} features kept"
            + (f"; {sum(elsewhere.values()):,} on other records" if elsewhere else "")
        )

    def select(self, wanted: Sequence[str]) -> list[Feature]:
        """Features of some types; see the function."""
        return select(self.features, wanted)

    def introns(self) -> list[tuple[int, int, int]]:
        """(start, stop, strand) of each gap between neighbouring exons of a transcript, once.

        Exons that name no transcript have no neighbours; they are left out with a warning.
        """
        exons = defaultdict(list)
        features = self.select(["exon"])
        for feature in features:
            for parent in feature.parent.split(","):
                # Files of several records may number their transcripts alike: rna0, rna1, ...
                key = feature.record, parent
                exons[key].append((feature.start, feature.stop, feature.strand))
        alone = sum(len(rows) for (_, parent), rows in exons.items() if not parent)
        if alone:
            rank_zero_warn(
                f"{self._argument}: {alone:,} of {len(features):,} exons name no transcript "
                "(Parent in GFF3, transcript_id in GTF), so no introns come from them."
            )
        exons = {key: rows for key, rows in exons.items() if key[1]}
        found = set()
        for rows in exons.values():
            rows = sorted(set(rows))
            for (_, begin, strand), (stop, _, _) in zip(rows, rows[1:], strict=False):
                if stop > begin:
                    found.add((begin, stop, strand))
        return sorted(found)
