# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of a host, watched: it says that it takes long, and is given up where it does not end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.call_limits import Limit
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import one_line

PATIENCE = 30.0
"""Seconds between two lines that say that a call still works."""


class _Overdue(BaseException):
    """A call has reached its limit. Not an Exception: nothing on its way is to take it for one of its own."""


@contextmanager
def watched(host: str, limit: Limit, show: Callable[[str], None], reset: Callable[[], None]) -> Iterator[None]:
    """A call of a host; *show* is given lines, *reset* is called where the connection is of no use any more.

    Raises AnsibleConnectionFailure where the host does not answer, or not within the limit.
    """
    began = time.monotonic()
    done = threading.Event()
    threading.Thread(target=_tell, args=(host, limit, show, done), daemon=True).start()
    try:
        with _limited(limit.seconds):
            yield
    except _Overdue:
        _end_children()
        reset()
        what = f"no answer for {limit.seconds:.0f} s, it was given up"
        raise AnsibleConnectionFailure(f"{what} ({limit.doing}): look whether the host hangs") from None
    except AnsibleConnectionFailure as error:
        after = time.monotonic() - began
        raise AnsibleConnectionFailure(f"{one_line(error).rstrip(': ')} ({limit.doing}, after {after:.0f} s)") from None
    finally:
        done.set()


def _tell(host: str, limit: Limit, show: Callable[[str], None], done: threading.Event) -> None:
    began = time.monotonic()
    while not done.wait(PATIENCE):
        so_far = time.monotonic() - began
        show(f"{host}: {limit.doing}, for {so_far:.0f} s so far (given up after {limit.seconds:.0f} s)")


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    if signal.getitimer(signal.ITIMER_REAL)[0]:  # the task has a timeout of the user's
        yield
        return

    def on_alarm(_signal: int, _frame: object) -> None:
        raise _Overdue

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _end_children() -> None:
    """End what this worker has started (ssh): it would wait on. On systems without ``/proc`` it ends with its pipes."""
    with contextlib.suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            for pid in (thread / "children").read_text(encoding="ascii").split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGTERM)
