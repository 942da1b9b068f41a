# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of a play answer, in words: a problem and its place, who is to blame.

A result is what Ansible registers for one task on one host; ``replicas`` and ``problems`` are those of profile_apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown

_DISPLAYED = ("msg", "module_stdout", "module_stderr", "exception", "reason")


def neutral(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result whose messages may be shown: what Ansible displays of it when it fails."""
    made: dict[str, Any] = {
        key: shown.lines(item) if key in _DISPLAYED and isinstance(item, str) else item for key, item in result.items()
    }
    if isinstance(made.get("replicas"), dict):
        made["replicas"] = {name: _neutral(item, "error") for name, item in made["replicas"].items()}
    for key in ("warnings", "problems"):
        if isinstance(made.get(key), list):
            made[key] = [
                shown.one_line(item) if isinstance(item, str) else _neutral(item, "message") for item in made[key]
            ]
    return made


def _neutral(item: Any, key: str) -> Any:
    return {**item, key: shown.lines(item[key])} if isinstance(item, dict) and isinstance(item.get(key), str) else item


def message(result: Mapping[str, Any]) -> str:
    """What went wrong, without Ansible's word that it did. Of a module that answered nothing also what it printed."""
    said = str(result.get("msg") or "no answer").removeprefix("Task failed: ")
    printed = str(result.get("module_stderr") or "").strip().splitlines()
    if not printed or printed[-1] in said:
        return said
    return f"{said}: {printed[-1 if printed[0].startswith('Traceback') else 0]}"


def replicas(result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The replicas that a result tells of, by name."""
    return result.get("replicas") or {}


def blamed(result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The replicas that a result tells an error of, by name."""
    return {name: replica for name, replica in replicas(result).items() if replica.get("error")}


def problems(result: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], str]]:
    """The problems that no replica is to blame for: the container and the field, if known, and the message."""
    for problem in result.get("problems") or []:
        where = {key: str(problem[key]) for key in ("container", "field") if problem.get(key)}
        yield where, str(problem.get("message"))
