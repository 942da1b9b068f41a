# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet to plan with, of ``world``, and runs to judge, of ``synthetic``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .synthetic import Fleet, Play, make_plan
from .world import OVMS, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two servers' hosts, three clients', and the profile ``ovms``."""
    made = World(tmp_path / "profiles", {"servers": ["h1"], "clients": ["h2", "h3", "h10"]})
    config = {"model_config_list": [{"config": {"name": "face-detection", "base_path": "/models/face-detection"}}]}
    made.write("ovms", OVMS, server__env="A=1\n", client__sh="#!/bin/sh\n", config__json=json.dumps(config))
    return made


@pytest.fixture(scope="session")
def ready_run(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """A run in which everything went well, played once."""
    play = Play(tmp_path_factory.mktemp("results"))
    play.whole()
    return play


@pytest.fixture
def play_of(tmp_path: Path) -> Callable[..., Play]:
    """A run to be played, with its own plan and a fleet class of the test's."""

    def make(fleet: type[Fleet] = Fleet, plan: dict[str, Any] | None = None, terminal: bool = False) -> Play:
        chosen = plan or make_plan(hosts=3, clients=2)
        return Play(tmp_path, chosen, fleet(chosen), terminal)

    return make
