# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How replicas are against what their records say, without an engine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.apply import status
from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Made,
    Record,
    StateDir,
    planned,
    record_from,
)

LABELS = {"retail.profiles.collection": "retail.profiles", "retail.profiles.deployment": "d"}
SECRET = "not-to-be-kept"
TASK = {
    "name": "d-a-1",
    "image": "i:1",
    "command": ["run", SECRET],
    "env": {"KEY": SECRET},
    "memory": "64m",
    "restart_policy": "no",
    "networks": [{"name": "d-net", "aliases": ["a"]}],
    "labels": LABELS,
    "state": "started",
}


def container(name: str = "d-a-1", identity: str = "1" * 64, **state: Any) -> dict[str, Any]:
    return {
        "Id": identity,
        "Name": f"/{name}",
        "Image": "sha256:i",
        "RestartCount": 0,
        "Config": {"Labels": LABELS, "Image": "i:1", "Hostname": "h"},
        "State": {"Status": "running", "Running": True, "ExitCode": 0, **state},
        "HostConfig": {"Memory": 64 << 20, "RestartPolicy": {"Name": "no"}, "NetworkMode": "d-net"},
        "NetworkSettings": {"Networks": {"d-net": {"NetworkID": "n", "Aliases": ["a"], "IPAddress": "127.0.0.1"}}},
        "Mounts": [],
    }


class Engine:
    """Stands in for an engine that has these containers; whatever would write is not there."""

    def __init__(self, *containers: dict[str, Any], image: Optional[str] = "sha256:i") -> None:
        self.found = {item["Id"]: item for item in containers}
        self.image_id = image

    def containers(self) -> list[dict[str, Any]]:
        return [
            {
                "Id": item["Id"],
                "Names": [item["Name"]],
                "Labels": item["Config"]["Labels"],
                "Image": "i:1",
                "State": "running",
            }
            for item in self.found.values()
        ]

    def networks(self) -> list[dict[str, Any]]:
        return [{"Name": "d-net", "Id": "n"}]

    def inspect(self, name: str) -> Optional[dict[str, Any]]:
        return self.found.get(name)

    def image(self, name: str) -> Optional[dict[str, Any]]:
        return {"Id": self.image_id, "Config": {}} if self.image_id else None


def recorded(tmp_path: Path, *, ready: Any = (), identity: Optional[str] = "1" * 64, **more: Any) -> StateDir:
    """A state directory with the record that a call of profile_apply would leave."""
    share = {"replicas": [{"name": "d-a-1", "container": "a", "task": TASK, "ready": list(ready)}]}
    order = parse_order({"state": "present", "deployment": "d", "state_dir": str(tmp_path), "share": share})
    record = planned(None, order)
    made = {
        name: Made(identity, made.spec, "r", {}, made.desired, made.ready) for name, made in record.replicas.items()
    }
    state = StateDir(str(tmp_path))
    state.save(
        record_from({**record.as_dict(), "replicas": {name: item.as_dict() for name, item in made.items()}, **more})
    )
    return state


def one(state: StateDir, *containers: dict[str, Any], **engine: Any) -> status.Status:
    (found,) = status.statuses(state, Engine(*containers, **engine), None)  # type: ignore[arg-type]
    return found


def fields(found: status.Status) -> list[str]:
    return [item.field for item in found.drift]


def test_replica_as_it_should_be(tmp_path: Path) -> None:
    found = one(recorded(tmp_path), container())
    assert (found.deployment, found.replica, found.image) == ("d", "d-a-1", "i:1")
    assert (found.desired, found.actual, found.ready, found.restarts, found.drift) == (
        "running",
        "running",
        None,
        0,
        (),
    )
    assert found.as_desired
    assert found.as_dict()["as_desired"]


def test_record_holds_what_is_desired_and_no_variable_or_argument(tmp_path: Path) -> None:
    recorded(tmp_path, ready=[{"kind": "tcp", "port": 80}])
    text = (tmp_path / "deployments" / "d" / "record.json").read_text()
    assert SECRET not in text
    made = StateDir(str(tmp_path)).load("d").replicas["d-a-1"]  # type: ignore[union-attr]
    assert set(made.desired) == {"image", "memory", "restart_policy", "networks"}
    assert made.ready == [{"kind": "tcp", "port": 80}]


@pytest.mark.parametrize(
    ("state", "actual"), [({"Status": "exited", "ExitCode": 137}, "exited (137)"), ({"Status": "paused"}, "paused")]
)
def test_replica_that_does_not_run(tmp_path: Path, state: dict[str, Any], actual: str) -> None:
    found = one(recorded(tmp_path, ready=[{"kind": "tcp", "port": 1}]), container(**state))
    assert (found.actual, found.ready, found.as_desired) == (actual, False, False)
    assert found.reason == f"it is {state['Status']}"


def test_missing_replica(tmp_path: Path) -> None:
    found = one(recorded(tmp_path))
    assert (found.actual, found.ready, found.as_desired) == ("missing", None, False)
    found = one(recorded(tmp_path, ready=[{"kind": "healthy"}]))
    assert (found.actual, found.ready) == ("missing", False)


@pytest.mark.parametrize(("code", "good"), [(0, True), (1, False)])
def test_replica_that_should_end(tmp_path: Path, code: int, good: bool) -> None:
    ended = container(Status="exited", Running=False, ExitCode=code)
    engine = Engine(ended)
    engine.logs = lambda *_args, **_more: "last words"  # type: ignore[attr-defined]
    state = recorded(tmp_path, ready=[{"kind": "exited"}])
    (found,) = status.statuses(state, engine, None)  # type: ignore[arg-type]
    assert (found.desired, found.actual, found.ready, found.as_desired) == (
        "exited (0)",
        f"exited ({code})",
        good,
        good,
    )
    if not good:
        assert found.reason == "exited with code 1, not 0; its log ends"


def test_probe_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def attempt(_waiter: Any, probe: Any, _inspect: Any) -> str:
        asked.append(probe.kind)
        return "answered 503"

    monkeypatch.setattr(status.Waiter, "attempt", attempt)
    found = one(recorded(tmp_path, ready=[{"kind": "http", "port": 80}, {"kind": "tcp", "port": 80}]), container())
    assert (found.ready, found.reason, asked) == (False, "answered 503", ["http"])


def drifted(change: str) -> dict[str, Any]:
    found = container()
    if change == "memory":
        found["HostConfig"]["Memory"] = 1 << 20
    elif change == "restart_policy":
        found["HostConfig"]["RestartPolicy"] = {"Name": "always"}
    elif change == "networks.d-net":
        found["NetworkSettings"]["Networks"] = {}
    elif change == "name":
        found["Name"] = "/other"
    elif change == "image_id":
        found["Image"] = "sha256:old"
    elif change == "id":
        found["Id"] = "2" * 64
    return found


@pytest.mark.parametrize("change", ["memory", "restart_policy", "networks.d-net", "name", "image_id", "id"])
def test_drift_is_found(tmp_path: Path, change: str) -> None:
    found = one(recorded(tmp_path), drifted(change))
    assert fields(found) == [change]
    assert not found.as_desired


def test_image_that_is_gone_and_what_the_engine_did_not_take_over(tmp_path: Path) -> None:
    assert fields(one(recorded(tmp_path), container(), image=None)) == ["image"]
    state = recorded(tmp_path)
    record = state.load("d")
    assert record is not None
    made = record.replicas["d-a-1"]
    state.save(Record("d", replicas={"d-a-1": Made(made.id, "", "r", {"memory": 1 << 20}, made.desired)}))
    assert fields(one(state, drifted("memory"))) == []


def test_shipped_file_that_was_changed(tmp_path: Path) -> None:
    good, bad = tmp_path / hashlib.sha256(b"good").hexdigest() / "x.sh", tmp_path / ("0" * 64) / "y.sh"
    for file, content in ((good, b"good"), (bad, b"bad")):
        file.parent.mkdir()
        file.write_bytes(content)
    gone = str(tmp_path / ("1" * 64) / "z.sh")
    script = tmp_path / f"{hashlib.sha256(b'run').hexdigest()}-x" / "run.sh"
    folder = tmp_path / "folder" / "inner"
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(b"data")
    whole = tmp_path / file_tree.digest_of(str(folder), file_tree.DIRECTORY) / "folder"
    for place, make in ((script, lambda: script.write_bytes(b"run")), (whole, lambda: folder.rename(whole))):
        place.parent.mkdir()
        make()
    there = [str(file) for file in (good, bad, gone, script, whole)]
    mounts = [{"Source": file} for file in (*there, "/elsewhere")]
    state = recorded(tmp_path, files=there)
    found = one(state, {**container(), "Mounts": mounts})
    assert sorted(fields(found)) == ["file y.sh", "file z.sh"]
    (whole / "data").write_bytes(b"other")
    assert "file folder" in fields(one(state, {**container(), "Mounts": mounts}))


def test_container_that_is_not_ours(tmp_path: Path) -> None:
    foreign = container(identity="3" * 64)
    foreign["Config"]["Labels"] = {}
    assert fields(one(recorded(tmp_path), foreign)) == ["container"]


def test_record_of_an_earlier_version_and_lost_record(tmp_path: Path) -> None:
    state = StateDir(str(tmp_path))
    state.save(Record("d", replicas={"d-a-1": Made("1" * 64)}))
    assert fields(one(state, container())) == ["record"]
    state.forget("d")
    found = one(state, container())
    assert fields(found) == ["record"]
    assert not found.as_desired


def test_only_the_deployment_that_is_asked_for(tmp_path: Path) -> None:
    engine = Engine(container())
    assert status.statuses(recorded(tmp_path), engine, "other") == []  # type: ignore[arg-type]
    assert len(status.statuses(recorded(tmp_path), engine, "d")) == 1  # type: ignore[arg-type]
