# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each Python of a host, called directly and by Ansible's archive of a module. The host is this machine."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import environments
from .main_job import User, main_job

WAYS = {"direct": "True", "archive": "False"}


def parameters() -> Iterator[object]:
    """What this machine has not is skipped, and told."""
    for python in environments.HOSTS:
        missing = f"this machine has no Python {python} that makes virtual environments"
        marks = [] if environments.interpreter(python) else [pytest.mark.skip(missing)]
        yield pytest.param(python, marks=marks, id=f"host-{python}")


@pytest.fixture(scope="session", params=parameters())
def python(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.mark.parametrize("way", WAYS)
def test_main_job(python: str, way: str, tmp_path: Path, took: Callable[[str, float], None]) -> None:
    assert os.environ.get("DOCKER_HOST"), "no engine: run these tests by make test-long, or set DOCKER_HOST"
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(environments.environment(python, environments.ON_HOSTS) / "python"),
        "profile_address": "127.0.0.1",
        "profile_images": {"retail/teller:2": "debian:bookworm-slim"},
        "profile_state_dir": str(tmp_path / "state"),
    }
    (tmp_path / "state").mkdir()
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"here": host}}}), encoding="utf-8")
    settings = {"ANSIBLE_INVENTORY": str(inventory), "ANSIBLE_PIPELINING": WAYS[way]}
    user = User(Path(sys.executable).parent, tmp_path, settings)
    facts = user.run("ansible", "here", "-m", "retail.profiles.profile_facts", "-a", f"state_dir={tmp_path}/state")
    assert f'"python": "{python}.' in facts
    # Ansible says which file of a module it packs.
    packed = re.search(r"Using module file \S+/profile_apply\.py", user.play("plan_profile", "-vvv"))
    assert (packed is not None) == (way == "archive")
    main_job(user, took)
