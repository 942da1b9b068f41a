# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep-alives of connections over SSH: a link that is cut in the middle of a call ends the call.

Ansible sets none, and then only a time limit ends it. Who has set some, in Ansible or for ssh itself, keeps them.
A connection that stands keeps what it was made with, so that ours is never one that another playbook has left open.
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.utils.display import Display

KEEP_ALIVE = "-o ServerAliveInterval=10 -o ServerAliveCountMax=3"
_WORD = "serveraliveinterval"
_SECONDS = 10
_OURS = "_retail_profiles_control_path"


def keep_alive(connection: Any) -> None:
    """See that a connection over SSH notices within 40 s that nobody answers any more."""
    if getattr(connection, "transport", None) != "ssh":
        return
    common = arguments(connection)
    if KEEP_ALIVE in common:
        connection.set_option("ssh_common_args", common)
        path = connection.get_option("control_path") or _socket(_where(connection))
        if path != getattr(connection, _OURS, None):  # a connection may have been here for an earlier call of its task
            setattr(connection, _OURS, f"{path}-a")
            connection.set_option("control_path", f"{path}-a")


def arguments(connection: Any) -> str:
    """Its ``ssh_common_args``, with keep-alives where the user has none."""
    common = str(connection.get_option("ssh_common_args") or "").replace(KEEP_ALIVE, "").strip()
    given = [str(connection.get_option("ssh_args") or ""), common, str(connection.get_option("ssh_extra_args") or "")]
    if any(_WORD in text.lower() for text in given):
        return common
    words = [word for text in given for word in shlex.split(text)]
    if _is_set([str(connection.get_option("ssh_executable")), *words, "-G", *_where(connection)]):
        return common
    return f"{common} {KEEP_ALIVE}".strip()


def _where(connection: Any) -> list[str]:
    where = [str(connection.get_option("host") or "")]
    for option, name in (("-p", "port"), ("-l", "remote_user")):
        value = connection.get_option(name)
        where = [option, str(value), *where] if value else where
    return where


def _socket(where: list[str]) -> str:
    """Where Ansible would have the socket of a connection, as short as its own."""
    return f"%(directory)s/{hashlib.sha256(' '.join(where).encode()).hexdigest()[:10]}"


def reset(connection: Any) -> None:
    """See that the next call makes a connection of its own."""
    if getattr(connection, "transport", None) == "ssh":
        connection.reset()


def _is_set(command: list[str]) -> bool:
    """Whether ssh's own configuration has keep-alives: asked once a playbook, whose workers each know but one task."""
    digest = hashlib.sha256("\0".join(command).encode()).hexdigest()[:16]
    known = Path(constants.DEFAULT_LOCAL_TMP) / f"keep-alive-{digest}"
    if known.exists():
        return known.read_text(encoding="ascii") == "set"
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS).stdout
    except (OSError, subprocess.SubprocessError) as error:
        Display().vv(f"retail.profiles: ssh does not tell whether it has keep-alives, so it gets ours: {error}")
        told = ""
    words = [line.split() for line in told.lower().splitlines() if line.startswith(_WORD)]
    answer = any(len(word) == 2 and word[1] != "0" for word in words)
    known.write_text("set" if answer else "none", encoding="ascii")
    return answer
