# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of one of our modules that goes straight to the Python of a host, on its standard input.

Hand-written because no library sends a call without its framework.
Ansible's own archive of a module brings ansible-core's code along. Building it takes a third of a second of each
playbook, and compiling it, of which a host keeps nothing, a third of the host's time for such a call. So where the
connection is pipelined, only our own modules are sent: compiled already where the host's Python is of the controller's
version, and as source text where it is of another.
"""

from __future__ import annotations

import base64
import contextlib
import json
import marshal
import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

#: exit status of a host's Python that cannot read the controller's byte code: it wants the source text
OTHER_PYTHON = 93
_PACKAGE = "ansible_collections.retail.profiles.plugins.module_utils"
_FOLDER = Path(__file__).resolve().parents[2] / "module_utils"
# "from …module_utils.package import one, two", and the same in brackets over several lines
_IMPORT = re.compile(rf"from {re.escape(_PACKAGE)}\.([\w.]+) import (?:\(([^)]+)\)|(.+))")
_SCRIPT = """\
import base64, importlib.machinery, importlib.util, json, marshal, os, sys, zlib

if {magic} not in (None, importlib.util.MAGIC_NUMBER):
    os._exit({other})


class Modules:
    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        if name not in self.modules:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=self.modules[name] is None)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        code = self.modules[module.__name__]
        if isinstance(code, str):
            code = compile(code, module.__name__, "exec", dont_inherit=True)
        if code is not None:
            exec(code, module.__dict__)


def unpacked(text):
    return zlib.decompress(base64.b64decode(text))


sys.meta_path.insert(0, Modules(marshal.loads(unpacked("{modules}"))))
from {package}.{entry} import answer
print(json.dumps(answer(**json.loads(unpacked("{arguments}")))), flush=True)
os._exit(0)  # there is nothing left to tidy up, and tidying up takes a twentieth of the call
"""


def script(entry: str, params: Mapping[str, Any], check: bool, diff: bool, compiled: bool) -> bytes:
    """What the host's Python is to read: our modules, and a call with *params*. It prints the result as JSON.

    *entry*: the module of module_utils whose ``answer(params, check, diff)`` is called, as ``calls.apply``.
    """
    arguments = json.dumps({"params": params, "check": check, "diff": diff})
    return _head(entry, compiled).replace("{arguments}", _packed(arguments.encode())).encode()


def sources(entry: str) -> dict[str, str | None]:
    """All modules that a call of *entry* imports, by name; None is a package."""
    found: dict[str, str | None] = {}
    wanted = [entry]
    while wanted:
        name = wanted.pop()
        file = _file(name)
        if f"{_PACKAGE}.{name}" in found or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8")
        parts = f"{_PACKAGE}.{name}".split(".")
        found |= {".".join(parts[:number]): None for number in range(1, len(parts))}
        found[f"{_PACKAGE}.{name}"] = text
        for source, bracketed, plain in _IMPORT.findall(text):
            # What is imported is a module of the package, or a name in the module.
            wanted += [source, *(f"{source}.{word}" for word in re.findall(r"\w+", bracketed or plain))]
    return found


def _file(name: str) -> Path:
    return _FOLDER / f"{name.replace('.', '/')}.py"


def result(module: str, status: int, output: str, errors: str) -> dict[str, Any]:
    """The result that a call of *module* has printed; one that says what went wrong where there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            with contextlib.suppress(ValueError):  # cut off, or not ours
                answer: dict[str, Any] = json.loads(line)
                return answer
    told = (errors.strip() or output.strip() or "it said nothing").splitlines()
    return {
        "failed": True,
        "msg": f"{module} ended on the host with status {status}: {told[-1]}",
        "module_stdout": output,
        "module_stderr": errors,
    }


def pack(entry: str) -> None:
    """Make what calls of *entry* bring along, once for all that follow."""
    _head(entry, True)


@lru_cache
def _head(entry: str, compiled: bool) -> str:
    """The script without its arguments."""
    modules: dict[str, Any] = dict(sources(entry))
    if compiled:
        modules = {name: text if text is None else _compiled(name) for name, text in modules.items()}
    version = marshal.version if compiled else 2  # every Python reads 2
    return (
        _SCRIPT.replace("{modules}", _packed(marshal.dumps(modules, version)))
        .replace("{magic}", repr(MAGIC_NUMBER if compiled else None))
        .replace("{other}", str(OTHER_PYTHON))
        .replace("{package}", _PACKAGE)
        .replace("{entry}", entry)
    )


def _compiled(name: str) -> Any:
    """A module's code, from Python's own cache where that is fresh."""
    return SourceFileLoader(name, str(_file(name[len(_PACKAGE) + 1 :]))).get_code(name)


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 1)).decode()
