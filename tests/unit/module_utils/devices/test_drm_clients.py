# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a GPU: clients found in processes, each counted once, and never less than before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices import drm_clients
from ansible_collections.retail.profiles.plugins.module_utils.devices.drm_clients import DrmClients

from .machines import FIRST, SECOND, Machine, amdgpu, i915, xe

IGPU, CARD, RADEON = "0000:00:02.0", "0000:03:00.0", "0000:0b:00.0"
NODES = {"card0": IGPU, "renderD128": IGPU, "renderD129": CARD, "renderD130": RADEON}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def clients(machine: Machine) -> DrmClients:
    return DrmClients(NODES, machine.roots.proc)


def busy(clients: DrmClients, container: str = "", pdev: str = IGPU, engine: str = "render") -> float:
    usages = clients.containers[container] if container else clients.host
    return usages[pdev].busy_ns[engine]


def test_the_first_reading_is_where_counting_begins(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=7_000_000_000))
    clients.read(100.0)
    assert busy(clients, FIRST) == 0
    machine.client(10, 5, i915(1, render=7_400_000_000, video=600_000_000))
    clients.read(101.0)
    assert busy(clients, FIRST) == busy(clients) == 400_000_000
    assert busy(clients, FIRST, engine="video") == 300_000_000  # two engines
    assert clients.of_containers() == {
        FIRST: {
            IGPU: {
                "render_busy_ns": 400_000_000,
                "video_busy_ns": 300_000_000,
                "video_enhance_busy_ns": 0,
                "copy_busy_ns": 0,
                "memory_system_bytes": 6044 << 10,
            }
        }
    }


def test_a_client_of_several_processes_and_descriptors_counts_once(machine: Machine, clients: DrmClients) -> None:
    for pid in (10, 11):
        machine.process(pid, FIRST)
        machine.client(pid, 5, i915(1, render=0))
        machine.client(pid, 6, i915(1, render=0), node="card0")
    clients.read(100.0)
    for pid, descriptor in ((10, 5), (10, 6), (11, 5), (11, 6)):
        machine.client(pid, descriptor, i915(1, render=250_000_000))
    clients.read(101.0)
    assert busy(clients, FIRST) == busy(clients) == 250_000_000
    assert clients.host[IGPU].system == 6044 << 10


def test_the_same_id_on_another_gpu_is_another_client(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=0))
    machine.client(10, 6, i915(1, render=0, pdev=CARD), node="renderD129")
    clients.read(100.0)
    machine.client(10, 5, i915(1, render=100))
    machine.client(10, 6, i915(1, render=900, pdev=CARD))
    clients.read(101.0)
    assert (busy(clients, FIRST), busy(clients, FIRST, CARD)) == (100, 900)


def test_a_client_goes_on_where_the_process_that_it_was_read_of_ends(machine: Machine, clients: DrmClients) -> None:
    for pid in (10, 11):
        machine.process(pid, FIRST)
        machine.client(pid, 5, i915(1, render=0))
    clients.read(100.0)
    machine.close(10, 5)
    machine.client(11, 5, i915(1, render=300))
    clients.read(101.0)
    machine.client(11, 5, i915(1, render=500))
    clients.read(102.0)
    assert busy(clients, FIRST) == 500


def test_what_an_ended_client_used_stays(machine: Machine, clients: DrmClients) -> None:
    for pid, container in ((10, FIRST), (11, SECOND)):
        machine.process(pid, container)
        machine.client(pid, 5, i915(pid, render=0))
    clients.read(100.0)
    machine.client(10, 5, i915(10, render=700))
    machine.client(11, 5, i915(11, render=50))
    clients.read(101.0)
    machine.close(10, 5)
    machine.client(11, 5, i915(11, render=90))
    clients.read(102.0)
    assert (busy(clients, FIRST), busy(clients, SECOND), busy(clients)) == (700, 90, 790)
    assert (clients.containers[FIRST][IGPU].system, clients.host[IGPU].system) == (0, 6044 << 10)


def test_a_descriptor_that_is_another_client_now_is_not_the_old_one(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=1000))
    clients.read(100.0)
    machine.client(10, 5, i915(2, render=5_000_000_000))  # closed, and opened again
    clients.read(101.0)
    clients.read(102.0)
    assert busy(clients, FIRST) == 0  # where it began is not known
    machine.client(10, 5, i915(2, render=5_000_000_100))
    clients.read(103.0)
    assert busy(clients, FIRST) == 100


def test_a_process_that_is_new_counts_from_its_beginning(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    clients.read(100.0)
    machine.process(11, FIRST)
    machine.client(11, 5, i915(1, render=600_000_000))
    clients.read(101.0)
    assert busy(clients, FIRST) == busy(clients) == 600_000_000


def test_a_new_process_that_tells_more_than_can_have_been_counts_from_now(
    machine: Machine, clients: DrmClients
) -> None:
    machine.process(10, FIRST)
    clients.read(100.0)
    machine.process(11, FIRST)
    machine.client(11, 5, i915(1, render=600_000_000_000))  # handed over by one that was not seen
    clients.read(101.0)
    assert busy(clients, FIRST) == busy(clients) == 0


def test_a_driver_that_tells_less_than_before_has_told_nothing_new(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    told = [1000, 2000, 1500, 2100]
    for second, render in enumerate(told):
        machine.client(10, 5, i915(1, render=render))
        clients.read(100.0 + second)
        assert busy(clients, FIRST) == max(told[: second + 1]) - 1000


def test_cycles_become_the_time_in_which_the_clock_counted_them(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    machine.client(10, 5, xe(1, rcs=0, clock=19_200_000), node="renderD129")
    clients.read(100.0)
    machine.client(10, 5, xe(1, rcs=4_800_000, ccs=38_400_000, clock=2 * 19_200_000))
    clients.read(101.0)
    assert busy(clients, FIRST, CARD) == 250_000_000
    assert busy(clients, FIRST, CARD, "compute") == 500_000_000  # of four engines
    assert clients.host[CARD].local == 23992 << 10


def test_a_clock_that_begins_anew_costs_no_more_than_an_interval(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    for second, (rcs, clock) in enumerate([(0, 1000), (500, 2000), (500, 100), (800, 1100)]):
        machine.client(10, 5, xe(1, rcs=rcs, clock=clock), node="renderD129")
        clients.read(100.0 + second)
    assert busy(clients, FIRST, CARD) == pytest.approx(800_000_000)


def test_a_gpu_that_sleeps_is_not_asked(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    for second, (rcs, clock) in enumerate([(0, 1000), (100, 2000)]):
        machine.client(10, 5, xe(1, rcs=rcs, clock=clock), node="renderD129")
        clients.read(100.0 + second)
    machine.client(10, 5, xe(1, rcs=900, clock=2100))  # its clock stands while it sleeps
    clients.read(102.0, asleep={CARD})
    clients.read(200.0, asleep={CARD})
    assert busy(clients, FIRST, CARD) == pytest.approx(100_000_000)
    clients.read(201.0)
    assert busy(clients, FIRST, CARD) == pytest.approx(900_000_000)


def test_an_engine_that_is_told_when_it_is_used_counts_from_nothing(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    machine.client(10, 5, amdgpu(1, gfx=0), node="renderD130")
    clients.read(100.0)
    machine.client(10, 5, amdgpu(1, gfx=400, dec=20))
    clients.read(101.0)
    assert (busy(clients, FIRST, RADEON), busy(clients, FIRST, RADEON, "video")) == (400, 20)


def test_a_process_of_no_container_counts_for_the_host(machine: Machine, clients: DrmClients) -> None:
    machine.process(10)
    machine.client(10, 5, i915(1, render=0))
    clients.read(100.0)
    machine.client(10, 5, i915(1, render=33))
    clients.read(101.0)
    assert (busy(clients), clients.containers) == (33, {})


def test_a_container_in_a_container_counts_for_both(machine: Machine, clients: DrmClients) -> None:
    machine.process(10)
    machine.put("proc/10/cgroup", f"4:memory:/docker/{FIRST}/docker/{SECOND}")
    machine.client(10, 5, i915(1, render=0))
    clients.read(100.0)
    machine.client(10, 5, i915(1, render=33))
    clients.read(101.0)
    assert (busy(clients, FIRST), busy(clients, SECOND), busy(clients)) == (33, 33, 33)


def test_a_client_that_is_opened_late_is_found(machine: Machine, clients: DrmClients) -> None:
    machine.process(10, FIRST)
    for second in range(120):
        clients.read(100.0 + second)
    machine.client(10, 5, i915(1, render=0))
    for second in range(120, 120 + int(drm_clients.AGAIN_SECONDS[1]) + 1):
        clients.read(100.0 + second)
    assert FIRST in clients.containers


def test_what_is_looked_at_is_bounded(machine: Machine, clients: DrmClients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drm_clients, "FIRST_DESCRIPTORS", 200)
    monkeypatch.setattr(drm_clients, "DESCRIPTORS_PER_SECOND", 20)
    monkeypatch.setattr(drm_clients, "DESCRIPTORS_AT_ONCE", 50)
    looked = 0
    readlink = os.readlink

    def counted(*arguments: object, **more: object) -> object:
        nonlocal looked
        looked += 1
        return readlink(*arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "readlink", counted)
    for pid in range(100, 200):
        machine.process(pid, FIRST)
        for descriptor in range(1, 5):
            (machine.folder / f"proc/{pid}/fd/{descriptor}").symlink_to("/dev/null")
    clients = DrmClients(NODES, machine.roots.proc)
    counts = []
    for second in range(20):
        looked = 0
        clients.read(100.0 + second)
        counts.append(looked)
    assert max(counts) <= 50
    assert sum(counts) <= 200 + 20 * 20
    assert sum(counts[10:]) > 0  # and goes on


def test_processes_that_may_not_be_looked_through(
    machine: Machine, clients: DrmClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=0))
    clients.read(100.0)
    assert not clients.incomplete
    opened = os.open

    def refused(path: str, *arguments: int) -> int:
        if path.endswith("/11/fd"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments)

    monkeypatch.setattr(os, "open", refused)
    machine.process(11)
    machine.client(10, 5, i915(1, render=70))
    clients.read(101.0)
    assert clients.incomplete
    assert busy(clients, FIRST) == 70  # its own processes are readable


def test_processes_that_are_hidden(machine: Machine, clients: DrmClients) -> None:
    (machine.folder / "proc/1").rename(machine.folder / "hidden")
    clients.read(100.0)
    assert clients.incomplete


def test_threads_of_the_kernel_are_looked_at_once(
    machine: Machine, clients: DrmClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.folder / "proc/2/fd").mkdir(parents=True)
    (machine.folder / "proc/2/exe").symlink_to("nothing")
    opened: list[str] = []
    really = os.open

    def counted(path: str, *arguments: int) -> int:
        opened.append(path)
        return really(path, *arguments)

    monkeypatch.setattr(os, "open", counted)
    for second in range(60):
        clients.read(100.0 + second)
    assert opened.count(f"{machine.roots.proc}/2/fd") == 1
    assert opened.count(f"{machine.roots.proc}/1/fd") > 1


def test_descriptors_are_given_back(machine: Machine, clients: DrmClients) -> None:
    before = set(os.listdir("/proc/self/fd"))
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=0))
    machine.client(10, 6, i915(2, render=0))
    clients.read(100.0)
    clients.read(101.0)
    assert len(os.listdir("/proc/self/fd")) > len(before)
    machine.close(10, 6)
    clients.read(102.0)
    clients.close()
    assert set(os.listdir("/proc/self/fd")) == before
