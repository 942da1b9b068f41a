# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status line on a terminal of its own, beside what Ansible's display writes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ...terminal import Screen, run_on_terminal

PROGRAM = """\
import sys, threading
from ansible.utils.display import Display
from ansible_collections.retail.profiles.plugins.plugin_utils.text import status_line

status_line.EVERY = 0.01
drawn = threading.Semaphore(0)

def text(columns):
    drawn.release()
    return f"{columns} columns: " + "status " * 30

def wait():
    while drawn.acquire(blocking=False):
        pass
    drawn.acquire()
    drawn.acquire()

before = sys.stdout
line = status_line.StatusLine(text)
display = Display()
for number in range(20):
    wait()
    display.display(f"TASK [number {number}] {'*' * number}")
    display.display(f"two lines of {number}\\nin one")
    display.warning(f"warned of {number}")
wait()
print("a prompt: ", end="", flush=True)
for _number in range(100000):
    pass
print("answered")
wait()
CLOSE
assert sys.stdout is before
print("done")
"""


def run(collections: Path, program: str, columns: int, *keep: int) -> str:
    environment = {**os.environ, "PYTHONPATH": str(collections)}
    return run_on_terminal([sys.executable, "-c", program, *map(str, keep)], columns, environment, keep)


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_other_output_stays_whole(collections: Path, columns: int) -> None:
    output = run(collections, PROGRAM.replace("CLOSE", "line.close()"), columns)
    screen = Screen.of(output)
    expected = []
    for number in range(20):
        expected += [f"TASK [number {number}] {'*' * number}".rstrip(), f"two lines of {number}", "in one"]
        expected += [f"[WARNING]: warned of {number}"]
    assert screen.lines == [*expected, "a prompt: answered", "done", ""]
    assert f"{columns - 1} columns: status" in output
    assert screen.widest_drawn == columns - 1


def test_it_goes_with_its_process(collections: Path) -> None:
    """As after Ctrl-C, when nobody closes it."""
    screen = Screen.of(run(collections, PROGRAM.replace("CLOSE", "sys.exit('ended')"), 80))
    assert screen.lines[-3:] == ["a prompt: answered", "ended", ""]


def test_a_terminal_that_is_gone_ends_nothing(collections: Path) -> None:
    program = (
        "import os, sys, time\n"
        "from ansible_collections.retail.profiles.plugins.plugin_utils.text import status_line\n"
        "status_line.EVERY = 0.01\n"
        "line = status_line.StatusLine(lambda columns: 'status')\n"
        "os.close(1)\n"
        "line._thread.join()\n"
        "line.close()\n"
        "os.write(int(sys.argv[1]), b'went on')\n"
    )
    reader, writer = os.pipe()
    run(collections, program, 80, writer)
    os.close(writer)
    with os.fdopen(reader) as told:
        assert told.read() == "went on"
