# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks for a lease, as the controller tells it."""

from __future__ import annotations

import getpass
import multiprocessing
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.lease_claim import claim, playbook_pid


def put_claim(queue: Any) -> None:
    queue.put(claim())


def test_the_owner_is_told_to_people() -> None:
    made = claim(what="ovms-1")
    assert made["owner"] == f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}, run ovms-1"
    assert claim()["holder"] == made["holder"]
    assert made["holder"] in made["running"]


def test_a_worker_asks_for_its_playbook() -> None:
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    worker = context.Process(target=put_claim, args=(queue,))
    worker.start()
    assert queue.get()["holder"] == claim()["holder"]
    worker.join()
    assert playbook_pid() == os.getpid()


def test_another_playbook_is_running_until_it_ends() -> None:
    waiting = "import sys; print('here', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    other.stdout.readline()
    name = claim()["holder"].partition(":")[0] + f":{other.pid}:"
    assert any(item.startswith(name) for item in claim()["running"])
    other.communicate()
    assert not any(item.startswith(name) for item in claim()["running"])


def test_without_proc_nothing_is_said_of_others(tmp_path: Path) -> None:
    made = claim(tmp_path)
    assert made["running"] is None
    assert made["holder"] == f"{socket.gethostname()}:{os.getpid()}:0"
