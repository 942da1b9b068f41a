# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a playbook, seen from a worker that was forked from it."""

from __future__ import annotations

import os
import signal
import threading
import time

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.lease_claim import playbook_pid

# seconds between two looks at whether the playbook still runs
_LOOK = 0.5


def end_with_playbook() -> None:
    """See that this worker and its connection end when the playbook is gone, so that its host is asked nothing more."""
    threading.Thread(target=_end_with_playbook, daemon=True).start()


def _end_with_playbook() -> None:
    """End this worker and its connection when the playbook is gone, so that its host sees that nobody asks any more.

    Ansible's workers have a session of their own: what kills a playbook does not reach them, and they would go on. It
    may be gone already, so it is not the parent that is asked for.
    """
    playbook = playbook_pid()
    while os.getppid() == playbook:
        time.sleep(_LOOK)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGTERM)
