# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""metrics.prom through promtool into a real Prometheus, which then tells what run.json has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings, unix

from ..synthetic import Fleet, Play, make_plan
from .conftest import Prometheus


class Failing(Fleet):
    """Clients that count an error every third second."""

    def errors_in(self, replica: str, second: float) -> int:
        return 1 if second % 3 == 0 else 0


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """A run with two measure windows."""
    plan = make_plan(hosts=3, clients=3)
    made = Play(tmp_path_factory.mktemp("prometheus-run"), plan, Failing(plan))
    made.whole(WindowSettings(40.0, 30.0, repeat=2))
    return made


@pytest.fixture(scope="module")
def prometheus(play: Play, prometheus_over: Callable[[Path], Prometheus]) -> Prometheus:
    return prometheus_over(play.path / "metrics.prom")


def measured(record: dict[str, Any]) -> tuple[float, str]:
    """The end of what was measured, and its length as the range of a query that leaves out its start, as windows do."""
    windows = [window for window in record["windows"] if window["phase"] == "measure"]
    start, end = unix(windows[0]["start"]), unix(windows[-1]["end"])
    return end, f"{round((end - start) * 1000) - 1}ms"


@pytest.mark.parametrize(
    ("family", "kind", "metric"),
    [
        ("memory_working_set_bytes", "metrics", "memory_working_set_bytes"),
        ("cpu_cores", "metrics", "cpu_cores"),
        ("host_memory_used_bytes", "host_metrics", "memory_used_bytes"),
        ("host_psi_cpu_percent", "host_metrics", "psi_cpu_percent"),
    ],
)
def test_prometheus_serves_what_the_record_has(
    play: Play, prometheus: Prometheus, family: str, kind: str, metric: str
) -> None:
    record = play.record()
    end, length = measured(record)
    expected = {name: figures[metric] for name, figures in record[kind].items()}
    for function, statistic in (("avg", "mean"), ("min", "min"), ("max", "max"), ("count", "n")):
        told = prometheus.query(f"{function}_over_time(retail_profiles_{family}[{length}])", end)
        assert told == pytest.approx({name: figure[statistic] for name, figure in expected.items()}, rel=1e-9)


def test_prometheus_counts_the_errors_of_the_record(play: Play, prometheus: Prometheus) -> None:
    record = play.record()
    end, length = measured(record)
    # A client's line comes 0.2 s before each full second: the reading before the window is that of its first line.
    counter = "retail_profiles_errors_total"
    grown = prometheus.query(f"{counter} - {counter} offset {length}", end)
    expected = {name: found["errors"]["total"] for name, found in record["metrics"].items() if "errors" in found}
    assert expected
    assert grown == pytest.approx(expected, abs=1.0)


def test_prometheus_knows_the_run_and_its_windows(play: Play, prometheus: Prometheus) -> None:
    record = play.record()
    end, _length = measured(record)
    (identity,) = prometheus.get("query", query="retail_profiles_run_info", time=f"{end:.3f}")["result"]
    assert identity["metric"].items() >= {"run_id": play.run_id, "verdict": record["verdict"]}.items()
    for number, window in enumerate(record["windows"], start=1):
        shown = f'retail_profiles_window{{number="{number}"}}'
        assert prometheus.query(shown, unix(window["start"]) - 0.001) == {}
        for t, value in ((unix(window["start"]), 1.0), (unix(window["end"]) - 0.001, 1.0), (unix(window["end"]), 0.0)):
            (found,) = prometheus.get("query", query=shown, time=f"{t:.3f}")["result"]
            assert (found["metric"]["phase"], float(found["value"][1])) == (window["phase"], value)


def test_promtool_takes_a_run_that_was_cut_short(
    tmp_path: Path, play_of: Callable[..., Play], promtool: Callable[..., str]
) -> None:
    play = play_of()
    play.begin()
    play.recorder.close()
    told = promtool("tsdb", "create-blocks-from", "openmetrics", play.path / "metrics.prom", tmp_path / "blocks")
    assert "NUM SAMPLES" in told
