# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""summary.csv and metrics.prom, read back by those who read them."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings, unix
from ansible_collections.retail.profiles.plugins.plugin_utils.results import (
    exported_series,
    openmetrics,
    run_record,
    summary,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.openmetrics import text as openmetrics_text

from ..synthetic import Play, make_plan

PlayOf = Callable[..., Play]


def run_of(play: Play) -> run_record.Run:
    return run_record.load(play.plan, play.directory.events(), play.directory.samples())


def csv_of(play: Play) -> dict[str, str]:
    rows = list(csv.reader(io.StringIO((play.path / "summary.csv").read_text())))
    assert all(len(row) == 2 for row in rows)
    return {row[0]: row[1] for row in rows}


def test_the_summary_has_the_known_row_names(ready_run: Play) -> None:
    rows = csv_of(ready_run)
    expected = [f"Camera_{n} {what}" for n in range(1, 5) for what in ("FPS", "Last log update")]
    expected += [
        f"For Pipeline_{n} run per frame{what} Latency (ms) for Channel(source_sink)"
        for n in range(1, 5)
        for what in ("", " Average", " Stddev")
    ]
    expected += ["CPU Utilization %", "NPU Utilization %", "Memory Utilization %", "Disk Read MB/s", "Disk Write MB/s"]
    expected += [f"S{n} {what}" for what in ("Memory Bandwidth Usage MB/s", "Power Draw W") for n in range(5)]
    of_gpus = ["GPU Utilization %", *(f"{unit} Utilization %" for unit in ("Compute[CCS]", "Render/3D[RCS]"))]
    of_gpus += [
        "Video[VCS] Utilization %",
        "VideoEnhance[VECS] Utilization %",
        "Blitter Copy Engine %",
        "GPU Power (W)",
    ]
    expected += [f"GPU_{n} {what}" for what in of_gpus for n in range(2)]
    expected += ["Overall Latency (ms)", "Overall Latency, mean over all frames (ms)"]
    expected += ["Total Text count", "Total Barcode count", "Bottleneck"]
    assert list(rows) == expected


def test_the_summary_has_known_figures(ready_run: Play) -> None:
    rows, final = csv_of(ready_run), ready_run.record()
    assert float(rows["Camera_1 FPS"]) == pytest.approx(final["metrics"]["ovms-client-1"]["fps"]["mean"], rel=1e-4)
    assert float(rows["CPU Utilization %"]) == pytest.approx(50.0, rel=0.05)
    assert float(rows["Memory Utilization %"]) == pytest.approx(100 * (2 * 1024**3 + 1e8) / (8 * 1024**3), rel=1e-4)
    assert float(rows["Disk Read MB/s"]) == pytest.approx(4 * 3 * 4096 / 1e6, rel=1e-4)
    assert float(rows["Overall Latency, mean over all frames (ms)"]) == pytest.approx(19.5, rel=0.03)
    assert unix(rows["Camera_1 Last log update"]) > unix(final["windows"][-1]["end"])
    assert rows["GPU_0 Blitter Copy Engine %"] == rows["GPU_0 GPU Utilization %"] == rows["Total Text count"] == "NA"


def test_the_summary_has_the_engines_of_gpus_and_the_npus(ready_run: Play) -> None:
    rows, final = csv_of(ready_run), ready_run.record()
    shares = [20, 40, 40, 80]
    for (row, gpu), percent in zip(itertools.product(("Render/3D[RCS]", "Video[VCS]"), range(2)), shares, strict=True):
        assert float(rows[f"GPU_{gpu} {row} Utilization %"]) == pytest.approx(percent, rel=0.01)
    assert [rows["GPU_0 GPU Power (W)"], rows["GPU_1 GPU Power (W)"]] == ["15", "45"]
    assert float(rows["NPU Utilization %"]) == pytest.approx(30, rel=0.01)
    own = final["device_metrics"]["ovms-ovms-server-1"]
    assert {name: round(told["0000:00:02.0"]["mean"]) for name, told in own.items()} == {
        "gpu_render_busy_percent": 10,
        "gpu_video_busy_percent": 20,
    }


def test_the_summary_numbers_the_packages_of_all_hosts(ready_run: Play) -> None:
    rows, final = csv_of(ready_run), ready_run.record()
    packages = [
        told["mean"]
        for host in final["hosts"]
        for told in final["device_metrics"][host]["package_power_watts"].values()
    ]
    assert packages == pytest.approx([20.0, 20.0, 20.0, 20.0, 25.0], rel=0.01)
    assert [float(rows[f"S{n} Power Draw W"]) for n in range(5)] == pytest.approx(packages, rel=1e-4)
    assert rows["S4 Memory Bandwidth Usage MB/s"] == "NA"


def test_the_overall_latency_is_the_median_of_the_pipelines_medians(ready_run: Play) -> None:
    rows, final = csv_of(ready_run), ready_run.record()
    medians = []
    for number in range(1, 5):
        told = final["metrics"][f"ovms-client-{number}"]["latency_seconds"]
        row = f"For Pipeline_{number} run per frame{{}} Latency (ms) for Channel(source_sink)"
        for word, statistic in (("", "p50"), (" Average", "mean")):
            channel, _colon, shown = rows[row.format(word)].partition(": ")
            assert channel == f"ovms-client-{number}"
            assert float(shown) == pytest.approx(told[statistic] * 1000.0, rel=1e-5)
        assert rows[row.format(" Stddev")] == "NA"
        medians.append(told["p50"] * 1000.0)
    medians.sort()
    assert float(rows["Overall Latency (ms)"]) == pytest.approx((medians[1] + medians[2]) / 2.0, rel=1e-5)
    assert float(rows["Overall Latency (ms)"]) == pytest.approx(18.3, rel=0.03)


def test_a_pipeline_without_a_median_makes_the_overall_latency_na(ready_run: Play) -> None:
    run, final = run_of(ready_run), ready_run.record()
    final["metrics"]["ovms-client-2"]["latency_seconds"]["p50"] = None
    rows = dict(summary.rows(final, run))
    assert rows["Overall Latency (ms)"] == "NA"
    assert rows["For Pipeline_2 run per frame Latency (ms) for Channel(source_sink)"] == "NA"
    assert rows["Overall Latency, mean over all frames (ms)"] != "NA"


def test_what_is_not_there_is_na_never_zero(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.recorder.close()
    assert set(csv_of(play).values()) == {"NA"}


def test_a_host_without_figures_makes_the_fleets_figure_na(ready_run: Play) -> None:
    run, final = run_of(ready_run), ready_run.record()
    del final["host_metrics"]["client1"]["cpu_cores"]
    rows = dict(summary.rows(final, run))
    assert rows["CPU Utilization %"] == "NA"
    assert rows["Memory Utilization %"] != "NA"


def test_of_very_many_replicas_a_terminal_sees_the_slowest() -> None:
    names = [f"c-{number}" for number in range(1, 101)]
    final = {
        "run_id": "r",
        "containers": {name: {"container": "c", "host": "h"} for name in names},
        "metrics": {name: {"fps": {"mean": float(number)}} for number, name in enumerate(names)},
        "totals": {"fps": {"mean": 7.0}},
    }
    lines = summary.table(final).splitlines()
    assert [line.split()[0] for line in lines[3:-3]] == names[: summary.MOST_ROWS]
    assert lines[-3].startswith("all ")
    assert lines[-1] == "Worst stream: c-1 on h: 0.0 fps, 0% of its container's median, 49.5"
    assert lines[-2] == "60 more replicas, none of them slower than these, are in the report"


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    cell = summary.neutral(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text or cell == text


def test_names_sort_as_people_count() -> None:
    names = ["client-10", "client-9", "client-1", "alpha", "1host"]
    assert sorted(names, key=natural) == ["1host", "alpha", "client-1", "client-9", "client-10"]


def families(play: Play) -> dict[str, Any]:
    text = (play.path / "metrics.prom").read_text()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_metrics_are_openmetrics_with_times(ready_run: Play) -> None:
    found = families(ready_run)
    assert found["retail_profiles_run"].samples[0].labels["run_id"] == ready_run.run_id
    fps = [s for s in found["retail_profiles_fps"].samples if s.labels["replica"] == "ovms-client-1"]
    assert fps[0].labels == {"host": "client1", "container": "client", "replica": "ovms-client-1"}
    assert len(fps) == ready_run.sampled["client1"] - 1
    assert all(before.timestamp < after.timestamp for before, after in zip(fps, fps[1:], strict=False))
    assert found["retail_profiles_errors"].type == "counter"
    assert {s.name for s in found["retail_profiles_errors"].samples} == {"retail_profiles_errors_total"}
    quantiles = {sample.labels["quantile"] for sample in found["retail_profiles_latency_seconds"].samples}
    assert quantiles == {"0.5", "0.95", "0.99"}
    assert len(found["retail_profiles_host_cpu_cores"].samples) > 4 * 40


def test_metrics_of_a_run_without_samples_parse(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.recorder.close()
    assert set(families(play)) == {"retail_profiles_run"}


def test_metrics_with_odd_names_and_kinds_parse(play_of: PlayOf) -> None:
    plan = make_plan(hosts=3, clients=2)
    odd = {"log": "fps", "kind": "gauge", "unit": 'a"b\\c', "required": True}
    names = ("fps_total", "odd-name.x", "a_info", "depth_bucket")
    plan["replicas"]["ovms-client-1"]["metrics"] = {"errors": {**odd, "log": "errors"}, **dict.fromkeys(names, odd)}
    play = play_of(plan=plan)
    play.whole(WindowSettings(15.0, 10.0))
    found = families(play)
    assert {"retail_profiles_odd_name_x", "retail_profiles_a", "retail_profiles_depth"} <= set(found)
    # One client counts errors, the other gives them as a gauge: both are there, under a name each.
    assert {found[name].type for name in found if name.startswith("retail_profiles_errors")} == {"counter", "gauge"}


def test_a_counter_that_is_named_as_a_rate_is_exported_as_that_rate(play_of: PlayOf) -> None:
    plan = make_plan(hosts=3, clients=2)
    counter = {"log": "errors", "kind": "counter", "unit": "frames"}
    plan["replicas"]["ovms-client-1"]["metrics"] = dict.fromkeys(("dropped", "dropped_per_second"), counter)
    play = play_of(plan=plan)
    play.whole(WindowSettings(15.0, 10.0))
    found = families(play)
    assert (found["retail_profiles_dropped"].type, found["retail_profiles_dropped_per_second"].type) == (
        "counter",
        "gauge",
    )
    assert len(found["retail_profiles_dropped"].samples) == len(found["retail_profiles_dropped_per_second"].samples) + 1


@given(st.dictionaries(st.sampled_from(["run_id", "profile", "deployment"]), st.text(), min_size=3))
def test_any_text_is_a_label(labels: dict[str, str]) -> None:
    (line,) = openmetrics._lines(openmetrics._sampled("m", tuple(labels.items())), [(1, 1.0)])
    assert line.count("\n") == 0


def test_labels_with_quotes_and_newlines_come_back(ready_run: Play) -> None:
    final = {**ready_run.record(), "profile": 'a"b\\c\nd'}
    run = run_of(ready_run)
    text = openmetrics_text(final, run, exported_series.of_run(run))
    info = next(iter(text_string_to_metric_families(text)))
    assert info.samples[0].labels["profile"] == 'a"b\\c\nd'
