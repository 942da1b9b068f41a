# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines on Ansible's display. Any worker may show some: Ansible passes on what workers show in its order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from ansible.utils.color import stringc
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.logs import log_text
from ansible_collections.retail.profiles.plugins.plugin_utils.logs.fleet_lines import FleetLines

_AT_ONCE = 500


def show(fleet: FleetLines, now: float | None, timestamps: bool) -> None:
    """Show the lines that are due at *now*, or all."""
    wide = log_text.width(fleet.replicas())
    lines = fleet.take(now)
    while texts := [log_text.shown(line, wide, timestamps, stringc) for line in islice(lines, _AT_ONCE)]:
        with undisturbed():
            Display().display("\n".join(texts))


@contextmanager
def undisturbed() -> Iterator[None]:
    """What ends this worker waits meanwhile: one that ends with the lock of Ansible's queue blocks the playbook.

    Threads that are begun herein leave such signals to the main one for good.
    """
    ends = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
