# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What the tasks of a play answer, in words: the first line of a message, a problem and its place, who is to blame.

A result is what Ansible registers for one task on one host; ``replicas`` and ``problems`` are those of profile_apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def first_line(text: object) -> str:
    """The first line of a text that is not blank; an empty one where there is none."""
    return next(iter(str(text).strip().splitlines()), "")


def one_line(text: object) -> str:
    """The whole text as one line: every run of white space is a blank."""
    return " ".join(str(text).split())


def replicas(result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The replicas that a result tells of, by name."""
    return result.get("replicas") or {}


def blamed(result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The replicas that a result tells an error of, by name."""
    return {name: replica for name, replica in replicas(result).items() if replica.get("error")}


def problems(result: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], str]]:
    """The problems that no replica is to blame for: the container and the field, if known, and the message."""
    for problem in result.get("problems") or []:
        where = {key: str(problem[key]) for key in ("container", "field") if problem.get(key)}
        yield where, str(problem.get("message"))
