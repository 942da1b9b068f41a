# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""What a call of profile_apply did, and what became of each replica."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference


@dataclass(frozen=True)
class Outcome:
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
        return self.status in ("created", "recreated", "started", "joined", "removed")

    def as_dict(self) -> dict[str, Any]:
        result = {key: getattr(self, key) for key in self.__dataclass_fields__ if key != "name"}
        result["diff"] = [item.as_dict() for item in self.diff]
        return result


@dataclass(frozen=True)
class Report:
    """What one call did."""

    changed: bool = False
    replicas: tuple[Outcome, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[Mapping[str, Optional[str]], ...] = ()
    diff: tuple[Difference, ...] = ()
    pulled: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return bool(self.problems) or any(outcome.error for outcome in self.replicas)
