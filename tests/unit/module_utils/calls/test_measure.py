# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of profile_measure: its states under a lease, its failures, check mode, and the clock in every answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.calls import measure
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import Claim, Leases
from ansible_collections.retail.profiles.plugins.module_utils.sampler import control
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, RunFiles, Scrape, Watched

from .arguments import completed

BOB = Claim("c2:9:1", "bob@laptop")


class Sampler:
    """Stands in for the states of the sampler, and keeps what each was asked."""

    def __init__(self, leases: Leases) -> None:
        self.leases = leases
        self.asked: list[tuple[Any, ...]] = []
        self.held: list[str] = []
        self.fails: Exception | None = None

    def _answer(self, state: str, *asked: Any) -> dict[str, Any]:
        self.asked.append((state, *asked))
        self.held = self.leases.names()
        if self.fails is not None:
            raise self.fails
        return {"changed": state != "collected"}

    def started(self, files: RunFiles, config: Config, check: bool) -> dict[str, Any]:
        return self._answer("started", files.directory, config, check)

    def collected(self, files: RunFiles, offset: int) -> dict[str, Any]:
        return self._answer("collected", files.directory, offset)

    def stopped(self, files: RunFiles, offset: int, check: bool) -> dict[str, Any]:
        return self._answer("stopped", files.directory, offset, check)


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(str(tmp_path))


@pytest.fixture
def sampler(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> Sampler:
    made = Sampler(leases)
    for name in ("started", "collected", "stopped"):
        monkeypatch.setattr(control, name, getattr(made, name))
    return made


def call(tmp_path: Path, state: str, check: bool = False, **more: Any) -> dict[str, Any]:
    params = completed(measure.argument_spec(), state=state, run_id="d-1", state_dir=str(tmp_path), **more)
    return measure.answer(params, check, False)


def lease_of(leases: Leases, who: Claim = BOB) -> dict[str, Any]:
    """What a playbook sends that has taken the lease."""
    taken = leases.obtain("d", who)
    return {"deployment": "d", "holder": taken.holder, "owner": taken.owner, "epoch": taken.epoch}


def test_what_is_to_be_watched_comes_to_the_sampler(tmp_path: Path, sampler: Sampler) -> None:
    replicas = [{"name": "a", "prometheus": {"port": 80}, "network": "host"}, {"name": "b"}]
    told = call(tmp_path, "started", replicas=replicas, interval="0.5", docker_host="unix:///run/x.sock")
    config = Config(
        0.5, 3600.0, "/run/x.sock", (Watched("a", Scrape(80, "/metrics", ("ovms_",)), "host"), Watched("b"))
    )
    assert sampler.asked == [("started", f"{tmp_path}/runs/d-1", config, False)]
    assert (told["failed"], told["changed"]) == (False, True)


def test_the_engine_is_where_the_hosts_environment_has_it(
    tmp_path: Path, sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    for found, path in (("unix:///run/user/1/d.sock", "/run/user/1/d.sock"), ("", "/var/run/docker.sock")):
        monkeypatch.setenv("DOCKER_HOST", found)
        call(tmp_path, "started")
        assert sampler.asked[-1][2].engine == path


@pytest.mark.parametrize("state", ["collected", "stopped"])
def test_samples_are_asked_for_from_an_offset(tmp_path: Path, sampler: Sampler, state: str) -> None:
    assert call(tmp_path, state, offset=52413)["failed"] is False
    assert sampler.asked[0][:3] == (state, f"{tmp_path}/runs/d-1", 52413)


@pytest.mark.parametrize("state", ["started", "stopped"])
def test_check_mode_is_passed_on_and_takes_no_lease(
    tmp_path: Path, sampler: Sampler, leases: Leases, state: str
) -> None:
    lease = {"deployment": "d", "holder": "c1:1:1", "owner": "ann", "epoch": 1}
    assert call(tmp_path, state, check=True, lease=lease, release=True)["failed"] is False
    assert sampler.asked[0][-1] is True
    assert leases.names() == []


def test_every_answer_has_the_hosts_clock(tmp_path: Path, sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure.time, "time", lambda: 1234.5)
    monkeypatch.setattr(measure.time, "process_time", lambda: 0.12345)
    assert call(tmp_path, "collected") == {"failed": False, "changed": False, "clock": 1234.5, "cpu_seconds": 0.123}
    sampler.fails = ProfileError("no such run")
    assert call(tmp_path, "collected") == {"failed": True, "msg": "no such run", "clock": 1234.5}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ProfileError("is given twice", container="a"), "container a: is given twice"),
        (PermissionError(13, "Permission denied", "/s/runs/d-1/sampler.lock"), "/s/runs/d-1/sampler.lock: Permission"),
        (OSError("odd"), "the sampler: odd"),
    ],
)
def test_a_failure_is_told_in_words(tmp_path: Path, sampler: Sampler, error: Exception, told: str) -> None:
    sampler.fails = error
    answer = call(tmp_path, "collected")
    assert answer["failed"] is True and told in answer["msg"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"interval": 0}, "field interval: must be at least"),
        ({"deadline": 0}, "field deadline: must be above 0 seconds"),
        ({"docker_host": "tcp://h:1"}, "field docker_host"),
        ({"replicas": [{"name": "../x"}]}, "field replicas"),
    ],
)
def test_what_cannot_be_measured_starts_nothing(
    tmp_path: Path, sampler: Sampler, more: dict[str, Any], told: str
) -> None:
    answer = call(tmp_path, "started", **more)
    assert answer["failed"] and told in answer["msg"]
    assert sampler.asked == []


def test_a_run_id_cannot_lead_elsewhere() -> None:
    params = completed(measure.argument_spec(), state="stopped", run_id="../x")
    assert "field run_id" in measure.answer(params, False, False)["msg"]


# -- the lease


def test_it_starts_alone_on_the_deployment(tmp_path: Path, sampler: Sampler, leases: Leases) -> None:
    assert call(tmp_path, "started", lease=lease_of(leases))["failed"] is False
    assert sampler.held == ["d"]
    assert leases.names() == ["d"]  # the playbook has it still


def test_a_playbook_that_lost_its_deployment_starts_no_sampler(
    tmp_path: Path, sampler: Sampler, leases: Leases
) -> None:
    lease = lease_of(leases)
    lease_of(leases, Claim("c3:1:1", "carol", force=True))
    told = call(tmp_path, "started", lease=lease)
    assert told["failed"] and "is not this playbook's any more" in told["msg"]
    assert sampler.asked == []


@pytest.mark.parametrize("state", ["collected", "stopped"])
def test_who_looks_renews_its_lease_and_need_not_have_it(
    tmp_path: Path, sampler: Sampler, leases: Leases, state: str
) -> None:
    lease = lease_of(leases)
    before = leases.read("d")
    assert call(tmp_path, state, lease=lease)["failed"] is False
    after = leases.read("d")
    assert before is not None and after is not None and after.renewed > before.renewed
    taken = lease_of(leases, Claim("c3:1:1", "carol", force=True))
    assert call(tmp_path, state, lease=lease)["failed"] is False
    held = leases.read("d")
    assert held is not None and held.epoch == taken["epoch"]


def test_the_last_call_gives_the_lease_back(tmp_path: Path, sampler: Sampler, leases: Leases) -> None:
    assert call(tmp_path, "stopped", lease=lease_of(leases), release=True)["failed"] is False
    assert leases.names() == [] and sampler.held == []
    assert not os.path.exists(leases.folder("d"))
