# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may limit a run, one rule a cause. Each holds a figure against its own limit and says how sure that makes it.

docs/results.md has these rules as a table, with where their thresholds come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.bottleneck_scene import (
    Container,
    Host,
    Scene,
    Side,
)

Confidence = Literal["clear", "likely", "weak"]
CLEAR: Confidence = "clear"
LIKELY: Confidence = "likely"
WEAK: Confidence = "weak"

Cause = Literal["cpu_quota", "cpu", "device", "infer_requests", "memory", "disk", "network", "load", "thread"]


class Levels(NamedTuple):
    """From where on a figure makes something a clear, a likely or a weak candidate."""

    clear: float
    likely: float
    weak: float

    def of(self, value: float) -> Confidence | None:
        told: tuple[Confidence, ...] = (CLEAR, LIKELY, WEAK)
        return next((word for word, least in zip(told, self, strict=True) if value >= least), None)


BUSY = Levels(0.95, 0.85, 0.70)
"""The share of a processor, an engine or a link that is used."""
STALLED = Levels(40.0, 20.0, 10.0)
"""Percent of the time in which some task waited for memory or for I/O: no more than that can be won."""
WAITING = Levels(0.50, 0.25, 0.10)
"""The share of a request's time that is waiting for an infer request."""
THROTTLED = 0.50
"""The share of scheduling periods cut off with which a quota is clear, where it is also used for the most part …"""
MOSTLY_USED = 0.80
OFTEN_THROTTLED = 0.25
"""… and with which it is likely, whatever was used of it on average."""
QUOTA_USED = 0.90
"""The share of a quota that makes it likely, whatever was throttled."""
ONE_THREAD = (0.95, 1.15)
"""Cores that one busy thread takes, with a little for its helpers."""
OUTSIDE = 0.50
"""The share of their time that requests pass outside of the server, for the network to be suspected."""
INSIDE = 0.80
"""The share that they pass inside of it, for a closed loop's own concurrency to be."""
FULL = Levels(2.0, 0.98, 0.90)
"""The share of a memory limit that the working set fills. It may be full and do no harm: never clear."""
FOREIGN = 0.20
"""The share of a busy host's CPUs that others take, for their load to be contention."""
STOLEN = 0.05
TOO_HOT = 1.0
"""Percent of the time in which a processor was slowed down by its temperature, for that to be told."""

CPU_SHARE = "cpu_cores / cores"
AT_WORK = "requests_per_second × inference_seconds"
IN_THE_SERVER = "requests_per_second × request_seconds"
DISK_TRAFFIC = "block_read_bytes_per_second + block_write_bytes_per_second"
"""What evidence calls figures that are made of two; numbers of requests are so by Little's law."""


@dataclass(frozen=True)
class Evidence:
    """A figure, and the limit or threshold that it is held against, both in ``unit``."""

    metric: str
    value: float
    unit: str
    says: str
    limit: float | None = None
    host: str | None = None
    replica: str | None = None


@dataclass(frozen=True)
class Candidate:
    """Something that may limit the run. ``used``: how near it is to its limit, 1 at it; ``container`` is the replica's
    name, and ``group`` that of its container, empty where it is the host's."""

    cause: Cause
    side: Side
    what: str
    confidence: Confidence
    used: float
    evidence: tuple[Evidence, ...]
    host: str | None = None
    container: str | None = None
    group: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is more than a weak sign."""
        return self.confidence != WEAK


def _of(container: Container, what: str) -> str:
    return f"{what} of {container.name} on {container.host}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _cpu(container: Container, limit: float | None, says: str) -> Evidence:
    return Evidence("cpu_cores", container.cpu or 0.0, "cores", says, limit, container.host, container.name)


def _quota(used: float | None, throttled: float) -> Confidence | None:
    """How sure a quota is, by the share that is used of it and that of the periods in which it was used up."""
    if throttled >= THROTTLED and (used is None or used >= MOSTLY_USED):
        return CLEAR
    if throttled >= OFTEN_THROTTLED or (used or 0.0) >= QUOTA_USED:
        return LIKELY
    return WEAK if (used or 0.0) >= BUSY.weak else None


def quotas(scene: Scene) -> Iterator[Candidate]:
    """CPU quotas that are used up, as use and throttling tell."""
    for container in scene.containers:
        quota, throttled = container.limits.quota, container.throttled or 0.0
        used = container.cpu / quota if container.cpu is not None and quota else None
        confidence = _quota(used, throttled)
        if confidence is None or not container.concerned:
            continue
        evidence = [_cpu(container, quota, f"{container.cpu:.2f} of {quota:.2f} cores")] if used is not None else []
        if throttled:
            says = f"{_percent(throttled)} of periods throttled"
            where = (container.host, container.name)
            evidence.append(Evidence("cpu_throttled_ratio", throttled, "ratio", says, OFTEN_THROTTLED, *where))
        what = _of(container, "CPU quota")
        yield _at(container, "cpu_quota", what, confidence, used if used is not None else throttled, evidence)


def _at(
    container: Container,
    cause: Cause,
    what: str,
    confidence: Confidence,
    used: float,
    evidence: Sequence[Evidence],
) -> Candidate:
    where = (container.host, container.name, container.container)
    return Candidate(cause, container.side, what, confidence, used, tuple(evidence), *where)


def cpu_sets(scene: Scene) -> Iterator[Candidate]:
    """Sets of CPUs that a container keeps busy; of a set that is all of the host, the host tells."""
    for container in scene.containers:
        size, host = container.limits.cpu_set, scene.host_of(container)
        whole = host is not None and host.cpus is not None and size is not None and size >= host.cpus
        if container.cpu is None or not size or whole or not container.concerned:
            continue
        confidence = BUSY.of(container.cpu / size)
        if confidence is not None:
            evidence = _cpu(container, float(size), f"{container.cpu:.2f} of the {size} CPUs of its set")
            yield _at(container, "cpu", _of(container, "CPUs"), confidence, container.cpu / size, [evidence])


def host_cpus(scene: Scene) -> Iterator[Candidate]:
    """Hosts whose CPUs are busy, most of that with the plan's own containers."""
    for host in scene.hosts:
        confidence = BUSY.of(host.busy) if host.busy is not None else None
        own = [container for container in scene.on(host) if container.cpu]
        if confidence is None or not own or host.cpu is None or scene.foreign(host) > host.cpu / 2.0:
            continue
        most = max(own, key=lambda container: container.cpu or 0.0)
        says = f"{host.cpu:.2f} of {host.cpus:g} cores busy"
        evidence = (
            Evidence("cpu_cores", host.cpu, "cores", says, host.cpus, host.name),
            _cpu(most, None, f"{most.cpu:.2f} of them by {most.name}"),
        )
        yield Candidate("cpu", most.side, f"CPU of {host.name}", confidence, host.busy or 0.0, evidence, host.name)


def threads(scene: Scene) -> Iterator[Candidate]:
    """Containers that take just one core, where they might take more: one thread of them does all the work."""
    least, most = ONE_THREAD
    for container in scene.containers:
        host = scene.host_of(container)
        allowed = container.limits.cores or (host.cpus if host is not None else None)
        if container.cpu is None or not container.concerned or allowed is None or allowed <= most:
            continue
        if least <= container.cpu <= most and (container.cpu_max or 0.0) <= most + 0.1:
            evidence = _cpu(container, 1.0, f"{container.cpu:.2f} cores all the time, as one busy thread takes")
            yield _at(container, "thread", _of(container, "one thread"), LIKELY, min(1.0, container.cpu), [evidence])


def devices(scene: Scene) -> Iterator[Candidate]:
    """Engines of GPUs and NPUs that are busy."""
    for host in scene.hosts:
        for device in host.devices:
            confidence = BUSY.of(device.busy)
            if confidence is not None:
                says = f"busy {_percent(device.busy)} of the time"
                evidence = Evidence(device.metric, 100.0 * device.busy, "percent", says, 100.0, host.name)
                what = f"{device.name} of {host.name}"
                yield Candidate("device", "device", what, confidence, device.busy, (evidence,), host.name)


def _side_of(scene: Scene, host: Host) -> Side:
    """A host's side: that of the clients where nothing else runs on it."""
    sides = {container.side for container in scene.on(host)}
    return "client" if sides == {"client"} else "server"


def memory(scene: Scene) -> Iterator[Candidate]:
    """Memory that ran out, that tasks waited for, or that is filled to its limit."""
    for container in scene.containers:
        where, limit = (container.host, container.name), container.limits.memory_bytes
        if container.out_of_memory:
            number = container.out_of_memory
            says = f"ran out of memory {number} time{'s' if number > 1 else ''}"
            evidence = Evidence("oom", float(number), "kills", says, 0.0, *where)
            yield _at(container, "memory", _of(container, "memory"), CLEAR, 1.0, [evidence])
        elif limit and container.memory is not None and (confidence := FULL.of(container.memory / limit)):
            says = f"{container.memory / 1024**2:.0f} of {limit / 1024**2:.0f} MiB"
            evidence = Evidence("memory_working_set_bytes", container.memory, "bytes", says, float(limit), *where)
            used = container.memory / limit
            yield _at(container, "memory", _of(container, "memory"), confidence, used, [evidence])
    for host in scene.hosts:
        yield from _stalled(scene, host, "memory", "memory")


def _stalled(
    scene: Scene, host: Host, cause: Cause, word: str, more: Sequence[Evidence] = (), capped: bool = False
) -> Iterator[Candidate]:
    """A host whose tasks waited for what the kernel calls ``word``; a ``capped`` one is a weak candidate at most."""
    percent = host.pressure.get(word, 0.0)
    confidence = STALLED.of(percent)
    if confidence is not None:
        says = f"tasks waited for it {percent:.0f} % of the time"
        evidence = (Evidence(f"psi_{word}_percent", percent, "percent", says, STALLED.weak, host.name), *more)
        what, confidence = f"{cause} of {host.name}", WEAK if capped else confidence
        yield Candidate(cause, _side_of(scene, host), what, confidence, percent / 100.0, evidence, host.name)


def disks(scene: Scene) -> Iterator[Candidate]:
    """Disks that tasks waited for; a weak sign where most of the traffic is known to be that of others."""
    for host in scene.hosts:
        own = [container.block for container in scene.on(host) if container.block is not None]
        more = []
        if host.disk is not None:
            says = f"{host.disk / 1e6:.1f} MB/s read and written"
            more = [Evidence(DISK_TRAFFIC, host.disk, "bytes/s", says, None, host.name)]
        yield from _stalled(scene, host, "disk", "io", more, bool(own) and sum(own) < (host.disk or 0.0) / 2.0)


def links(scene: Scene) -> Iterator[Candidate]:
    """Network interfaces that carry what they can, where their speed is known."""
    for host in scene.hosts:
        for metric, rate, word in (
            ("network_rx_bytes_per_second", host.received, "received"),
            ("network_tx_bytes_per_second", host.sent, "sent"),
        ):
            confidence = BUSY.of(rate / host.link) if rate is not None and host.link else None
            if confidence is not None and rate is not None and host.link:
                says = f"{rate / 1e6:.1f} MB/s {word} of {host.link / 1e6:.1f}"
                evidence = Evidence(metric, rate, "bytes/s", says, host.link, host.name)
                what, used = f"network of {host.name}", rate / host.link
                yield Candidate("network", "network", what, confidence, used, (evidence,), host.name)


def contention(scene: Scene) -> dict[str, str]:
    """By host, what others took of its CPUs: no limit of the set-up, but the figures are not the set-up's alone."""
    found = {}
    for host in scene.hosts:
        if host.cpu is None or not host.cpus or host.busy is None:
            continue
        foreign = scene.foreign(host)
        if (host.steal or 0.0) >= STOLEN * host.cpus:
            found[host.name] = f"the hypervisor took {host.steal:.2f} of the {host.cpus:g} cores of {host.name}"
        elif host.busy >= BUSY.likely and foreign >= FOREIGN * host.cpus:
            # Replicas that are not measured may be among what is left.
            what = "other processes than the plan's" if host.others is not None else "what is not measured here"
            share = f"{foreign:.2f} of its {host.cpus:g} cores"
            found[host.name] = f"{host.name} was {_percent(host.busy)} busy, and {share} with {what}"
    return found


def heat(scene: Scene) -> list[str]:
    """Processors that were slowed down by their temperature."""
    return [
        f"a processor of {host.name} was slowed down by its temperature {host.hot:.0f} % of the time"
        for host in scene.hosts
        if host.hot >= TOO_HOT
    ]


def _capacity_is_short(found: Sequence[Candidate], host: str) -> bool:
    """Whether a processor or an engine of a host, or a container's share of it, is at its limit."""
    return any(
        one.counts and one.host == host and one.cause in ("cpu_quota", "cpu", "device") and one.side != "client"
        for one in found
    )


def infer_requests(scene: Scene, found: Sequence[Candidate], contended: Sequence[str]) -> Iterator[Candidate]:
    """Servers whose requests wait for a free infer request; where what they compute with is short, that follows."""
    for container in scene.servers:
        service = container.service
        if service is None or service.wait is None:
            continue
        whole = service.request or service.wait + (service.inference or 0.0)
        share = service.wait / whole if whole > 0.0 else 0.0
        confidence = WAITING.of(share)
        if confidence is None:
            continue
        follows = _capacity_is_short(found, container.host) or container.host in contended
        where = (container.host, container.name)
        says = f"{_percent(share)} of a request's {1e3 * whole:.1f} ms is waiting for one"
        evidence = [Evidence("wait_seconds", service.wait, "seconds", says, WAITING.likely * whole, *where)]
        if service.inference is not None:
            working = service.requests * service.inference
            of_all = "" if service.pool is None else f" of {service.pool:g}"
            says = f"{working:.2f}{of_all} at work at any time"
            evidence.append(Evidence(AT_WORK, working, "requests", says, service.pool, *where))
        what = _of(container, "infer requests (nireq)")
        yield _at(container, "infer_requests", what, WEAK if follows else confidence, share, evidence)


@dataclass(frozen=True)
class Flow:
    """Requests on their way at any time, over all clients, and how many of them are in the servers."""

    outstanding: float
    inside: float

    @property
    def share(self) -> float:
        return min(1.0, self.inside / self.outstanding)


def flow(scene: Scene) -> Flow | None:
    """By Little's law; ``None`` where a client or server does not tell enough."""
    outstanding = [client.demand.outstanding for client in scene.clients if client.demand is not None]
    inside = [server.service.inside for server in scene.servers if server.service is not None]
    known = [value for value in outstanding if value is not None]
    counted = [value for value in inside if value is not None]
    if not counted or len(counted) < len(inside) or len(known) < len(outstanding) or sum(known) <= 0.0:
        return None
    return Flow(sum(known), sum(counted))


def _in_the_server(passing: Flow) -> Evidence:
    says = f"{passing.inside:.2f} of {passing.outstanding:.2f} requests on their way are in the server"
    return Evidence(IN_THE_SERVER, passing.inside, "requests", says, passing.outstanding)


def elsewhere(scene: Scene, found: Sequence[Candidate], contended: Sequence[str]) -> Iterator[Candidate]:
    """The network, where requests pass their time outside of servers and nothing else is near its limit."""
    waiting, passing = [client for client in scene.clients if client.concerned], flow(scene)
    apart = {client.host for client in waiting} - {server.host for server in scene.servers}
    told = any(one.cause == "network" for one in found)
    if not waiting or passing is None or not apart or told or 1.0 - passing.share < OUTSIDE:
        return
    evidence = [_in_the_server(passing)]
    for host in scene.hosts:
        if host.name in apart and host.sent is not None:
            says = f"{host.name} sends {host.sent / 1e6:.2f} MB/s"
            evidence.append(Evidence("network_tx_bytes_per_second", host.sent, "bytes/s", says, None, host.name))
    evidence.append(busiest(scene))
    at = min(apart) if len(apart) == 1 else None
    what = f"network between {at or 'the clients'} and the server"
    confidence = WEAK if contended or any(one.counts for one in found) else LIKELY
    yield Candidate("network", "network", what, confidence, 1.0 - passing.share, tuple(evidence), at)


def load(scene: Scene, found: Sequence[Candidate], contended: Sequence[str]) -> Iterator[Candidate]:
    """The load itself: all that was asked was done, or a closed loop has all of its requests in the server."""
    demands = [client.demand for client in scene.clients if client.demand is not None]
    asked = [demand for demand in demands if demand.offered is not None]
    what = "the load itself: the clients asked for no more"
    others = any(one.counts for one in found if one.cause != "thread")
    if asked and all(demand.met for demand in demands):
        offered, achieved = sum(one.offered or 0.0 for one in asked), sum(one.achieved for one in asked)
        says = f"{achieved:.4g} of {offered:.4g} {asked[0].unit} done"
        evidence = (Evidence("achieved_per_second", achieved, asked[0].unit, says, offered), busiest(scene))
        yield Candidate("load", "load", what, LIKELY if others else CLEAR, 1.0, evidence)
        return
    passing = flow(scene) if demands and not asked else None
    if passing is not None and passing.share >= INSIDE and not others and not contended:
        yield Candidate("load", "load", what, LIKELY, passing.share, (_in_the_server(passing), busiest(scene)))


def busiest(scene: Scene) -> Evidence:
    """The processor or engine that is nearest to its limit; 0 where none was measured."""
    told = [Evidence(CPU_SHARE, 0.0, "percent", "no processor was measured", 100.0)]

    def use(what: str, share: float, metric: str, host: str, replica: str | None = None) -> None:
        says = f"busiest: {what}, {_percent(share)}"
        told.append(Evidence(metric, 100.0 * share, "percent", says, 100.0, host, replica))

    for host in scene.hosts:
        if host.busy is not None:
            use(f"CPU of {host.name}", host.busy, CPU_SHARE, host.name)
        for device in host.devices:
            use(f"{device.name} of {host.name}", device.busy, device.metric, host.name)
    for container in scene.containers:
        limit = container.limits.cores
        if container.cpu is not None and limit:
            use(f"CPU of {container.name}", container.cpu / limit, CPU_SHARE, container.host, container.name)
    return max(told, key=lambda one: one.value)
