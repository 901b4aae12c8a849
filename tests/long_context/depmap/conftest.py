# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.depmap.store import MapValues


@pytest.fixture
def make_map():
    """A map of given values, square unless rows are given."""

    def make(values, rows=None, columns=None, start=0, **about):
        values = np.asarray(values, dtype=np.float32)
        rows = start + (np.arange(values.shape[0]) if rows is None else np.asarray(rows))
        columns = start + (np.arange(values.shape[1]) if columns is None else np.asarray(columns))
        length = int(max(rows.max(), columns.max())) + 1 - start
        about = {
            "kind": "exact",
            "record": "r",
            "start": start,
            "stop": start + length,
            "sequence": "A" * length,
            "strand": "+",
            "block": 1,
            "method": "rope",
            "factor": 1.0,
            "backbone": "b",
            **about,
        }
        return MapValues(rows, columns, values, np.full((length, 4), 0.25, np.float32), about)

    return make
