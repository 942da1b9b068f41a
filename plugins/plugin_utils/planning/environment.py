# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a container: env files, ``env`` above them, ``profile_env`` above all; and where each is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import SECRETS, Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file, text_file

FROM_RUN = "profile_env"
FROM_STREAMS = "profile_streams"
#: the variable of the run, or of a host, that gives secrets: {CONTAINER: {NAME: value}}
GIVEN = "profile_secrets"


@dataclass
class Environment:
    """``values`` by name, and by the same names what set each: ``FILE:LINE``, or the variable of the run.

    ``secrets`` are names alone, with a source and without a value.
    """

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def set(self, name: str, value: str, source: str) -> None:
        """Set a variable above what was there."""
        self.values[name] = value
        self.sources[name] = source

    def hide(self, name: str, source: str) -> None:
        """Make a variable a secret, whatever its value was."""
        self.values.pop(name, None)
        self.sources[name] = source
        self.secrets.append(name)


def collect(
    entry: Entry,
    files: Sequence[Mapping[str, Any]],
    env: Mapping[str, str],
    secrets: Iterable[str],
    above: Mapping[str, str],
    streams: Mapping[str, str],
    interpolated: Mapping[str, str],
) -> Environment:
    """The environment of an entry. ``files``, ``env`` and ``secrets`` are its fields, ``above`` is of ``profile_env``,
    and ``streams`` what tells it the number of its streams. ``interpolated`` is what env files may be written with.

    Raises ProfileError, with file and line, for an env file that is not there or cannot be read, and for a secret that
    ``profile_env`` gives in the clear.
    """
    made = Environment()
    for item in files:
        _read(made, entry, item, interpolated)
    for name, value in env.items():
        made.set(name, value, _written(entry, "env", name))
    for name in secrets:
        if name in above:
            raise entry.error(
                f"{name} is a secret of this container, but {FROM_RUN} gives it in the clear: give it in {GIVEN} "
                f"from a vaulted file instead: {{{entry.name}: {{{name}: …}}}}",
                SECRETS,
                (name,),
            )
        made.hide(name, _written(entry, entry.secret_field(name), name))
    for name, value in above.items():
        made.set(name, value, FROM_RUN)
    for name, value in streams.items():
        made.set(name, value, FROM_STREAMS)
    return made


def _read(made: Environment, entry: Entry, item: Mapping[str, Any], interpolated: Mapping[str, str]) -> None:
    relative = item["path"]
    shown = _shown(entry, "env_file", relative.removeprefix("./"))
    if not item["required"] and not entry.has_file("env_file", relative):
        made.warnings.append(f"{entry.name}: the env file {shown} is not there")
        return
    path = entry.file("env_file", relative)
    text = text_file.decoded(entry.content("env_file", path), str(path))
    for line in _lines(made, text, path, item["format"], shown, interpolated):
        made.set(line.name, line.value, f"{shown}:{line.number}")


def _lines(
    made: Environment, text: str, path: Path, kind: str, shown: str, interpolated: Mapping[str, str]
) -> list[env_file.Line]:
    if kind == "docker":
        return env_file.lines(text, str(path))

    told: set[str] = set()

    def unset(name: str, line: int) -> str:
        if name not in told:
            told.add(name)
            made.warnings.append(f"{shown}:{line}: variable {name} is not set: nothing stands in its place")
        return ""

    found = env_file.compose_lines(text, str(path), interpolated.get, unset, below=made.values.get)
    return env_file.named(found, str(path))


def _written(entry: Entry, field: str, name: str) -> str:
    """Where a field gives a variable."""
    origin = entry.origins[field]
    line = origin.document.line((*origin.path, name))
    file = Path(origin.document.file).name
    return f"{_shown(entry, field, file)}:{line}"


def _shown(entry: Entry, field: str, file: str) -> str:
    """A file of the entry's own profile by its name; one that came with ``use`` with its profile's, too."""
    root = entry.origins[field].root
    return file if root == entry.home else f"{root.name}/{file}"
