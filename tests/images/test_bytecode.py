# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is compiled when a container starts: its user could not keep it, and a start would take twice as long."""

from __future__ import annotations

import pytest
from containers import Run

# All that is there without bytecode, and whose files the bytecode says it is of.
LOOK = """
import importlib.util, marshal, pathlib, sys
for file in pathlib.Path("/usr/local/lib/python3.11/dist-packages").rglob("*.py"):
    cached = pathlib.Path(importlib.util.cache_from_source(str(file)))
    named = marshal.loads(cached.read_bytes()[16:]).co_filename if cached.exists() else "no bytecode"
    if named != str(file):
        print(file, named)
"""


@pytest.mark.parametrize("name", ["kserve-client", "local-inference", "models", "ovms-stand-in"])
def test_all_is_compiled(run: Run, name: str) -> None:
    assert run(name, "-c", LOOK, entrypoint=["python3"]).end() == (0, "")
