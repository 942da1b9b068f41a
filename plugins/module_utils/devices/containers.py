# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers a process is in, by its control group: engines put the container's id into the path."""

from __future__ import annotations

import re

from ansible_collections.retail.profiles.plugins.module_utils.common.kernel_files import read_file

_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def containers_of(pid: int, proc: str) -> frozenset[str]:
    """Ids of the containers: of several where one runs in the other. Raises OSError when there is no such process."""
    return frozenset(name.decode() for name in _ID.findall(read_file(f"{proc}/{pid}/cgroup")))
