# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine in memory, with the methods of the real one that applying needs, and what the tests ask of it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.apply.states import run
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError

NEVER = "0001-01-01T00:00:00Z"
READS = {"containers", "networks", "images", "inspect", "image", "volume", "network", "volume_names", "logs", "info"}


def labels(deployment: str = "d") -> dict[str, str]:
    return {"retail.profiles.collection": "retail.profiles", "retail.profiles.deployment": deployment}


class StandIn:
    """What an engine has, by name; ``calls`` are the names of all methods that were called."""

    api_version = (1, 44)

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}
        self.nets: dict[str, dict[str, Any]] = {"bridge": {"Name": "bridge", "Id": "n0", "Labels": {}}}
        self.vols: dict[str, dict[str, Any]] = {}
        self.pics: dict[str, dict[str, Any]] = {"i:1": {"Id": "sha256:i1", "Config": {}, "Architecture": ""}}
        self.registry: dict[str, str] = {}
        self.calls: list[str] = []
        self.written: dict[str, dict[str, str]] = {}
        self.refuses: dict[tuple[str, str], EngineError] = {}
        self.number = 0
        self.lock = threading.RLock()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in _CALLS:
            return self._counted(name, found)
        return found

    def _counted(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            with self.lock:
                self.calls.append(name)
                refusal = self.refuses.get((name, str(args[0]) if args else ""))
                if refusal is not None:
                    raise refusal
                return method(*args, **more)

        return call

    @property
    def writes(self) -> list[str]:
        return [name for name in self.calls if name not in READS]

    def guarded(self, checkpoint: Callable[[], None]) -> StandIn:
        return self

    def checkpoint(self) -> None:
        pass

    def _find(self, name: str) -> Optional[dict[str, Any]]:
        return self.there.get(name) or next((item for item in self.there.values() if item["Id"] == name), None)

    def _known(self, name: str) -> dict[str, Any]:
        found = self._find(name)
        if found is None:
            raise EngineError(f"no such container: {name}", 404)
        return found

    # -- reads

    def containers(self) -> list[dict[str, Any]]:
        return [
            {
                "Id": item["Id"],
                "Names": [item["Name"]],
                "Labels": item["Config"].get("Labels") or {},
                "Image": item["Config"]["Image"],
                "State": item["State"]["Status"],
                "Mounts": item["Mounts"],
            }
            for item in self.there.values()
        ]

    def networks(self) -> list[dict[str, Any]]:
        return list(self.nets.values())

    def images(self) -> list[dict[str, Any]]:
        return [{"RepoTags": [name]} for name in self.pics]

    def version(self) -> dict[str, Any]:
        return {"Version": "25.0"}

    def info(self) -> dict[str, Any]:
        return {"DockerRootDir": "/"}

    def inspect(self, name: str) -> Optional[dict[str, Any]]:
        return copy.deepcopy(self._find(name))

    def image(self, name: str) -> Optional[dict[str, Any]]:
        return self.pics.get(name)

    def volume(self, name: str) -> Optional[dict[str, Any]]:
        return self.vols.get(name)

    def network(self, name: str) -> Optional[dict[str, Any]]:
        return self.nets.get(name)

    def volume_names(self, label: str) -> list[str]:
        key, _equals, value = label.partition("=")
        return [name for name, item in self.vols.items() if (item.get("Labels") or {}).get(key) == value]

    def logs(self, container: str, **_more: Any) -> str:
        return "last words"

    # -- writes

    def create(self, name: str, request: Mapping[str, Any]) -> str:
        if name in self.there:
            raise EngineError(f"the name {name} is taken", 409)
        self.number += 1
        request = copy.deepcopy(dict(request))
        host, ends = request.pop("HostConfig"), request.pop("NetworkingConfig", {}).get("EndpointsConfig", {})
        host = {"NetworkMode": "default", "ShmSize": 64 << 20, "IpcMode": "private", **host}
        host.setdefault("RestartPolicy", {"Name": "no"})
        if host.get("Memory"):
            host.setdefault("MemorySwap", 2 * host["Memory"])
        ends = ends or {"bridge" if host["NetworkMode"] == "default" else host["NetworkMode"]: {}}
        sources = [bind.partition(":")[0] for bind in host.get("Binds") or ()]
        self.there[name] = {
            "Id": f"{self.number:064x}",
            "Name": f"/{name}",
            "Image": self.pics[request["Image"]]["Id"],
            "Config": request,
            "HostConfig": host,
            "Mounts": [{"Source": source} for source in sources],
            "State": {"Status": "created", "Running": False, "ExitCode": 0, "StartedAt": NEVER},
            "NetworkSettings": {
                "Networks": {net: {**end, "NetworkID": self.nets[net]["Id"]} for net, end in ends.items()}
            },
        }
        return str(self.there[name]["Id"])

    def put(self, container: str, files: Mapping[str, str]) -> None:
        if files:
            self.written[self._known(container)["Name"].lstrip("/")] = dict(files)

    def start(self, name: str) -> None:
        self.number += 1
        self._known(name)["State"] = {
            "Status": "running",
            "Running": True,
            "ExitCode": 0,
            "StartedAt": str(self.number),
        }

    def stop(self, name: str) -> None:
        self._known(name)["State"] = {"Status": "exited", "Running": False, "ExitCode": 0, "StartedAt": "1"}

    def unpause(self, name: str) -> None:
        self._known(name)["State"].update(Status="running", Paused=False)

    def remove(self, name: str) -> None:
        self.there.pop(self._known(name)["Name"].lstrip("/"))

    def update(self, name: str, request: Mapping[str, Any]) -> None:
        """As the engine does: what is empty changes nothing, but for the limit of processes."""
        host = self._known(name)["HostConfig"]
        memory, swap = request.get("Memory"), request.get("MemorySwap")
        if memory and not swap and memory > (host.get("MemorySwap") or 0):
            raise EngineError("Memory limit should be smaller than already set memoryswap limit", 409)
        for key, value in request.items():
            if key == "RestartPolicy":
                if value.get("Name"):
                    host[key] = dict(value)
            elif value or key == "PidsLimit":
                host[key] = value

    def connect(self, name: str, network: str, endpoint: Mapping[str, Any]) -> None:
        end = {**endpoint, "NetworkID": self.nets[network]["Id"]}
        self._known(name)["NetworkSettings"]["Networks"][network] = end

    def disconnect(self, name: str, network: str) -> None:
        self._known(name)["NetworkSettings"]["Networks"].pop(network, None)

    def create_network(self, request: Mapping[str, Any]) -> str:
        self.number += 1
        ipam = request.get("IPAM", {"Config": []})
        self.nets[request["Name"]] = {"Internal": False, **request, "Id": f"n{self.number}", "IPAM": ipam}
        return f"n{self.number}"

    def remove_network(self, network: str) -> None:
        self.nets = {name: item for name, item in self.nets.items() if network not in (name, item["Id"])}

    def create_volume(self, request: Mapping[str, Any]) -> None:
        self.vols[request["Name"]] = {"Driver": "local", "Options": request.get("DriverOpts"), **request}

    def remove_volume(self, name: str) -> None:
        self.vols.pop(name, None)

    def pull(self, name: str) -> None:
        if name not in self.registry:
            raise EngineError("no such image in the registry", 404)
        self.pics[name] = {"Id": self.registry[name], "Config": {}, "Architecture": ""}


_CALLS = {
    *READS,
    *("create", "start", "stop", "unpause", "remove", "update", "connect", "disconnect", "pull"),
    *("create_network", "remove_network", "create_volume", "remove_volume"),
}


class Host:
    """A host with the stand-in and a state directory; one deployment, called d, is applied to it."""

    def __init__(self, folder: Path) -> None:
        self.engine = StandIn()
        self.state_dir = folder

    def task(self, container: str = "a", index: int = 1, deployment: str = "d", **options: Any) -> dict[str, Any]:
        name = f"{deployment}-{container}-{index}"
        given = {"name": name, "image": "i:1", "state": "started", "labels": labels(deployment), **options}
        return {key: value for key, value in given.items() if value is not None}

    def call(self, state: str, *tasks: dict[str, Any], check: bool = False, **more: Any) -> dict[str, Any]:
        """One call of profile_apply. Keys of the share, and of each replica, may be given beside others."""
        share: dict[str, Any] = {key: more.pop(key) for key in ("networks", "files", "shared") if key in more}
        of_replica = {key: more.pop(key) for key in ("pull", "ready", "reach") if key in more}
        share["replicas"] = [{"name": task["name"], "container": "c", "task": task, **of_replica} for task in tasks]
        params = {"state": state, "deployment": "d", "state_dir": str(self.state_dir), "share": share, **more}
        engine: Any = self.engine
        self.engine.calls.clear()
        return run(parse_order(params, check), lambda: engine)

    def statuses(self, result: dict[str, Any]) -> dict[str, str]:
        return {name: item["status"] for name, item in result["replicas"].items()}

    def files(self) -> dict[str, bytes]:
        """All that is in the state directory, but for leases."""
        found = (path for path in self.state_dir.rglob("*") if path.is_file() and "leases" not in path.parts)
        return {str(path.relative_to(self.state_dir)): path.read_bytes() for path in sorted(found)}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    yield Host(tmp_path)
