# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``metrics.parquet``: the time series of a run as one table, where the controller's Python has pyarrow."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import PERCENTILES
from ansible_collections.retail.profiles.plugins.plugin_utils.results.exported_series import Exported

PACKAGE = "pyarrow"


def is_possible() -> bool:
    """Whether there is pyarrow. A run does not need it: without it there is no such file."""
    return importlib.util.find_spec(PACKAGE) is not None


def data(run_id: str, exported: Sequence[Exported]) -> bytes:
    """The whole file, a row for each value of each series. Raises ImportError where there is no pyarrow."""
    import pyarrow
    import pyarrow.parquet

    texts = ("run", "host", "container", "replica", "device", "metric", "unit")
    time = pyarrow.timestamp("ms", tz="UTC")
    schema = pyarrow.schema(
        [
            *((name, pyarrow.string()) for name in texts),
            ("quantile", pyarrow.float64()),
            ("time", time),
            ("value", pyarrow.float64()),
        ]
    )
    batches = []
    for series in exported:
        rows, subject = len(series.times), series.subject
        whose = (subject.host, subject.container, subject.replica, subject.device)
        same = (run_id, *whose, series.metric, series.unit)
        quantile = PERCENTILES[series.percentile] if series.percentile else None
        columns = [
            *(pyarrow.repeat(pyarrow.scalar(text, pyarrow.string()), rows) for text in same),
            pyarrow.repeat(pyarrow.scalar(quantile, pyarrow.float64()), rows),
            pyarrow.Array.from_buffers(time, rows, [None, pyarrow.py_buffer(series.times)]),
            pyarrow.Array.from_buffers(pyarrow.float64(), rows, [None, pyarrow.py_buffer(series.values)]),
        ]
        batches.append(pyarrow.record_batch(columns, schema=schema))
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_batches(batches, schema=schema), out)
    return out.getvalue()
