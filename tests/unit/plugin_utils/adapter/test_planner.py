# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner with what a play knows, made up: no hosts are asked."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import Searches, SearchState
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory
from ansible_collections.retail.profiles.plugins.plugin_utils.text.listening import Listening

from ..world import World

HOSTS = ("h1", "h2")
FPS = {"metric": "fps", "at_least": 14.95, "tolerance": 0.05}


class HostVars(dict[str, dict[str, Any]]):
    """The variable ``hostvars`` as far as the planner asks it."""

    def raw_get(self, host: str) -> dict[str, Any]:
        return self[host]


def answer(world: World, play: dict[str, Any] | None = None, **args: Any) -> dict[str, Any]:
    """The answer of the stage ``plan`` for eight clients on two hosts that have answered."""
    client = {"name": "client", "image": "i:1", "hosts": "all", "replicas": 8, "env": {"N": "{{ replica.index }}"}}
    client["metrics"] = {"fps": {"log": "fps"}}
    profile = {"containers": [client], "objectives": [FPS], "density": {"container": "client"}}
    folder = world.write("many", json.dumps(profile)).parent
    addresses = {host: f"192.0.2.{at}" for at, host in enumerate(HOSTS, start=1)}
    hostvars = HostVars(
        {
            host: {"ansible_host": address, "profile_checked": {"snapshot": {"addresses": [address]}}}
            for host, address in addresses.items()
        }
    )
    known = {
        "hostvars": hostvars,
        "groups": {"all": list(HOSTS)},
        "playbook_dir": str(world.root),
        "ansible_play_batch": list(HOSTS),
        "ansible_play_hosts": list(HOSTS),
        **(play or {}),
    }
    options = {option: spec.get("default") for option, spec in planner.OPTIONS.items()}
    options |= {"profile": str(folder), **args}
    return planner.Planner(options, known, Templar(loader=DataLoader()), check_mode=False).result()


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the planner has printed; without -v."""
    lines: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _display, text: lines.append(text))
    monkeypatch.setattr(Display(), "verbosity", 0)
    return lines


def entries(text: str) -> int:
    return sum(line.startswith("  + ") for line in text.splitlines())


def test_the_plan_is_printed_as_its_summary_says_it(world: World, printed: list[str]) -> None:
    found = answer(world)
    assert printed == [f"\n{found['summary']}\n"]
    assert entries(found["summary"]) == 1
    assert "  + many-client-1…8 on h1, h2 (4 each)\n" in found["summary"]
    assert len(found["plan"]["replicas"]) == 8
    assert answer(world, show=False)["summary"] == found["summary"]
    assert len(printed) == 1


def test_a_plan_that_is_written_as_a_playbook_is_told_where(world: World, printed: list[str]) -> None:
    file = world.root / "stock.yml"
    answer(world, as_playbook=str(file))
    assert printed[-1] == f"The plan as a playbook of stock tasks: {file}, its files in stock.yml.files/ beside it"
    assert "hosts:" in file.read_text()


def test_the_files_of_a_folder_are_told_by_the_folder_that_names_them(world: World, printed: list[str]) -> None:
    folder = world.root / "shop"
    folder.mkdir()
    (folder / "one.yml").write_text("services: {a: {image: i}}\n", encoding="utf-8")
    (folder / ".env").write_text("COMPOSE_FILE=one.yml\n", encoding="utf-8")
    found = answer(world, profile=str(folder))
    assert found["profile_file"] == str(folder)
    assert [replica["container"] for replica in found["plan"]["replicas"].values()] == ["a"]


def test_a_profile_may_be_several_files_each_with_its_objectives(world: World, printed: list[str]) -> None:
    camera = {"camera_id": "door", "streamUri": "rtsp://10.9.8.7/a", "workloads": ["count"], "targetFps": 12}
    step = {"type": "gvadetect", "model": "m", "device": "CPU", "precision": "INT8"}
    texts = {
        "cameras.json": {"lane_config": {"cameras": [camera, {**camera, "camera_id": "till", "targetFps": 5}]}},
        "pipelines.json": {"workload_pipeline_map": {"count": [step]}},
    }
    files = [str(world.root / name) for name in texts]
    for file, content in zip(files, texts.values(), strict=True):
        Path(file).write_text(json.dumps(content), encoding="utf-8")

    found = answer(world, profile=files, seek=True, image="i:1")

    assert found["profile_file"] == files
    assert sorted(found["plan"]["replicas"]) == [f"cameras-{name}-{at}" for name in ("door", "till") for at in (1, 2)]
    assert found["density"]["container"] == ["door", "till"]
    aims = [line for line in found["summary"].splitlines() if line.startswith("Objective")]
    assert ["door at least 12" in aims[0], "till at least 5" in aims[1]] == [True, True]


def test_a_full_plan_and_a_verbose_play_show_every_replica(
    world: World, printed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folded, full = answer(world), answer(world, full=True)
    assert entries(full["summary"]) == 8
    assert full["plan"] == folded["plan"]
    monkeypatch.setattr(Display(), "verbosity", 1)
    assert answer(world)["summary"] == full["summary"]
    assert [entries(text) for text in printed] == [1, 8, 8]


@pytest.mark.parametrize("live", ["no port", "127.0.0.1:{taken}", "{taken}", "203.0.113.9:80"])
def test_an_address_that_cannot_be_served_on_is_refused_before_anything_starts(
    world: World, monkeypatch: pytest.MonkeyPatch, live: str
) -> None:
    monkeypatch.setattr(planner.constants, "CALLBACKS_ENABLED", [planner.CALLBACK])
    with Listening("127.0.0.1", 0).bound("test") as other:
        where = live.format(taken=other.getsockname()[1])
        with pytest.raises(ProfileError, match="measure_live: ") as caught:
            answer(world, stage="select", run=True, live=where)
        assert where in str(caught.value)
        assert answer(world, stage="select", live=where)["hosts"] == list(HOSTS)


def test_a_run_is_served_where_it_is_to_be(world: World, printed: list[str], tmp_path: Any) -> None:
    assert answer(world, run=True, live="9464", results_dir=str(tmp_path))["live"] == "9464"
    assert answer(world, live="9464")["live"] is None


def test_a_run_has_a_directory_of_its_own_and_says_what_shaped_it(
    world: World, printed: list[str], tmp_path: Any
) -> None:
    """Also where two begin in one second."""
    run = {"run": True, "results_dir": str(tmp_path), "env": {"N": "7"}, "notes": "the new kernel"}
    first, second = (answer(world, {"measure_duration": "40"}, **run) for _time in range(2))
    assert first["run_dir"] != second["run_dir"]
    assert [answered["run_dir"] for answered in (first, second)] == [
        str(tmp_path / answered["run_id"]) for answered in (first, second)
    ]
    assert first["notes"] == "the new kernel"
    measured = {"measure_warmup_max": 60.0, "measure_duration": 40.0, "measure_interval": 1.0, "measure_repeat": 1.0}
    assert first["variables"] == {"profile_env": {"N": "7"}, **measured}
    assert answer(world)["variables"] == {}


def test_the_options_are_those_of_the_variables_of_the_role() -> None:
    assert set(planner.VARIABLES) < set(planner.OPTIONS)
    assert planner.VARIABLES["full"] == "profile_plan_full"


def test_objectives_are_of_the_plan_and_those_of_the_run_replace_them(world: World, printed: list[str]) -> None:
    own = answer(world)
    assert own["plan"]["objectives"] == [{**FPS, "statistic": "mean", "over": "each"}]
    assert "Objective: mean fps at least 14.95, less 0.05 of it" in own["summary"]
    other = answer(world, objectives=[{"metric": "cpu_cores", "container": "client", "at_most": 2}])
    assert "Objective: mean cpu_cores over each client at most 2" in other["summary"]
    assert answer(world, objectives=[])["plan"]["objectives"] == []
    assert len({found["plan"]["plan_id"] for found in (own, other)}) == 2


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        ([{"metric": "fps"}], "profile_objectives.0: give exactly one of at_least and at_most"),
        ([{"metric": "fps", "at_least": 1, "container": "clint"}], "no measured container 'clint'; there are client"),
        ([{"metric": "nonsense", "at_least": 1}], "none has it; they have"),
    ],
)
def test_an_objective_that_is_wrong_is_refused_before_anything_starts(
    world: World, printed: list[str], objectives: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(ProfileError, match=said):
        answer(world, objectives=objectives)


def test_the_windows_of_a_run_must_carry_its_percentiles(world: World, printed: list[str], tmp_path: Any) -> None:
    late = {**FPS, "statistic": "p95"}
    answer(world, objectives=[late])  # no run: nothing is measured
    run = {"objectives": [late], "run": True, "results_dir": str(tmp_path)}
    with pytest.raises(ProfileError, match="p95 of fps needs 130 values, and windows of 30 s hold about 30"):
        answer(world, **run)
    assert answer(world, {"measure_duration": 130}, **run)["run_id"]
    with pytest.raises(ProfileError, match="measure_duration: expected a number"):
        answer(world, {"measure_duration": "long"}, **run)


def test_streams_are_replicas(world: World, printed: list[str]) -> None:
    found = answer(world, streams=3)["plan"]
    assert list(found["replicas"]) == ["many-client-1", "many-client-2", "many-client-3"]
    assert found["streams"] == {"number": 3, "containers": ["client"], "env": None, "hosts": None}
    assert answer(world)["plan"]["streams"] is None


def test_more_streams_leave_those_that_were_there_as_they_are(world: World, printed: list[str]) -> None:
    few, many = (answer(world, streams=number)["plan"]["replicas"] for number in (3, 7))
    assert {name: many[name]["task"] for name in few} == {name: replica["task"] for name, replica in few.items()}
    assert {name: many[name]["host"] for name in few} == {name: replica["host"] for name, replica in few.items()}


def test_streams_may_be_what_a_variable_asks_for(world: World, printed: list[str]) -> None:
    found = answer(world, streams=5, density={"container": "client", "env": "STREAMS"})["plan"]["replicas"]
    assert len(found) == 8
    assert {replica["task"]["env"]["STREAMS"] for replica in found.values()} == {"5"}
    assert {replica["env_from"]["STREAMS"] for replica in found.values()} == {"profile_streams"}


PER_HOST = {"container": "client", "per": "host", "least": 2}


@pytest.mark.parametrize(
    ("streams", "density", "said"),
    [
        ({"h1": 4, "h9": 1}, PER_HOST, "profile_streams names 'h9', which is no host of the inventory"),
        ({"h1": 0}, PER_HOST, "profile_streams.h1: expected a whole number of at least 1, not 0"),
        ({"h1": 4}, {"container": "client"}, "profile_streams: expected a whole number of at least 1, not "),
    ],
)
def test_streams_of_hosts_are_those_of_hosts_that_there_are(
    world: World, printed: list[str], streams: Any, density: Any, said: str
) -> None:
    with pytest.raises(ProfileError, match=re.escape(f"a variable of the run is not valid: {said}")):
        answer(world, streams=streams, density=density)


def test_streams_may_be_counted_on_each_host(world: World, printed: list[str]) -> None:
    few = answer(world, streams=2, density=PER_HOST)["plan"]
    many = answer(world, streams={"h1": 4, "h2": 1}, density=PER_HOST)["plan"]
    assert few["streams"]["hosts"] == {"h1": 2, "h2": 2}
    assert many["streams"]["hosts"] == {"h1": 4, "h2": 1}
    on = {host: set(many["hosts"][host]["replicas"]) for host in HOSTS}
    assert {host: len(names) for host, names in on.items()} == {"h1": 4, "h2": 1}
    before = {host: set(few["hosts"][host]["replicas"]) for host in HOSTS}
    assert before["h1"] < on["h1"]  # those that were there stay what they are, whatever another host has
    assert on["h2"] < before["h2"]
    assert all(many["replicas"][name]["task"] == few["replicas"][name]["task"] for name in before["h1"])


def test_a_variable_may_say_it_to_each_host(world: World, printed: list[str]) -> None:
    density = {**PER_HOST, "env": "STREAMS"}
    found = answer(world, streams={"h1": 3, "h2": 5}, density=density)["plan"]["replicas"].values()
    said = {(replica["host"], replica["task"]["env"]["STREAMS"]) for replica in found}
    assert said == {("h1", "3"), ("h2", "5")}
    assert len(found) == 8


def test_a_search_begins_on_all_hosts(world: World, printed: list[str]) -> None:
    found = answer(world, seek=True, objectives=[FPS])
    assert found["plan"]["streams"]["number"] == len(HOSTS)
    assert found["density"] == {"container": ["client"], "per": "fleet", "least": 1}
    least = answer(world, seek=True, density={"container": "client", "least": 5})
    assert least["plan"]["streams"]["number"] == 5
    most = answer(world, seek=True, density={"container": "client", "most": 1})
    assert most["plan"]["streams"]["number"] == 1
    assert answer(world, seek=True, density=PER_HOST)["plan"]["streams"]["number"] == 2


def test_a_target_is_an_objective(world: World, printed: list[str]) -> None:
    (objective,) = answer(world, target_fps=14.95)["plan"]["objectives"]
    assert (objective["metric"], objective["container"], objective["at_least"]) == ("fps", "client", 14.95)
    assert objective["tolerance"] == 0
    with pytest.raises(ProfileError, match="target_fps: it is an objective of its own"):
        answer(world, target_fps=10.0, objectives=[FPS])


def test_a_search_needs_something_to_reach(world: World, printed: list[str]) -> None:
    with pytest.raises(ProfileError, match=r"nothing says what each stream must reach: give -e target_fps=14\.95"):
        answer(world, seek=True, objectives=[])


def resumed(world: World, folder: Path, **more: Any) -> dict[str, Any]:
    given = {"seek": True, "run": True, "resume": str(folder), "results_dir": str(folder.parent), "target_fps": 14.95}
    return answer(world, **{**given, **more})


def test_a_search_that_was_interrupted_goes_on_in_its_directory(
    world: World, printed: list[str], tmp_path: Path
) -> None:
    first = answer(world, seek=True, run=True, results_dir=str(tmp_path), target_fps=14.95)
    directory = RunDirectory(Path(first["run_dir"]))
    directory.write("plan.json", json.dumps(first["plan"]))
    with pytest.raises(ProfileError, match="there is no search to go on with"):
        resumed(world, directory.path)
    state = Searches(("client",))
    directory.write("search.json", json.dumps(state.as_dict()))
    found = resumed(world, directory.path)
    assert found["run_dir"] == first["run_dir"]
    with pytest.raises(ProfileError, match="a search goes on with what it began with: objectives"):
        resumed(world, directory.path, target_fps=20.0)
    with pytest.raises(ProfileError, match="its streams were something else"):
        resumed(world, directory.path, density={"container": "client", "env": "STREAMS"})
    ended = replace(state, searches=(SearchState(ending="found"),))
    directory.write("search.json", json.dumps(ended.as_dict()))
    with pytest.raises(ProfileError, match="its search has come to its end"):
        resumed(world, directory.path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"streams": 0}, "expected a whole number of at least 1"),
        ({"streams": 2, "density": {"container": "clint"}}, "density names 'clint', but the profile has client"),
        ({"streams": 2, "density": {"container": "client", "most": 4, "least": 5}}, "profile_density.most: 4 streams"),
    ],
)
def test_streams_that_cannot_be_are_refused(world: World, printed: list[str], given: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        answer(world, **given)


def stored_run(world: World, tmp_path: Path, **changes: Any) -> Path:
    """The directory of a run as the callback leaves it, of the plan of `answer`."""
    found = answer(world, {"measure_duration": 40}, run=True, results_dir=str(tmp_path), env={"N": "7"})
    replicas = found["plan"]["replicas"]
    record = {
        "schema": "retail.profiles/run/1",
        "run_id": found["run_id"],
        "profile": "many",
        "verdict": "ok",
        "hosts": {host: {"system": {"kernel": {"release": "6.1.0"}, "load_before": [1.0]}} for host in HOSTS},
        "containers": {name: {"image_id": None} for name in replicas},
        "variables": found["variables"],
        **changes,
    }
    path = Path(found["run_dir"])
    (path / "run.json").write_text(json.dumps(record))
    (path / "plan.json").write_text(json.dumps(found["plan"]))
    return path


def test_hosts_on_which_a_run_has_left_something_are_asked_and_freed(world: World, printed: list[str]) -> None:
    """The first run has used both hosts; one client that is placed on h1 leaves nothing to do for h2."""
    given = {"replicas": {"client": 1}, "left_on": ["h2", "h1", "gone"]}
    assert answer(world, stage="select", replicas={"client": 1})["hosts"] == ["h1"]
    chosen = answer(world, stage="select", **given)
    assert chosen["hosts"] == ["h1", "h2"]
    assert chosen["shares"]["h2"]["replicas"] == []
    found = answer(world, asked=chosen["asked"], **given)
    assert list(found["plan"]["hosts"]) == ["h1"]
    assert found["leaving"] == {"h2": []}
    assert (found["sound"], found["unchecked"], found["problems"]) == (False, [], [])


def test_what_is_as_planned_stays_and_nothing_has_to_be_asked_again(world: World, printed: list[str]) -> None:
    asked = answer(world, stage="select")["asked"]
    made = answer(world, asked=asked)["plan"]
    there: dict[str, dict[str, Any]] = {host: {} for host in HOSTS}
    for name, replica in made["replicas"].items():
        there[replica["host"]][name] = {"labels": replica["task"]["labels"], "running": True, "published": []}
    addresses = {"h1": "192.0.2.1", "h2": "192.0.2.2"}
    hostvars = HostVars(
        {
            host: {
                "ansible_host": addresses[host],
                "profile_checked": {"snapshot": {"addresses": [addresses[host]], "containers": there[host]}},
            }
            for host in HOSTS
        }
    )
    known = {"hostvars": hostvars}
    same = answer(world, known, asked=asked, left_on=list(HOSTS))
    assert (same["leaving"], same["sound"]) == ({}, True)
    again = answer(world, stage="select", env={"N": "7"})["asked"]
    other = answer(world, known, asked=again, left_on=list(HOSTS), env={"N": "7"})
    # The variable N of the seventh was 7 before.
    assert other["leaving"] == {"h1": ["many-client-7"], "h2": []}
    assert (other["sound"], other["unchecked"]) == (False, [])
    # Where nobody says that something was left, hosts converge as ever.
    assert (answer(world, known, asked=again, env={"N": "7"})["sound"]) is True


def test_a_variable_that_a_native_profile_is_written_with_is_in_those_containers_alone(
    world: World, printed: list[str]
) -> None:
    containers = [
        {"name": "server", "image": "i:1", "hosts": "h1"},
        {
            "name": "client",
            "image": "i:1",
            "hosts": "h2",
            "args": ["--fps", "{{ profile_variables.FPS | default(1) }}"],
        },
    ]
    folder = world.write("served", json.dumps({"containers": containers})).parent
    tasks = []
    for given in ({}, {"profile_variables": {"FPS": 10}}):
        hosts = HostVars({host: {**given, "profile_checked": {"snapshot": {}}} for host in HOSTS})
        plan = answer(world, {"hostvars": hosts}, profile=str(folder))["plan"]
        tasks.append({name: replica["task"] for name, replica in plan["replicas"].items()})
    assert tasks[0]["served-server-1"] == tasks[1]["served-server-1"]
    assert [one["served-client-1"]["command"] for one in tasks] == [["--fps", "1"], ["--fps", "10"]]


def snapshots(kernel: str = "6.1.0", image: str | None = None) -> HostVars:
    """What the hosts answer when they are asked again."""
    system = {"system": {"kernel": {"release": kernel}, "load_before": [9.0]}}
    images = {"images": {"i:1": {"id": image}} if image else {}}
    return HostVars({host: {"profile_checked": {"snapshot": {**system, **images}}} for host in HOSTS})


def test_a_run_is_made_again_with_its_plan_and_as_it_was_measured(
    world: World, printed: list[str], tmp_path: Path
) -> None:
    path = stored_run(world, tmp_path)
    before = json.loads((path / "plan.json").read_text())
    found = answer(world, {"hostvars": snapshots()}, run=True, results_dir=str(tmp_path), from_run=str(path))
    assert found["plan"]["plan_id"] == before["plan_id"]
    assert {**found["plan"], "snapshot": {}} == {**before, "snapshot": {}}
    assert found["measuring"]["measure_duration"] == found["variables"]["measure_duration"] == 40.0
    assert found["variables"]["profile_env"] == {"N": "7"}
    assert (found["repeats"], found["notes"]) == (str(path), f"repeats {path.name}")
    assert found["run_dir"] != str(path)
    assert f"\nThe hosts are as they were in run {path.name}." in printed
    usual = answer(world)
    assert (usual["repeats"], usual["measuring"]) == (None, {})


def test_the_models_of_a_run_are_told_when_its_hosts_are_chosen(
    world: World, printed: list[str], tmp_path: Path
) -> None:
    hosts = {"h1": {"system": {}, "models": {"/models/face": "abc"}}, "h2": {"system": {}, "models": {}}}
    path = stored_run(world, tmp_path, hosts=hosts)
    chosen = answer(world, stage="select", from_run=str(path))
    assert chosen["models"] == {"h1": {"/models/face": "abc"}}
    assert chosen["hosts"] == list(HOSTS)
    assert answer(world, stage="select", plan=str(path / "plan.json"))["models"] == {}


def test_what_differs_of_the_hosts_is_told_before_a_run_is_made_again(
    world: World, printed: list[str], tmp_path: Path
) -> None:
    path = stored_run(world, tmp_path)
    answer(world, {"hostvars": snapshots(kernel="6.2.0")}, from_run=str(path))
    said = next(text for text in printed if "are not as they were" in text)
    assert said.splitlines()[2:] == ["  ! h1, h2: kernel.release: 6.1.0 → 6.2.0"]


@pytest.mark.parametrize(("image", "state"), [("sha256:new", "is sha256:new now"), (None, "is not there")])
def test_a_run_is_not_made_again_with_another_image(
    world: World, printed: list[str], tmp_path: Path, image: str | None, state: str
) -> None:
    path = stored_run(world, tmp_path, containers={"many-client-1": {"image_id": "sha256:old"}})
    said = f"image i:1 {state}, but many-client-1 of run {path.name} ran with sha256:old"
    with pytest.raises(ProfileError, match=said):
        answer(world, {"hostvars": snapshots(image=image)}, from_run=str(path))
    assert answer(world, {"hostvars": snapshots(image="sha256:old")}, from_run=str(path))["repeats"] == str(path)


def test_a_run_that_cannot_be_made_again_is_refused(world: World, printed: list[str], tmp_path: Path) -> None:
    path = stored_run(world, tmp_path)
    with pytest.raises(ProfileError, match="this is not the directory of a run"):
        answer(world, from_run=str(tmp_path))
    with pytest.raises(ProfileError, match="give plan or from_run, not both"):
        answer(world, from_run=str(path), plan=str(path / "plan.json"))
    other = {"hostvars": snapshots(), "measure_duration": 20}
    with pytest.raises(ProfileError, match=r"measure_duration is 20, and run .* was measured with 40"):
        answer(world, other, from_run=str(path))


def test_a_run_that_ends_before_it_is_recorded_has_a_record(
    world: World, printed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(Exception):
        """The playbook was ended."""

    def keep(sources: Any, folder: Path) -> Any:
        raise Ended

    monkeypatch.setattr(planner.shipped_files, "keep", keep)
    with pytest.raises(Ended):
        answer(world, run=True, results_dir=str(tmp_path / "results"))
    (file,) = (tmp_path / "results").glob("*/run.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    assert (record["run_id"], record["verdict"], record["finished"]) == (file.parent.name, "aborted", None)
    assert record["reasons"] == ["the run has not come to its end"]
    assert len(record["containers"]) == 8
