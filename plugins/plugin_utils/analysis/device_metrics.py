# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's metrics of devices: each has a value for every device of its kind that a host or container has.

Entries stand in the order in which the report shows their charts. ``device`` and ``explained_by`` are words of the
readers in `module_utils.devices`.
"""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.accelerator_metrics import (
    CONTAINER_GPU_METRICS,
    HOST_GPU_METRICS,
    NPU_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Metric, SummaryRow
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import Read, total, value_at

_NO_CPUFREQ = "the kernel does not set the frequency, as in most virtual machines"
_NO_RAPL = "the kernel has no `intel-rapl` in `/sys/class/powercap`; the sampler does not run as root"
_NO_THROTTLING = "the kernel does not count it: no processor of Intel, or a virtual machine"
_NO_UNCORE = (
    "the kernel offers no such event, as in most virtual machines; the sampler may not count for all"
    " (`kernel.perf_event_paranoid`)"
)


def _frequency(name: str, counter: str, what: str, *charts: Chart) -> Metric:
    return Metric(
        name=name,
        unit="hertz",
        kind="gauge",
        formula=f"{what} of the CPUs' `scaling_cur_freq`, by package, of a hybrid processor by type of core",
        absent_when=_NO_CPUFREQ,
        value=value_at(counter),
        device="cpufreq",
        explained_by=("cpufreq",),
        charts=charts,
    )


def _throttled(name: str, counter: str, what: str, title: str) -> Metric:
    return Metric(
        name=name,
        unit="percent",
        kind="rate",
        formula=f"Δ `{what}` / Δ time",
        absent_when=f"{_NO_THROTTLING}; the kernel is older than 5.5",
        value=value_at(counter, scale=0.1),  # milliseconds a second
        device="throttle",
        explained_by=("throttle_time", "throttle"),
        charts=(Chart(title, "% of time"),),
    )


def _power(name: str, counter: str, what: str, title: str, row: SummaryRow | None = None) -> Metric:
    return Metric(
        name=name,
        unit="watts",
        kind="rate",
        formula=f"Δ energy of {what} / Δ time, by RAPL",
        absent_when=_NO_RAPL,
        value=value_at(counter, scale=1e-6),
        device="rapl",
        explained_by=("rapl",),
        unexplained="the processor does not count it",
        charts=(Chart(title, "W"),),
        row=row,
    )


_READ, _WRITTEN = value_at("read_bytes"), value_at("write_bytes")


def _memory(name: str, value: Read, what: str, title: str, row: SummaryRow | None = None) -> Metric:
    return Metric(
        name=name,
        unit="bytes/s",
        kind="rate",
        formula=f"Δ bytes {what} / Δ time, by the memory controllers of a package",
        absent_when=_NO_UNCORE,
        value=value,
        device="uncore",
        explained_by=("uncore",),
        charts=(Chart(title, "MB/s", 1e-6),),
        row=row,
    )


DEVICE_METRICS = (
    _frequency("cpu_frequency_hertz", "mean_hz", "the mean", Chart("CPU frequency, mean", "GHz", 1e-9)),
    _frequency("cpu_frequency_min_hertz", "min_hz", "the lowest", Chart("CPU frequency, the slowest CPU", "GHz", 1e-9)),
    _frequency("cpu_frequency_max_hertz", "max_hz", "the highest"),
    Metric(
        name="cpu_temperature_celsius",
        unit="degrees Celsius",
        kind="gauge",
        formula="of the package, by `coretemp` or `k10temp`, else by its thermal zone",
        absent_when="no such sensor, as in most virtual machines",
        value=value_at("celsius"),
        device="thermal",
        explained_by=("thermal",),
        charts=(Chart("Processor temperature", "°C"),),
    ),
    _throttled(
        "package_throttled_percent",
        "package_ms",
        "package_throttle_total_time_ms",
        "Processor package throttled by its temperature",
    ),
    _throttled(
        "cores_throttled_percent",
        "core_ms",
        "core_throttle_total_time_ms",
        "Cores throttled by their temperature, mean",
    ),
    Metric(
        name="throttlings_per_second",
        unit="throttlings/s",
        kind="rate",
        formula="Δ (`package_throttle_count` + Σ over cores of `core_throttle_count`) / Δ time",
        absent_when=_NO_THROTTLING,
        value=value_at("count"),
        device="throttle",
        explained_by=("throttle",),
    ),
    _power(
        "package_power_watts",
        "package_uj",
        "the processor package, cores and graphics included",
        "Processor package power",
        SummaryRow("S{n} Power Draw W"),
    ),
    _power("dram_power_watts", "dram_uj", "the memory of the package", "Memory power"),
    _power(
        "platform_power_watts",
        "psys_uj",
        "the whole platform, packages included (`psys`)",
        "Platform power, packages included",
    ),
    _memory("memory_read_bytes_per_second", _READ, "read", "Memory reads"),
    _memory("memory_write_bytes_per_second", _WRITTEN, "written", "Memory writes"),
    _memory(
        "memory_bandwidth_bytes_per_second",
        total(_READ, _WRITTEN),
        "read and written",
        "Memory bandwidth, reads and writes",
        SummaryRow("S{n} Memory Bandwidth Usage MB/s", divisor=1e6),
    ),
    *HOST_GPU_METRICS,
    *NPU_METRICS,
)
"""Metrics of the samples of a host."""

CONTAINER_DEVICE_METRICS: tuple[Metric, ...] = CONTAINER_GPU_METRICS
"""Metrics of the samples of a container. None of them is expected: a container that uses no device has none."""
