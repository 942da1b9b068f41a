# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile of one model server, and what is planned of it."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ..world import World


class Server:
    """A profile of one server ``s`` with a folder ``m`` that it ships to /models."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.entry: dict[str, Any] = {
            "name": "s",
            "image": "openvino/model_server:2025.4",
            "args": ["--config_path", "/models/config.json", "--port", 9000, "--rest_port", 8000],
            "volumes": ["./m:/models:ro"],
            "ports": {"grpc": 9000, "rest": 8000},
            "ready": {"ovms_models": "all"},
            "hosts": "h1",
        }

    def file(self, path: str, text: str = "") -> None:
        file = self.world.root / "p" / "m" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def config(self, *models: Any, **more: Any) -> None:
        listed = [{"config": {"name": model} if isinstance(model, str) else model} for model in models]
        self.file("config.json", json.dumps({"model_config_list": listed, **more}, indent=1))

    def plan(self, *args: Any, **entry: Any) -> dict[str, Any]:
        """The plan; with ``args`` in place of the server's own, and other fields."""
        changed = {**self.entry, **({"args": list(args)} if args else {}), **entry}
        self.world.write("p", yaml.safe_dump({"containers": [changed]}))
        return self.world.plan("p")

    def replica(self, *args: Any, **entry: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.plan(*args, **entry)["replicas"]["p-s-1"]
        return found

    def probe(self, *args: Any, **entry: Any) -> dict[str, Any]:
        (found,) = self.replica(*args, **entry)["ready"]
        return {key: value for key, value in found.items() if key not in ("timeout", "replica")}
