# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ansible-core that the collection needs, said in one error before anything of it is missed."""

from __future__ import annotations

from ansible.errors import AnsibleError
from ansible.release import __version__

#: as meta/runtime.yml has it, of which Ansible only warns
LEAST = (2, 19)


def require(version: str = __version__) -> None:
    """Raise AnsibleError where ansible-core is too old. An action calls this when Ansible loads it, before any task."""
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST:
        least = ".".join(map(str, LEAST))
        raise AnsibleError(
            f"retail.profiles needs ansible-core {least} or newer, and this is {version}: "
            f"install one with pip install 'ansible-core>={least}'"
        )
