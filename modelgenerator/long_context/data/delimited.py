# SPDX-License-Identifier: Apache-2.0
"""Reads CSV and TSV so that a row of another width is an error, and a damaged value as well."""

import io
import warnings
from pathlib import Path
from typing import Any, TextIO, Union

import fsspec
import pandas as pd


def read_delimited(
    source: Union[str, Path, TextIO], separator: str, compression: str = "infer", **options: Any
) -> pd.DataFrame:
    """`pandas.read_csv` without two of its habits.

    It guesses that a first row too long begins with names of rows, by which every value moves one
    column to the left of its name. And it cuts names and values at a NUL byte.

    Args:
        source: Path or address, or text to read from.
        separator: What stands between fields.
        compression: Of a path or address, as `fsspec.open` takes it.
        options: Further ones of `pandas.read_csv`.

    Raises:
        ValueError: If a row has more fields than the header, or a NUL byte is found.
    """
    if isinstance(source, (str, Path)):
        opened = fsspec.open(
            str(source), "rt", compression=compression, encoding="utf-8-sig", newline=""
        )
        with opened as file:
            text = file.read()
    else:
        text = source.read()
    # Before pandas has it: an error while it asks for more may crash its parser.
    if "\0" in text:
        raise ValueError("it holds a NUL byte, so it is no text or is damaged.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(io.StringIO(text), sep=separator, index_col=False, **options)
        except pd.errors.ParserWarning:
            raise ValueError("a row has more fields than the header names.") from None
