# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import Summary
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, cut

from ..synthetic import T0, make_plan

SERVER, CLIENT = "ovms-ovms-server-1", "ovms-client-1"
WINDOW = [Span(T0, T0 + 100)]


def seen(samples: Iterable[dict[str, Any]], corrections: dict[str, float] | None = None) -> Observations:
    plan = measured_plan.of_plan(make_plan(hosts=2, clients=1))
    return observations.observe(plan, ({"host": "server", **sample} for sample in samples), corrections or {})


def figure(told: Observations, replica: str, metric: str) -> Summary:
    summary = cut(told.replicas[replica][metric], WINDOW)
    assert summary is not None
    return summary


def container(second: float, **values: Any) -> dict[str, Any]:
    return {"t": T0 + second, "type": "container", "replica": SERVER, "id": "a", **values}


def test_cpu_is_cores() -> None:
    told = seen([container(k, cpu_ns=int(k * 1.5e9)) for k in range(1, 5)])
    assert figure(told, SERVER, "cpu_cores").mean == pytest.approx(1.5)


def test_throttling_is_throttled_periods_of_all_periods() -> None:
    told = seen([container(1, periods=0, throttled=0), container(2, periods=10, throttled=3)])
    assert figure(told, SERVER, "cpu_throttled_ratio").mean == pytest.approx(0.3)


def test_working_set_leaves_inactive_file_out_and_is_not_negative() -> None:
    told = seen([container(1, mem_usage=100, mem_inactive_file=30), container(2, mem_usage=10, mem_inactive_file=30)])
    summary = figure(told, SERVER, "memory_working_set_bytes")
    assert (summary.min, summary.max, summary.n) == (0.0, 70.0, 2)


def test_network_and_block_that_are_null_make_no_metric() -> None:
    told = seen([container(1, net=None, blk=None, cpu_ns=0), container(2, net=None, blk=None, cpu_ns=1)])
    assert set(told.replicas[SERVER]) == {"cpu_cores"}


def test_network_and_block_rates() -> None:
    told = seen(
        [
            container(1, net={"rx": 0, "tx": 10}, blk={"read": 0, "write": 0}),
            container(3, net={"rx": 8, "tx": 10}, blk={"read": 2, "write": 4}),
        ]
    )
    names = ("network_rx", "network_tx", "block_read", "block_write")
    assert [figure(told, SERVER, f"{name}_bytes_per_second").mean for name in names] == [4.0, 0.0, 1.0, 2.0]


def test_a_restart_makes_no_rate() -> None:
    restart = {"t": T0 + 2.5, "type": "state", "replica": SERVER, "event": "restarted"}
    told = seen(
        [
            container(1, cpu_ns=0),
            container(2, cpu_ns=1e9),
            restart,
            container(3, cpu_ns=5e9),
            container(4, cpu_ns=6e9),
        ]
    )
    assert [point.value for point in told.replicas[SERVER]["cpu_cores"].points] == [1.0, 1.0]


def rapl(second: float, **joules: float) -> dict[str, Any]:
    counters = {f"package-{name[1:]}": {"package_uj": value * 1e6} for name, value in joules.items()}
    return {"t": T0 + second, "type": "host", "devices": {"rapl": counters}}


def test_a_metric_of_devices_has_a_series_for_each_of_them() -> None:
    told = seen([rapl(1, p10=0, p2=7), rapl(2, p10=30, p2=17), rapl(3, p10=60)])
    assert [(one.name, one.instance, [point.value for point in one.points]) for one in told.devices["server"]] == [
        ("package_power_watts", "package-2", [10.0]),
        ("package_power_watts", "package-10", [30.0, 30.0]),
    ]
    assert told.devices["client1"] == told.devices[SERVER] == ()


def test_counters_of_devices_begin_anew_with_the_sampler() -> None:
    start = {"t": T0 + 2.5, "type": "observer", "event": "start"}
    told = seen([rapl(1, p0=0), rapl(2, p0=5), start, rapl(3, p0=900), rapl(4, p0=905)])
    (power,) = told.devices["server"]
    assert [(point.start - T0, point.value) for point in power.points] == [(1.0, 5.0), (3.0, 5.0)]


@pytest.mark.parametrize("devices", [7, [], {"rapl": 7}, {"rapl": {"package-0": None}}, {"rapl": {"": {"x": "y"}}}])
def test_devices_that_are_none_are_passed_over(devices: Any) -> None:
    told = seen({"t": T0 + 1, "type": kind, "replica": SERVER, "devices": devices} for kind in ("host", "container"))
    assert told.devices["server"] == told.devices[SERVER] == ()


def test_hosts_count_each_byte_once() -> None:
    def host(second: float, amount: int) -> dict[str, Any]:
        counted = {name: [amount, amount] for name in ("eth0", "docker0", "lo", "veth1a2b", "br-0123456789ab")}
        disks = {name: [amount, amount] for name in ("sda", "sda1", "nvme0n1", "nvme0n1p2", "loop0", "dm-0")}
        return {"t": T0 + second, "type": "host", "net": counted, "disk": disks}

    told = seen([host(1, 0), host(2, 100)])
    means = {name: cut(one, WINDOW) for name, one in told.hosts["server"].items()}
    assert means["network_rx_bytes_per_second"] is not None
    assert means["network_rx_bytes_per_second"].mean == 100.0
    assert means["block_write_bytes_per_second"] is not None
    assert means["block_write_bytes_per_second"].mean == 200.0


def test_a_host_clock_that_is_ahead_is_corrected() -> None:
    sample = {"t": T0 + 105.0, "type": "host", "mem": {"total": 10, "available": 4}}
    told = seen([sample], {"server": 100.0})
    assert told.host_times["server"] == (T0 + 5.0,)


def scrape(second: float, requests: int, microseconds: int) -> dict[str, Any]:
    text = (
        f'ovms_requests_success{{method="ModelInfer"}} {requests}\n'
        f'ovms_requests_success{{method="ModelReady"}} 1000\n'
        f"ovms_inference_time_us_sum{{}} {microseconds}\novms_inference_time_us_count{{}} {requests}\n"
    )
    return {"t": T0 + second, "type": "prometheus", "replica": SERVER, "text": text}


def test_ovms_rate_and_mean_come_from_two_scrapes() -> None:
    told = seen([scrape(1, 0, 0), scrape(2, 100, 1_000_000), scrape(4, 100, 1_000_000), scrape(5, 140, 2_000_000)])
    rate, mean = figure(told, SERVER, "requests_per_second"), figure(told, SERVER, "inference_seconds")
    assert rate.mean == pytest.approx(35.0)
    assert (mean.n, mean.mean, mean.p50, mean.p99) == (140, pytest.approx(2.0 / 140), None, None)


def test_scrapes_of_what_is_not_ovms_make_no_ovms_metric() -> None:
    samples = [{**scrape(k, 10 * k, 10 * k), "replica": CLIENT} for k in range(1, 4)]
    assert "requests_per_second" not in seen(samples).replicas[CLIENT]


@pytest.mark.parametrize(
    "sample",
    [
        {"t": "noon", "type": "host"},
        {"type": "host"},
        {"t": T0, "type": "riddle"},
        {"t": T0, "type": "unreadable", "line": "{"},
    ],
)
def test_what_cannot_be_read_is_counted(sample: dict[str, Any]) -> None:
    assert seen([sample]).unreadable == 1


def test_samples_of_strangers_are_passed_over() -> None:
    told = seen([{"t": T0, "type": "container", "replica": "someone-else-1", "cpu_ns": 1}])
    assert told.unreadable == 0
    assert "someone-else-1" not in told.replicas
