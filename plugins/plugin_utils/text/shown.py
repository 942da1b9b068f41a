# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as it may be shown: neutral, so that it cannot steer a terminal, and of a bounded length.

What hosts, containers, logs, profiles and file names say passes here before it reaches a terminal, an error or a plan's
text.
"""

from __future__ import annotations

#: characters of a line of a message, and of a message that is made one line
LONGEST_LINE = 500
LONGEST_MESSAGE = 4000
#: lines of a message
MOST_LINES = 60


def neutral(text: object, longest: int = LONGEST_LINE) -> str:
    """A text on one line as it is, cut where it is long. Control characters are written as Python escapes them."""
    raw = str(text)
    cut = raw[: longest + 1]
    made = cut if cut.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)
    return made if len(made) <= longest else f"{made[: longest - 1]}…"


def clean(text: object) -> str:
    """A line of somebody else's, as a log's: control characters are replaced, so that it is as wide as it was."""
    raw = str(text)
    made = raw if raw.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in raw)
    return neutral(made, LONGEST_MESSAGE)


def first_line(text: object) -> str:
    """The first line of a text that is not blank; an empty one where there is none."""
    return neutral(next(iter(str(text).strip().splitlines()), ""))


def one_line(text: object) -> str:
    """All lines of a text as one: every run of white space is a blank."""
    return neutral(
        " ".join(neutral(" ".join(line.split())) for line in str(text).splitlines()).strip(), LONGEST_MESSAGE
    )


def table(text: str) -> str:
    """A text that we have laid out, as it is: each line of it neutral."""
    return "\n".join(neutral(line, LONGEST_MESSAGE) for line in text.split("\n"))


def lines(text: object) -> str:
    """A message of several lines; of many the first and the last."""
    found = [neutral(line.expandtabs(4).rstrip()) for line in str(text).splitlines()]
    if len(found) > MOST_LINES:
        half = MOST_LINES // 2
        found[half:-half] = [f"… {len(found) - 2 * half} more lines …"]
    return "\n".join(found)
