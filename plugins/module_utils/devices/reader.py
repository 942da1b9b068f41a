# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reader of devices is: it finds the devices of one kind on this host, and reads their counters.

Hand-written, as are the readers: hosts have no tool or library for them, and a tool started at each reading would cost
more than what it measures.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Union

from ansible_collections.retail.profiles.plugins.module_utils.common.kernel_files import read_file, reason

Counters = dict[str, Union[int, float]]
"""What is read of one device: counters and gauges, the unit in the name. What cannot be had is left out, never zero."""
Instances = dict[str, Counters]
"""By the name of the device."""


@dataclass(frozen=True)
class Roots:
    """Where the kernel's files are; tests have trees of their own."""

    sys: str = "/sys"
    proc: str = "/proc"
    dev: str = "/dev"


class Reader:
    """Counters of one kind of device. A subclass finds its devices when it is made, and reads them in `read`.

    *absent* is {word: reason} of what cannot be had; a word is the kind, or begins with the kind and ``_``. *seconds*:
    so long apart are two readings, at least; in between the kind is left out of the samples.
    """

    seconds = 0.0

    def __init__(self, roots: Roots) -> None:
        self.roots = roots
        self.absent: dict[str, str] = {}
        self._descriptors: list[int] = []

    def read(self) -> Instances:
        """The counters of all devices, now."""
        raise NotImplementedError

    def of_container(self, container_id: str) -> Instances:
        """What a container has used of the devices up to the last reading; empty where none can be told."""
        return {}

    def open(self, path: str) -> int:
        """A descriptor of a file that is read again and again with `number_in`; closed by `close`. Raises OSError."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._descriptors.append(descriptor)
        return descriptor

    def close(self) -> None:
        """Let go of the descriptors."""
        while self._descriptors:
            os.close(self._descriptors.pop())


def number_in(descriptor: int) -> int:
    """The number that an open file holds now. Raises OSError, and ValueError where it is none."""
    return int(os.pread(descriptor, 64, 0))


def names_in(folder: str) -> list[str]:
    """Names in a folder, sorted; none where it cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def text_of(path: str) -> str:
    """Stripped content. Raises OSError."""
    return read_file(path).decode("utf-8", "replace").strip()


def why(error: OSError, path: str) -> str:
    """The reason for which a file of the kernel cannot be read."""
    return f"only root may read {path}" if isinstance(error, PermissionError) else reason(error, path)
