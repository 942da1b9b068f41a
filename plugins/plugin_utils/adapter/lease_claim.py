# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks the hosts for a lease: the playbook's process on this controller, and which others of its kind are alive.

A process is named ``CONTROLLER:PID:START``, so that a number that is used again is another. CONTROLLER stands for this
boot of the machine, its namespace of processes, and the user: what can be told of processes here is true of these.
"""

from __future__ import annotations

import getpass
import hashlib
import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.processes import start_time


def claim(proc: Path = Path("/proc"), what: str | None = None) -> dict[str, Any]:
    """``holder``, ``owner`` (for people; *what* is the run), ``running``: None where this system has no ``/proc``."""
    pid = playbook_pid()
    owner = f"{getpass.getuser()}@{socket.gethostname()}, process {pid}{f', run {what}' if what else ''}"
    controller, start = _controller(proc), start_time(pid, str(proc))
    if controller is None or start is None:
        # Nothing is known of processes here: a lease of this controller ends by itself.
        return {"holder": f"{socket.gethostname()}:{pid}:0", "owner": owner, "running": None}
    holder = f"{controller}:{pid}:{start}"
    alive = {holder, *(f"{controller}:{other}:{start}" for other, start in _playbooks(proc))}
    return {"holder": holder, "owner": owner, "running": sorted(alive)}


def playbook_pid() -> int:
    """The process of the playbook: this one, or the one that this worker was forked from."""
    parent = multiprocessing.parent_process()
    return os.getpid() if parent is None or parent.pid is None else parent.pid


def _controller(proc: Path) -> str | None:
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        parts = f"{boot} {os.readlink(proc / 'self/ns/pid')} {os.getuid()}"
    except OSError:
        return None
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def _playbooks(proc: Path) -> list[tuple[int, str]]:
    """This user's processes that can be a playbook: every one of Python, as not all are called ansible-playbook."""
    found = []
    for entry in os.scandir(proc):
        if not entry.name.isdigit():
            continue
        try:
            if entry.stat().st_uid == os.getuid() and "python" in os.path.basename(os.readlink(f"{entry.path}/exe")):
                start = start_time(int(entry.name), str(proc))
                found += [] if start is None else [(int(entry.name), start)]
        except OSError:
            continue  # ended meanwhile
    return found
