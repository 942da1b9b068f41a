# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's metrics of a container: told by rules of the profile, or read from its cgroup.

Entries stand in the order in which the report shows their charts.
"""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import (
    at_least_zero,
    difference,
    value_at,
)

FPS = Metric(
    name="fps",
    unit="fps",
    kind="flow",
    formula="frames finished in the window / length of the window: Σ value × seconds since the line before, over the"
    " window",
    absent_when="no rule `fps`; no line in the window",
    better="higher",
    charts=(Chart("Frames per second", "fps"),),
)
LATENCY = Metric(
    name="latency_seconds",
    unit="seconds",
    kind="sketch",
    formula="from all frames: the DDSketch bins of all lines in the window added up (relative error 1 %); never"
    " averages of percentiles",
    absent_when="no such rule; no line in the window",
    better="lower",
    charts=(
        Chart("Latency, median", "ms", 1e3, quantile=0.50),
        Chart("Latency, 99th percentile", "ms", 1e3, quantile=0.99),
    ),
)
ERRORS = Metric(
    name="errors",
    unit="errors",
    kind="counter",
    formula="growth of the counter",
    absent_when="no such rule; fewer than two lines",
    better="lower",
    charts=(Chart("Errors", None),),
)
OFFERED = Metric(
    name="offered_per_second",
    unit="frames/s",
    kind="gauge",
    formula="what the client was to ask for: the values in the window",
    absent_when="no such rule; a client without a rate of its own (a closed loop)",
    unexplained="the client told of no rate of its own",
    optional=True,
    charts=(Chart("Load asked", None),),
)
ACHIEVED = Metric(
    name="achieved_per_second",
    unit="frames/s",
    kind="flow",
    formula="as `fps`, for a client that counts something else than frames",
    absent_when="no such rule; no line in the window",
    better="higher",
    charts=(Chart("Load done", None),),
)
LATE = Metric(
    name="late",
    unit="frames",
    kind="counter",
    formula="growth of the counter: sent more than a period after they were due",
    absent_when="no such rule; fewer than two lines",
    better="lower",
    charts=(Chart("Late", None),),
)
DROPPED = Metric(
    name="dropped",
    unit="frames",
    kind="counter",
    formula="growth of the counter: due, and given up",
    absent_when="no such rule; fewer than two lines",
    better="lower",
    charts=(Chart("Dropped", None),),
)


def _token_time(name: str, formula: str) -> Metric:
    """A latency of generated text, as load tools record it of single requests or answers."""
    return Metric(
        name=name,
        unit="seconds",
        kind="sketch",
        formula=f"{formula}: the records of all clients pooled (DDSketch, relative error 1 %)",
        absent_when="no such rule; the tool wrote no records",
        better="lower",
    )


FIRST_TOKEN = _token_time(
    "time_to_first_token_seconds", "from a request to the first piece of its answer that has text"
)
OUTPUT_TOKEN = _token_time(
    "time_per_output_token_seconds", "of each request, from its first token to its last / (tokens − 1)"
)
INTER_TOKEN = _token_time("inter_token_latency_seconds", "between two pieces of a streamed answer, each of them")
TOKENS = Metric(
    name="output_tokens_per_second",
    unit="tokens/s",
    kind="gauge",
    formula="as the tool exports it: tokens of all answers / the time of its load",
    absent_when="no such rule; the tool wrote no export",
    better="higher",
)
GOODPUT = Metric(
    name="goodput_per_second",
    unit="requests/s",
    kind="gauge",
    formula="as the tool exports it: requests that met all objectives it was given / the time of its load",
    absent_when="no such rule; the tool was given no objectives",
    better="higher",
)
GENERATION_RATES = (TOKENS, GOODPUT)
TOLD_METRICS = (
    FPS,
    LATENCY,
    ERRORS,
    OFFERED,
    ACHIEVED,
    LATE,
    DROPPED,
    FIRST_TOKEN,
    OUTPUT_TOKEN,
    INTER_TOKEN,
    TOKENS,
    GOODPUT,
)
"""Metrics of a profile's own rules whose names mean something here."""


def _bytes(name: str, group: str, key: str, title: str, absent_when: str, explained_by: tuple[str, ...]) -> Metric:
    """Bytes a second, from a counter of the sample."""
    return Metric(
        name=name,
        unit="bytes/s",
        kind="rate",
        formula="Δ bytes / Δ time",
        absent_when=absent_when,
        value=value_at(group, key),
        explained_by=(*explained_by, "container"),
        charts=(Chart(title, "MB/s", 1e-6),),
    )


_NETWORK = "the container is on the host's network, on none, or on that of a container that counts it"
_BLOCK = "the kernel counts no block I/O by control group"
CPU = Metric(
    name="cpu_cores",
    unit="cores",
    kind="rate",
    formula="Δ CPU time / Δ time",
    absent_when="control group not readable",
    value=value_at("cpu_ns", scale=1e-9),
    explained_by=("cpu", "cgroup", "container"),
    essential=True,
    better="lower",
    charts=(Chart("CPU", "cores"),),
)
MEMORY = Metric(
    name="memory_working_set_bytes",
    unit="bytes",
    kind="gauge",
    formula="max(0, usage − inactive file)",
    absent_when="control group not readable",
    value=at_least_zero(difference(value_at("mem_usage"), value_at("mem_inactive_file"))),
    explained_by=("memory", "memory_stat", "cgroup", "container"),
    essential=True,
    better="lower",
    charts=(Chart("Memory, working set", "MiB", 1.0 / 1024**2),),
)
CONTAINER_METRICS = (
    CPU,
    Metric(
        name="cpu_throttled_ratio",
        unit="ratio",
        kind="ratio",
        formula="Δ throttled periods / Δ periods",
        absent_when="no CPU quota",
        value=value_at("throttled"),
        per=value_at("periods"),
        explained_by=("cpu_throttled", "cgroup", "container"),
        unexplained="no CPU quota: no scheduling period was counted",
        better="lower",
        charts=(Chart("CPU periods throttled", "%", 100.0),),
    ),
    MEMORY,
    _bytes("network_rx_bytes_per_second", "net", "rx", "Network received", _NETWORK, ("network",)),
    _bytes("network_tx_bytes_per_second", "net", "tx", "Network sent", _NETWORK, ("network",)),
    _bytes("block_read_bytes_per_second", "blk", "read", "Block device reads", _BLOCK, ("block_io", "cgroup")),
    _bytes("block_write_bytes_per_second", "blk", "write", "Block device writes", _BLOCK, ("block_io", "cgroup")),
)
"""Metrics of the samples of a container."""
