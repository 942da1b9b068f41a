# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the set-ups of runs: systems of hosts, controller, images, plan and variables. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed, natural

Kind = Literal["system", "controller", "images", "models", "plan", "variables"]
_MOMENTARY = ("load_before",)
"""Of a system description: how it was just then."""
_NOT_OF_THE_TASK = ("labels", "image", "env", "name")
"""Of a task: labels follow from the rest, images and variables have rows of their own."""
ABSENT = "–"
_OF_ALL = 3
"""From so many hosts or replicas on, those that do not differ from one another are counted instead of named."""

Key = tuple[Kind, str, str]
"""The kind, whom it is of, and the name."""
Facts = Mapping[Key, str]


@dataclass(frozen=True)
class Difference:
    """A property in which runs differ, with the values that it has on either side. ``of``: hosts, a container."""

    kind: Kind
    of: str
    name: str
    a: tuple[str, ...]
    b: tuple[str, ...]

    @property
    def within(self) -> bool:
        """Whether runs of one side differ among themselves."""
        return len(self.a) > 1 or len(self.b) > 1

    def __str__(self) -> str:
        where = f"{self.of}: " if self.of else ""
        return f"{where}{self.name}: {' | '.join(self.a)} → {' | '.join(self.b)}"


def facts(record: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[Key, str]:
    """All that is compared of a run's set-up."""
    found: dict[Key, str] = {}
    for host, known in record["hosts"].items():
        found.update(of_system(host, known["system"]))
        found.update((("models", host, name), text) for name, text in flat(known.get("models") or {}))
    found.update((("controller", "", name), text) for name, text in flat(record.get("controller") or {}))
    for replica, known in record["containers"].items():
        found["images", replica, "image"] = str(known["image"])
        found["images", replica, "image_id"] = str(known["image_id"] or ABSENT)
    found.update((("variables", "", name), text) for name, text in flat(record.get("variables") or {}))
    found.update(_of_plan(plan))
    return found


def of_system(host: str, system: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    """What is compared of a host's system description."""
    yield from ((("system", host, name), text) for name, text in flat(system, _MOMENTARY))


def _of_plan(plan: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    for name in ("deployment", "objectives", "streams"):
        yield ("plan", "", name), _text(plan.get(name))
    for host, known in plan["hosts"].items():
        for item in known.get("files", ()):
            yield ("plan", host, f"file {item['path']}"), str(item["sha256"])[:12]
    for name, replica in plan["replicas"].items():
        task = replica["task"]
        yield ("plan", name, "host"), str(replica["host"])
        yield from ((("variables", name, key), str(value)) for key, value in (task.get("env") or {}).items())
        yield from ((("plan", name, key), text) for key, text in flat(task, _NOT_OF_THE_TASK))
        yield from ((("plan", name, f"metrics.{key}"), text) for key, text in flat(replica.get("metrics") or {}))


def flat(data: Mapping[str, Any], without: Sequence[str] = (), prefix: str = "") -> Iterator[tuple[str, str]]:
    """The values of nested mappings by their path; what is absent counts as such, whatever the reason."""
    for key, value in data.items():
        if key in without and not prefix:
            continue
        if isinstance(value, Mapping) and set(value) == {"absent"}:
            yield f"{prefix}{key}", "not known"
        elif isinstance(value, Mapping):
            yield from flat(value, without, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def between(a: Sequence[Facts], b: Sequence[Facts]) -> list[Difference]:
    """What differs between any two of these runs; what is the same of several hosts or replicas is told once."""
    keys = dict.fromkeys(key for one in (*a, *b) for key in one)
    alike: dict[tuple[Kind, str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for kind, of, name in keys:
        of_a, of_b = (_values(side, (kind, of, name)) for side in (a, b))
        if of_a != of_b or len(of_a) > 1:
            alike.setdefault((kind, name, of_a, of_b), []).append(of)
    order = {kind: number for number, kind in enumerate(Kind.__args__)}  # type: ignore[attr-defined]
    found = [Difference(kind, _whose(of), name, a, b) for (kind, name, a, b), of in alike.items()]
    return sorted(found, key=lambda one: (order[one.kind], natural(one.of), natural(one.name)))


def _values(side: Iterable[Facts], key: Key) -> tuple[str, ...]:
    return tuple(sorted({one.get(key, ABSENT) for one in side}))


def _whose(names: Sequence[str]) -> str:
    return listed(sorted(names, key=natural), _OF_ALL)
