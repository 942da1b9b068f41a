# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""metrics.csv, read back: every figure of run.json once, exactly."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import tidy_csv

from ..synthetic import Play

Key = tuple[str, str, str, str, str, str]
"""Phase, host, replica, device, metric, statistic."""


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), strict=True))


def keyed(rows: list[dict[str, str]]) -> dict[Key, float]:
    found = {
        (row["phase"], row["host"], row["replica"], row["device"], row["metric"], row["statistic"]): float(row["value"])
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def figures(
    phase: str, host: str, replica: str, metrics: Mapping[str, Mapping[str, Any]], device: str = ""
) -> dict[Key, float]:
    return {
        (phase, host, replica, device, metric, statistic): value
        for metric, told in metrics.items()
        for statistic, value in told.items()
        if statistic != "unit" and value is not None
    }


def whose(record: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Host and replica of a name, which is one of either."""
    container = record["containers"].get(name)
    return (container["host"], name) if container else (name, "")


def test_every_figure_of_the_record_is_a_row_and_reads_back_exactly(play_of: Callable[..., Play]) -> None:
    play = play_of()
    record = play.whole(WindowSettings(40.0, 20.0, repeat=2))
    expected = figures("measure", "", "", record["totals"])
    for replica, metrics in record["metrics"].items():
        expected |= figures("measure", record["containers"][replica]["host"], replica, metrics)
    for host, metrics in record["host_metrics"].items():
        expected |= figures("measure", host, "", metrics)
    for name, metrics in record["device_metrics"].items():
        for metric, devices in metrics.items():
            for device, told in devices.items():
                expected |= figures("measure", *whose(record, name), {metric: told}, device)
    for phase, window in zip(("warmup 1", "measure 1", "measure 2"), record["windows"], strict=True):
        expected |= figures(phase, "", "", window["metrics"])
    rows = read((play.path / "metrics.csv").read_text())
    assert tuple(rows[0]) == tidy_csv.HEADER
    assert keyed(rows) == expected
    assert {row["run"] for row in rows} == {play.run_id}


def test_a_figure_has_its_own_unit(ready_run: Play) -> None:
    rows = read((ready_run.path / "metrics.csv").read_text())
    errors = {row["statistic"]: row["unit"] for row in rows if row["metric"] == "errors" and row["replica"]}
    assert errors.items() >= {"n": "1", "mean": "errors/s", "total": "errors"}.items()
    assert {row["unit"] for row in rows if row["metric"] == "latency_seconds"} == {"1", "seconds"}
    totals = {row["metric"]: row["unit"] for row in rows if row["statistic"] == "total"}
    assert (totals["package_power_watts"], totals["cpu_cores"]) == ("joules", "cores·seconds")
    assert totals["network_rx_bytes_per_second"] == "bytes"


def test_a_run_without_figures_is_a_header(play_of: Callable[..., Play]) -> None:
    play = play_of()
    play.begin()
    play.recorder.close()
    assert list(csv.reader(io.StringIO((play.path / "metrics.csv").read_text()))) == [list(tidy_csv.HEADER)]


@example(0.0, "", "\r0")
@given(st.floats(allow_nan=False, allow_infinity=False), st.text(), st.text())
def test_any_number_reads_back_and_no_text_is_a_formula(value: float, name: str, unit: str) -> None:
    final = {
        "run_id": "r",
        "containers": {},
        "metrics": {},
        "host_metrics": {"h": {name: {"unit": unit, "mean": value, "p99": None}}},
        "device_metrics": {},
        "totals": {},
        "windows": [],
    }
    (row,) = csv.DictReader(io.StringIO(tidy_csv.text(final), newline=""), strict=True)
    assert float(row["value"]) == value
    assert row["metric"].removeprefix("'") in (name, name.removeprefix("'"))
    assert not any(row[cell].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for cell in ("metric", "unit"))
