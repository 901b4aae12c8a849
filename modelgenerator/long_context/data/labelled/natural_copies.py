# SPDX-License-Identifier: Apache-2.0
"""Does a model find what stands elsewhere in its window? Asked with the copies genomes have."""

import hashlib
import inspect
import os
from typing import List, Optional, Tuple, Union

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info
from torch.utils.data import DataLoader, Dataset

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data import checks, genome_checks
from modelgenerator.long_context.data.collate import with_special_tokens
from modelgenerator.long_context.data.copies import NATURAL, REVERSE_COMPLEMENT
from modelgenerator.long_context.data.copy_pairs import Copies, find_copies
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.index import index_fasta
from modelgenerator.long_context.data.masking import IGNORED, choose_masked, hide
from modelgenerator.long_context.data.sources import resolve_fasta
from modelgenerator.long_context.data.streams import Stream, generator
from modelgenerator.long_context.data.vocabulary import decode
from modelgenerator.long_context.data.windows import count_n, spread

COLUMNS = (
    "input_ids", "attention_mask", "labels", "copy_kind", "copy_distance", "window", "sequences",
    "ids",
)  # fmt: skip
KEPT, SCRAMBLED = "copies", "natural"


class CopyWindows(Dataset):
    """Windows around natural copies, with some bases of the copy masked.

    Args:
        genome: Where windows come from.
        copies: The copies.
        length: Length of a window, centred on the copy.
        mask_rate: Probability of a copy's base to be masked.
        keep: Whether the source stays. If not, its bases are put in random order, and the copy's
            bases count as natural ones, for they are copies of nothing.
        seed: Decides masks and orders, alike at every length.
    """

    def __init__(
        self,
        genome: Genome,
        copies: Copies,
        length: int,
        mask_rate: float,
        keep: bool,
        seed: int,
    ):
        self.genome = genome
        self.copies = copies
        self.length = length
        self.mask_rate = mask_rate
        self.keep = keep
        self.seed = seed

    def __len__(self) -> int:
        return len(self.copies.start)

    def __getitem__(self, index: int) -> dict:
        start, source, size, kind = (int(column[index]) for column in self.copies)
        rng = generator(self.seed, Stream.COPIES, start)
        draws = rng.random(size, dtype=np.float32)
        order = rng.permutation(size)
        begin = window_start(start, size, self.length)
        ids = self.genome.read(begin, self.length)
        # The copy may be longer than the window, and its source lie beyond it.
        window = np.arange(begin, begin + self.length)
        of_copy = (window >= start) & (window < start + size)
        of_source = (window >= source) & (window < source + size)
        if not self.keep:
            scrambled = self.genome.read(source, size)[order]
            ids[of_source] = scrambled[window[of_source] - source]
        masked = np.zeros(self.length, dtype=bool)
        masked[of_copy] = choose_masked(
            ids[of_copy], draws[window[of_copy] - start], self.mask_rate
        )
        hidden, labels = hide(ids, masked)
        into = window - start  # of the copy's base in the source: the same, or counted from its end
        match = source + (size - 1 - into if kind == REVERSE_COMPLEMENT else into)
        shown = of_copy & self.keep
        return {
            "input_ids": with_special_tokens(hidden),
            "attention_mask": torch.ones(self.length + 2, dtype=torch.long),
            "labels": _padded(labels, IGNORED, torch.long),
            "copy_kind": _padded(np.where(shown, kind, NATURAL), NATURAL, torch.int8),
            "copy_distance": _padded(np.where(shown, window - match, 0), 0, torch.int32),
            "window": index,
            "sequences": decode(ids),
            "ids": self.genome.locate(begin, self.length),
        }


def window_start(start: np.ndarray, size: np.ndarray, length: int) -> np.ndarray:
    """First base of the window of a length with a copy in its middle."""
    return start + size // 2 - length // 2


def _padded(values: np.ndarray, end: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.from_numpy(np.pad(values, 1, constant_values=end)).to(dtype)


class NaturalCopies(DataInterface):
    """Masked bases of natural copies, at several lengths, with their source kept or scrambled.

    Stretches of 100 bases or more that stand a second time before them, on either strand, and no
    third time in reach. A window has the copy in its middle; the source is in it only if the
    window is long enough, so accuracy rises with length if the model finds it. For each length
    there are two test sets with the same bases masked: "copies", as the genome is, and "natural",
    with the source's bases in random order. The difference is what the model gains by copying,
    whatever it knows of the sequence otherwise.

    Note:
        For `mgen test` with MaskedLM: `test_recall/LENGTH` is the accuracy with the source,
        `test_accuracy/LENGTH` that without. Results hold recall by distance.

    Args:
        fasta: FASTA files, patterns or names of genomes, as for LabelledWindows.
        lengths: Lengths of test windows, each a divisor of the longest.
        mask_rate: Probability of a copy's base to be masked.
        eval_windows: At most so many copies, spread evenly. By default all.
        random_seed: Decides masks.
        batch_size: Windows of the longest length in a batch; shorter ones hold as many bases.
        num_workers: Processes that prepare batches.
        pin_memory: Whether to pin memory, for faster copies to a GPU.

    Raises:
        ValueError: If an argument is out of range, a file is not usable, or there is no copy.
    """

    def __init__(
        self,
        fasta: Union[str, List[str]],
        lengths: List[int],
        mask_rate: float = 0.15,
        eval_windows: Optional[int] = None,
        random_seed: int = 42,
        batch_size: int = 1,
        num_workers: int = 0,
        pin_memory: bool = True,
    ):
        super().__init__(
            path=os.curdir,  # upstream's loader of tables is not used
            random_seed=random_seed,
            batch_size=batch_size,
            num_workers=num_workers,
            pin_memory=pin_memory,
        )
        self.fasta = fasta
        self.lengths = list(lengths)
        self.mask_rate = mask_rate
        self.eval_windows = eval_windows
        checks.check_lengths(max([1, *self.lengths]), self.lengths, None)
        checks.check_rates(mask_rate, None, 0.0)
        checks.check_at_least("eval_windows", eval_windows, 1)
        checks.check_at_least("batch_size", batch_size, 1)
        checks.check_at_least("random_seed", random_seed, 0)
        self.counts: dict = {}
        self.genome: Optional[Genome] = None
        self.test_datasets: List[CopyWindows] = []

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch: those of GenomeWindows."""
        return list(COLUMNS)

    @property
    def test_sets(self) -> List[Tuple[str, int]]:
        """Kind and length of each test dataloader."""
        return [(kind, length) for length in self.lengths for kind in (SCRAMBLED, KEPT)]

    def describe(self) -> dict:
        """Arguments, sequences and counts, for a record of results; files by name, not by path."""
        arguments = {
            name: getattr(self, name)
            for name in inspect.signature(type(self)).parameters
            if name not in ("num_workers", "pin_memory")
        }
        arguments["fasta"] = [path.name for path in resolve_fasta("fasta", self.fasta)]
        if self.genome is not None:
            digest = hashlib.blake2b("".join(self.genome.digests).encode(), digest_size=8)
            arguments["fasta_bases"] = len(self.genome)
            arguments["fasta_digest"] = digest.hexdigest()
        return {**arguments, "counts": self.counts}

    def __getstate__(self) -> dict:
        return {**vars(self), "trainer": None}  # see LabelledWindows

    def prepare_data(self) -> None:
        """Index the files, once on every machine."""
        for path in resolve_fasta("fasta", self.fasta):
            index_fasta(path)

    def setup(self, stage: Optional[str] = None) -> None:
        """Find the copies.

        Raises:
            ValueError: If there is none, or training is asked for.
        """
        if stage in ("fit", "validate"):
            raise ValueError(
                "NaturalCopies is for `mgen test`: its copies would be learned by heart. Train on "
                "GenomeWindows, with copies_per_window."
            )
        longest = max(self.lengths)
        self.genome = Genome(resolve_fasta("fasta", self.fasta))
        genome_checks.check_long_enough("fasta", self.genome, longest)
        copies = self._chosen(find_copies(self.genome, longest // 2), longest)
        self.test_datasets = [
            CopyWindows(self.genome, copies, length, self.mask_rate, kind == KEPT, self.random_seed)
            for kind, length in self.test_sets
        ]

    def _chosen(self, copies: Copies, longest: int) -> Copies:
        begin = window_start(copies.start, copies.length, longest)
        record = np.searchsorted(self.genome.offsets, copies.start, side="right")
        inside = (begin >= self.genome.offsets[record - 1]) & (
            begin + longest <= self.genome.offsets[record]
        )
        few_n = count_n(begin, longest, self.genome.n_runs) <= 0.05 * longest
        kept = spread(np.flatnonzero(inside & few_n), self.eval_windows)
        dropped = {
            "too near an end of its record": int((~inside).sum()),
            "too many N": int((inside & ~few_n).sum()),
            "beyond eval_windows": int((inside & few_n).sum()) - len(kept),
        }
        reverse = int((copies.kind[kept] == REVERSE_COMPLEMENT).sum())
        self.counts["test"] = {
            "found": len(copies.start),
            "kept": len(kept),
            "reverse_complement": reverse,
            "dropped": dropped,
        }
        reasons = ", ".join(f"{count:,} left out: {why}" for why, count in dropped.items() if count)
        if not len(kept):
            raise ValueError(
                f"fasta: of {len(copies.start)} copies of 100 bases or more within "
                f"{longest // 2:,} bases none can be used ({reasons or 'there is none'}). Give "
                "more sequence or longer lengths."
            )
        rank_zero_info(
            f"NaturalCopies: {len(kept):,} of {len(copies.start):,} copies kept, {reverse:,} on "
            f"the other strand; {reasons or 'none left out'}"
        )
        return Copies(*(column[kept] for column in copies))

    def test_dataloader(self) -> List[DataLoader]:
        """One for each of `test_sets`, in that order."""
        return [
            DataLoader(
                dataset,
                batch_size=max(1, self.batch_size * max(self.lengths) // dataset.length),
                num_workers=self.num_workers,
                pin_memory=self.pin_memory and torch.cuda.is_available(),
            )
            for dataset in self.test_datasets
        ]

    def predict_dataloader(self) -> DataLoader:
        """Windows of the longest length, as the genome is."""
        return self.test_dataloader()[self.test_sets.index((KEPT, max(self.lengths)))]
