# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that are made from a finished run, beside its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
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


def makers(final: Mapping[str, Any], run: Run) -> dict[str, Callable[[], str | bytes]]:
    """What makes the content of each file, by its name."""
    exported = cache(lambda: exported_series.of_run(run))
    found: dict[str, Callable[[], str | bytes]] = {
        run_directory.SUMMARY: lambda: summary.csv_text(final, run),
        run_directory.TIDY: lambda: tidy_csv.text(final),
        run_directory.OPENMETRICS: lambda: openmetrics.text(final, run, exported()),
        run_directory.LINE_PROTOCOL: lambda: line_protocol.text(final["run_id"], exported()),
    }
    if parquet.is_possible():
        found[run_directory.PARQUET] = lambda: parquet.data(final["run_id"], exported())
    searches = run.searches
    if searches is not None:
        found[run_directory.DENSITY] = lambda: density_csv.text(final)
        found[run_directory.UPSTREAM_DENSITY] = lambda: run_directory.pretty(density_upstream.data(run, searches))
    found[run_directory.REPORT] = lambda: html_report.html(final, run)
    return found
