# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's metrics of a host: counters and gauges of its kernel, as the sampler reads them.

Entries stand in the order in which the report shows their charts.
"""

from __future__ import annotations

import re

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import CPUS, Chart, Metric, SummaryRow
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import difference, over_devices, value_at

_INNER_INTERFACE = re.compile(r"^(lo|docker\d+|br-[0-9a-f]{12}|veth.+|virbr.+)$")
_INNER_DISK = re.compile(
    r"^(loop\d+|ram\d+|zram\d+|dm-\d+|md\d+|sr\d+|fd\d+|[shv]d[a-z]+\d+|xvd[a-z]+\d+|(nvme\d+n|mmcblk)\d+p\d+)$"
)


def _network(name: str, index: int, title: str) -> Metric:
    return Metric(
        name=name,
        unit="bytes/s",
        kind="rate",
        formula="Δ bytes / Δ time over the interfaces that carry traffic of their own: no loopback, bridge of Docker,"
        " or veth",
        absent_when="no such interface",
        value=over_devices("net", index, _INNER_INTERFACE),
        explained_by=("net",),
        charts=(Chart(title, "MB/s", 1e-6),),
    )


def _disk(name: str, index: int, title: str, row: str) -> Metric:
    return Metric(
        name=name,
        unit="bytes/s",
        kind="rate",
        formula="Δ bytes / Δ time over whole disks",
        absent_when="no disk of its own",
        value=over_devices("disk", index, _INNER_DISK),
        explained_by=("disk",),
        charts=(Chart(title, "MB/s", 1e-6),),
        row=SummaryRow(row, divisor=1e6),
    )


def _pressure(name: str, resource: str, title: str) -> Metric:
    return Metric(
        name=name,
        unit="percent",
        kind="gauge",
        formula=f"`some avg10` of `/proc/pressure/{resource}`",
        absent_when="the kernel has no pressure information",
        value=value_at("psi", resource, 0),
        explained_by=("psi",),
        better="lower",
        charts=(Chart(f"Pressure: waiting for {title}", "% of time"),),
    )


def _space(name: str, part: int, formula: str) -> Metric:
    return Metric(
        name=name,
        unit="bytes",
        kind="gauge",
        formula=formula,
        absent_when="the file system does not tell",
        value=value_at("space", part),
        explained_by=("space",),
    )


CPU_OTHERS = Metric(
    name="cpu_others_cores",
    unit="cores",
    kind="rate",
    formula="busy time without interrupts − CPU time of the plan's containers − the sampler's own, each Δ / Δ time;"
    " where hosts are containers of one machine, of all of them",
    absent_when="a replica of the plan is not measured, or its control group not readable",
    explained_by=("cpu",),
    charts=(Chart("CPU of other processes", "cores"),),
)
CPU_STEAL = Metric(
    name="cpu_steal_cores",
    unit="cores",
    kind="rate",
    formula="Δ stolen time / Δ time",
    absent_when="the kernel does not tell",
    value=value_at("cpu", "steal"),
    explained_by=("cpu",),
    charts=(Chart("CPU stolen by the hypervisor", "cores"),),
)
CPU_PRESSURE = _pressure("psi_cpu_percent", "cpu", "CPU")
MEMORY_PRESSURE = _pressure("psi_memory_percent", "memory", "memory")
MEMORY_USED = Metric(
    name="memory_used_bytes",
    unit="bytes",
    kind="gauge",
    formula="total − available",
    absent_when="the kernel does not tell",
    value=difference(value_at("mem", "total"), value_at("mem", "available")),
    explained_by=("mem",),
    better="lower",
    charts=(Chart("Memory used", "MiB", 1.0 / 1024**2),),
    row=SummaryRow("Memory Utilization %", percent_of=("memory_used_bytes", "memory_available_bytes")),
)
MEMORY_AVAILABLE = Metric(
    name="memory_available_bytes",
    unit="bytes",
    kind="gauge",
    formula="available",
    absent_when="the kernel does not tell",
    value=value_at("mem", "available"),
    explained_by=("mem",),
)
DISK_AVAILABLE = _space(
    "disk_available_bytes", 0, "what a user may still write to the file system of the state directory"
)
DISK_SIZE = _space("disk_size_bytes", 1, "all of that file system")
HOST_METRICS = (
    Metric(
        name="cpu_cores",
        unit="cores",
        kind="rate",
        formula="Δ busy time of all CPUs / Δ time",
        absent_when="never, on Linux",
        value=value_at("cpu", "busy"),
        explained_by=("cpu",),
        better="lower",
        charts=(Chart("CPU busy", "cores"),),
        row=SummaryRow("CPU Utilization %", percent_of=(CPUS,)),
    ),
    CPU_OTHERS,
    CPU_STEAL,
    MEMORY_USED,
    MEMORY_AVAILABLE,
    _network("network_rx_bytes_per_second", 0, "Network received"),
    _network("network_tx_bytes_per_second", 1, "Network sent"),
    _disk("block_read_bytes_per_second", 0, "Disk reads", "Disk Read MB/s"),
    _disk("block_write_bytes_per_second", 1, "Disk writes", "Disk Write MB/s"),
    DISK_AVAILABLE,
    DISK_SIZE,
    CPU_PRESSURE,
    MEMORY_PRESSURE,
    _pressure("psi_io_percent", "io", "I/O"),
)
"""Metrics of the samples of a host."""
