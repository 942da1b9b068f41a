# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler's loop: its ticks, what it writes on the way, how it ends, and an engine that goes and comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import Devices
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Instances, Reader, Roots
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config
from ansible_collections.retail.profiles.plugins.module_utils.sampler.host import HostCounters
from ansible_collections.retail.profiles.plugins.module_utils.sampler.loop import next_tick
from ansible_collections.retail.profiles.plugins.module_utils.sampler.replica import ReplicaSampler
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Store

from .world import World, of


def test_it_ticks_at_its_interval_and_ends_at_its_deadline(world: World) -> None:
    records = world.sampled(seconds=3.0)
    assert [world.seconds(record) for record in of(records, "host")] == [0.0, 1.0, 2.0, 3.0]
    assert of(records, "host")[0]["cpu"] == {"busy": 1.7, "total": 12.4, "steal": 0.3, "irq": 0.1}
    assert of(records, "host")[0]["mem"] == {"total": 2048, "available": 1024}
    assert records[-1]["type"] == "observer"
    assert (records[-1]["event"], records[-1]["reason"]) == ("end", "deadline")
    assert records[-1]["cpu_seconds"] > 0 and records[-1]["rss_bytes"] > 0
    assert len(of(records, "observer")) == 5  # each tick's, and the last


def test_what_the_host_lacks_is_told_once(world: World) -> None:
    records = world.sampled(seconds=3.0)
    told = {(record["metric"], record["reason"].partition(":")[0]) for record in of(records, "absent")}
    files = world.folder / "host"
    assert told == {
        ("psi", f"cannot read {files}/psi_cpu"),
        ("psi", f"cannot read {files}/psi_io"),
        ("disk", f"cannot read {world.folder}/no_block"),
    }
    assert len(of(records, "absent", subject=None)) == 3


class Made(Reader):
    """A device that counts its readings, and a container that has used it once."""

    def __init__(self, roots: Roots) -> None:
        super().__init__(roots)
        self.absent["made_power"] = "it has no meter"
        self.readings = 0

    def read(self) -> Instances:
        self.readings += 1
        return {"0": {"readings": self.readings}}

    def of_container(self, container_id: str) -> Instances:
        return {"0": {"busy_ns": 7}} if container_id.endswith("1") else {}


def test_devices_are_read_with_the_host_and_for_each_container(world: World) -> None:
    world.run("a")
    world.run("b")
    records = world.sampled("a", "b", seconds=2.0, devices=Devices(kinds=[("made", Made)]))
    assert [record["devices"] for record in of(records, "host")] == [
        {"made": {"0": {"readings": number}}} for number in (1, 2, 3)
    ]
    used = [record.get("devices") for record in of(records, "container", replica="a")]
    assert used and all(devices == {"made": {"0": {"busy_ns": 7}}} for devices in used)
    assert not any("devices" in record for record in of(records, "container", replica="b"))
    (told,) = of(records, "absent", metric="made_power")
    assert (told["subject"], told["reason"]) == (None, "it has no meter")


def test_a_tick_that_takes_long_does_not_shift_those_after_it(world: World) -> None:
    class Slow(HostCounters):
        def read(self) -> dict[str, Any]:
            world.clock.now += 1.4
            return super().read()

    records = world.sampled(seconds=6.0, host=Slow(world.host_files(), str(world.folder)))
    # The last one as the one before it took so long that it is not fresh any more.
    assert [world.seconds(record) for record in of(records, "host")] == [0.0, 2.0, 4.0, 6.0, 7.4]


@given(st.floats(0, 1e6), st.floats(0.05, 100), st.floats(0, 1e5))
def test_the_next_tick_is_the_first_of_the_schedule_that_is_to_come(start: float, step: float, passed: float) -> None:
    found = next_tick(start, step, start + passed)
    number = (found - start) / step
    assert abs(number - round(number)) < 1e-3
    assert -1e-6 * step - 1e-6 < found - (start + passed) <= step * (1 + 1e-6) + 1e-6


def test_every_record_of_a_tick_is_in_the_file_when_it_ends(world: World) -> None:
    seen: list[int] = []
    world.at(0.5, lambda: seen.append(len(of(world.records(), "host"))))
    world.at(1.5, lambda: seen.append(len(of(world.records(), "host"))))
    world.sampled(seconds=2.0)
    assert seen == [1, 2]


def test_much_that_comes_in_one_tick_is_not_kept_until_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    real = Store.flush

    def flush(self: Store) -> None:
        written.append(self.pending)
        real(self)

    monkeypatch.setattr(Store, "flush", flush)
    names = ("a", "b", "c", "d")
    for name in names:
        made = world.run(name)
        for _line in range(400):
            world.engine.say(made, "x" * 900)
    records = world.sampled(*names, seconds=3.0)
    assert 1 << 20 < max(written) < (1 << 20) + 2000
    assert len(of(records, "log", line="x" * 900)) == 1600


@pytest.mark.parametrize(("stopped", "ticks"), [(2.25, [0.0, 1.0, 2.0]), (2.75, [0.0, 1.0, 2.0, 2.75])])
def test_a_signal_ends_it_with_a_last_tick_where_the_one_before_is_not_fresh(
    world: World, stopped: float, ticks: list[float]
) -> None:
    sampler, alarm = world.sampler(world.config(deadline=100.0))

    def terminate() -> None:
        sampler.stop = True
        alarm.send(b"\x0f")  # as signal.set_wakeup_fd does

    world.at(stopped, terminate)
    assert sampler.run() == "stopped"
    records = world.records()
    assert [world.seconds(record) for record in of(records, "host")] == ticks
    assert records[-1]["reason"] == "stopped"


def test_a_file_of_its_greatest_length_ends_it(world: World) -> None:
    store = Store(str(world.folder / "samples"), file_bytes=500)
    sampler, _alarm = world.sampler(world.config(deadline=100.0), store=store)
    assert sampler.run() == "the samples file has its greatest length"
    assert len(of(world.records(), "host")) < 5
    assert world.records()[-1]["event"] == "end"


def test_records_that_a_full_disk_cost_are_counted_when_it_takes_more(world: World) -> None:
    def full() -> None:
        world.store.error = "No space left on device"
        world.store.lost = 7

    def room() -> None:
        world.store.error = None

    world.at(0.5, full)
    told: list[int] = []
    world.at(1.5, lambda: told.append(len(of(world.records(), "absent", metric="samples"))))
    world.at(1.6, room)
    records = world.sampled(seconds=4.0)
    (lost,) = of(records, "absent", metric="samples")
    assert lost["reason"] == "7 records lost while the host's disk took no more"


def test_a_disk_that_took_nothing_for_a_while_is_told_although_nothing_was_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = Store.flush, [False]

    def flush(store: Store) -> None:
        if full[0]:
            store.error = "No space left on device"
        else:
            real(store)

    monkeypatch.setattr(Store, "flush", flush)
    world.at(1.5, lambda: full.__setitem__(0, True))
    world.at(4.5, lambda: full.__setitem__(0, False))
    records = world.sampled(seconds=8.0)
    (told,) = of(records, "absent", metric="samples")
    assert told["reason"] == "the host's disk took nothing for 4 s, no record was lost: No space left on device"
    assert [world.seconds(record) for record in of(records, "host")] == [float(n) for n in range(9)]


def test_a_disk_that_takes_more_only_at_the_end_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = Store.flush, [False]

    def flush(store: Store) -> None:
        if full[0] and world.clock.now < 1005.0:
            store.error = "No space left on device"
        else:
            real(store)

    monkeypatch.setattr(Store, "flush", flush)
    world.at(2.5, lambda: full.__setitem__(0, True))
    records = world.sampled(seconds=5.0)
    assert len(of(records, "absent", metric="samples")) == 1
    assert records[-1]["event"] == "end"


def test_both_clocks_are_in_each_record_of_the_host(world: World) -> None:
    world.at(1.5, lambda: setattr(world.clock, "set_by", 3.25))
    found = of(world.sampled(seconds=3.0), "host")
    assert [record["mono"] for record in found] == [1000.0, 1001.0, 1002.0, 1003.0]
    assert [world.seconds(record) for record in found] == [0.0, 1.0, 5.25, 6.25]


def test_a_new_configuration_is_taken_and_what_stays_is_left_alone(world: World) -> None:
    for name in ("a", "b", "c"):
        world.run(name)
    sampler, alarm = world.sampler(world.config("a", "b"), load=lambda: world.config("b", "c", interval=0.5))

    def reload() -> None:
        sampler.reload = True
        alarm.send(b"\x01")

    world.at(1.25, reload)
    assert sampler.run() == "deadline"
    records = world.records()
    seen = {name: [world.seconds(r) for r in of(records, "container", replica=name)] for name in ("a", "b", "c")}
    assert seen["a"] == [1.0]
    assert seen["b"][:4] == [1.0, 1.25, 1.75, 2.25]
    assert seen["c"][:2] == [1.75, 2.25]
    assert [record["event"] for record in of(records, "state", replica="b")] == ["up"]
    assert world.seconds(records[-1]) == 6.25  # the deadline is counted anew


def test_a_configuration_that_cannot_be_read_changes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Config:
        raise ProfileError("is no configuration of a sampler")

    world.run("a")
    sampler, _alarm = world.sampler(world.config("a", deadline=3.0), load=broken)
    world.at(1.5, lambda: setattr(sampler, "reload", True))
    assert sampler.run() == "deadline"
    assert [world.seconds(record) for record in of(world.records(), "container")] == [1.0, 1.5, 2.0, 3.0]
    assert "is no configuration of a sampler" in capsys.readouterr().err


def test_a_replica_that_fails_disturbs_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = ReplicaSampler.tick

    def tick(self: ReplicaSampler, now: float) -> None:
        if self.name == "a":
            raise ValueError("a defect")
        real(self, now)

    monkeypatch.setattr(ReplicaSampler, "tick", tick)
    world.run("a")
    world.run("b")
    records = world.sampled("a", "b", seconds=30.0)
    assert len(of(records, "container", replica="b")) == 30
    assert capsys.readouterr().err.count("ValueError: a defect") == 20  # and then no more


def test_what_fails_with_an_answer_in_hand_ends_that_exchange_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_self: ReplicaSampler, _seen: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(ReplicaSampler, "_is_up", fail)
    world.run("a")
    records = world.sampled("a", seconds=3.0)
    assert of(records, "container") == [] and len(of(records, "host")) == 4
    assert "a defect" in capsys.readouterr().err


# -- an engine that is away


def test_an_engine_that_is_not_there_is_told_once_and_asked_again(world: World) -> None:
    world.engine.down()
    made = world.run("a")
    world.at(4.5, world.engine.up)
    records = world.sampled("a", seconds=8.0)
    (why,) = of(records, "absent", subject="a", metric="container")
    path = world.engine.path
    assert why["reason"] == f"the engine cannot be asked: cannot connect to {path}: No such file or directory"
    (up,) = of(records, "state", replica="a")
    assert (up["event"], up["started_at"], world.seconds(up)) == ("up", made.started_at, 6.0)
    assert [world.seconds(record) for record in of(records, "container")] == [7.0, 8.0]


def test_an_engine_that_is_away_for_two_seconds_is_told(world: World) -> None:
    made = world.run("a")
    world.at(2.5, world.engine.down)
    world.at(4.5, world.engine.up)
    world.at(5.5, lambda: world.engine.say(made, "again"))
    records = world.sampled("a", seconds=8.0)
    (why,) = of(records, "absent", subject="a", metric="log")
    assert why["reason"].startswith(f"cannot connect to {world.engine.path}: ")
    assert [record["line"] for record in of(records, "log")] == ["again"]


def test_while_the_engine_is_away_counters_are_read_and_no_line_is_lost_or_twice(world: World) -> None:
    made = world.run("a")
    world.engine.say(made, "one")
    world.at(1.25, lambda: world.engine.say(made, "two"))
    world.at(2.5, world.engine.down)
    world.at(3.5, lambda: world.engine.say(made, "three"))
    world.at(6.5, world.engine.up)
    world.at(9.5, lambda: world.engine.say(made, "four"))
    records = world.sampled("a", seconds=12.0)
    assert [world.seconds(record) for record in of(records, "container")] == [float(n) for n in range(1, 13)]
    assert [record["line"] for record in of(records, "log")] == ["one", "two", "three", "four"]
    assert [world.seconds(record) for record in of(records, "log")] == [0.0, 1.25, 3.5, 9.5]
    assert [record["event"] for record in of(records, "state")] == ["up"]
    assert "cannot connect" in of(records, "absent", metric="log")[0]["reason"]


def test_an_engine_that_does_not_answer_is_given_up_and_asked_again(world: World) -> None:
    world.run("a")
    world.engine.silent = True
    world.at(10.5, lambda: setattr(world.engine, "silent", False))
    records = world.sampled("a", seconds=14.0)
    (why,) = of(records, "absent", subject="a", metric="container")
    assert (why["reason"], world.seconds(why)) == ("the engine cannot be asked: no answer in time", 11.0)
    assert [(record["event"], world.seconds(record)) for record in of(records, "state")] == [("up", 11.0)]


# -- what replicas share


def test_no_secret_of_a_container_is_in_what_is_stored(world: World) -> None:
    made = world.run("a", env={"TOKEN": "correct horse"})
    world.run("b")
    world.at(1.5, lambda: world.engine.say(made, "token=correct%20horse"))
    records = world.sampled("a", "b", seconds=3.0)
    assert [record["line"] for record in of(records, "log")] == ["token=********"]
    assert "correct" not in (world.folder / "samples").read_text()


def test_a_shared_network_is_counted_once(world: World) -> None:
    owner = world.run("owner")
    world.run("guest", network_mode=f"container:{owner.id}")
    records = world.sampled("guest", "owner", seconds=2.0)
    assert of(records, "container", replica="owner")[0]["net"] == {"rx": 7000, "tx": 3000}
    assert of(records, "container", replica="guest")[0]["net"] is None
    (why,) = of(records, "absent", subject="guest", metric="network")
    assert why["reason"] == "shares the network of owner, which counts it"


def test_of_a_shared_network_whose_owner_is_not_watched_the_first_has_the_count(world: World) -> None:
    owner = world.run("owner")
    for name in ("one", "two"):
        world.run(name, network_mode=f"container:{owner.id}")
    records = world.sampled("one", "two", seconds=2.0)
    assert of(records, "container", replica="one")[0]["net"] == {"rx": 7000, "tx": 3000}
    assert of(records, "container", replica="two")[0]["net"] is None
