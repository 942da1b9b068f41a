# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the fleet for a person: one row a replica, and a line that says what is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.text import task_results
from ansible_collections.retail.profiles.plugins.plugin_utils.text.aligned import aligned
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import first_line, neutral, one_line

HEADER = ("HOST", "REPLICA", "IMAGE", "DESIRED", "ACTUAL", "READY", "RESTARTS", "DRIFT")
_LONGEST_VALUE = 40


@dataclass(frozen=True)
class Overview:
    """What to print, and what to say at the end."""

    table: str
    message: str
    as_desired: bool


def overview(answers: Mapping[str, Mapping[str, Any]], deployment: str | None = None) -> Overview:
    """*answers*: by host, the result of ``profile_status``; of a host that could not be asked, what Ansible has."""
    rows: list[Sequence[str]] = []
    details: list[str] = []
    count = wrong = silent = 0
    for host in sorted(answers, key=natural):
        answer = answers[host]
        if "replicas" not in answer:
            silent += 1
            rows.append((host, "?", "", "", "unreachable" if answer.get("unreachable") else "no answer", "", "", ""))
            details.append(f"{host}: {first_line(task_results.message(answer))}")
            continue
        for item in sorted(answer["replicas"], key=lambda item: natural(item["replica"])):
            count += 1
            wrong += not item["as_desired"]
            rows.append(_row(host, item))
            details += [one_line(f"{item['replica']} on {host}: {text}") for text in _details(item)]
    nothing = f"nothing of the {f'deployment {deployment}' if deployment else 'collection'} is on"
    if not rows:
        return Overview("", f"{nothing} these hosts", deployment is None)
    message = f"{count - wrong} of {count} replicas are as desired" if count else f"{nothing} the hosts that answered"
    if silent:
        message += f"; {silent} of {len(answers)} hosts could not be asked"
    lines = [*aligned([HEADER, *([neutral(cell) for cell in row] for row in rows)]), *(f"! {line}" for line in details)]
    return Overview("\n".join(lines), message, not (wrong or silent))


def _row(host: str, item: Mapping[str, Any]) -> Sequence[str]:
    fields = list(dict.fromkeys(str(difference["field"]) for difference in item["drift"]))
    return (
        host,
        item["replica"],
        item["image"] or "?",
        item["desired"],
        item["actual"],
        {True: "yes", False: "no", None: "-"}[item["ready"]],
        str(item["restarts"]),
        ", ".join(fields) or "-",
    )


def _details(item: Mapping[str, Any]) -> Iterator[str]:
    if item["ready"] is False and item["reason"]:
        yield f"not ready: {item['reason']}"
    for difference in item["drift"]:
        if difference["field"] == "record":  # no value that differs: what is known of it, and what to do
            yield ": ".join(filter(None, (difference["current"], difference["desired"])))
            continue
        current, desired = (_value(difference["field"], difference[side]) for side in ("current", "desired"))
        yield f"{difference['field']} is {current}, should be {desired}"


def _value(field: str, value: Any) -> str:
    if value is None:
        return "nothing"
    if field == "cpus" and isinstance(value, int):  # Docker counts them in billionths
        value = value / 1e9
    return neutral(value if isinstance(value, str) else json.dumps(value, sort_keys=True), _LONGEST_VALUE)
