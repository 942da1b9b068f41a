# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of devices that are read, and all readers of a host together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.devices.cpu_frequency import CpuFrequency
from ansible_collections.retail.profiles.plugins.module_utils.devices.cpu_temperature import CpuTemperature
from ansible_collections.retail.profiles.plugins.module_utils.devices.cpu_throttling import CpuThrottling
from ansible_collections.retail.profiles.plugins.module_utils.devices.gpu import gpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.memory_bandwidth import MemoryBandwidth
from ansible_collections.retail.profiles.plugins.module_utils.devices.npu import npus
from ansible_collections.retail.profiles.plugins.module_utils.devices.rapl import Rapl
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Instances, Reader, Roots

Kind = tuple[str, Callable[[Roots], Reader]]

KINDS: tuple[Kind, ...] = (
    ("cpufreq", CpuFrequency),
    ("thermal", CpuTemperature),
    ("throttle", CpuThrottling),
    ("rapl", Rapl),
    ("uncore", MemoryBandwidth),
    ("gpu", gpus),
    ("npu", npus),
)
"""What samples call it, and a reader of it. Several readers of one kind have different devices."""


class Devices:
    """All readers. *absent* is {word: reason} of what cannot be had. A reader that fails is given up, with its reason.

    *roots*: where the kernel's files are.
    """

    def __init__(self, roots: Optional[Roots] = None, kinds: Sequence[Kind] = KINDS) -> None:
        self._readers: list[tuple[str, Reader]] = []
        self._due: dict[Reader, float] = {}
        self._failed: dict[str, str] = {}
        for kind, make in kinds:
            try:
                self._readers.append((kind, make(roots or Roots())))
            except Exception as error:  # one reader's mistake is not the others'
                self._failed[kind] = _failure(error)
        self._of_containers = [one for one in self._readers if type(one[1]).of_container is not Reader.of_container]

    @property
    def absent(self) -> dict[str, str]:
        found = dict(self._failed)
        for _kind, reader in self._readers:
            found.update(reader.absent)
        return found

    def read(self, now: float) -> dict[str, Instances]:
        """Counters by kind and device, of the readers that are due at *now* (monotonic seconds)."""
        due = [entry for entry in self._readers if now >= self._due.get(entry[1], now)]
        for _kind, reader in due:
            self._due[reader] = now + reader.seconds * 0.99  # one tick is a little late, and the next one is not
        return self._of(due, lambda reader: reader.read())

    def of_container(self, container_id: str) -> dict[str, Instances]:
        """What a container has used of devices up to the last reading, by kind and device."""
        if not self._of_containers:
            return {}  # asked for each container at each tick
        return self._of(self._of_containers, lambda reader: reader.of_container(container_id))

    def _of(self, readers: Sequence[tuple[str, Reader]], ask: Callable[[Reader], Instances]) -> dict[str, Instances]:
        found: dict[str, Instances] = {}
        for kind, reader in list(readers):
            try:
                instances = ask(reader)
            except Exception as error:
                self._give_up(kind, reader, error)
                continue
            if instances:
                found.setdefault(kind, {}).update(instances)
        return found

    def _give_up(self, kind: str, reader: Reader, error: Exception) -> None:
        self._failed[kind] = _failure(error)
        for readers in (self._readers, self._of_containers):
            if (kind, reader) in readers:
                readers.remove((kind, reader))
        reader.close()

    def close(self) -> None:
        """Let go of all descriptors."""
        for _kind, reader in self._readers:
            reader.close()


def _failure(error: Exception) -> str:
    return f"its reader failed: {type(error).__name__}: {error}"
