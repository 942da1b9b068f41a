# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines as they are shown and kept."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso
from ansible_collections.retail.profiles.plugins.plugin_utils.logs.fleet_lines import FleetLine, HostEnd
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import safe_name
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import clean, first_line

#: the colours of replicas, by Ansible's names
COLOURS = ("cyan", "yellow", "green", "purple", "blue", "bright cyan", "bright yellow", "bright green", "bright purple")
# What a terminal takes as a command: colours, movements, titles.
_COMMAND = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_TAB = "    "


def colour(replica: str) -> str:
    """The same for a replica in every process."""
    return COLOURS[zlib.crc32(replica.encode()) % len(COLOURS)]


def width(replicas: Iterable[tuple[str, str]]) -> int:
    """The width of what stands before the lines of these."""
    return max((len(_name(*replica)) for replica in replicas), default=0)


def shown(line: FleetLine, wide: int, timestamps: bool, paint: Callable[[str, str], str]) -> str:
    """One line for a terminal; *paint* colours a text."""
    before = paint(f"{_name(line.host, line.replica).ljust(wide)} |", colour(line.replica))
    return f"{before} {f'{iso(line.t_ns / 1e9)} ' if timestamps else ''}{_text(line)}"


def _name(host: str, replica: str) -> str:
    return clean(f"{host}  {replica}")


def _text(line: FleetLine) -> str:
    """The text without what steers a terminal, with a word of what was cut off."""
    text = clean(_COMMAND.sub("", line.text).replace("\t", _TAB))
    return f"{text} … ({line.cut} bytes more)" if line.cut else text


class Files:
    """A folder with a file a replica, ``HOST/REPLICA.log``. Raises ProfileError where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun: set[Path] = set()

    def write(self, lines: Iterable[FleetLine]) -> None:
        """Add lines; what a file had before this object began it goes."""
        texts: dict[Path, list[str]] = {}
        for line in lines:
            path = self._folder / safe_name(line.host) / f"{safe_name(line.replica)}.log"
            texts.setdefault(path, []).append(f"{iso(line.t_ns / 1e9)} {line.stream} {_text(line)}\n")
        for path, text in texts.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a" if path in self._begun else "w", encoding="utf-8", errors="replace") as stream:
                    stream.writelines(text)
            except OSError as error:
                raise ProfileError(f"cannot be written: {error.strerror or error}", file=str(path)) from error
            self._begun.add(path)


def problems(ends: Sequence[HostEnd], unread: Iterable[tuple[str, str, str]], asked: str | None) -> list[str]:
    """What went wrong, a sentence each; *asked* are the words for what was asked for by name."""
    told = [
        f"{end.name} did not answer: {clean(first_line(end.silent))}"
        for end in sorted(ends, key=lambda end: natural(end.name))
        if end.silent is not None
    ]
    told += [f"the log of {replica} on {host} cannot be read: {clean(why)}" for host, replica, why in unread]
    if not told and asked and not any(end.replicas for end in ends):
        told = [f"nothing of {asked} is on these hosts"]
    return told
