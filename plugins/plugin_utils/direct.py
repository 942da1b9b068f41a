# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""A call of profile_apply that goes straight to the Python of a host, on its standard input.

Ansible's own archive of a module brings ansible-core's code along. Building it takes a third of a second of each
playbook, and compiling it, of which a host keeps nothing, a third of the host's time for such a call. So where the
connection is pipelined, only our own sources are sent.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PACKAGE = "ansible_collections.retail.profiles.plugins.module_utils"
_FOLDER = Path(__file__).resolve().parent.parent / "module_utils"
# "module_utils.name", "module_utils import one, two", and the same in brackets over several lines
_IMPORTED = re.compile(re.escape(_PACKAGE) + r"(?:\.(\w+)| import (?:\(([^)]+)\)|(.+)))")
_SCRIPT = """\
import base64, importlib.machinery, json, sys, zlib


class Sources:
    def __init__(self, sources):
        self.sources = sources

    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=self.sources[name] is None)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        source = self.sources[module.__name__]
        if source is not None:
            exec(compile(source, module.__name__, "exec", dont_inherit=True), module.__dict__)

    def get_source(self, name):
        return self.sources[name]


def unpacked(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))


sys.meta_path.insert(0, Sources(unpacked("{sources}")))
from {package}.call import answer
print(json.dumps(answer(**unpacked("{arguments}"))))
"""


def script(params: Mapping[str, Any], check: bool, diff: bool) -> bytes:
    """What the host's Python is to read: the sources, and a call with *params*. It prints the result as JSON."""
    return _WITH_SOURCES.replace("{arguments}", _packed({"params": params, "check": check, "diff": diff})).encode()


def sources() -> dict[str, str | None]:
    """All modules that a call imports, by name; None is a package."""
    parts = _PACKAGE.split(".")
    found: dict[str, str | None] = {".".join(parts[: number + 1]): None for number in range(len(parts))}
    wanted = ["call"]
    while wanted:
        name = wanted.pop()
        file = _FOLDER / f"{name}.py"
        if f"{_PACKAGE}.{name}" in found or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8")
        found[f"{_PACKAGE}.{name}"] = text
        wanted += re.findall(r"\w+", ",".join(",".join(match) for match in _IMPORTED.findall(text)))
    return found


def result(status: int, output: str, errors: str) -> dict[str, Any]:
    """The result that a call has printed; one that says what went wrong where there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            with contextlib.suppress(ValueError):  # cut off, or not ours
                answer: dict[str, Any] = json.loads(line)
                return answer
    told = (errors.strip() or output.strip() or "it said nothing").splitlines()
    return {
        "failed": True,
        "msg": f"profile_apply ended on the host with status {status}: {told[-1]}",
        "module_stdout": output,
        "module_stderr": errors,
    }


def _packed(value: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value).encode(), 6)).decode()


# Made when the playbook loads the action, before it forks: the workers of all hosts inherit it.
_WITH_SOURCES = _SCRIPT.replace("{sources}", _packed(sources())).replace("{package}", _PACKAGE)
