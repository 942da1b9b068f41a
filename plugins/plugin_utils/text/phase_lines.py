# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line for each phase of a playbook: its seconds, its name, and on how many hosts it changed something."""

from __future__ import annotations

from collections.abc import Sequence


class PhaseLines:
    """Told of each task that begins and of what became of it; gives the line of a phase when that has ended.

    A phase is a list of names, from the outside in. What has nothing but the outer names of the current phase belongs
    to it, and a phase in which every task was skipped has no line. Times are monotonic seconds.
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._phase: Sequence[str] = ()
        self._since = now
        self._worked = False
        self._changed: set[str] = set()
        self._all_changed: set[str] = set()

    def task(self, phase: Sequence[str], now: float) -> str | None:
        """A task of *phase* begins: the line of the phase that ends with it."""
        if self._phase and list(self._phase[: len(phase)]) == list(phase):
            return None
        line = self.end(now)
        self._phase = phase
        return line

    def worked(self, host: str, changed: bool) -> None:
        """A task was not skipped on a host."""
        self._worked = True
        if changed:
            self._changed.add(host)
            self._all_changed.add(host)

    def end(self, now: float) -> str | None:
        """The line of the current phase, which ends."""
        line = self._line(now - self._since, self._phase[-1], self._changed) if self._worked and self._phase else None
        if line is not None:
            self._since = now
        self._worked, self._changed, self._phase = False, set(), ()
        return line

    def total(self, hosts: int, now: float) -> str:
        """The last line: how long all took, and on how many hosts something changed."""
        return self._line(now - self._began, f"in all, {_hosts(hosts)}", self._all_changed)

    @staticmethod
    def _line(seconds: float, what: str, changed: set[str]) -> str:
        end = f"; changed on {_hosts(len(changed))}" if changed else ""
        return f"{seconds:7.1f} s  {what}{end}"


def _hosts(number: int) -> str:
    return "1 host" if number == 1 else f"{number} hosts"
