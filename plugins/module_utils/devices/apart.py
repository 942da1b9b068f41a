# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader in a thread of its own: a driver that does not answer costs the values of its devices, and nothing else.

Hand-written because an executor of the standard library waits for its threads when the process ends.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional, Protocol, Union

from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Instances, Reader, Roots

PATIENCE = 0.5  # seconds that a reading may take
AGAIN = 10.0  # seconds until one is asked again that was late twice: once, the host may have been busy


class Asked(Protocol):
    """What a reader is that can be asked from another thread: of containers it tells all at once."""

    absent: dict[str, str]

    def read(self) -> Instances:
        """The counters of all devices, now."""

    def of_containers(self) -> Mapping[str, Instances]:
        """What each container has used up to the last reading, by its id."""

    def close(self) -> None:
        """Let go of everything."""


@dataclass(frozen=True)
class _Answer:
    instances: Instances
    containers: Mapping[str, Instances]
    absent: Mapping[str, str]


class Apart(Reader):
    """Asks the reader that *make* makes, which is made in the thread as well; *word* is the kind, *what* its driver."""

    def __init__(
        self,
        roots: Roots,
        word: str,
        what: str,
        make: Callable[[Roots], Asked],
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(roots)
        self._word = word
        self._what = what
        self._make = make
        self._patience = patience
        self._clock = clock
        self._questions: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Union[_Answer, Exception]] = queue.SimpleQueue()
        self._waiting = False  # for an answer
        self._late = 0  # readings running
        self._not_before = 0.0
        self._containers: Mapping[str, Instances] = {}
        self._thread = threading.Thread(target=self._answer_all, name=what, daemon=True)
        self._thread.start()

    def read(self) -> Instances:
        """The counters of all devices, now; none where they do not come in time. A reader that fails is given up."""
        self._containers = {}
        now = self._clock()
        if self._waiting and not self._take_late():
            return {}
        if now < self._not_before:
            return {}
        self._waiting = True
        self._questions.put(True)
        try:
            answer = self._answers.get(timeout=self._patience)
        except queue.Empty:
            self.absent[self._word] = f"{self._what} did not answer within {self._patience:g} s"
            self._late += 1
            self._not_before = now + AGAIN if self._late > 1 else now
            return {}
        self._waiting = False
        if isinstance(answer, Exception):
            return self._give_up(answer)
        self._late = 0
        self.absent = dict(answer.absent)
        self._containers = answer.containers
        return answer.instances

    def _take_late(self) -> bool:
        """Whether the answer has come that was late: what it says is of an earlier time, and is not used."""
        try:
            answer = self._answers.get_nowait()
        except queue.Empty:
            return False
        self._waiting = False
        if isinstance(answer, Exception):
            self._give_up(answer)
        return True

    def _give_up(self, error: Exception) -> Instances:
        self.absent[self._word] = f"{self._what}: its reader failed: {type(error).__name__}: {error}"
        self._not_before = float("inf")
        return {}

    def of_container(self, container_id: str) -> Instances:
        """What a container has used of the devices up to the last reading, if that was answered."""
        return self._containers.get(container_id, {})

    def close(self) -> None:
        """Let the thread end, if it can."""
        self._questions.put(False)
        self._thread.join(self._patience)

    def _answer_all(self) -> None:
        reader: Optional[Asked] = None
        while self._questions.get():
            try:
                reader = reader or self._make(self.roots)
                instances = reader.read()
                self._answers.put(_Answer(instances, reader.of_containers(), dict(reader.absent)))
            except Exception as error:
                self._answers.put(error)
        if reader is not None:
            reader.close()


class Together(Reader):
    """The drivers of one kind as one reader; *why* there is none of the kind, *word*, where there is no driver."""

    def __init__(self, roots: Roots, drivers: Sequence[Apart], word: str, why: str) -> None:
        super().__init__(roots)
        self._drivers = drivers
        if not drivers:
            self.absent[word] = why

    def read(self) -> Instances:
        """The counters of all devices, now."""
        found: Instances = {}
        for driver in self._drivers:
            found.update(driver.read())
        if self._drivers:
            self.absent = {word: why for driver in self._drivers for word, why in driver.absent.items()}
        return found

    def of_container(self, container_id: str) -> Instances:
        """What a container has used of each device up to the last reading."""
        found: Instances = {}
        for driver in self._drivers:
            found.update(driver.of_container(container_id))
        return found

    def close(self) -> None:
        """Let the threads end."""
        for driver in self._drivers:
            driver.close()
        super().close()
