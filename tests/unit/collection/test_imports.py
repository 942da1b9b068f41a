# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every playbook imports on the controller: Ansible compiles a collection's modules anew in each run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = "ansible_collections.retail.profiles.plugins"


@pytest.mark.parametrize(
    ("plugin", "later"),
    [
        ("callback.profile_metrics", {"results.recorder", "results.exports", "results.openmetrics"}),
        ("action.profile_plan", {"formats.compose.file", "formats.upstream.containers", "formats.upstream.launcher"}),
        ("filter.host_share", {"rollout.wave_outcome", "planning.plan"}),
    ],
)
def test_what_few_playbooks_need_is_imported_when_it_is_needed(plugin: str, later: set[str], collections: Path) -> None:
    code = f"import sys, {PLUGINS}.{plugin}; print(*sys.modules, sep='\\n')"
    environment = {**os.environ, "PYTHONPATH": str(collections)}
    command = [sys.executable, "-c", code]
    imported = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert f"{PLUGINS}.{plugin}" in imported
    assert not {f"{PLUGINS}.plugin_utils.{name}" for name in later} & set(imported)
