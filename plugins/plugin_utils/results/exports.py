# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The files that are made from a finished run, beside its record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.results import (
    density_csv,
    density_upstream,
    exported_series,
    html_report,
    line_protocol,
    openmetrics,
    parquet,
    run_directory,
    summary,
    tidy_csv,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run


def files(final: Mapping[str, Any], run: Run) -> Iterator[tuple[str, str | bytes]]:
    """Name and content of each file."""
    exported = exported_series.of_run(run)
    yield run_directory.SUMMARY, summary.csv_text(final, run)
    yield run_directory.TIDY, tidy_csv.text(final)
    yield run_directory.OPENMETRICS, openmetrics.text(final, run, exported)
    yield run_directory.LINE_PROTOCOL, line_protocol.text(final["run_id"], exported)
    if parquet.is_possible():
        yield run_directory.PARQUET, parquet.data(final["run_id"], exported)
    if run.searches is not None:
        told = density_upstream.data(run, run.searches)
        yield run_directory.DENSITY, density_csv.text(final)
        yield run_directory.UPSTREAM_DENSITY, json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    yield run_directory.REPORT, html_report.html(final, run)
