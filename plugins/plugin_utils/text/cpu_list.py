# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of CPUs as the kernel and Docker write them: ``0-3,8``."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: the last CPU that any kernel can have
LAST = 8191


def numbers(text: str) -> list[int]:
    """The CPUs of a list such as ``0-3,8``. ValueError when it is not one."""
    result: set[int] = set()
    for part in text.split(","):
        run = re.fullmatch(r"\s*([0-9]+)(?:-([0-9]+))?\s*", part)
        if run is None or not int(run[1]) <= int(run[2] or run[1]) <= LAST:
            raise ValueError(f"{text!r} is not a list of CPUs such as 0-3,8")
        result.update(range(int(run[1]), int(run[2] or run[1]) + 1))
    return sorted(result)


def text(cpus: Iterable[int]) -> str:
    """CPUs as a list for Docker: ``0-3,8``."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][-1] + 1:
            runs[-1].append(cpu)
        else:
            runs.append([cpu])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
