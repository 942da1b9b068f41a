# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phase that a task of a play belongs to: the names under which it was imported or included."""

from __future__ import annotations

from typing import Any

from ansible.playbook.task import Task

#: names of a phase, from the outside in; what is within is not told apart
_DEPTH = 2


def phase_of(task: Any) -> tuple[str, ...]:
    """The names of the roles and files of tasks around a task, the outermost first; its own where there is none."""
    names = []
    parent = task._parent
    while parent is not None:
        if isinstance(parent, Task):
            names.append(str(parent.name or parent.get_name()).strip())
        parent = parent._parent
    return tuple(names[::-1][:_DEPTH]) or (str(task.get_name()).strip(),)
