# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have Python keep the byte code of the collection's modules, as it does of all others.

Ansible's loader of collections compiles every module in each process, which takes the planner's longer than planning.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_PLUGINS = Path(__file__).parents[2]
_PACKAGE = __package__.rpartition(".plugin_utils.")[0]
_TREES = (f"{_PACKAGE}.module_utils.", f"{_PACKAGE}.plugin_utils.")


class _Finder:
    """Finds the modules of ``module_utils`` and ``plugin_utils`` for Python's own loader."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith(_TREES):
            return None
        file = _PLUGINS / f"{name[len(_PACKAGE) + 1 :].replace('.', '/')}.py"
        return importlib.util.spec_from_file_location(name, file) if file.is_file() else None


@contextmanager
def cached_bytecode() -> Iterator[None]:
    """What is imported herein."""
    sys.meta_path.insert(0, _Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(_Finder)
