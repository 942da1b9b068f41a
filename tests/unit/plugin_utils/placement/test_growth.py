# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What planning a larger fleet costs, counted in work and not in seconds: a replica costs what a replica costs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import wishes
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share

from ..world import OVMS, World, render

CLIENTS_PER_HOST = 4


def fleet(root: Path, hosts: int) -> World:
    """A server on every host, and clients of them; as many hosts as asked for."""
    names = [f"h{number}" for number in range(1, hosts + 1)]
    world = World(root, {"servers": names, "clients": names})
    text = OVMS.replace("hosts: servers", "hosts: servers\n    replicas_per_host: 1")
    text = text.replace("replicas: 4", f"replicas: {CLIENTS_PER_HOST * hosts}")
    for name in ("ovms", "plain"):
        config = '{"model_config_list": [{"config": {"name": "m", "base_path": "/models/m"}}]}'
        world.write(name, text, server__env="A=1\n", client__sh="#!/bin/sh\n", config__json=config)
    plain = text.replace('"{{ models_dir }}:/models:ro"', "/srv/models:/models:ro")
    plain = plain.replace("\"{{ peers['server'].address }}\"", "there").replace(
        "\"{{ peers['server'].ports.grpc }}\"", "here"
    )
    assert "{{" not in plain
    world.write("plain", plain)
    return world


def opcodes(work: Callable[[], Any]) -> int:
    """How many bytecode instructions ``work`` takes."""
    counted = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal counted
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        counted += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def test_the_work_for_a_replica_does_not_grow_with_the_fleet(tmp_path: Path) -> None:
    def cost(hosts: int) -> int:
        world = fleet(tmp_path / str(hosts), hosts)
        loaded, inventory, known = world.load("plain"), world.inventory(), world.fleet(world.hosts)
        settings = wishes.PlanSettings("plain")

        def work() -> None:
            shaped = plan.shape(loaded, inventory, settings, render, {}, known)
            plan.build(loaded, shaped, settings, known, render)

        return opcodes(work)

    cost(2)  # what is done once in a process
    few, some, many = cost(15), cost(30), cost(60)
    assert many - some <= 2.01 * (some - few)


def test_a_share_costs_what_it_holds(tmp_path: Path) -> None:
    def of_a_share(hosts: int) -> int:
        made = fleet(tmp_path / str(hosts), hosts).plan("plain")
        return opcodes(lambda: host_share.share(made, "h2", 1))

    assert of_a_share(40) == of_a_share(5)


@pytest.mark.parametrize("name", ["plain", "ovms"])
def test_files_are_read_and_fields_parsed_once_for_all_replicas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    read: Counter[str] = Counter()
    parsed: Counter[str] = Counter()
    opened, digest, parse = Path.open, file_tree.file_digest, Entry.parse

    def counting_open(path: Path, *args: Any, **more: Any) -> Any:
        read[path.name] += 1
        return opened(path, *args, **more)

    def counting_parse(entry: Entry, field: str, value: Any) -> Any:
        parsed[field] += 1
        return parse(entry, field, value)

    def counting_digest(path: str) -> str:
        read[f"digest of {Path(path).name}"] += 1
        return digest(path)

    monkeypatch.setattr(Path, "open", counting_open)
    monkeypatch.setattr(file_tree, "file_digest", counting_digest)
    monkeypatch.setattr(Entry, "parse", counting_parse)

    def work(hosts: int) -> tuple[Counter[str], Counter[str]]:
        world = fleet(tmp_path / str(hosts), hosts)
        read.clear()
        parsed.clear()
        world.plan(name)
        return read.copy(), parsed.copy()

    few, many = work(2), work(20)
    assert many[0] == few[0]
    shipped = {"digest of client.sh", "digest of config.json"}
    assert set(few[0]) == {"profile.yml", "server.env", "config.json", *shipped}
    assert max(count for file, count in few[0].items() if file != "profile.yml") == 1
    templated = {"volumes", "env"} if name == "ovms" else set()
    assert {field for field in many[1] if many[1][field] != few[1][field]} == templated
