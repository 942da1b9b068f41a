# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All readers of a host together: when they are read, and what becomes of one that fails."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import KINDS, Devices
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Instances, Reader, Roots


class Steady(Reader):
    """A device that counts its readings."""

    def __init__(self, roots: Roots) -> None:
        super().__init__(roots)
        self.readings = 0

    def read(self) -> Instances:
        self.readings += 1
        return {"0": {"readings": self.readings}}


class Seldom(Steady):
    seconds = 5.0


class Empty(Reader):
    def read(self) -> Instances:
        return {}


class Broken(Steady):
    """One that fails at its third reading."""

    closed = False

    def read(self) -> Instances:
        if self.readings == 2:
            raise ValueError("nonsense")
        return super().read()

    def of_container(self, container_id: str) -> Instances:
        raise KeyError(container_id)

    def close(self) -> None:
        Broken.closed = True


class Stillborn(Reader):
    def __init__(self, roots: Roots) -> None:
        raise RuntimeError("no such thing")


def test_a_kind_without_devices_is_not_in_a_sample() -> None:
    devices = Devices(kinds=[("steady", Steady), ("empty", Empty)])
    assert devices.read(0.0) == {"steady": {"0": {"readings": 1}}}
    assert devices.of_container("c" * 64) == {}
    assert devices.absent == {}


class Other(Steady):
    def read(self) -> Instances:
        return {"1": {"readings": 7}}


def test_several_readers_have_devices_of_one_kind() -> None:
    devices = Devices(kinds=[("steady", Steady), ("steady", Other)])
    assert devices.read(0.0) == {"steady": {"0": {"readings": 1}, "1": {"readings": 7}}}


def test_what_is_expensive_is_read_seldom() -> None:
    devices = Devices(kinds=[("steady", Steady), ("seldom", Seldom)])
    ticks = [1000.0, 1001.01, 1002.0, 1003.0, 1004.0, 1005.0, 1006.01]
    found = [devices.read(tick) for tick in ticks]
    assert all("steady" in kinds for kinds in found)
    assert ["seldom" in kinds for kinds in found] == [True, False, False, False, False, True, False]


def test_a_reader_that_fails_is_given_up_and_the_others_are_not() -> None:
    devices = Devices(kinds=[("broken", Broken), ("steady", Steady), ("stillborn", Stillborn)])
    assert devices.absent == {"stillborn": "its reader failed: RuntimeError: no such thing"}
    for second in range(2):
        assert set(devices.read(float(second))) == {"broken", "steady"}
    assert set(devices.read(2.0)) == {"steady"}
    assert Broken.closed
    assert devices.absent["broken"] == "its reader failed: ValueError: nonsense"
    assert devices.of_container("c" * 64) == {}


def test_a_reader_that_fails_for_a_container_is_given_up() -> None:
    devices = Devices(kinds=[("broken", Broken)])
    assert devices.of_container("c") == {}
    assert devices.absent == {"broken": "its reader failed: KeyError: 'c'"}
    assert devices.read(0.0) == {}


def test_on_any_machine_a_kind_is_read_or_absent() -> None:
    devices = Devices()
    found = devices.read(0.0)
    told = {word.partition("_")[0] for word in devices.absent}
    devices.close()
    assert set(dict(KINDS)) <= {*found, *told}
    for instances in found.values():
        for counters in instances.values():
            assert all(isinstance(value, (int, float)) for value in counters.values())
