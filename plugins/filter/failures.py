# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: what went wrong on which host, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def failures(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str], registered: str) -> list[str]:
    """``HOST: message`` for every host whose registered result tells of a failure."""
    found = []
    for host in hosts:
        result = hostvars[host].get(registered) or {}
        if result.get("unreachable"):
            found.append(f"{host}: unreachable: {_first_line(result)}")
        else:
            found.extend(f"{host}: {message}" for message in _messages(result))
    return found


def _messages(result: Mapping[str, Any]) -> list[str]:
    messages = [_problem(problem) for problem in result.get("problems") or []]
    replicas = result.get("replicas") or {}
    messages += [f"{name}: {replica['error']}" for name, replica in replicas.items() if replica.get("error")]
    failed = result.get("failed") or result.get("failed_when_result") or "exception" in result
    if not messages and (failed or _refused(result)):
        messages.append(_first_line(result))
    return messages


def _problem(problem: Mapping[str, Any]) -> str:
    where = [str(problem[key]) for key in ("container", "field") if problem.get(key)]
    return ": ".join([", ".join(where), problem["message"]] if where else [problem["message"]])


def _refused(result: Mapping[str, Any]) -> bool:
    """A module that failed as a whole answers with a message and nothing else of its own."""
    return (
        bool(result.get("msg")) and not result.get("skipped") and "replicas" not in result and "problems" not in result
    )


def _first_line(result: Mapping[str, Any]) -> str:
    return str(result.get("msg") or "no answer").strip().splitlines()[0]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failures": failures}
