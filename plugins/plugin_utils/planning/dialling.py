# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container dials in its own words: its environment, command, entrypoint and env files name hosts and ports."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.planning.replica import PlannedReplica
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed

_OF_A_HOST = re.compile(r"host|addr|ur[il]|server|endpoint|broker|upstream|node|peer", re.IGNORECASE)
_IS_LOOPBACK = re.compile(r"(?:\w+://)?(?:localhost|127\.0\.0\.1|::1|\[::1\])/?").fullmatch
_LOOPBACK = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1|\[::1\]):(\d{1,5})(?!\d)")


def words(entry: Entry) -> list[tuple[str, str]]:
    """What an entry says, as it is written: each variable with its value, each argument behind the one before it."""
    found = [(str(name), str(value)) for name, value in _mapping(entry.raw.get("env")).items()]
    for field in ("entrypoint", "args"):
        raw = entry.raw.get(field) or []
        before = ""
        for word in map(str, raw if isinstance(raw, list) else str(raw).split()):
            flag, equals, value = word.partition("=")
            found.append((flag, value) if equals else (before, word))
            before = word
    for text in _env_files(entry):
        pairs = (line.partition("=") for line in text.splitlines())
        found += [(name.strip(), value.strip().strip("'\"")) for name, equals, value in pairs if equals]
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _env_files(entry: Entry) -> Iterator[str]:
    """The text of its env files; what is wrong with one is told where the environment is made of them."""
    raw = entry.raw.get("env_file") or []
    for item in raw if isinstance(raw, list) else [raw]:
        relative = item.get("path") if isinstance(item, Mapping) else item
        if isinstance(relative, str) and entry.has_file("env_file", relative):
            path = entry.origins["env_file"].root / relative
            if os.path.isfile(path):
                yield entry.content("env_file", path).decode("utf-8", errors="replace")


def dials(said: Iterable[tuple[str, str]], name: str) -> bool:
    """Whether a name is used as that of a host: in an address or a URL, or as the value of what asks for a host."""
    host = rf"(?<![\w.-]){re.escape(name)}(?![\w.-])"
    address = re.compile(rf"(?://|@){host}|{host}:(?:\d|\{{\{{|\$)")
    alone = re.compile(rf"(?:.*,)?\s*{host}\s*(?:,.*)?")
    return any(address.search(value) or (alone.fullmatch(value) and _OF_A_HOST.search(key)) for key, value in said)


def names_port(texts: Iterable[str], ports: Iterable[int]) -> bool:
    """Whether one of the ports stands in a text as a number of its own."""
    numbers = {str(port) for port in ports}
    return any(number in numbers for text in texts for number in re.findall(r"\d+", text))


def warnings(replicas: Sequence[PlannedReplica]) -> list[str]:
    """Warnings for replicas on the network of their host that dial a port of another which is on another host."""
    if len({made.slot.host for made in replicas}) < 2:
        return []
    result = []
    for made in replicas:
        if made.endpoint.on_host_network:
            own = set(made.endpoint.ports.values())
            for port, is_apart in _loopback_ports(made.task):
                there = [] if port in own else _listening(replicas, made.slot.container, port, only_known=is_apart)
                if there and not any(other.slot.host == made.slot.host for other in there):
                    result.append(_apart(made, port, there))
    return result


def _loopback_ports(task: Mapping[str, Any]) -> list[tuple[int, bool]]:
    """The ports of its own host that a container dials; with True those that stand apart from the address.

    Where one says ``localhost`` alone, each number that another says may be the port.
    """
    texts = [*task["env"].values(), *task.get("command", ()), *task.get("entrypoint", ())]
    texts = [text.rpartition("=")[2] if text.startswith("-") else text for text in texts]
    dialled = {int(port) for text in texts for port in _LOOPBACK.findall(text)}
    apart = {int(text) for text in texts if re.fullmatch(r"\d{1,5}", text)} if any(map(_IS_LOOPBACK, texts)) else set()
    return [*((port, False) for port in sorted(dialled)), *((port, True) for port in sorted(apart - dialled))]


def _listening(replicas: Sequence[PlannedReplica], container: str, port: int, only_known: bool) -> list[PlannedReplica]:
    """The replicas of other containers that listen on a port of their host; else those that may, and do not say."""
    others = [made for made in replicas if made.slot.container != container]
    known = [made for made in others if made.endpoint.on_host_network and port in made.endpoint.ports.values()]
    known += [made for made in others if any(str(port) in _numbers(text) for text in _published(made))]
    if only_known:
        return known
    return known or [made for made in others if made.endpoint.on_host_network and not made.endpoint.ports]


def _published(made: PlannedReplica) -> list[str]:
    return [str(text) for text in made.task.get("published_ports", ())]


def _numbers(published: str) -> list[str]:
    """The ports of the host in ``[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]``."""
    return published.split(":")[-2:-1]


def _apart(made: PlannedReplica, port: int, there: Sequence[PlannedReplica]) -> str:
    containers = listed(list(dict.fromkeys(other.slot.container for other in there)))
    hosts = listed(list(dict.fromkeys(other.slot.host for other in there)))
    return (
        f"{made.slot.replica} dials localhost:{port} on {made.slot.host}, but {containers} is on {hosts}: keep them on "
        f"the same hosts (hosts; in Compose, node.hostname), or dial {containers} by its name and depend on it"
    )
