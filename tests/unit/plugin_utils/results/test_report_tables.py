# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the report: what they say, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.results import report_tables

from ..synthetic import GPUS, Play


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        ({"absent": "why"}, "not known: why"),
        ({"a": 1, "b": [1, 2]}, "a: 1, b: 1, 2"),
        ([], "–"),
        (3, "3"),
    ],
)
def test_system_values_as_text(value: object, text: str) -> None:
    assert report_tables.plain(value) == text


@pytest.mark.parametrize(
    ("value", "day", "text"),
    [
        ("2026-02-02T02:39:30.123456789Z", "2026-02-02", "02:39:30"),
        ("2026-02-02T02:39:30Z", "2026-02-01", "2026-02-02 02:39:30"),
        ("2026-02-02T02:39:30.4Z", "", "2026-02-02 02:39:30"),
        (None, "", "–"),
    ],
)
def test_times_are_told_to_the_second(value: object, day: str, text: str) -> None:
    assert report_tables.moment(value, day) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0"), (0.01234, "0.0123"), (9.876, "9.88"), (123.4, "123"), (98765.4, "98765")],
)
def test_figures_have_three_digits(value: object, text: str) -> None:
    assert report_tables.figure(value) == text


def test_columns_that_say_nothing_are_left_out() -> None:
    table = report_tables.Table(("name", "a", "b", "c"), (("x", "–", "1", ""), ("y", "–", "–", "")), words=2)
    assert table.without_empty() == report_tables.Table(("name", "b"), (("x", "1"), ("y", "–")), words=1)


def test_the_worst_stream_stands_first_and_what_is_no_stream_last(ready_run: Play) -> None:
    record = ready_run.record()
    record["metrics"]["ovms-client-3"]["fps"]["mean"] = 11.0
    record["metrics"]["ovms-client-2"]["fps"]["mean"] = 20.0
    table = report_tables.streams(record)
    names = [row[0] for row in table.rows]
    assert (names[0], names[1:3], names[-1]) == ("all", ["ovms-client-3", "ovms-client-2"], "ovms-ovms-server-1")
    assert len(names) == 6
    assert table.rows[-1][2:4] == ("–", "–")


def test_cards_show_no_figure_that_is_not_known(ready_run: Play) -> None:
    record = ready_run.record()
    assert "Latency p99" in [label for label, _figure, _unit in report_tables.cards(record)]
    record["totals"]["latency_seconds"]["p99"] = None
    labels = [label for label, _figure, _unit in report_tables.cards(record)]
    assert labels == ["All streams", "Latency p50", "Latency p95", "Errors"]


def server(**milliseconds: float) -> dict[str, Any]:
    metrics = {f"{name}_seconds": {"mean": value / 1000.0} for name, value in milliseconds.items()}
    return {
        "containers": {"server-1": {"host": "h1"}, "client-1": {"host": "h2"}},
        "metrics": {"server-1": {**metrics, "requests_per_second": {"mean": 120.0}}},
    }


def test_the_time_in_a_server_is_split() -> None:
    (found,) = report_tables.server_times(server(wait=2.0, inference=12.0, request=15.5))
    assert (found.replica, found.requests) == ("server-1", 120.0)
    assert dict(found.parts) == pytest.approx({"wait": 2.0, "inference": 12.0, "rest": 1.5})
    assert found.known == pytest.approx(found.whole)


def test_what_is_left_of_an_unknown_time_is_not_known() -> None:
    (found,) = report_tables.server_times(server(inference=12.0, request=15.5))
    assert (found.wait, found.rest) == (None, None)
    assert report_tables.server_times(server()) == []


def test_systems_are_told_by_what_differs(ready_run: Play) -> None:
    differs, same = report_tables.systems(ready_run.record())
    assert [one.name for one in differs] == ["kernel"]
    assert dict(differs[0].values) == {"6.1.0-13-amd64": "client1, client2, client3", "6.1.0-14-amd64": "server"}
    assert dict(one.values[0] for one in same if one.name == "governor") == {
        "not known: no cpufreq on this machine": "client1, client2, client3, server"
    }


def test_hosts_stand_side_by_side_without_what_is_zero_everywhere(ready_run: Play) -> None:
    table = report_tables.hosts(ready_run.record())
    assert [row[0] for row in table.rows] == ["client1", "client2", "client3", "server"]
    assert "CPU busy, cores" in table.headings
    assert "Pressure: waiting for memory, % of time" not in table.headings


def test_every_device_has_a_row_for_each_of_its_metrics(ready_run: Play) -> None:
    record = ready_run.record()
    rows = report_tables.devices(record).rows
    power = [row for row in rows if row[0] == "Processor package power, W"]
    names = [("client1", "package-0"), ("client2", "package-0"), ("client3", "package-0")]
    assert [row[1:3] for row in power] == [*names, ("server", "package-0"), ("server", "package-1")]
    assert [float(row[3]) for row in power] == pytest.approx([20.0, 20.0, 20.0, 20.0, 25.0], rel=0.05)
    render = [row[1:3] for row in rows if row[0].startswith("GPU render busy")]
    assert render == [*(("server", gpu) for gpu in GPUS), ("ovms-ovms-server-1", GPUS[0])]
    assert report_tables.devices({**record, "device_metrics": {}}).rows == ()


def test_equal_reasons_are_told_once(ready_run: Play) -> None:
    rows = {row[0]: row for row in report_tables.absent(ready_run.record()).rows}
    block = rows["block_read_bytes_per_second, block_write_bytes_per_second"]
    assert block[1] == "the kernel counts no block I/O by control group on this host"
    assert block[2].split(", ") == [*(f"ovms-client-{number}" for number in range(1, 5)), "ovms-ovms-server-1"]


def test_containers_have_a_row_each_and_replicas_another(ready_run: Play) -> None:
    record = ready_run.record()
    containers = report_tables.containers(record)
    assert [row[:3] for row in containers.rows] == [
        ("client", "4", "client1, client2, client3"),
        ("ovms-server", "1", "server"),
    ]
    replicas = report_tables.replicas(record)
    assert len(replicas.rows) == 5
    assert "exit code" not in replicas.headings


def test_objectives_say_what_was_asked_and_how_it_went() -> None:
    shared = {"metric": "fps", "container": "client", "statistic": "mean", "over": "each", "tolerance": 0.0}
    final = {
        "objectives": [
            {
                **shared,
                "at_least": 14.95,
                "state": "missed",
                "value": 13.8,
                "unit": "fps",
                "worst": {"replica": "client-3", "host": "h2"},
                "margin": -0.0769,
                "why": None,
            },
            {
                **shared,
                "at_least": 1.0,
                "state": "not known",
                "value": None,
                "unit": "fps",
                "worst": None,
                "margin": None,
                "why": "no value in the window",
            },
        ]
    }
    missed, unknown = report_tables.objectives(final).rows
    assert missed == ("fps mean, each client: at least 14.95", "✗ missed", "13.8 fps", "-7.7%", "client-3 on h2", "–")
    assert (unknown[1], unknown[-1]) == ("? not known", "no value in the window")
