# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of profile_status: the replicas that are recorded here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.apply.status import Status
from ansible_collections.retail.profiles.plugins.module_utils.calls import status
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from .arguments import completed


def test_replicas_are_asked_for_and_told_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    found = Status("d", "d-a-1", "i:1", "running", "exited", restarts=3)

    def statuses(state: Any, engine: Any, deployment: Any) -> list[Status]:
        asked.append((state.root, engine, deployment))
        return [found]

    monkeypatch.setattr(status, "connect", lambda timeout: "engine")
    monkeypatch.setattr(status, "statuses", statuses)
    params = completed(status.argument_spec(), deployment="d", state_dir=f"{tmp_path}/")
    told = status.answer(params, False, False)
    assert asked == [(str(tmp_path), "engine", "d")]
    assert (told["failed"], told["changed"]) == (False, False)
    assert told["replicas"] == [found.as_dict()]


def test_what_cannot_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(timeout: int) -> Any:
        raise ProfileError("there is no Docker Engine")

    monkeypatch.setattr(status, "connect", connect)
    params = completed(status.argument_spec(), state_dir=str(tmp_path))
    assert status.answer(params, False, False) == {"failed": True, "msg": "there is no Docker Engine"}
    usual = {"deployment": None, "state_dir": "/var/lib/retail-profiles", "engine_timeout": 60}
    assert completed(status.argument_spec()) == usual
