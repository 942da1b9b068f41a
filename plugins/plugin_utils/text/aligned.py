# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of texts as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def aligned(rows: Sequence[Sequence[str]], texts: int | None = None) -> Iterator[str]:
    """The rows as lines, with each column as wide as its widest cell; all rows have as many cells.

    ``texts``: so many columns, or all, are of text and begin on the left; those behind them are of figures.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = len(widths) if texts is None else texts
    for row in rows:
        cells = zip(row, widths, strict=True)
        placed = (cell.ljust(width) if at < left else cell.rjust(width) for at, (cell, width) in enumerate(cells))
        yield "  ".join(placed).rstrip()
