# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs on a terminal of their own, and what a person sees there."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def run_on_terminal(
    command: Sequence[str], columns: int, environment: Mapping[str, str] | None = None, keep: Sequence[int] = ()
) -> str:
    """All that a command writes to a terminal of so many columns."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, pass_fds=keep, start_new_session=True
    ) as process:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # nobody has the terminal open any more
                break
            if not piece:
                break
            pieces.append(piece)
        process.wait(timeout=60)
    os.close(ours)
    return b"".join(pieces).decode()


@dataclass(frozen=True)
class Screen:
    """The lines that are left of what was written, and how wide the widest one was that was drawn over."""

    lines: list[str]
    widest_drawn: int

    @staticmethod
    def of(output: str) -> Screen:
        lines, column, widest = [""], 0, 0
        plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
        for part in re.findall(r"\r\n|\r|\n|\x1b\[K|[^\r\n\x1b]+", plain):
            if "\n" in part:
                lines.append("")
                column = 0
            elif part == "\r":
                widest, column = max(widest, len(lines[-1])), 0
            elif part == "\x1b[K":
                lines[-1] = lines[-1][:column]
            else:
                lines[-1] = lines[-1][:column] + part + lines[-1][column + len(part) :]
                column += len(part)
        return Screen([line.rstrip() for line in lines], widest)
