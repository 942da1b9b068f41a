# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many numbered names in a few words: ``client-1…3, 7, 10…100 by 10``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural

#: from this many numbers on, a row is written by its ends: 1…3, and 1…7 by 2
_SHORTEST, _SHORTEST_BY_STEP = 3, 4
#: from this many rows of a family on, all but the first are written without what they begin with
_MANY_ROWS = 3
#: what stands before and behind the number of a name, and how many digits it has where zeros fill it (else 0)
_Family = tuple[str, str, int]
_NO_NUMBER = -1


def ranges(names: Iterable[str], most: int | None = None) -> str:
    """Names in natural order, those in a row by the first and the last: ``edge1…8``, ``edge1…9 by 2``.

    What differs from names before it in the number alone is written by its number: ``client-1, 5, 9…12``.
    Of more than *most* rows, the first ones and how many more names there are.
    """
    rows = [row for family, numbers in _families(set(names)) for row in _rows(family, numbers)]
    if most is None or len(rows) <= most:
        return ", ".join(text for text, _count in rows)
    shown, others = rows[: most - 1], rows[most - 1 :]
    return f"{', '.join(text for text, _count in shown)} and {sum(count for _text, count in others)} more"


def _families(names: Iterable[str]) -> Iterator[tuple[_Family, Sequence[int]]]:
    """Families of names that differ in one number alone; a name that has none is a family without numbers."""
    alike: dict[tuple[str, ...], list[list[str]]] = {}
    for name in sorted(names, key=natural):
        parts = re.split("([0-9]+)", name)
        alike.setdefault(tuple(parts[::2]), []).append(parts)
    families: dict[_Family, list[int]] = {}
    for members in alike.values():
        columns = range(1, len(members[0]), 2)
        # The number that tells most of them apart; the last one where several do.
        varies = max(columns, key=lambda at: (len({parts[at] for parts in members}), at), default=None)
        if varies is None:
            families["".join(members[0]), "", _NO_NUMBER] = []
            continue
        numbers = [parts[varies] for parts in members]
        filled = {len(digits) for digits in numbers if len(digits) > 1 and digits.startswith("0")}
        for parts, digits in zip(members, numbers, strict=True):
            width = len(digits) if len(digits) in filled else 0
            family = "".join(parts[:varies]), "".join(parts[varies + 1 :]), width
            families.setdefault(family, []).append(int(digits))  # ascending, as the names are
    # Bare numbers come first: behind a name they would be taken for others of its family.
    yield from sorted(families.items(), key=lambda item: item[0][:2] != ("", ""))


def _rows(family: _Family, numbers: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The rows of a family as text, each with the number of names in it."""
    before, behind, width = family
    if width == _NO_NUMBER:
        yield before, 1
    rows = list(_in_a_row(numbers))
    for index, row in enumerate(rows):
        step = row[1] - row[0] if len(row) > 1 else 0
        # In the middle of a name a number is written with all of it: it would not be seen whose it is.
        whole = index == 0 or behind or len(rows) < _MANY_ROWS
        start = f"{before if whole else ''}{row[0]:0{width}}"
        end = f"…{row[-1]:0{width}}" if step else ""
        yield f"{start}{end}{behind}{f' by {step}' if step > 1 else ''}", len(row)


def _in_a_row(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Ascending numbers, cut into rows of equal steps; what is in no row stands alone."""
    at = 0
    while at < len(numbers):
        end = at + 1
        while end < len(numbers) and numbers[end] - numbers[end - 1] == numbers[at + 1] - numbers[at]:
            end += 1
        by_one = end > at + 1 and numbers[at + 1] == numbers[at] + 1
        if end - at < (_SHORTEST if by_one else _SHORTEST_BY_STEP):
            end = at + 1
        yield numbers[at:end]
        at = end
