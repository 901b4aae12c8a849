# SPDX-License-Identifier: Apache-2.0
"""Tables from the hub or from a folder, with what upstream's loader lets pass made an error."""

import os
from pathlib import Path
from typing import List

import datasets
import numpy as np

from modelgenerator.data.base import HFDatasetLoaderMixin

SPLITS = ("train", "valid", "test")
DELIMITED, OTHERS = {".csv", ".tsv"}, {".parquet", ".json", ".jsonl", ".arrow", ".txt"}


class TableFiles(HFDatasetLoaderMixin):
    """Mixed into data modules of tables: missing files and splits are named, groups kept together.

    The module has upstream's `path`, `*_split_name` and `*_split_files`, and `group_col`.
    """

    def load_dataset(self, **kwargs) -> tuple:
        """As upstream's, but a split that was asked for and is not there is an error.

        Raises:
            ValueError: If the files cannot be reached or read, or a split is missing.
        """
        try:
            splits = super().load_dataset(**kwargs)
        except (OSError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            raise ValueError(
                f"path: {self.path} cannot be loaded ({_first_line(error)}). {self._where()}"
            ) from error
        names = (self.train_split_name, self.valid_split_name, self.test_split_name)
        for split, name, found in zip(SPLITS, names, splits, strict=True):
            if name is not None and found is None:
                raise ValueError(
                    f"{split}_split_name: {self.path} has no split {name!r}. Give another name, or "
                    f"null for none. {self._where()}"
                )
        return splits

    def load_and_split_dataset(self, **kwargs) -> tuple:
        """As upstream's, with rows of a group kept together where splits are made here."""
        if self.group_col is None:
            return super().load_and_split_dataset(**kwargs)
        train, valid, test = self.load_dataset(**kwargs)
        if train is None:
            raise ValueError("group_col: there is no training split to split. Leave it out.")
        self.check_columns("train", train)
        if test is None and self.test_split_size > 0:
            train, test = self._split_groups(train, self.test_split_size)
        if valid is None and self.valid_split_size > 0:
            train, valid = self._split_groups(train, self.valid_split_size)
        nothing = train.select([])
        return train, valid or nothing, test or nothing

    def _split_groups(self, table: datasets.Dataset, share: float) -> tuple:
        from sklearn.model_selection import GroupShuffleSplit

        splitter = GroupShuffleSplit(1, test_size=share, random_state=self.random_seed)
        groups = np.asarray(table.select_columns([self.group_col]).to_pandas()[self.group_col])
        kept, apart = next(splitter.split(groups, groups=groups))
        return table.select(kept), table.select(apart)

    def _files(self) -> List[str]:
        given = (self.train_split_files, self.valid_split_files, self.test_split_files)
        lists = [[files] if isinstance(files, str) else files or [] for files in given]
        return [file for files in lists for file in files]

    def is_delimited(self) -> bool:
        """Whether the files are CSV or TSV; of a dataset on the hub its names must be given."""
        files = self._files() or (os.listdir(self.path) if os.path.isdir(self.path) else [])
        kinds = {Path(file.removesuffix(".gz")).suffix.lower() for file in files}
        return bool(kinds & DELIMITED) and not kinds & OTHERS

    def check_files(self) -> None:
        """Say which files are missing in a local folder; the hub's own are not known beforehand."""
        if not os.path.isdir(self.path):
            return
        plain = [file for file in self._files() if "*" not in file and "://" not in file]
        missing = [file for file in plain if not os.path.exists(os.path.join(self.path, file))]
        if missing:
            raise ValueError(
                f"path: {self.path} lacks {', '.join(missing)}. Put them there, at these paths."
            )

    def _where(self) -> str:
        """What to do without the hub."""
        files = ", ".join(self._files())
        what = files or "the files of the dataset's repository (a clone of it will do)"
        return f"Without the hub, put {what} into a folder, at these paths, and give it as path."


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
