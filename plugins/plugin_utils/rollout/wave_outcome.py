# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What failed in a wave of a rollout, and what must not start because of it. Pure: results of hosts in, data out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown, task_results

Plan = Mapping[str, Any]
#: what Ansible registers for one task on one host
Result = Mapping[str, Any]
Names = frozenset[str]


@dataclass(frozen=True)
class WaveOutcome:
    """What is known to have failed after a wave of the rollout, in it and in those before it."""

    #: a line each, which begins with the host
    failures: tuple[str, ...] = ()
    #: replicas that failed
    failed: Names = frozenset()
    #: replicas that depend on one that failed
    blocked: Names = frozenset()
    #: hosts that are left alone from here on, with all that they had to run
    gone: Names = frozenset()
    #: hosts that have answered in their last wave
    done: Names = frozenset()

    @property
    def out(self) -> Names:
        """All replicas that are not to start any more."""
        return self.failed | self.blocked

    def as_dict(self) -> dict[str, list[str]]:
        """The outcome as the role ``profile`` keeps it between waves: lists, those of names sorted."""
        names = {key: sorted(value) for key, value in asdict(self).items() if key != "failures"}
        return {"failures": list(self.failures), **names, "out": sorted(self.out)}


def outcome_of(kept: Mapping[str, Any]) -> WaveOutcome:
    """What ``as_dict`` gave; nothing has failed yet where *kept* is empty."""
    names = {key: frozenset(kept.get(key, ())) for key in ("failed", "blocked", "gone", "done")}
    return WaveOutcome(failures=tuple(kept.get("failures", ())), **names)


def after_wave(before: WaveOutcome, plan: Plan, wave: int, results: Mapping[str, Sequence[Result]]) -> WaveOutcome:
    """The outcome after a wave: *before*, and what *results* (by host, one a task) tell of hosts with a part in it."""
    hosts = [
        _of_host(plan, wave, host, due, results.get(host, ()))
        for host in plan["hosts"]
        if (due := _due(plan, wave, host, before.out))
    ]
    failed = before.failed.union(*(host.failed for host in hosts))
    return WaveOutcome(
        failures=(*before.failures, *(line for host in hosts for line in host.failures)),
        failed=failed,
        blocked=frozenset(dependants(plan, failed)),
        gone=before.gone.union(*(host.gone for host in hosts)),
        done=before.done.union(*(host.done for host in hosts)),
    )


def _due(plan: Plan, wave: int, host: str, out: Collection[str]) -> Names:
    """What the host had to start in the wave."""
    replicas = plan["replicas"]
    return frozenset(
        name for name in plan["hosts"][host]["replicas"] if replicas[name]["wave"] == wave and name not in out
    )


def _of_host(plan: Plan, wave: int, host: str, due: Names, results: Sequence[Result]) -> WaveOutcome:
    """What became of the replicas that were *due* on one host."""
    for result in results:
        if result.get("unreachable"):
            lost = (name for name in plan["hosts"][host]["replicas"] if plan["replicas"][name]["wave"] >= wave)
            return WaveOutcome(tuple(failures(host, result)), failed=frozenset(lost), gone=frozenset((host,)))
    told = dict.fromkeys(line for result in results for line in _lines(result))
    blamed = frozenset(name for result in results for name in _blamed(result))
    answered = any("replicas" in result for result in results)
    return WaveOutcome(
        failures=tuple(f"{host}: {line}" for line in told),
        # A call that failed as a whole blames no replica: none of them is known to run.
        failed=blamed or (due if told else frozenset()),
        done=frozenset((host,) if answered and wave == last_wave(plan, host) else ()),
    )


def dependants(plan: Plan, failed: Iterable[str]) -> set[str]:
    """All replicas that depend on one of *failed*, directly or through others."""
    out = set(failed)
    for names in plan["waves"]:
        out |= {name for name in names if out.intersection(plan["replicas"][name]["depends_on"])}
    return out - set(failed)


def last_wave(plan: Plan, host: str) -> int:
    """The last wave in which a host has something to do, from 0; -1 for a host that has no replica."""
    names = plan["hosts"].get(host, {}).get("replicas", ())
    return max((int(plan["replicas"][name]["wave"]) for name in names), default=-1)


def failures(host: str, result: Result) -> list[str]:
    """``HOST: message`` for all that a host's result tells of failures."""
    if result.get("unreachable"):
        return [f"{host}: unreachable: {_message(result)}"]
    return [f"{host}: {message}" for message in messages(result)]


def messages(result: Result) -> list[str]:
    """What went wrong, by the result of one of the collection's modules; empty when all went well."""
    found = [_placed(where, message) for where, message in task_results.problems(result)]
    found += [_named(name, str(replica["error"])) for name, replica in task_results.blamed(result).items()]
    found = [shown.lines(message) for message in found]
    failed = result.get("failed") or result.get("failed_when_result") or "exception" in result
    if not found and (failed or _refused(result)):
        found.append(_message(result))
    return found


def _placed(where: Mapping[str, str], message: str) -> str:
    return f"{', '.join(where.values())}: {message}" if where else message


def _named(name: str, error: str) -> str:
    return error if error.startswith(f"{name}: ") else f"{name}: {error}"


def _message(result: Result) -> str:
    return shown.first_line(task_results.message(result))


def _lines(result: Result) -> list[str]:
    """The messages of a result, which may be that of a loop of stock tasks over replicas."""
    if _is_loop(result):
        return [f"{_item(item)}: {_message(item)}" for item in result["results"] if item.get("failed")]
    return messages(result)


def _blamed(result: Result) -> Iterable[str]:
    """The replicas that a result tells to have failed."""
    if _is_loop(result):
        return [_item(item) for item in result["results"] if item.get("failed")]
    return task_results.blamed(result)


def _is_loop(result: Result) -> bool:
    return isinstance(result.get("results"), list)


def _item(item: Result) -> str:
    return str((item.get("profile_replica") or {}).get("name"))


def _refused(result: Result) -> bool:
    """A module that failed as a whole answers with a message and nothing else of its own."""
    return (
        bool(result.get("msg")) and not result.get("skipped") and "replicas" not in result and "problems" not in result
    )
