# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's modules under Ansible's own loader, and whether Python keeps what it compiled of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

_AnsibleCollectionFinder(paths=[{root!r}])._install()
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

before = list(sys.meta_path)
with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import plain
    try:
        from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import no_such_module
    except ImportError as error:
        told = str(error)
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import place
json.dump([plain.__cached__, place.__cached__, sys.meta_path == before, told], sys.stdout)
"""


def test_what_is_imported_within_is_kept_and_nothing_else_changes(collections: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(root=str(collections))],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    kept, outside, restored, told = json.loads(ended.stdout)
    assert Path(kept).is_relative_to(tmp_path)
    assert Path(kept).is_file()
    assert not Path(outside).is_file()
    assert restored
    assert "no_such_module" in told
