# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expressions of metric rules, compiled: JMESPath over JSON, regular expressions over lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Search = Callable[[Any], object]
"""What a compiled rule finds in what its source is read as; ``None`` for nothing."""


def jmespath_search(expression: str) -> Search:
    """A search of JSON. Raises ValueError for what is no JMESPath."""
    import jmespath

    compiled = jmespath.compile(expression)

    def search(data: Any) -> object:
        try:
            return compiled.search(data)
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            # A function applied to what it does not take says nothing of this line. JMESPath's errors are ValueErrors.
            return None

    return search


def first_group(expression: str) -> Search:
    """A search of a line for the first group of the first match. Raises ValueError or re.error."""
    pattern = re.compile(expression)
    if pattern.groups < 1:
        raise ValueError(f"{expression!r} has no group; the first group is the value")

    def search(line: str) -> object:
        match = pattern.search(line)
        return None if match is None else match.group(1)

    return search
