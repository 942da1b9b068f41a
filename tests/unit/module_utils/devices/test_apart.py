# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A driver that does not answer holds nobody up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.apart import AGAIN, Apart
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Instances, Roots

LATE = "NVML did not answer within 0.01 s"


class Driver:
    """A reader that waits until it may answer."""

    def __init__(self) -> None:
        self.absent = {"gpu_power": "not supported"}
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.began = threading.Semaphore(0)
        self.answered = 0
        self.error: Exception | None = None
        self.closed = threading.Event()

    def read(self) -> Instances:
        self.began.release()
        assert self.may_answer.wait(30)
        self.answered += 1
        if self.error is not None:
            raise self.error
        return {"0000:01:00.0": {"n": self.answered}}

    def of_containers(self) -> dict[str, Instances]:
        return {"abc": {"0000:01:00.0": {"held": self.answered}}}

    def close(self) -> None:
        self.closed.set()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def driver() -> Iterator[Driver]:
    made = Driver()
    yield made
    made.may_answer.set()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def apart(driver: Driver, clock: Clock, patience: float = 30) -> Apart:
    return Apart(Roots(), "gpu", "NVML", lambda _roots: driver, patience, clock)


def test_a_driver_that_answers(driver: Driver, clock: Clock) -> None:
    reader = apart(driver, clock)
    assert reader.read() == {"0000:01:00.0": {"n": 1}}
    assert reader.of_container("abc") == {"0000:01:00.0": {"held": 1}}
    assert reader.of_container("other") == {}
    assert reader.absent == {"gpu_power": "not supported"}
    reader.close()
    assert driver.closed.is_set()


def test_a_driver_that_does_not_answer(driver: Driver, clock: Clock) -> None:
    reader = apart(driver, clock, patience=0.01)
    driver.may_answer.clear()
    assert reader.read() == {}
    assert reader.absent == {"gpu": LATE}
    for _tick in range(3):
        clock.now += 1
        assert reader.read() == {}
        assert reader.of_container("abc") == {}
    assert driver.began.acquire(timeout=30)
    assert not driver.began.acquire(blocking=False)  # asked once
    reader.close()  # and does not wait for it
    assert not driver.closed.is_set()


def let_answer(reader: Apart, driver: Driver) -> None:
    """Let the late answer come, and wait until it is there."""
    reader._questions.put(True)  # whose answer comes after it
    driver.may_answer.set()
    late = reader._answers.get(timeout=30)
    reader._answers.get(timeout=30)
    reader._answers.put(late)


def test_a_late_answer_is_of_an_earlier_time(driver: Driver, clock: Clock) -> None:
    reader = apart(driver, clock, patience=0.01)
    driver.may_answer.clear()
    assert reader.read() == {}
    let_answer(reader, driver)
    reader._patience = 30
    clock.now += 1
    assert reader.read() == {"0000:01:00.0": {"n": 3}}
    assert reader.absent == {"gpu_power": "not supported"}
    reader.close()


def test_who_is_late_again_is_asked_seldom(driver: Driver, clock: Clock) -> None:
    reader = apart(driver, clock, patience=0.01)
    for _tick in range(2):
        driver.may_answer.clear()
        assert reader.read() == {}
        let_answer(reader, driver)
        clock.now += 1
    reader._patience = 30
    for _tick in range(8):
        assert reader.read() == {}
        assert reader.absent == {"gpu": LATE}
        clock.now += 1
    clock.now += 1
    assert reader.read() == {"0000:01:00.0": {"n": 5}}
    reader.close()


def test_a_reader_that_fails_is_given_up(driver: Driver, clock: Clock) -> None:
    reader = apart(driver, clock)
    driver.error = ValueError("no number")
    for _tick in range(3):
        assert reader.read() == {}
        clock.now += 2 * AGAIN
    assert reader.absent == {"gpu": "NVML: its reader failed: ValueError: no number"}
    assert driver.answered == 1
    reader.close()


def test_a_reader_that_cannot_be_made_is_given_up(clock: Clock) -> None:
    def make(_roots: Roots) -> Driver:
        raise OSError("no such library")

    reader = Apart(Roots(), "gpu", "NVML", make, 30, clock)
    assert reader.read() == {}
    assert reader.absent == {"gpu": "NVML: its reader failed: OSError: no such library"}
    reader.close()
