# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: who gets one, who loses it, and that a call that lost it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ansible_collections.retail.profiles.plugins.module_utils.apply.states import run
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment import lease as work_module
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import (
    TTL,
    Claim,
    Held,
    Lease,
    Leases,
    Lost,
    Moment,
    MustEnd,
    abandoned,
    by_hand,
    decide,
    parse_claim,
    this_moment,
    working,
)
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order

NOW = Moment("boot-1", 1000.0, "2026-01-31T10:00:00Z")
ANN = Claim("ctl:1:10", "ann@ctl, process 1")
BOB = Claim("other:2:20", "bob@other, process 2")
HELD = decide("d", None, ANN, NOW)


def of(lease: Lease) -> Claim:
    """The claim of who has *lease*."""
    return Claim(lease.holder, lease.owner, lease.epoch)


def later(seconds: float) -> Moment:
    return replace(NOW, clock=NOW.clock + seconds)


# -- decisions


def test_the_first_gets_it_and_the_second_is_told_who_has_it() -> None:
    assert (HELD.deployment, HELD.holder, HELD.since) == ("d", ANN.holder, NOW.wall)
    with pytest.raises(Held) as caught:
        decide("d", HELD, BOB, later(20))
    for words in ("deployment d", "ann@ctl, process 1", "since 2026-01-31T10:00:00Z", "20 s ago", "profile_lock_wait"):
        assert words in str(caught.value)


def test_it_runs_out_by_the_clock_of_the_host_and_with_its_boot() -> None:
    with pytest.raises(Held):
        decide("d", HELD, BOB, later(TTL - 0.1))
    assert decide("d", HELD, BOB, later(TTL)).holder == BOB.holder
    assert decide("d", HELD, BOB, Moment("boot-2", 3.0, NOW.wall)).holder == BOB.holder


def test_who_has_it_keeps_it_although_it_ran_out_if_nobody_took_it() -> None:
    mine = replace(ANN, epoch=HELD.epoch)
    renewed = decide("d", HELD, mine, later(10 * TTL))
    assert (renewed.epoch, renewed.since, renewed.renewed) == (HELD.epoch, HELD.since, later(10 * TTL).clock)
    assert decide("d", HELD, mine, Moment("boot-2", 3.0, NOW.wall)).boot == "boot-2"


def test_a_stale_epoch_is_refused() -> None:
    mine = replace(ANN, epoch=HELD.epoch)
    taken = decide("d", HELD, replace(BOB, force=True), later(1))
    assert taken.epoch > HELD.epoch
    with pytest.raises(Lost, match="bob@other, process 2 has taken it over"):
        decide("d", taken, mine, later(2))
    with pytest.raises(Lost, match="has taken it over and finished"):
        decide("d", None, mine, later(2))
    again = decide("d", taken, replace(ANN, force=True), later(3))
    with pytest.raises(Lost):
        decide("d", again, mine, later(3))  # its own former lease is no better


def test_a_dead_process_of_the_same_controller_and_user_holds_nothing() -> None:
    same = Claim("ctl:7:70", "ann@ctl, process 7", running=frozenset({"ctl:7:70"}))
    assert decide("d", HELD, same, later(1)).holder == same.holder
    alive = replace(same, running=frozenset({"ctl:7:70", ANN.holder}))
    unknown = replace(same, running=None)
    elsewhere = replace(same, holder="other:7:70")
    for claim in (alive, unknown, elsewhere):
        with pytest.raises(Held):
            decide("d", HELD, claim, later(1))


class Actors(RuleBasedStateMachine):
    """Playbooks on two controllers that take, renew, give back, die and force, on a host that also boots.

    *believes* is what each playbook has been told it holds.
    """

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.lease: Optional[Lease] = None
        self.believes: dict[str, Lease] = {}
        self.alive = {f"ctl{controller}:{pid}:0" for controller in "ab" for pid in "12"}
        self.takings: list[tuple[str, int]] = []
        self.boots = 0

    holders = st.sampled_from([f"ctl{controller}:{pid}:0" for controller in "ab" for pid in "12"])

    def claim(self, holder: str, **more: Any) -> Claim:
        same = frozenset(other for other in self.alive if other[:4] == holder[:4])
        return Claim(holder, holder, running=same, **more)

    @rule(seconds=st.floats(0.01, TTL))
    def time_goes_on(self, seconds: float) -> None:
        self.now = replace(self.now, clock=self.now.clock + seconds)

    @rule()
    def boot(self) -> None:
        self.boots += 1
        self.now = replace(self.now, boot=f"boot {self.boots}", clock=self.boots + 0.5)

    @rule(holder=holders)
    def die(self, holder: str) -> None:
        self.alive.discard(holder)
        self.believes.pop(holder, None)

    @rule(holder=holders)
    def come_back(self, holder: str) -> None:
        self.alive.add(holder)

    @rule(holder=holders, force=st.booleans())
    def take(self, holder: str, force: bool) -> None:
        if holder not in self.alive:
            return
        self.time_goes_on(0.00001)  # between any two takings, as they are under one lock
        old = self.lease
        live = old is not None and old.boot == self.now.boot and self.now.clock - old.renewed < TTL
        others = old is not None and old.holder != holder
        unseen_dead = old is not None and (old.holder in self.alive or old.holder[:4] != holder[:4])
        try:
            self.lease = decide("d", old, self.claim(holder, force=force), self.now)
        except Held as refused:
            assert live and others and unseen_dead and not force
            assert refused.lease == old
        else:
            assert not (live and others and unseen_dead) or force
            assert (holder, self.lease.epoch) not in self.takings
            self.takings.append((holder, self.lease.epoch))
            self.believes[holder] = self.lease

    @rule(holder=holders)
    def work(self, holder: str) -> None:
        if holder not in self.believes:
            return
        mine, old = self.believes[holder], self.lease
        try:
            self.lease = decide("d", old, self.claim(holder, epoch=mine.epoch), self.now)
        except Lost:
            assert old is None or (old.holder, old.epoch) != (holder, mine.epoch)
            del self.believes[holder]
        else:
            assert old is not None
            assert (old.holder, old.epoch) == (holder, mine.epoch)
            assert (self.lease.holder, self.lease.epoch, self.lease.since) == (holder, mine.epoch, mine.since)
            assert self.lease.left(self.now) == pytest.approx(TTL)

    @rule(holder=holders)
    def give_back(self, holder: str) -> None:
        mine = self.believes.pop(holder, None)
        if mine is not None and self.lease is not None and self.lease.epoch == mine.epoch:
            self.lease = None

    @invariant()
    def at_most_one_may_write(self) -> None:
        writers = [
            holder
            for holder, mine in self.believes.items()
            if self.lease is not None and (self.lease.holder, self.lease.epoch) == (holder, mine.epoch)
        ]
        assert len(writers) <= 1


TestActors = Actors.TestCase
TestActors.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# -- on a disk


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(str(tmp_path))


def test_the_moment_of_this_host_goes_on() -> None:
    one, other = this_moment(), this_moment()
    assert one.boot == other.boot
    assert other.clock >= one.clock > 0


def test_a_lease_is_a_file_that_the_group_may_write_and_leaves_no_trace(leases: Leases) -> None:
    taken = leases.obtain("d", ANN)
    folder = Path(leases.folder("d"))
    assert leases.read("d") == taken
    assert (folder / "lease.json").stat().st_mode & 0o7777 == 0o660
    assert folder.stat().st_mode & 0o7777 == 0o2770
    with pytest.raises(Held):
        leases.obtain("d", BOB)
    assert leases.obtain("e", BOB).holder == BOB.holder  # another deployment
    assert leases.names() == ["d", "e"]
    leases.give_back("d", BOB)
    leases.check("d", of(taken))
    (folder / "lease.json.new").write_text("half written by a call that was killed")
    leases.give_back("d", of(taken))
    leases.give_back("d", of(taken))
    assert leases.names() == ["e"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"deployment": "d"}', "null"])
def test_a_lease_that_a_power_cut_has_torn_is_none(leases: Leases, content: str) -> None:
    leases.obtain("d", ANN)
    Path(leases.folder("d"), "lease.json").write_text(content)
    assert leases.read("d") is None
    assert leases.obtain("d", BOB).holder == BOB.holder


def test_a_call_holds_the_deployment_and_gives_it_back(leases: Leases) -> None:
    with working(leases, "d", ANN) as work:
        with pytest.raises(Held):
            leases.obtain("d", BOB)
        work.checkpoint()
    mine = work.claim
    with working(leases, "d", mine, release=True):
        pass
    assert leases.names() == []
    with pytest.raises(Lost), working(leases, "d", mine):
        pytest.fail("worked under a lease that was given back")


def test_a_call_that_fails_gives_it_back_all_the_same(leases: Leases) -> None:
    with pytest.raises(ValueError, match="x"), working(leases, "d", by_hand(), release=True):
        raise ValueError("x")
    assert leases.names() == []


def test_the_call_of_a_lost_lease_ends_before_the_next_begins(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "LOOK", 0.01)
    began, order = threading.Event(), []

    def first() -> None:
        with pytest.raises(MustEnd), working(leases, "d", ANN) as work, work.watched():
            began.set()
            while True:
                work.checkpoint()
        order.append("first ended")

    thread = threading.Thread(target=first)
    thread.start()
    assert began.wait(10)
    with working(leases, "d", replace(BOB, force=True)):
        order.append("second began")
    thread.join(10)
    # The first has left the deployment before; what it does after that is its own.
    assert sorted(order) == ["first ended", "second began"]
    found = leases.read("d")
    assert found is not None
    assert found.holder == BOB.holder


def test_a_call_that_does_not_end_is_told_of(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "PATIENCE", 0.1)
    forced = working(leases, "d", replace(BOB, force=True))
    with working(leases, "d", ANN), pytest.raises(ProfileError, match="another call still works here"):
        forced.__enter__()


def test_a_working_call_renews_its_lease(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "LOOK", 0.01)
    monkeypatch.setattr(work_module, "TTL", 0.04)
    with working(leases, "d", ANN) as work, work.watched():
        first = seen = leases.read("d")
        while seen is None or first is None or seen.renewed == first.renewed:
            seen = leases.read("d")
        assert seen.is_of(work.claim)


def test_a_call_whose_reader_is_gone_ends(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(work_module, "LOOK", 0.01)
    monkeypatch.setattr(work_module, "STDOUT", writer)
    assert not abandoned(writer)
    with pytest.raises(MustEnd, match="the controller is gone"), working(leases, "d", ANN) as work, work.watched():
        seen = leases.read("d")
        os.close(reader)
        while True:
            work.checkpoint()
    assert abandoned(writer)
    assert leases.read("d") == seen, "who waits for it took that for a sign of life"
    os.close(writer)
    # It stays until it runs out: what was begun is not finished.
    leases.check("d", work.claim)


def test_who_gives_no_sign_of_life_is_outlasted(tmp_path: Path) -> None:
    ticks = iter(range(0, 100000, 10))
    leases = Leases(str(tmp_path), lambda: later(next(ticks)))
    leases.obtain("d", ANN)
    leases.outlast("d", BOB, wait=0)
    assert leases.obtain("d", BOB).holder == BOB.holder


def test_who_gives_a_sign_of_life_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100000))
    leases = Leases(str(tmp_path), lambda: later(next(ticks)))
    mine = of(leases.obtain("d", ANN))
    monkeypatch.setattr(work_module.time, "sleep", lambda _seconds: leases.obtain("d", mine))
    with pytest.raises(Held):
        leases.outlast("d", BOB, wait=0)
    begun = next(ticks)
    with pytest.raises(Held):
        leases.outlast("d", BOB, wait=30)
    assert next(ticks) - begun > 30
    leases.give_back("d", mine)
    leases.outlast("d", BOB, wait=0)
    assert leases.names() == []


def test_the_last_words_of_a_dead_playbook_are_no_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = (tick / 4 for tick in range(100000))
    leases = Leases(str(tmp_path), lambda: later(next(ticks)))
    mine = of(leases.obtain("d", ANN))
    words = iter([mine, mine])
    monkeypatch.setattr(work_module.time, "sleep", lambda _seconds: [leases.obtain("d", it) for it in islice(words, 1)])
    leases.outlast("d", BOB, wait=0)
    assert leases.obtain("d", BOB).holder == BOB.holder


def test_a_call_that_ends_as_its_reader_goes_says_no_more(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(work_module, "STDOUT", writer)
    with working(leases, "d", ANN):
        seen = leases.read("d")
        os.close(reader)
    assert leases.read("d") == seen
    os.close(writer)


# -- in a call of the module


class NoEngine:
    """An engine with nothing on it."""

    api_version = (1, 41)

    def version(self) -> dict[str, Any]:
        return {}

    def __init__(self) -> None:
        self.checkpoint: Callable[[], None] = lambda: None

    def guarded(self, checkpoint: Callable[[], None]) -> NoEngine:
        self.checkpoint = checkpoint
        return self

    def containers(self) -> list[Any]:
        return []

    networks = images = containers

    def inspect(self, name: str) -> None:
        return None

    volume = network = image = inspect

    def volume_names(self, label: str) -> list[str]:
        return []


def call(tmp_path: Path, state: str, **more: Any) -> dict[str, Any]:
    params = {"state": state, "deployment": "d", "state_dir": str(tmp_path), **more}
    return run(parse_order(params, more.pop("check", False)), NoEngine)  # type: ignore[arg-type,return-value]


def asks(claim: Claim) -> dict[str, Any]:
    return {"holder": claim.holder, "owner": claim.owner, "epoch": claim.epoch, "force": claim.force, "running": None}


def test_a_claim_in_arguments() -> None:
    assert parse_claim(None) is None
    assert parse_claim(asks(ANN)) == ANN
    assert parse_claim({**asks(BOB), "epoch": 3, "running": ["x"]}) == replace(BOB, epoch=3, running=frozenset("x"))


def test_checked_takes_it_and_the_last_call_gives_it_back(tmp_path: Path, leases: Leases) -> None:
    taken = call(tmp_path, "checked", lease=asks(ANN))["lease"]
    assert taken == {"deployment": "d", "holder": ANN.holder, "owner": ANN.owner, "epoch": taken["epoch"]}
    refused = call(tmp_path, "checked", lease=asks(BOB), snapshot=True)
    assert refused["failed"]
    assert not refused.keys() & {"lease", "snapshot"}
    assert [item["field"] for item in refused["problems"]] == ["lease"]
    with pytest.raises(Held):
        call(tmp_path, "present")  # nor by hand
    assert not call(tmp_path, "present", lease=taken)["failed"]
    assert leases.names() == ["d"]
    assert not call(tmp_path, "present", lease=taken, release=True)["failed"]
    assert leases.names() == []
    with pytest.raises(Lost):
        call(tmp_path, "present", lease=taken)


def test_a_host_with_a_problem_is_held_until_all_are_given_back(tmp_path: Path, leases: Leases) -> None:
    missing = {"paths": [{"path": "/not/there", "container": "a", "field": "volumes"}]}
    answer = call(tmp_path, "checked", lease=asks(ANN), share=missing)
    assert answer["failed"]
    assert not call(tmp_path, "checked", lease=answer["lease"])["failed"]
    call(tmp_path, "released", lease=answer["lease"])
    assert leases.names() == []


def test_a_lease_of_another_deployment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="field lease: it is of deployment e, not of d"):
        call(tmp_path, "present", lease={**asks(ANN), "deployment": "e"})


def test_check_mode_takes_nothing(tmp_path: Path) -> None:
    for state in ("checked", "present", "absent", "released"):
        order = parse_order(
            {"state": state, "deployment": "d", "state_dir": str(tmp_path), "lease": asks(ANN)}, check=True
        )
        assert not run(order, NoEngine)["failed"]  # type: ignore[arg-type,return-value]
    assert list(tmp_path.iterdir()) == []


def test_released_gives_back_what_is_ours_alone(tmp_path: Path, leases: Leases) -> None:
    taken = call(tmp_path, "checked", lease=asks(ANN))["lease"]
    call(tmp_path, "released", lease=asks(BOB))
    assert leases.names() == ["d"]
    call(tmp_path, "released", lease=taken)
    assert leases.names() == []


def test_stopping_leaves_what_a_living_playbook_works_on(
    tmp_path: Path, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = of(leases.obtain("d", ANN))
    leases.obtain("dead", replace(BOB, holder="ctl:5:50"))
    monkeypatch.setattr(work_module.time, "sleep", lambda _seconds: leases.obtain("d", mine))
    everything: dict[str, Any] = {"deployment": None, "all": True}
    stopping = {**asks(Claim("ctl:9:90", "ann@ctl, process 9")), "running": ["ctl:9:90", ANN.holder]}
    done = call(tmp_path, "absent", lease=stopping, **everything)
    assert done["failed"]
    [problem] = done["problems"]
    assert "deployment d on this host is held by ann@ctl, process 1" in problem["message"]
    assert "profile_force=true" in problem["message"]
    assert leases.names() == ["d"]
    assert not call(tmp_path, "absent", lease={**stopping, "force": True}, **everything)["failed"]
    assert leases.names() == []
