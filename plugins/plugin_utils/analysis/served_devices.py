# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which devices a model server's models ran: as its log says, else as they were configured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: words of the lines below: most lines of a log have none of them
_WORDS = ("target device: ", "recommended device: ")
_LOADING = re.compile(
    r"Loading model: (?P<name>.+?), version: \d+, from path: .*, with target device: (?P<device>\S+) "
)
_CHOSEN = re.compile(
    r"No target device specified for model: (?P<name>.+?); version: .*recommended device: (?P<device>\S+)"
)
_OF_GRAPH = re.compile(r"No device specified.*, using recommended device: (?P<device>\S+)")


def told(line: str, configured: Mapping[str, str | None]) -> tuple[str, str] | None:
    """The model of which a line of the log tells the device, and the device.

    A line about a graph does not name it: it is taken where one alone has no device of its own.
    """
    if not any(word in line for word in _WORDS):
        return None
    found = _LOADING.search(line) or _CHOSEN.search(line)
    if found:
        return found["name"], found["device"]
    found = _OF_GRAPH.search(line)
    open_names = [name for name, device in configured.items() if device is None]
    return (open_names[0], found["device"]) if found and len(open_names) == 1 else None


def of_record(configured: Mapping[str, str | None], seen: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """By model, for the record of a run: its ``device`` (None: not known), and what says so."""
    names = sorted({*configured, *seen})
    return {
        name: {
            "device": seen.get(name, configured.get(name)),
            "told_by": "log" if name in seen else "configuration" if configured.get(name) else None,
        }
        for name in names
    }
