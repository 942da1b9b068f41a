# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that containers write: figures out of the text of a JSON document, JSON lines, a table, or a log.

A reader gives what it finds, in the file's order, and raises ValueError that says what the file lacks.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import expressions
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import Rule

Reader = Callable[[str], list[object]]

_SEPARATORS = (";", "\t", ",")
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")


def reader(rule: Rule) -> Reader:
    """The reader of a rule's file. Raises ValueError or re.error for an expression that is none."""
    return MAKERS[rule.source](rule)


def _json(rule: Rule) -> Reader:
    search = expressions.jmespath_search(rule.expression)

    def read(text: str) -> list[object]:
        found: list[object] = []
        for document in _documents(text):
            value = search(document)
            found.extend(value if isinstance(value, list) else [value])
        found = [value for value in found if value is not None]
        if not found:
            raise ValueError(f"no key {rule.expression} in it")
        return found

    return read


def _documents(text: str) -> Iterator[Any]:
    """The one JSON document of a text, or each of its lines that is one."""
    documents = []
    for part in ([text], text.splitlines()):
        for piece in part:
            try:
                documents.append(json.loads(piece))
            except (ValueError, RecursionError):
                continue
        if documents:
            return iter(documents)
    raise ValueError("it is no JSON" if text.strip() else "it is empty")


def _table(rule: Rule) -> Reader:
    """A file may hold several tables, each with a heading of its own, or rows of a name and its value."""

    def read(text: str) -> list[object]:
        number = int(rule.expression) - 1 if rule.expression.isdecimal() else None
        found: list[object] = []
        headed = number is not None
        column = number
        for row in _rows(text):
            if number is None and rule.expression in row:
                column, headed = row.index(rule.expression), True
            elif not any(row):
                column = number  # the end of a table
            elif column is not None and column < len(row) and rule.row in (None, row[0]):
                found.append(_cell(row[column]))
        if not found:
            what = f"no row {rule.row}" if headed and rule.row is not None else f"no column {rule.expression}"
            raise ValueError(f"{what} in it")
        return found

    return read


def _rows(text: str) -> Iterator[list[str]]:
    lines = text.splitlines()
    separator = max(_SEPARATORS, key=lambda sign: sum(sign in line for line in lines))
    try:
        for row in csv.reader((line.replace("\0", "") for line in lines), delimiter=separator):
            yield [cell.strip() for cell in row]
    except csv.Error as error:
        raise ValueError(f"it is no table: {error}") from error


def _cell(text: str) -> str:
    """A cell, without the commas by which thousands are grouped."""
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def _lines(rule: Rule) -> Reader:
    search = expressions.first_group(rule.expression)

    def read(text: str) -> list[object]:
        found = [value for line in text.splitlines() if (value := search(line)) is not None]
        if not found:
            raise ValueError(f"no line of it matches {rule.expression}")
        return found

    return read


MAKERS: dict[str, Callable[[Rule], Reader]] = {"file json": _json, "file csv": _table, "file regex": _lines}
"""By the name of the source, see `metric_sources`."""
