# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal replicas of a container as one entry of the printed plan, which names them all and what differs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.planning.plan import grouped
from ansible_collections.retail.profiles.plugins.plugin_utils.text.name_ranges import ranges
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import LONGEST_MESSAGE, neutral

#: columns that an entry of several replicas takes at most
WIDTH = 160
LONGEST_VALUE = 60
#: lines that the entries of one container may take, so that a plan fits on a screen
MOST_LINES = 30
#: of more values than this, the first two and the last are shown
_MOST_VALUES = 4
_LONGEST_DIFFERING = 40
_MOST_ROWS = 4
#: lines at the end of a plan that say how to see it in full
_HINT_LINES = 2
_INDENT = " " * 15
_NOTHING = "(none)"

_Key = tuple[str, str, int]


@dataclass(frozen=True)
class Detail:
    """One thing that the plan says of a replica: a line of its entry.

    ``matters``: replicas that differ in it are not equal. ``quiet``: it is said only where it differs.
    """

    label: str
    value: str
    subject: str = ""
    source: str = ""
    matters: bool = False
    quiet: bool = False

    @property
    def line(self) -> str:
        # What a variable holds may be anything; all else is the plan's own wording.
        value = shortened(self.value) if self.label == "env" else self.value
        return _line(self.label, f"{self.subject}{value}{self.source}")


@dataclass(frozen=True)
class Shown:
    """A replica as the printed plan shows it: the lines of its entry if it stands alone, and what they say.

    ``short_name``: by which it is told from others of its container. ``place``: its host with the address.
    ``details``: to be compared, so its own name and its host do not occur in them.
    """

    name: str
    short_name: str
    host: str
    place: str
    entry: Sequence[str]
    details: Sequence[Detail]


def entries(replicas: Sequence[Shown]) -> list[str]:
    """The lines of the replicas of one container in a wave: an entry for each group that is equal in what matters.

    Where groups are too many, as where each replica has its own arguments, one entry for all. Where it saves nothing,
    an entry for each replica.
    """
    apart = [line for replica in replicas for line in replica.entry]
    if len(replicas) == 1:
        return apart
    told = _differing(replicas)
    alike = grouped(replicas, lambda replica: tuple(detail for detail in replica.details if detail.matters))
    groups = [line for group in alike.values() for line in _folded(group, told)]
    folded = groups if len(groups) <= MOST_LINES else list(_folded(replicas, told))
    return folded if len(folded) + _HINT_LINES < len(apart) else apart


def shortened(value: str) -> str:
    """A value on one line, cut where it is long."""
    return neutral(value, LONGEST_VALUE)


def _line(label: str, text: str) -> str:
    return f"      {label:<8} {text}"


def _keyed(replica: Shown) -> dict[_Key, Detail]:
    """The details by what they are about: those of the same label and subject by their number."""
    seen: Counter[tuple[str, str]] = Counter()
    keyed = {}
    for detail in replica.details:
        about = detail.label, detail.subject
        keyed[(*about, seen[about])] = detail
        seen[about] += 1
    return keyed


def _differing(replicas: Sequence[Shown]) -> set[_Key]:
    """What not all replicas have alike."""
    keyed = [_keyed(replica) for replica in replicas]
    keys = {key for details in keyed for key in details}
    return {key for key in keys if len({details.get(key) for details in keyed}) > 1}


def _folded(replicas: Sequence[Shown], told: Container[_Key]) -> Iterator[str]:
    """One entry of several replicas. *told*: what replicas of the container differ in, in this entry or another."""
    if len(replicas) == 1:
        yield from replicas[0].entry
        yield from (detail.line for key, detail in _keyed(replicas[0]).items() if detail.quiet and key in told)
        return
    yield from wrapped(f"  + {ranges(replica.name for replica in replicas)} on {_places(replicas)}")
    places = {replica.short_name: replica.place for replica in replicas}
    if len(set(places.values())) > 1:
        yield from wrapped(_line("host", alternatives(places, "hosts")))
    keyed = {replica.short_name: _keyed(replica) for replica in replicas}
    for key in dict.fromkeys(key for details in keyed.values() for key in details):
        label, subject, _number = key
        known = [details[key] for details in keyed.values() if key in details]
        values = {name: details[key].value if key in details else _NOTHING for name, details in keyed.items()}
        source = " or".join(dict.fromkeys(detail.source for detail in known))
        if len(set(values.values())) > 1:
            yield from wrapped(_line(label, f"{subject}{alternatives(values)}{source}"))
        elif not known[0].quiet or key in told:
            yield from wrapped(replace(known[0], source=source).line)


def _places(replicas: Sequence[Shown]) -> str:
    """The hosts of an entry, each with the number of its replicas: ``edge2…9 (3 each), edge10 (2)``."""
    numbers = Counter(replica.host for replica in replicas)
    if len(numbers) == 1:
        return replicas[0].place
    alike = grouped(numbers, numbers.__getitem__)
    parts = [
        f"{ranges(hosts, _MOST_ROWS)} ({number}{' each' if len(hosts) > 1 else ''})"
        for number, hosts in sorted(alike.items(), reverse=True)
    ]
    return listed(parts, _MOST_ROWS)


def alternatives(values: Mapping[str, str], noun: str = "values") -> str:
    """The values by name, each once with the names of those that have it; words that all begin or end with are once."""
    owners = grouped(values, values.__getitem__)
    before, different, behind = _common_words(list(owners))
    shown = list(zip(different, owners.values(), strict=True))
    many = len(shown) > _MOST_VALUES
    parts = [f"{value} [{ranges(names, _MOST_ROWS)}]" for value, names in ([*shown[:2], shown[-1]] if many else shown)]
    if many:
        parts[-1] = f"… {parts[-1]} ({len(shown)} {noun})"
    return f"{before}{'; '.join(parts)}{behind}"


def _common_words(values: Sequence[str]) -> tuple[str, list[str], str]:
    """What all values begin with, what differs, and what all end with, each cut where it is long."""
    words = [neutral(value, LONGEST_MESSAGE).split(" ") for value in values]
    room = min(map(len, words)) - 1
    first = _same_start([one[:room] for one in words])
    last = _same_start([one[::-1][: room - first] for one in words])
    before, behind = " ".join(words[0][:first]), " ".join(words[0][len(words[0]) - last :])
    different = [" ".join(one[first : len(one) - last]) for one in words]
    if behind and all(value.endswith(":") for value in different):
        different, behind = [value[:-1] for value in different], f": {behind}"
    elif behind:
        behind = f" {behind}"
    # Of long values, the part in which they begin to differ is shown.
    start = max(0, _same_start(different) - _LONGEST_DIFFERING // 4)
    if max(map(len, different)) > _LONGEST_DIFFERING and start:
        different = [f"…{value[start:]}" for value in different]
    before = f"{before} " if before else ""
    return (
        before if len(before) <= LONGEST_VALUE else f"…{before[1 - LONGEST_VALUE :]}",
        [neutral(value, _LONGEST_DIFFERING) for value in different],
        neutral(behind, LONGEST_VALUE),
    )


def _same_start(items: Iterable[Sequence[Any]]) -> int:
    """With how many equal elements all of them begin."""
    return sum(1 for _same in takewhile(lambda column: len(set(column)) == 1, zip(*items, strict=False)))


def wrapped(line: str) -> list[str]:
    """The line, on further lines where it is too long for the terminal."""
    return textwrap.wrap(line, WIDTH, subsequent_indent=_INDENT, break_on_hyphens=False)
