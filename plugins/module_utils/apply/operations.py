# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call has decided to do, what became of each replica, and the report of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Optional

from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference

Verb = Literal["create", "recreate", "update", "start", "unpause", "keep", "remove", "refuse"]
Kind = Literal["network", "file", "image", "volume", "container", "sampler", "files"]

#: what becomes of a replica by a verb
_STATUS = {
    "create": "created",
    "recreate": "recreated",
    "update": "updated",
    "start": "started",
    "unpause": "started",
    "keep": "unchanged",
    "refuse": "failed",
}


@dataclass(frozen=True)
class Operation:
    """One thing to do with the *kind* of thing called *name*. Its cause: *differences*, or a *reason*."""

    verb: Verb
    kind: Kind
    name: str
    differences: tuple[Difference, ...] = ()
    reason: str = ""

    @property
    def status(self) -> str:
        return _STATUS[self.verb]

    @property
    def alters(self) -> tuple[Difference, ...]:
        """What it changes of something that is there."""
        return tuple(item for item in self.differences if self.kind == "container" or item.current is not None)


@dataclass(frozen=True)
class ReplicaResult:
    """What became of one replica."""

    name: str
    status: str
    id: Optional[str] = None
    image_id: Optional[str] = None
    ready: Optional[bool] = None
    ready_after: Optional[float] = None
    started_at: Optional[str] = None
    exit_code: Optional[int] = None
    address: Optional[str] = None
    diff: tuple[Difference, ...] = ()
    error: Optional[str] = None

    @property
    def changed(self) -> bool:
        return self.status in ("created", "recreated", "updated", "started", "joined", "removed")

    def as_dict(self) -> dict[str, Any]:
        result = {key: getattr(self, key) for key in self.__dataclass_fields__ if key != "name"}
        result["diff"] = [item.as_dict() for item in self.diff]
        return result


@dataclass(frozen=True)
class Report:
    """What one call did."""

    changed: bool = False
    replicas: tuple[ReplicaResult, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[Mapping[str, Optional[str]], ...] = ()
    diff: tuple[Difference, ...] = ()
    pulled: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return bool(self.problems) or any(result.error for result in self.replicas)


def report(
    operations: Iterable[Operation],
    replicas: tuple[ReplicaResult, ...] = (),
    problems: tuple[Mapping[str, Optional[str]], ...] = (),
    warnings: Iterable[str] = (),
) -> Report:
    found = list(operations)
    diff = tuple(item for one in found if one.kind in ("network", "file", "volume") for item in one.differences)
    removed = tuple(one.name for one in found if (one.verb, one.kind) == ("remove", "container"))
    pulled = tuple(one.name for one in found if one.kind == "image" and one.differences)
    changed = bool(diff or removed or pulled) or any(result.changed for result in replicas)
    return Report(changed, replicas, removed, problems, diff, pulled, tuple(warnings))
