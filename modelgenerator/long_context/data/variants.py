# SPDX-License-Identifier: Apache-2.0
"""The data module of variants: windows of a reference, with either allele, cut when asked for."""

import hashlib
import inspect
import os
from collections.abc import Iterator
from typing import List, Optional, Union

import numpy as np
import pandas as pd
import torch
from lightning.pytorch.utilities import rank_zero_info
from torch.utils.data import DataLoader, Dataset

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data.checks import check_at_least, check_share
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.index import index_fasta
from modelgenerator.long_context.data.sources import resolve_fasta
from modelgenerator.long_context.data.variant_table import place_variants, read_variants
from modelgenerator.long_context.data.vocabulary import CLS, MASK, SEP, encode

COLUMNS = (
    "reference",
    "masked",
    "alternate",
    "window",
    "site",
    "position",
    "ref_ids",
    "alt_ids",
    "index",
)
NO_BASE = -1  # fills the alleles of a batch up to the longest


class VariantWindows(Dataset):
    """Batches of windows of one length; variants of a window share its reference.

    Item i is a batch. A window is centred on its variants as far as its sequence allows; one at the
    end of a chromosome is moved inwards.

    Args:
        genome: The reference.
        table: Variants with `start`, `low`, `high`, `ref`, `alt`.
        length: Length of the windows.
        share: Variants within so many bases of each other can share a window.
        batch_size: Variants in a batch.
    """

    def __init__(
        self, genome: Genome, table: pd.DataFrame, length: int, share: int, batch_size: int
    ):
        self.genome = genome
        self.table = table
        self.length = length
        self.share = share
        self.batches = list(_batches(table, share, batch_size))

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        batch = self.batches[index]
        width = max(len(ref) for variants in batch for ref in self.table["ref"].iloc[variants])
        references, masked, alternates = [], [], []
        rows = {"window": [], "site": [], "position": [], "ref_ids": [], "alt_ids": []}
        for variants in batch:
            part = self.table.iloc[variants]
            low, high = int(part["low"].iloc[0]), int(part["high"].iloc[0])
            middle = (int(part["start"].iloc[0]) - low) // self.share * self.share + self.share // 2
            start = min(max(low + middle - self.length // 2, low), high - self.length)
            reference = np.empty(self.length + 2, dtype=np.int64)
            reference[0], reference[-1] = CLS, SEP
            reference[1:-1] = self.genome.read(start, self.length)
            references.append(reference)
            sites: dict[tuple[int, int], int] = {}
            for at, ref, alt in zip(part["start"], part["ref"], part["alt"], strict=True):
                here = slice(at - start + 1, at - start + 1 + len(ref))
                if (at, len(ref)) not in sites:
                    sites[at, len(ref)] = len(masked)
                    masked.append(reference.copy())
                    masked[-1][here] = MASK
                alternates.append(reference.copy())
                alternates[-1][here] = encode(alt.encode())
                rows["window"].append(len(references) - 1)
                rows["site"].append(sites[at, len(ref)])
                rows["position"].append(here.start)
                rows["ref_ids"].append(_padded(ref, width))
                rows["alt_ids"].append(_padded(alt, width))
        return {
            "reference": torch.from_numpy(np.stack(references)),
            "masked": torch.from_numpy(np.stack(masked)),
            "alternate": torch.from_numpy(np.stack(alternates)),
            **{name: torch.from_numpy(np.array(values)) for name, values in rows.items()},
            "index": torch.from_numpy(np.concatenate(batch)),
        }


def _batches(table: pd.DataFrame, share: int, batch_size: int) -> Iterator[list[np.ndarray]]:
    """Rows of the table, by batch and window; along the genome, so that reading is local."""
    bins = (table["start"] - table["low"]) // share
    order = np.lexsort([table["start"], bins, table["low"]])
    keys = np.stack([table["low"], bins], axis=1)[order]
    borders = np.flatnonzero((np.diff(keys, axis=0) != 0).any(axis=1)) + 1
    batch: list[np.ndarray] = []
    for window in np.split(order, borders):
        for variants in _whole_sites(window, table["start"].to_numpy(), batch_size):
            if batch and sum(map(len, batch)) + len(variants) > batch_size:
                yield batch
                batch = []
            batch.append(variants)
    if batch:
        yield batch


def _whole_sites(window: np.ndarray, starts: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """A window's variants in parts of at most so many; those of one position stay together."""
    borders = np.flatnonzero(np.diff(starts[window])) + 1
    part: list[np.ndarray] = []
    for site in np.split(window, borders):
        if part and sum(map(len, part)) + len(site) > most:
            yield np.concatenate(part)
            part = []
        part.append(site)
    yield np.concatenate(part)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _padded(allele: str, width: int) -> np.ndarray:
    ids = np.full(width, NO_BASE, dtype=np.int64)
    ids[: len(allele)] = encode(allele.encode())
    return ids


class Variants(DataInterface):
    """Windows around variants, with the reference, the alternative, and the site masked.

    Substitutions of one base or several are taken, several alternatives of a site each by itself.
    Indels, symbolic alleles and whatever cannot be placed are left out, counted and reported.
    Windows are cut from the genome's index when they are asked for, never all at once.

    Note:
        For every length in `lengths` there is one test set with the very same variants.
        `mgen predict` runs over the first length.

    Args:
        variants: VCF, CSV, TSV, Parquet or JSON lines, compressed or not, or an address that pandas
            reads (hf://datasets/NAME/FILE.parquet), with `chrom`, `pos` (1-based), `ref`, `alt`.
        fasta: The genome the variants were called on: FASTA files or patterns, or "demo".
        window: Length of the windows, in nucleotides.
        lengths: Lengths to test, each on all variants. By default `window`.
        label: Column, or INFO key of a VCF, with the label.
        positive: Values of the label that count as 1. By default labels are 0 and 1.
        negative: Values of the label that count as 0; variants with neither are left out.
        share: Variants in the same stretch of so many bases share a window, centred on the
            stretch, and its reference pass. With 1 only those at the same position do.
        max_mismatch: Largest share of variants whose REF may differ from the genome.
        batch_size: Variants in a batch, for windows of `window`; longer ones get fewer, but the
            alternatives of one position always stay together, with one reference and one mask.
        num_workers: Processes that prepare batches.
        pin_memory: Whether to pin memory, for faster copies to a GPU.

    Raises:
        ValueError: If an argument is out of range, the file cannot be used, or does not fit the
            genome.
    """

    def __init__(
        self,
        variants: str,
        fasta: Union[str, List[str]],
        window: int = 512,
        lengths: Optional[List[int]] = None,
        label: str = "label",
        positive: Optional[List[str]] = None,
        negative: Optional[List[str]] = None,
        share: int = 1,
        max_mismatch: float = 0.01,
        batch_size: int = 8,
        num_workers: int = 0,
        pin_memory: bool = True,
    ):
        super().__init__(
            path=os.curdir,  # upstream's loader of tables is not used
            batch_size=batch_size,
            num_workers=num_workers,
            pin_memory=pin_memory,
        )
        self.variants = variants
        self.fasta = fasta
        self.window = window
        self.lengths = [window] if lengths is None else list(lengths)
        self.label = label
        self.positive = positive
        self.negative = negative
        self.share = share
        self.max_mismatch = max_mismatch
        check_at_least("batch_size", batch_size, 1)
        check_at_least("share", share, 1)
        check_share("max_mismatch", max_mismatch)
        if not self.lengths:
            raise ValueError("lengths: none is given. Leave it out to test on `window`.")
        for length in (window, *self.lengths):
            check_at_least("window, lengths", length, 1)
            if share > max(1, length // 2):
                raise ValueError(
                    f"share: {share}; a window of {length} leaves a variant too little context on "
                    f"one side. Give at most {max(1, length // 2)}."
                )
        self.genome: Optional[Genome] = None
        self.table: Optional[pd.DataFrame] = None
        self.left_out: dict[str, int] = {}

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch, all int64.

        `reference` [windows, n + 2], `masked` [sites, n + 2] with [MASK] over the variant,
        `alternate` [variants, n + 2], each with [CLS] and [SEP]. For each variant: `window` and
        `site` it belongs to, `position` of its first base within them, `ref_ids` and `alt_ids`
        [variants, longest allele], -1 beyond an allele's end, and `index`, its row in `table`.
        """
        return list(COLUMNS)

    @property
    def longest(self) -> int:
        """The longest window."""
        return max(self.window, *self.lengths)

    @property
    def labels(self) -> Optional[np.ndarray]:
        """0 or 1 for each row of `table`, or None."""
        return self.table["label"].to_numpy() if "label" in self.table else None

    def describe(self) -> dict:
        """The arguments and what they led to, for a record of results; files by name."""
        names = inspect.signature(type(self)).parameters
        arguments = {n: getattr(self, n) for n in names if n not in ("num_workers", "pin_memory")}
        arguments["variants"] = self.variants.rsplit("/", 1)[-1]
        arguments["fasta"] = [path.name for path in resolve_fasta("fasta", self.fasta)]
        scored = self.table.drop(columns=["start", "low", "high"]).to_csv(index=False)
        return {
            **arguments,
            "fasta_digest": _digest("".join(self.genome.digests)),
            "variants_digest": _digest(scored),
            "scored": len(self.table),
            "left_out": self.left_out,
        }

    def __getstate__(self) -> dict:
        # As GenomeWindows: upstream's tasks pickle their data module into every checkpoint.
        return {**vars(self), "trainer": None}

    def prepare_data(self) -> None:
        """Index the genome, once on every machine."""
        for path in resolve_fasta("fasta", self.fasta):
            index_fasta(path)

    def setup(self, stage: Optional[str] = None) -> None:
        """Read the variants and find them in the genome."""
        if self.table is not None:
            return
        self.genome = Genome(resolve_fasta("fasta", self.fasta))
        table, unread = read_variants(self.variants, self.label, self.positive, self.negative)
        # Bases from a variant to the end of its window, at least, wherever in its stretch it is.
        room = min(n - n // 2 + self.share // 2 - self.share + 1 for n in self.lengths)
        fits = table["ref"].str.len() <= room
        unread[f"longer than the {room:,} bases that a window has for it"] = int((~fits).sum())
        table, unplaced = place_variants(table[fits], self.genome, self.longest, self.max_mismatch)
        self.table = table
        self.left_out = {reason: n for reason, n in (unread + unplaced).items() if n}
        reasons = "".join(f"; {n:,} left out: {reason}" for reason, n in self.left_out.items())
        rank_zero_info(f"{len(table):,} variants are scored{reasons}.")

    def test_dataloader(self) -> List[DataLoader]:
        """One for each of `lengths`, in that order."""
        return [self._loader(length) for length in self.lengths]

    def predict_dataloader(self) -> DataLoader:
        """The variants in windows of the first length."""
        return self._loader(self.lengths[0])

    def _loader(self, length: int) -> DataLoader:
        at_once = max(1, self.batch_size * self.window // length)
        return DataLoader(
            VariantWindows(self.genome, self.table, length, self.share, at_once),
            batch_size=None,  # an item is a batch
            num_workers=self.num_workers,
            pin_memory=self.pin_memory and torch.cuda.is_available(),
        )
