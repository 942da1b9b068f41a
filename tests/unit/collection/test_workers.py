# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's workers, when their playbook is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAYBOOK = """
import multiprocessing, os, signal, time
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.playbook_end import _end_with_playbook

def worker(playbook, first, pipe):
    os.setsid()
    print("began", flush=True)
    os.write(pipe, b"began")
    if first == "playbook":
        while os.getppid() == playbook:
            time.sleep(0.01)
    _end_with_playbook()
    print("went on", flush=True)

reader, pipe = os.pipe()
multiprocessing.get_context("fork").Process(target=worker, args=(os.getpid(), "{first}", pipe)).start()
os.read(reader, 5)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("first", ["worker", "playbook"])
def test_a_worker_ends_with_its_playbook_whichever_came_first(first: str, collections: Path) -> None:
    # The pipe of its output ends when the worker has, too.
    ended = subprocess.run(
        [sys.executable, "-c", PLAYBOOK.replace("{first}", first)],
        env={**os.environ, "PYTHONPATH": str(collections)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == "began\n"
