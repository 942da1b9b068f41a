# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What failed in a wave, and what must not start because of it. Pure: results of hosts in, plain data out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import DEPLOYMENT_LABEL

NOTHING: dict[str, Any] = {"failures": [], "failed": [], "blocked": [], "out": [], "gone": [], "done": []}


def messages(result: Mapping[str, Any]) -> list[str]:
    """What went wrong, by the result of one of the collection's modules; empty when all went well."""
    found = [_problem(problem) for problem in result.get("problems") or []]
    found += [_named(name, replica["error"]) for name, replica in _replicas(result).items() if replica.get("error")]
    failed = result.get("failed") or result.get("failed_when_result") or "exception" in result
    if not found and (failed or _refused(result)):
        found.append(first_line(result))
    return found


def failures(host: str, result: Mapping[str, Any]) -> list[str]:
    """``HOST: message`` for all that a host's result tells of failures."""
    if result.get("unreachable"):
        return [f"{host}: unreachable: {first_line(result)}"]
    return [f"{host}: {message}" for message in messages(result)]


def _named(name: str, error: str) -> str:
    return error if error.startswith(f"{name}: ") else f"{name}: {error}"


def first_line(result: Mapping[str, Any]) -> str:
    return str(result.get("msg") or "no answer").strip().splitlines()[0]


def after_wave(
    before: Mapping[str, Any], plan: Mapping[str, Any], wave: int, results: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """What is known to have failed after a wave: *before*, and what *results* (by host, one a task) tell.

    ``failures``: a line each. ``failed``: replicas. ``gone``: hosts that are left alone from here on, with all that
    they had to run. ``blocked``: replicas that depend on one of these. ``out``: all replicas that are not to start.
    ``done``: hosts that have answered in their last wave.
    """
    failures, failed = list(before["failures"]), set(before["failed"])
    gone, done = set(before["gone"]), set(before["done"])
    for host, own in plan["hosts"].items():
        due = [name for name in own["replicas"] if plan["replicas"][name]["wave"] == wave and name not in before["out"]]
        if not due:
            continue
        told = results.get(host, ())
        if any(result.get("unreachable") for result in told):
            failures.append(f"{host}: unreachable: {first_line(next(r for r in told if r.get('unreachable')))}")
            gone.add(host)
            failed.update(name for name in own["replicas"] if plan["replicas"][name]["wave"] >= wave)
            continue
        if wave == last_wave(plan, host) and any("replicas" in result for result in told):
            done.add(host)
        lines = [line for result in told for line in _lines(result)]
        failures += [f"{host}: {line}" for line in dict.fromkeys(lines)]
        blamed = {name for result in told for name in _blamed(result)}
        failed.update(blamed or (due if lines else ()))
    out = failed | dependants(plan, failed)
    return {
        "failures": failures,
        "failed": sorted(failed),
        "gone": sorted(gone),
        "done": sorted(done),
        "blocked": sorted(out - failed),
        "out": sorted(out),
    }


def dependants(plan: Mapping[str, Any], failed: Iterable[str]) -> set[str]:
    """All replicas that depend on one of *failed*, directly or through others."""
    out = set(failed)
    for names in plan["waves"]:
        out |= {name for name in names if out.intersection(plan["replicas"][name]["depends_on"])}
    return out - set(failed)


def last_wave(plan: Mapping[str, Any], host: str) -> int:
    """The last wave in which a host has something to do, from 0; -1 for a host that has no replica."""
    names = plan["hosts"].get(host, {}).get("replicas", ())
    return max((int(plan["replicas"][name]["wave"]) for name in names), default=-1)


def standing(plan: Mapping[str, Any], host: str) -> list[str]:
    """The replicas of the plan that were on the host before, by its snapshot."""
    containers = (plan.get("snapshot") or {}).get(host, {}).get("containers") or {}
    return [
        name
        for name in plan["hosts"].get(host, {}).get("replicas", ())
        if (containers.get(name) or {}).get("labels", {}).get(DEPLOYMENT_LABEL) == plan["deployment"]
    ]


def _lines(result: Mapping[str, Any]) -> list[str]:
    """The messages of a result, which may be that of a loop of stock tasks over replicas."""
    if not isinstance(result.get("results"), list):
        return messages(result)
    return [f"{_item(item)}: {first_line(item)}" for item in result["results"] if item.get("failed")]


def _blamed(result: Mapping[str, Any]) -> set[str]:
    items = result.get("results")
    if isinstance(items, list):
        return {_item(item) for item in items if item.get("failed")}
    return {name for name, replica in _replicas(result).items() if replica.get("error")}


def _item(item: Mapping[str, Any]) -> str:
    return str((item.get("profile_replica") or {}).get("name"))


def _replicas(result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return result.get("replicas") or {}


def _problem(problem: Mapping[str, Any]) -> str:
    where = [str(problem[key]) for key in ("container", "field") if problem.get(key)]
    return ": ".join([", ".join(where), problem["message"]] if where else [problem["message"]])


def _refused(result: Mapping[str, Any]) -> bool:
    """A module that failed as a whole answers with a message and nothing else of its own."""
    return (
        bool(result.get("msg")) and not result.get("skipped") and "replicas" not in result and "problems" not in result
    )
