# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's figures as the search for its bottleneck wants them: per container and host, each beside its own limit.

Everything is a mean over the measure windows; ``None`` is what was not measured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import offered_load
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    ACHIEVED,
    CPU,
    FPS,
    LATENCY,
    MEMORY,
    OFFERED,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    Limits,
    MeasuredPlan,
    MeasuredReplica,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import Summary
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, Span, cut, summary_of

LOAD = (FPS.name, ACHIEVED.name, OFFERED.name)
"""Metrics of who makes a load, or is the load."""
DEVICES = {
    "gpu_busy_percent": "GPU",
    "gpu_render_busy_percent": "render engine of GPU",
    "gpu_compute_busy_percent": "compute engine of GPU",
    "gpu_video_busy_percent": "video engine of GPU",
    "gpu_video_enhance_busy_percent": "video enhancement engine of GPU",
    "gpu_copy_busy_percent": "copy engine of GPU",
    "npu_busy_percent": "NPU",
}
"""Metrics that tell how busy a device or an engine of it is, and what that is called."""
HOT = ("package_throttled_percent", "cores_throttled_percent")
"""Metrics that tell for how long a processor was slowed down by its temperature."""
Side = Literal["server", "client", "device", "network", "load"]


@dataclass(frozen=True)
class Demand:
    """What a client asked for and got, per second; ``offered`` is ``None`` in a closed loop."""

    achieved: float
    offered: float | None = None
    met: bool = False
    unit: str = "frames/s"
    latency: float | None = None

    @property
    def outstanding(self) -> float | None:
        """Requests on their way at any time: in a closed loop by Little's law, of a client that lags at least one."""
        if self.offered is not None:
            return 1.0
        return None if self.latency is None else self.achieved * self.latency


@dataclass(frozen=True)
class Service:
    """Of a model server: requests per second; seconds of a request, of its inference, and of waiting for an infer
    request, of which it has ``pool``."""

    requests: float
    request: float | None = None
    inference: float | None = None
    wait: float | None = None
    pool: float | None = None

    @property
    def inside(self) -> float | None:
        """Requests in the server at any time, by Little's law."""
        return None if self.request is None else self.requests * self.request


@dataclass(frozen=True)
class Container:
    """One replica."""

    name: str
    container: str
    host: str
    side: Side
    limits: Limits = field(default_factory=Limits)
    cpu: float | None = None
    cpu_max: float | None = None
    throttled: float | None = None
    memory: float | None = None
    out_of_memory: int = 0
    block: float | None = None
    demand: Demand | None = None
    service: Service | None = None

    @property
    def concerned(self) -> bool:
        """Whether it can be what limits the run: a client that got all it asked for is not."""
        return self.demand is None or not self.demand.met


@dataclass(frozen=True)
class Device:
    """An engine of a GPU or NPU, and the share of the time for which it was busy."""

    name: str
    metric: str
    busy: float


@dataclass(frozen=True)
class Host:
    """One host. ``others``: CPU time of processes that are not the plan's; ``pressure``: percent of the time in which
    some task waited for ``memory`` or ``io``; ``link``: the speed of its network in bytes a second; ``hot``: percent of
    the time in which a processor was slowed down by its temperature."""

    name: str
    cpus: float | None = None
    cpu: float | None = None
    others: float | None = None
    steal: float | None = None
    pressure: Mapping[str, float] = field(default_factory=dict)
    received: float | None = None
    sent: float | None = None
    link: float | None = None
    disk: float | None = None
    devices: tuple[Device, ...] = ()
    hot: float = 0.0

    @property
    def busy(self) -> float | None:
        """The share of its CPUs that was busy."""
        return self.cpu / self.cpus if self.cpu is not None and self.cpus else None


@dataclass(frozen=True)
class Scene:
    """All of a run that tells of its bottleneck."""

    hosts: tuple[Host, ...]
    containers: tuple[Container, ...]

    def on(self, host: Host) -> list[Container]:
        return [container for container in self.containers if container.host == host.name]

    def host_of(self, container: Container) -> Host | None:
        return next((host for host in self.hosts if host.name == container.host), None)

    @property
    def clients(self) -> list[Container]:
        """Those that tell what they asked for or got."""
        return [container for container in self.containers if container.demand is not None]

    @property
    def servers(self) -> list[Container]:
        """Those whose requests are counted."""
        return [container for container in self.containers if container.service is not None]

    def foreign(self, host: Host) -> float:
        """The CPU time of a host that is not the plan's: as it was measured, else what its containers leave."""
        if host.others is not None:
            return host.others
        return (host.cpu or 0.0) - sum(container.cpu or 0.0 for container in self.on(host))


def _sides(plan: MeasuredPlan) -> dict[str, Side]:
    """Who tells of a load is a client where something in the plan serves; else it is what is served. What is not
    measured, such as a simulated camera, feeds the rest."""

    def serves(replica: MeasuredReplica) -> bool:
        return replica.ovms or (replica.measured and not any(rule.metric in LOAD for rule in replica.rules))

    serving = any(map(serves, plan.replicas))
    return {
        replica.name: "server" if serves(replica) or (replica.measured and not serving) else "client"
        for replica in plan.replicas
    }


class _Figures:
    """Summaries of one subject's series over the measure windows."""

    def __init__(self, series: Mapping[str, Series], spans: Sequence[Span]) -> None:
        self._series = series
        self._spans = spans

    def summary(self, name: str) -> Summary | None:
        return summary_of(self._series, name, self._spans)

    def mean(self, name: str) -> float | None:
        summary = self.summary(name)
        return None if summary is None else summary.mean

    def sum(self, *names: str) -> float | None:
        known = [value for name in names if (value := self.mean(name)) is not None]
        return sum(known) if known else None


def _demand(replica: MeasuredReplica, seen: Observations, spans: Sequence[Span], figures: _Figures) -> Demand | None:
    load = offered_load.load_of(replica, seen, spans)
    if not replica.measured or load.achieved is None:
        return None
    met = load.offered is not None and not load.overloaded
    return Demand(load.achieved, load.offered, met, load.unit, figures.mean(LATENCY.name))


def _service(figures: _Figures) -> Service | None:
    requests = figures.mean("requests_per_second")
    if not requests:
        return None
    told = ("request_seconds", "inference_seconds", "wait_seconds", "infer_request_queue_size")
    return Service(requests, *map(figures.mean, told))


def _container(replica: MeasuredReplica, side: Side, seen: Observations, spans: Sequence[Span]) -> Container:
    figures = _Figures(seen.replicas.get(replica.name, {}), spans)
    cpu = figures.summary(CPU.name)
    return Container(
        name=replica.name,
        container=replica.container,
        host=replica.host,
        side=side,
        limits=replica.limits,
        cpu=cpu.mean if cpu is not None else None,
        cpu_max=cpu.max if cpu is not None else None,
        throttled=figures.mean("cpu_throttled_ratio"),
        memory=figures.mean(MEMORY.name),
        out_of_memory=seen.out_of_memory.get(replica.name, 0),
        block=figures.sum("block_read_bytes_per_second", "block_write_bytes_per_second"),
        demand=_demand(replica, seen, spans, figures),
        service=_service(figures),
    )


def _link(snapshot: Mapping[str, Any]) -> float | None:
    """Bytes a second of all interfaces of a host; ``None`` where the speed of one is not known."""
    network = (snapshot.get("system") or {}).get("network") or {}
    speeds = [interface.get("speed_mbit") for interface in network.values() if isinstance(interface, Mapping)]
    known = [float(speed) for speed in speeds if isinstance(speed, (int, float))]
    return sum(known) * 1e6 / 8.0 if known and len(known) == len(speeds) else None


def _of_devices(series: Sequence[Series], names: Collection[str], spans: Sequence[Span]) -> list[tuple[Series, float]]:
    """The means of these metrics, of each device."""
    told = ((one, cut(one, spans)) for one in series if one.name in names)
    return [(one, summary.mean) for one, summary in told if summary is not None and summary.mean is not None]


def _host(name: str, snapshot: Mapping[str, Any], seen: Observations, spans: Sequence[Span]) -> Host:
    figures, of_devices = _Figures(seen.hosts.get(name, {}), spans), seen.devices.get(name, ())
    cpus = snapshot.get("cpus")
    pressure = {word: figures.mean(f"psi_{word}_percent") for word in ("memory", "io")}
    return Host(
        name=name,
        cpus=float(cpus) if isinstance(cpus, (int, float)) else None,
        cpu=figures.mean("cpu_cores"),
        others=figures.mean("cpu_others_cores"),
        steal=figures.mean("cpu_steal_cores"),
        pressure={word: percent for word, percent in pressure.items() if percent is not None},
        received=figures.mean("network_rx_bytes_per_second"),
        sent=figures.mean("network_tx_bytes_per_second"),
        link=_link(snapshot),
        disk=figures.sum("block_read_bytes_per_second", "block_write_bytes_per_second"),
        devices=tuple(
            Device(f"{DEVICES[one.name]} {one.instance}", one.name, percent / 100.0)
            for one, percent in _of_devices(of_devices, DEVICES, spans)
        ),
        hot=max((percent for _dummy, percent in _of_devices(of_devices, HOT, spans)), default=0.0),
    )


def gather(
    plan: MeasuredPlan, snapshot: Mapping[str, Mapping[str, Any]], seen: Observations, spans: Sequence[Span]
) -> Scene:
    """The figures of the spans together; ``snapshot`` is what was known of each host before the run."""
    sides = _sides(plan)
    hosts = [_host(name, snapshot.get(name) or {}, seen, spans) for name in plan.hosts]
    containers = [_container(replica, sides[replica.name], seen, spans) for replica in plan.replicas]
    return Scene(tuple(hosts), tuple(containers))
