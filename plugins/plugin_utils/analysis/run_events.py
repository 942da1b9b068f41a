# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log of a run and what it says: task results that the callback keeps, a JSON line each in ``events.jsonl``.

An event: ``t`` and ``start`` (unix seconds, controller), ``host``, ``action`` (last part of the task's action),
``task``, ``status`` (ok, failed, unreachable, retry, hidden), ``state`` (the module's, or null), ``result``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import Offset, TimedCall, intersect
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import Window, window_of
from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown, task_results

APPLY = "profile_apply"
MEASURE = "profile_measure"
WINDOW = "profile_window"
DENSITY = "profile_density"
VERDICT = "profile_verdict"
STOCK = "docker_container"
RECORDER = "recorder"
RELEVANT = (APPLY, MEASURE, WINDOW, DENSITY, VERDICT, STOCK)
_SAYS = ("fail", "assert")
LOOKS = (WINDOW, DENSITY)
"""What looks where the measurement stands."""
BAD = ("failed", "unreachable", "hidden")

Event = Mapping[str, Any]


def _of(events: Iterable[Event], action: str, *states: str) -> list[Event]:
    return [e for e in events if e.get("action") == action and (not states or e.get("state") in states)]


def _message(event: Event) -> str:
    result = event.get("result") or {}
    text = result.get("module_stderr") or result.get("stderr") or "no message"
    return shown.one_line(task_results.message({"msg": result.get("msg") or text}))


def bad(event: Event) -> str:
    """A failed event in one line: where, which task, what."""
    where = f"{event.get('action')} on {event.get('host')}"
    if event.get("status") == "hidden":
        return f"{where}: its result is hidden by no_log; take no_log off the task '{event.get('task')}'"
    if event.get("status") == "unreachable":
        return f"{where}: the host cannot be reached: {_message(event)}"
    return f"{where}: {_message(event)}"


def models(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """By host, the digests of its models by path, as they were when its sampler was started; told once each."""
    found: dict[str, dict[str, Any]] = {}
    for event in _of(events, MEASURE, "started"):
        if event.get("status") == "ok":
            found.setdefault(str(event["host"]), {}).update((event.get("result") or {}).get("models") or {})
    return found


def offsets(events: Iterable[Event]) -> dict[str, Offset]:
    """Clock offset of each host, from all calls of the sampler that answered with the host's time."""
    calls: dict[str, list[TimedCall]] = {}
    for event in _of(events, MEASURE):
        clock = number((event.get("result") or {}).get("clock"))
        if clock is not None:
            calls.setdefault(str(event["host"]), []).append(TimedCall(asked_since(event), float(event["t"]), clock))
    return {host: offset for host, known in calls.items() if (offset := intersect(known)) is not None}


def answers(events: Iterable[Event], host: str, key: str) -> list[Any]:
    """What the calls of a host's sampler answered under a key."""
    return [(e.get("result") or {}).get(key) for e in _of(events, MEASURE) if e.get("host") == host]


@dataclass(frozen=True)
class Silence:
    """A host that did not answer while it was measured: since when, whether it never did again, and why."""

    since: float
    for_good: bool
    why: str


def silence(events: Iterable[Event], host: str) -> Silence | None:
    """Whether a host did not answer while it was measured."""
    calls = [e for e in events if e.get("action") in (MEASURE, APPLY) and e.get("host") == host]
    asked = next((e for e in calls if e.get("action") == MEASURE and e.get("status") == "unreachable"), None)
    if asked is None:
        return None
    before = [float(e["t"]) for e in calls[: calls.index(asked)] if e.get("status") != "unreachable"]
    for_good = _of(calls, MEASURE)[-1].get("status") == "unreachable"
    return Silence(max(before, default=float(asked["start"])), for_good, _message(asked))


def sampling_since(events: Iterable[Event]) -> float | None:
    """When the last of the samplers had started, unix seconds; ``None`` before any has."""
    return max((float(e["t"]) for e in _of(events, MEASURE, "started") if e.get("status") == "ok"), default=None)


def asked_since(event: Event) -> float:
    """When the host was asked, unix seconds: a call may have waited on the controller before."""
    asked = number((event.get("result") or {}).get("asked_at"))
    return max(float(event["start"]), asked if asked is not None and asked <= float(event["t"]) else 0.0)


def collected(events: Iterable[Event], host: str) -> int:
    """Up to which byte the samples of a host have been collected."""
    ends = [(e.get("result") or {}).get("offset") for e in _of(events, MEASURE) if e.get("host") == host]
    return max((end for end in ends if isinstance(end, int)), default=0)


def samplers_ended(events: Iterable[Event], hosts: Iterable[str]) -> bool:
    """Whether the sampler of every host has ended, and all that it wrote has been collected."""
    last = _last_of_each_host(_of(events, MEASURE))

    def ended(event: Event | None) -> bool:
        if event is None or event.get("state") != "stopped" or event.get("status") != "ok":
            return False
        return not (event.get("result") or {}).get("more")

    return all(ended(last.get(host)) for host in hosts)


def looks(events: Iterable[Event]) -> int:
    """How often it was looked where the measurement stands."""
    return len(_of(events, WINDOW))


def decided_windows(events: Iterable[Event]) -> tuple[Window, ...]:
    """The windows that were decided last."""
    for event in reversed([event for event in events if event.get("action") in LOOKS]):
        found = (event.get("result") or {}).get("windows")
        if event.get("status") in ("ok", "retry") and found:
            return tuple(window_of(window) for window in found)
    return ()


def contention_max(events: Iterable[Event]) -> float | None:
    """Percent of a host's processors that others may take, as the run was told last; ``None`` where it was not."""
    told = [
        number((event.get("result") or {}).get("contention_max")) for event in events if event.get("action") in LOOKS
    ]
    return next((value for value in reversed(told) if value is not None), None)


def from_stock(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The replica in a result of community.docker.docker_container, in the words of profile_apply."""
    container = result.get("container")
    if not isinstance(container, Mapping) or not container.get("Name"):
        return {}
    state = container.get("State") or {}
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    addresses = [network.get("IPAddress") for network in networks.values() if network.get("IPAddress")]
    found = {
        "id": container.get("Id"),
        "image_id": container.get("Image"),
        "started_at": state.get("StartedAt"),
        "exit_code": None if state.get("Running") else state.get("ExitCode"),
        "address": addresses[0] if addresses else None,
    }
    return {str(container["Name"]).lstrip("/"): found}


def containers(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """What is known of each container: the latest value of each key that any event gave."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.get("action") not in (APPLY, STOCK):
            continue
        for name, replica in task_results.replicas(event.get("result") or {}).items():
            known = found.setdefault(name, {})
            for key in ("id", "image_id", "started_at", "exit_code", "address"):
                if replica.get(key) is not None:
                    known[key] = replica[key]
    return found


def status_of(action: str, state: str | None, result: Mapping[str, Any], status: str) -> str:
    """The status of a result. A task with ``failed_when: false`` is reported as ok whatever its module said, so what
    the module answered decides: a module that gave up has a message, and none of what it answers when it works."""
    if "censored" in result:
        return "hidden"
    if status not in ("ok", "retry") or result.get("skipped"):
        return status
    if result.get("failed_when_result") or "exception" in result:
        return "failed"
    if action == MEASURE:
        wanted = "pid" if state == "started" else "data"
        return status if wanted in result else "failed"
    if action == APPLY:
        if task_results.blamed(result) or result.get("problems"):
            return "failed"
        return status if "replicas" in result or "problems" in result else "failed"
    return status


def apply_problems(events: Iterable[Event]) -> list[str]:
    """Why what was to run does not: one line for each replica, or for a host where no replica is to blame."""
    found = []
    for event in events:
        if (
            event.get("action") not in (APPLY, STOCK)
            or event.get("state") == "absent"
            or event.get("status") not in BAD
        ):
            continue
        result = event.get("result") or {}
        own = [_problem(event, where, message) for where, message in task_results.problems(result)]
        own += [_blamed(event, name, replica) for name, replica in sorted(task_results.blamed(result).items())]
        found.extend(own or [bad(event)])
    return found


def _blamed(event: Event, name: str, replica: Mapping[str, Any]) -> str:
    status = str(replica.get("status") or "failed").replace("_", " ")
    return f"replica {name} on {event.get('host')}: {status}: {shown.one_line(replica['error'])}"


def _problem(event: Event, where: Mapping[str, str], message: str) -> str:
    place = ", ".join([str(event.get("host")), *(f"{key} {value}" for key, value in where.items())])
    return f"{place}: {shown.one_line(message)}"


def _last_of_each_host(events: Iterable[Event]) -> dict[str, Event]:
    return {str(event["host"]): event for event in events}


def cleanup_problems(events: Sequence[Event], plan: MeasuredPlan) -> list[str]:
    """What is left behind, if clean-up was asked for. A later removal that works makes good an earlier one."""
    first = next(
        (i for i, e in enumerate(events) if e.get("action") in (APPLY, STOCK) and e.get("state") != "absent"), 0
    )
    last = _last_of_each_host(_of(events[first:], APPLY, "absent"))
    found = [f"clean-up incomplete: {bad(event)}" for event in last.values() if event.get("status") in BAD]
    used = {replica.host for replica in plan.replicas}
    if not used.intersection(last):  # of other hosts, what a run before had left was removed
        return found
    return found + [
        f"clean-up incomplete: nothing was removed on {host}: stop_profile.yml removes what is left there"
        for host in plan.hosts
        if host in used - set(last)
    ]


def measure_problems(events: Sequence[Event]) -> list[str]:
    """Samplers that could not be started, or whose last samples could not be had."""
    started = _last_of_each_host(_of(events, MEASURE, "started"))
    # Where no sampler was started there is nothing to collect: that is not one more failure.
    later = _last_of_each_host(e for e in _of(events, MEASURE, "collected", "stopped") if str(e["host"]) in started)
    groups = (started, later, _last_of_each_host(e for e in events if e.get("action") in LOOKS))
    return [bad(event) for group in groups for event in group.values() if event.get("status") in BAD]


def refusal(events: Iterable[Event]) -> str | None:
    """Why the playbook was ended, where a task that measures nothing said it: the first one that failed."""
    return next((_message(e) for e in events if e.get("status") == "failed" and e.get("action") in _SAYS), None)


def other_problems(events: Iterable[Event]) -> list[str]:
    """Failures of the recorder itself, and hosts that could not be reached in any other task."""
    found = [f"the recorder failed: {_message(event)}" for event in _of(events, RECORDER)]
    known = (APPLY, MEASURE, *LOOKS, STOCK, RECORDER)
    return found + [bad(e) for e in events if e.get("status") == "unreachable" and e.get("action") not in known]
