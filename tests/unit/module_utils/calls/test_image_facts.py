# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of image_facts: what the engine has, and what it lacks."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.calls import image_facts
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError

from .arguments import completed

ALPINE = {
    "Id": "sha256:1",
    "Size": 7,
    "Architecture": "amd64",
    "RootFS": {"Layers": ["sha256:aa", "sha256:bb"]},
    "Config": {"Labels": {"retail.profiles.context": "d"}},
}


class Engine:
    def info(self) -> dict[str, Any]:
        return {"DockerRootDir": "/", "Architecture": "x86_64", "DriverStatus": [["Backing Filesystem", "extfs"]]}

    def images(self) -> list[dict[str, Any]]:
        return [{"Id": "sha256:1"}]

    def image(self, name: str) -> Optional[dict[str, Any]]:
        return ALPINE if name in ("alpine:3", "sha256:1") else None


def test_what_there_is_and_what_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Optional[str]] = []
    monkeypatch.setattr(image_facts, "connect", lambda url: dialled.append(url) or Engine())
    params = completed(image_facts.argument_spec(), names=["alpine:3", "none:1"], docker_host="unix:///x")
    told = image_facts.answer(params, False, False)
    assert (told["failed"], told["changed"], told["lacking"]) == (False, False, ["none:1"])
    assert dialled == ["unix:///x"]
    engine = told["engine"]
    assert (engine["arch"], engine["containerd_store"], engine["root_dir"]) == ("x86_64", False, "/")
    assert engine["free_bytes"] > 0
    assert len(engine["chains"]) == 2
    assert list(engine["images"]) == ["alpine:3"]
    assert engine["images"]["alpine:3"]["labels"] == {"retail.profiles.context": "d"}
    again = image_facts.answer(params, True, False)  # check mode only looks, as all calls of it do
    again["engine"]["free_bytes"] = engine["free_bytes"]  # the disk is this machine's, and in use
    assert again == told


def test_without_engine_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_url: Optional[str]) -> Engine:
        raise EngineError("there is no Docker Engine at /x")

    monkeypatch.setattr(image_facts, "connect", connect)
    params = completed(image_facts.argument_spec())
    assert params == {"names": [], "docker_host": None}
    assert image_facts.answer(params, False, False) == {"failed": True, "msg": "there is no Docker Engine at /x"}
