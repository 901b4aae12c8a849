# SPDX-License-Identifier: Apache-2.0
"""Reads CSV and TSV so that a row of another width is an error."""

import warnings
from typing import Any

import pandas as pd


def read_delimited(source: Any, separator: str, **options: Any) -> pd.DataFrame:
    """`pandas.read_csv` without its guess that a first row too long begins with names of rows.

    By that guess every value moves one column to the left of its name.

    Args:
        source: Path or address, or text to read from.
        separator: What stands between fields.
        options: Further ones of `pandas.read_csv`.

    Raises:
        ValueError: If a row has more fields than the header.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(source, sep=separator, index_col=False, **options)
        except pd.errors.ParserWarning:
            raise ValueError("a row has more fields than the header names.") from None
