# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""metrics.parquet, read back with pyarrow, against metrics.prom; and a run without pyarrow."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ansible_collections.retail.profiles.plugins.plugin_utils.results import parquet

from ..synthetic import Play


def test_without_pyarrow_there_is_no_such_file_and_no_noise(
    play_of: Callable[..., Play], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == parquet.PACKAGE else find(name))
    play = play_of()
    record = play.whole()
    assert record["verdict"] == "ok"
    assert play.screen.warnings == []
    assert not (play.path / "metrics.parquet").exists()
    assert (play.path / "metrics.prom").exists()


def test_the_table_has_every_sample_of_the_openmetrics(ready_run: Play) -> None:
    reader = pytest.importorskip("pyarrow.parquet", reason="pyarrow takes 170 MB and no run needs it")
    table = reader.read_table(ready_run.path / "metrics.parquet")
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"
    rows = table.to_pylist()
    assert {row["run"] for row in rows} == {ready_run.run_id}
    found = {
        (
            row["metric"] if row["replica"] else f"host_{row['metric']}",
            row["host"],
            row["container"],
            row["replica"],
            row["device"],
            row["quantile"],
            round(row["time"].timestamp() * 1000),
        ): row["value"]
        for row in rows
    }
    expected = {}
    for family in text_string_to_metric_families((ready_run.path / "metrics.prom").read_text()):
        name = family.name.removeprefix("retail_profiles_")
        if name in ("run", "window"):
            continue
        for sample in family.samples:
            labels, stamp = sample.labels, sample.timestamp
            quantile = float(labels["quantile"]) if "quantile" in labels else None
            milliseconds = stamp.sec * 1000 + stamp.nsec // 10**6
            whose = tuple(labels.get(label) for label in ("host", "container", "replica", "device"))
            expected[(name, *whose, quantile, milliseconds)] = sample.value
    assert len(found) == len(rows)
    assert found == expected
    assert {row["unit"] for row in rows if row["metric"] == "errors"} == {"errors"}
