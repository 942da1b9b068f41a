# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""The kinds of devices that are read, and all readers of a host together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.devices.gpu import gpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.npu import npus
from ansible_collections.retail.profiles.plugins.module_utils.devices.rapl import Rapl
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Instances, Reader, Roots

KINDS: Mapping[str, Callable[[Roots], Reader]] = {
    "rapl": Rapl,
    "gpu": gpus,
    "npu": npus,
}
"""A line a kind: what samples call it, and its reader."""


class Devices:
    """All readers. *absent* is {word: reason} of what cannot be had. A reader that fails is given up, with its reason.

    *roots*: where the kernel's files are.
    """

    def __init__(
        self, roots: Optional[Roots] = None, kinds: Optional[Mapping[str, Callable[[Roots], Reader]]] = None
    ) -> None:
        self._readers: dict[str, Reader] = {}
        self._due: dict[str, float] = {}
        self._failed: dict[str, str] = {}
        for kind, make in (KINDS if kinds is None else kinds).items():
            try:
                self._readers[kind] = make(roots or Roots())
            except Exception as error:  # one reader's mistake is not the others'
                self._failed[kind] = _failure(error)

    @property
    def absent(self) -> dict[str, str]:
        found = dict(self._failed)
        for reader in self._readers.values():
            found.update(reader.absent)
        return found

    def read(self, now: float) -> dict[str, Instances]:
        """Counters by kind and device, of the kinds that are due at *now* (monotonic seconds)."""
        found = {}
        for kind, reader in list(self._readers.items()):
            if now < self._due.get(kind, now):
                continue
            self._due[kind] = now + reader.seconds * 0.99  # ticks are not late and early by the same
            try:
                instances = reader.read()
            except Exception as error:
                self._give_up(kind, error)
                continue
            if instances:
                found[kind] = instances
        return found

    def of_container(self, container_id: str) -> dict[str, Instances]:
        """What a container has used of devices up to the last reading, by kind and device."""
        found = {}
        for kind, reader in list(self._readers.items()):
            try:
                instances = reader.of_container(container_id)
            except Exception as error:
                self._give_up(kind, error)
                continue
            if instances:
                found[kind] = instances
        return found

    def _give_up(self, kind: str, error: Exception) -> None:
        self._failed[kind] = _failure(error)
        self._readers.pop(kind).close()

    def close(self) -> None:
        """Let go of all descriptors."""
        for reader in self._readers.values():
            reader.close()


def _failure(error: Exception) -> str:
    return f"its reader failed: {type(error).__name__}: {error}"
