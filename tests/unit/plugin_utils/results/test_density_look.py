# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A search for stream density against a made-up fleet, as the role drives it: look, change, collect, look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Step
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import SearchState, StepState
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_look, run_record
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import (
    PLAN,
    RunDirectory,
    dumps_finite,
)

from ..synthetic import T0, Fleet, make_plan

FPS = {"metric": "fps", "container": "client", "at_least": 14.5}
STREAMS = {"number": 1, "containers": ["client"], "env": None, "hosts": None}
OPTIONS = {
    name: spec.get("default") for name, spec in density_look.OPTIONS.items() if name not in ("run_dir", "problems")
}


class Shared(Fleet):
    """Clients of 15 frames a second share a capacity. ``streams``: how many there are in each of them."""

    capacity, streams, clients = 100.0, 1, 1

    def fps(self, replica: str, second: float) -> float:
        asked = 15.0 * self.streams
        noise = 1.0 + self.random.gauss(0.0, 0.01)
        return min(asked, self.capacity / self.clients) * self.load(second) * noise


class Lab:
    """A run directory, and a fleet that does what is asked of it; ``now`` is its clock."""

    def __init__(self, path: Path, capacity: float, fleet: type[Shared] = Shared, **more: Any) -> None:
        self.directory, self.capacity, self.fleet, self.now = RunDirectory(path), capacity, fleet, T0
        self.options = density_look.options_of({**OPTIONS, **more})
        self.env = None
        self.answers: list[density_look.Answer] = []
        self.changes: list[Any] = []
        self.plan(1)

    def plan(self, clients: int, streams: int = 1) -> None:
        made = {**make_plan(3, clients), "objectives": [FPS], "streams": {**STREAMS, "env": self.env}}
        self.running = self.fleet({**made, "replicas": dict(made["replicas"])}, warm=4.0)
        self.running.capacity, self.running.clients, self.running.streams = self.capacity, clients, streams
        self.since, self.sampled = self.now, 0
        self.directory.path.mkdir(parents=True, exist_ok=True)
        self.directory.write(PLAN, json.dumps(made))

    def collect(self) -> None:
        """Bring what the hosts have sampled by now."""
        lines = []
        while self.since + self.sampled < self.now:
            for host in self.running.plan["hosts"]:
                for sample in self.running.second(host, float(self.sampled)):
                    lines.append({**sample, "host": host, "t": sample["t"] - T0 + self.since})
            self.sampled += 1
        self.directory.append_samples([dumps_finite(line) for line in lines])

    def look(self, **more: Any) -> density_look.Answer:
        self.answers.append(density_look.look(self.directory, self.options, self.now, **more))
        return self.answers[-1]

    def run(self, most: int = 200) -> SearchState:
        """Search to its end, or for so many looks."""
        answer = self.look()
        while not answer.searches.ended and len(self.answers) < most:
            if answer.change:
                self.changes.append(answer.streams)
                self.now += 2.0
                assert isinstance(answer.streams, int)
                self.plan(*((answer.streams, 1) if self.env is None else (1, answer.streams)))
                answer = self.look(applied=True)
                continue
            self.now = max(self.now + 1.0, answer.next_look)
            self.collect()
            answer = self.look()
        return answer.searches.searches[0]


def test_a_search_comes_to_what_the_fleet_carries(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 100.0)
    found = lab.run()
    assert (found.ending, found.interval) == ("found", (6, 7))
    assert lab.changes[0] == 1
    assert found.steps[-1].step.hold
    told = found.steps[-1].told[0]
    assert (told.metric, told.limit) == ("fps", 14.5)
    assert told.mean == pytest.approx(15.0, rel=0.02)
    assert told.replica.startswith("ovms-client-")


def test_the_run_is_of_the_hold(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 48.0)
    hold = lab.run().steps[-1]
    (measure,) = lab.answers[-1].windows
    assert measure.phase == "measure"
    assert (measure.span.start, measure.span.end) == (hold.steady, hold.end)
    assert measure.span.length >= 60.0
    run = run_record.of_directory(lab.directory)
    clients = [replica.name for replica in run.plan.measured if replica.container == "client"]
    assert clients == ["ovms-client-1", "ovms-client-2", "ovms-client-3"]
    assert hold.began is not None and run.seen.start is not None
    assert run.seen.start >= hold.began
    assert run.seen.states["ovms-client-1"][-1].event == "up"


def test_streams_inside_of_a_container(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 70.0)
    lab.env = "STREAMS"
    lab.plan(1)
    found = lab.run()
    assert (found.ending, found.interval) == ("found", (4, 5))
    assert found.steps[-1].told[0].mean == pytest.approx(15.0, rel=0.02)  # of one stream


def test_its_state_is_on_disk_before_it_is_acted_on(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 100.0)
    answer = lab.look()
    assert answer.change and answer.streams == 1
    assert lab.directory.searches() == answer.searches


def test_an_interrupted_search_goes_on(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 100.0)
    before = lab.run(most=9)
    assert before.ending is None
    ended = [one for one in before.steps if one.step.outcome is not None]
    lab.now += 600.0
    answer = lab.look(resume=True)
    assert answer.change
    kept = answer.searches.searches[0].steps[: len(ended)]
    assert kept == tuple(ended)
    lab.answers.clear()
    lab.now += 2.0
    assert isinstance(answer.streams, int)
    lab.plan(answer.streams)
    lab.look(applied=True)
    found = lab.run()
    assert (found.ending, found.interval) == ("found", (6, 7))
    assert found.steps[: len(ended)] == tuple(ended)


class Mute(Shared):
    """Clients that say nothing."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return sample["type"] != "log"


class Full(Shared):
    """The server's memory goes down by a tenth with each client."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        if sample["type"] == "host":
            sample["mem"]["available"] = int(sample["mem"]["total"] * (0.9 - 0.1 * self.clients))
        return True


def test_clients_that_tell_nothing_are_no_data(tmp_path: Path) -> None:
    found = Lab(tmp_path / "run", 100.0, Mute).run()
    assert found.ending == "no data"
    assert found.reason.startswith("replica ovms-client-1 on client1: no fps")


def test_a_host_is_not_loaded_beyond_its_memory(tmp_path: Path) -> None:
    found = Lab(tmp_path / "run", 1000.0, Full).run()
    assert (found.ending, found.interval[0]) == ("guard", 8)
    assert max(one.step.streams for one in found.steps) == 8
    assert "of its memory left with more" in found.reason


def test_streams_that_could_not_be_started(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 100.0)
    lab.look()
    answer = lab.look(applied=True, problems=["h2: replica ovms-client-1: no such image"])
    assert answer.searches.ended
    assert answer.as_dict(lab.now)["msg"] == "failed: h2: replica ovms-client-1: no such image"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"least": 0}, "density_least: 0 is below the least, 1"),
        ({"resolution": 2.0}, "density_resolution: 2 is above the most, 1"),
        ({"hold": 5.0}, "density_hold: 5 is below the least, 10"),
        ({"warmup_max": 5.0}, "density_warmup_max: 5 is below the least, 15"),
    ],
)
def test_options_have_bounds(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        density_look.options_of({**OPTIONS, **wrong})


def test_a_plan_without_streams_has_no_search(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 100.0)
    lab.directory.write(PLAN, json.dumps({**make_plan(3, 1), "streams": None}))
    with pytest.raises(ProfileError, match="does not say what a stream is"):
        lab.look()


def test_each_host_has_its_own_search(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "run", 100.0)
    streams = {**STREAMS, "hosts": {"client1": 1, "client2": 1}}
    lab.directory.write(PLAN, json.dumps({**make_plan(3, 2), "objectives": [FPS], "streams": streams}))
    answer = lab.look()
    assert answer.streams == {"client1": 1, "client2": 1}
    assert [one.host for one in answer.searches.searches] == ["client1", "client2"]


def test_a_step_knows_what_was_said_once_before_it(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)

    def write(*samples: dict[str, Any]) -> None:
        directory.append_samples([dumps_finite({"host": "h1", **sample}) for sample in samples])

    write({"t": 1.0, "type": "observer", "machine": "m1", "cpu_seconds": 0.1}, {"t": 2.0, "type": "host"})
    write({"t": 3.0, "type": "observer", "cpu_seconds": 0.2}, {"t": 4.0, "type": "absent", "metric": "npu"})
    step = StepState(Step(2), "doubled", asked=5.0, began=10.0, position=directory.samples_end())
    write({"t": 6.0, "type": "observer", "machine": "m2", "cpu_seconds": 0.0}, {"t": 9.0, "type": "host"})
    write({"t": 9.5, "type": "observer", "cpu_seconds": 0.1}, {"t": 11.0, "type": "host"})
    found = list(density_look.step_samples(directory, step, {}))
    assert [(one["t"], one["type"]) for one in found] == [
        (1.0, "observer"),
        (4.0, "absent"),
        (6.0, "observer"),
        (11.0, "host"),
    ]
