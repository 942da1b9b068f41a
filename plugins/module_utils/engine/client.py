# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the host's Docker Engine, and errors that a person can act on.

What has to do with a registry goes through the ``docker`` package, which knows how to log in; it is imported only then.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import ENGINE_TIMEOUT, engine_url
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import (
    Api,
    EngineError,
    demultiplexed,
    quoted,
    too_long,
)

_STOPS_AT_ONCE = 64
#: the API of Docker Engine 20.10
_FRAGILE_API = (1, 41)


def connect(url: Optional[str] = None, timeout: int = ENGINE_TIMEOUT) -> Engine:
    """Connect to the engine. Raises EngineError that says what is wrong with the engine and what to do."""
    return Engine(reachable(url), timeout)


def reachable(url: Optional[str]) -> str:
    """Where the engine is, and answers."""
    url = engine_url(url)
    _check_socket(url)
    return url


def _check_socket(url: str) -> None:
    """Try a plain connection first: its error says more than what the library makes of it."""
    if not url.startswith("unix://"):
        return
    path = "/" + url[len("unix://") :].lstrip("/")
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.settimeout(10)
        probe.connect(path)
    except FileNotFoundError:
        raise EngineError(
            f"there is no Docker Engine at {path}: start it (systemctl start docker), or run prepare_hosts.yml"
        ) from None
    except PermissionError:
        raise EngineError(
            f"no permission to use the Docker Engine at {path}: "
            "add the SSH user to the group docker (prepare_hosts.yml does), or use become"
        ) from None
    except OSError as error:
        raise EngineError(f"the Docker Engine at {path} does not answer ({error}): is it running?") from None
    finally:
        probe.close()


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the library raises into EngineError."""
    import docker.errors
    import requests

    try:
        yield
    except docker.errors.APIError as error:
        status = error.response.status_code if error.response is not None else 0
        raise EngineError(str(error.explanation or error).strip(), status) from None
    except requests.exceptions.Timeout:
        raise too_long(doing) from None
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise EngineError(f"the Docker Engine did not answer ({doing}: {error})") from None


class Turnstile:
    """Lets *at_once* through, and one more for each that is not done after *patience* seconds."""

    def __init__(self, at_once: int, patience: float) -> None:
        self._places = threading.Semaphore(at_once)
        self._patience = patience

    @contextmanager
    def passing(self) -> Iterator[None]:
        self._places.acquire()
        once = iter([self._places.release])

        def give_back() -> None:
            next(once, _nothing)()

        leave = threading.Timer(self._patience, give_back)
        leave.daemon = True
        leave.start()
        try:
            yield
        finally:
            leave.cancel()
            give_back()


def _nothing() -> None:
    pass


class Engine:
    """The calls that the collection makes; safe to use from several threads."""

    def __init__(self, url: str, timeout: int) -> None:
        self._url = url
        self._timeout = timeout
        self._api = Api(url, timeout)
        self._lock = threading.Lock()
        self._client: Any = None
        self._info: Any = None
        # Containers that end at the same moment can lock up an engine before 20.10.27 for good (moby/moby#46661).
        self._stops = Turnstile(2 if self.api_version <= _FRAGILE_API else _STOPS_AT_ONCE, patience=1.0)

    @property
    def api_version(self) -> tuple[int, ...]:
        return self._api.version

    def client(self) -> Any:
        """``docker.APIClient``. Raises ProfileError where that cannot be imported."""
        with self._lock:
            if self._client is None:
                self._client = _library(self._url, self._timeout)
            return self._client

    def guarded(self, checkpoint: Callable[[], None]) -> Engine:
        """This engine, on which nothing is written any more once *checkpoint* raises."""
        self._api.checkpoint = checkpoint
        return self

    def checkpoint(self) -> None:
        """Raises where this call must end (see :class:`lease.Work`)."""
        self._api.checkpoint()

    # -- what there is

    def info(self) -> dict[str, Any]:
        """What ``docker info`` tells, asked once: it takes the engine long."""
        if self._info is None:
            self._info = self._api.call("GET", "/info", "info")
        found: dict[str, Any] = self._info
        return found

    def version(self) -> dict[str, Any]:
        return self._api.about

    def containers(self) -> list[dict[str, Any]]:
        """All containers, running or not, as listed (not inspected)."""
        found: list[dict[str, Any]] = self._api.call("GET", "/containers/json", "list containers", query={"all": 1})
        return found

    def networks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.call("GET", "/networks", "list networks")
        return found

    def images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.call("GET", "/images/json", "list images")
        return found

    def volume_names(self, label: str) -> list[str]:
        """Names of the volumes that bear *label* (``key=value``)."""
        query = {"filters": json.dumps({"label": [label]})}
        listed = self._api.call("GET", "/volumes", "list volumes", query=query)
        return [volume["Name"] for volume in listed.get("Volumes") or ()]

    def inspect(self, container: str) -> Optional[dict[str, Any]]:
        """A container by name or id; None where there is none."""
        return self._found("inspect a container", f"/containers/{quoted(container)}/json")

    def image(self, name: str) -> Optional[dict[str, Any]]:
        """An image by name or id; None where there is none."""
        return self._found("inspect an image", f"/images/{quoted(name)}/json")

    def volume(self, name: str) -> Optional[dict[str, Any]]:
        return self._found("inspect a volume", f"/volumes/{quoted(name)}")

    def network(self, name: str) -> Optional[dict[str, Any]]:
        return self._found("inspect a network", f"/networks/{quoted(name)}")

    def logs(
        self, container: str, *, tail: Optional[int] = None, since: Optional[int] = None, timestamps: bool = False
    ) -> str:
        """Log text, both streams; *since* in whole seconds of the host's clock."""
        query: dict[str, Any] = {"stdout": 1, "stderr": 1, "tail": "all" if tail is None else tail}
        query["timestamps"] = int(timestamps)
        if since is not None:
            query["since"] = since
        shown = self._api.call("GET", f"/containers/{quoted(container)}/json", "read logs")
        raw = self._api.raw("GET", f"/containers/{quoted(container)}/logs", "read logs", query=query)
        return (raw if shown["Config"].get("Tty") else demultiplexed(raw)).decode("utf-8", "replace")

    def execute(self, container: str, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Run a command in a running container: its exit code, and what it wrote. EngineError after *timeout* s."""
        request = {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True}
        doing = "run a command in a container"
        made = self._api.call("POST", f"/containers/{quoted(container)}/exec", doing, body=request)["Id"]
        raw = self._api.raw("POST", f"/exec/{made}/start", doing, body={"Detach": False, "Tty": False}, timeout=timeout)
        code = self._api.call("GET", f"/exec/{made}/json", doing)["ExitCode"]
        return int(code), demultiplexed(raw).decode("utf-8", "replace")

    def read(self, container: str, path: str) -> Optional[str]:
        """The text of a file of a container; None where there is none."""
        import io
        import tarfile

        with _ignoring(404):
            query = {"path": path}
            data = self._api.raw("GET", f"/containers/{quoted(container)}/archive", "read a file", query=query)
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                found = [archive.extractfile(member) for member in archive if member.isreg()]
                return "".join(file.read().decode("utf-8", "replace") for file in found if file)
        return None

    # -- writes

    def create(self, name: str, request: Mapping[str, Any]) -> str:
        """Create a container and answer its id."""
        query = {"name": name}
        made = self._api.call("POST", "/containers/create", "create a container", query=query, body=dict(request))
        return str(made["Id"])

    def put(self, container: str, files: Mapping[str, str]) -> None:
        """Write files, by their absolute paths, into a container."""
        if not files:
            return
        import io
        import tarfile

        stream, path = io.BytesIO(), f"/containers/{quoted(container)}/archive"
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, text in files.items():
                member = tarfile.TarInfo(name[1:])
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        self._api.raw("PUT", path, "write files", query={"path": "/"}, body=stream.getvalue())

    def start(self, container: str) -> None:
        self._post(f"/containers/{quoted(container)}/start", "start a container")

    def wait(self, container: str) -> int:
        """Wait until a container ends; its exit code."""
        ended = self._api.call("POST", f"/containers/{quoted(container)}/wait", "wait for a container")
        return int(ended["StatusCode"])

    def update(self, container: str, request: Mapping[str, Any]) -> None:
        """Change limits and the restart policy of a container, which goes on running."""
        self._post(f"/containers/{quoted(container)}/update", "update a container", body=dict(request))

    def unpause(self, container: str) -> None:
        self._post(f"/containers/{quoted(container)}/unpause", "unpause a container")

    def stop(self, container: str) -> None:
        """Stop a container within its own stop timeout; one that is gone or stopped is no error."""
        path = f"/containers/{quoted(container)}/stop"
        with _ignoring(404), self._stops.passing():
            try:
                self._post(path, "stop a container")
            except EngineError as error:
                if error.status:
                    raise
                # No answer within our own time: the container has asked for longer.
                asked = int(((self.inspect(container) or {}).get("Config") or {}).get("StopTimeout") or 0)
                self._post(path, "stop a container", query={"t": asked}, timeout=self._timeout + asked)

    def remove(self, container: str) -> None:
        """Remove a container and its anonymous volumes, even if it runs; one that is gone is no error."""
        with _ignoring(404), _ignoring(409, "already in progress"):
            query = {"v": 1, "force": 1}
            self._api.raw("DELETE", f"/containers/{quoted(container)}", "remove a container", query=query)

    def connect(self, container: str, network: str, endpoint: Mapping[str, Any]) -> None:
        """Connect a container to one more network; *endpoint* is the engine's EndpointConfig."""
        body = {"Container": container, "EndpointConfig": dict(endpoint)}
        self._post(f"/networks/{quoted(network)}/connect", "connect a network", body=body)

    def disconnect(self, container: str, network: str) -> None:
        with _ignoring(404):
            body = {"Container": container, "Force": True}
            self._post(f"/networks/{quoted(network)}/disconnect", "disconnect a network", body=body)

    def create_network(self, request: Mapping[str, Any]) -> str:
        """Create a network from the engine's request for one; its id."""
        body = {**request, "CheckDuplicate": True}
        return str(self._api.call("POST", "/networks/create", "create a network", body=body)["Id"])

    def remove_network(self, network: str) -> None:
        with _ignoring(404):
            self._api.raw("DELETE", f"/networks/{quoted(network)}", "remove a network")

    def create_volume(self, request: Mapping[str, Any]) -> None:
        """Create a volume from the engine's request for one."""
        self._post("/volumes/create", "create a volume", body=dict(request))

    def remove_volume(self, name: str) -> None:
        with _ignoring(404):
            self._api.raw("DELETE", f"/volumes/{quoted(name)}", "remove a volume")

    def pull(self, name: str) -> None:
        """Pull an image; raises EngineError, or what :meth:`client` does."""
        repository, tag = split_image(name)
        client = self.client()
        # The library authenticates from the user's Docker configuration, as the CLI does.
        with translated("pull an image"):
            for event in client.pull(repository, tag, stream=True, decode=True):
                self.checkpoint()
                if event.get("error"):
                    raise EngineError(str(event["error"]))

    # -- private

    def _post(self, path: str, doing: str, **more: Any) -> None:
        self._api.raw("POST", path, doing, **more)

    def _found(self, doing: str, path: str) -> Optional[dict[str, Any]]:
        with _ignoring(404):
            found: dict[str, Any] = self._api.call("GET", path, doing)
            return found
        return None


def _library(url: str, timeout: int) -> Any:
    try:
        import docker
    except ImportError as error:
        raise ProfileError(
            f"the Python package docker is not installed ({error}): run prepare_hosts.yml, or install python3-docker"
        ) from None
    with translated("connect"):
        return docker.APIClient(base_url=url, version="auto", timeout=timeout)


@contextmanager
def _ignoring(status: int, text: str = "") -> Iterator[None]:
    try:
        yield
    except EngineError as error:
        if error.status != status or text not in error.message:
            raise


def split_image(name: str) -> tuple[str, str]:
    """(repository, tag or digest) of an image name; the tag is ``latest`` where none is given.

    >>> split_image("registry:5000/a/b")
    ('registry:5000/a/b', 'latest')
    """
    if "@" in name:
        repository, _at, digest = name.partition("@")
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


@dataclass(frozen=True)
class Published:
    """A port of the host that a container holds; *target* is the container's own, where that is known."""

    address: str
    port: int
    protocol: str
    target: int = 0


@dataclass(frozen=True)
class Listed:
    """One container in the engine's list."""

    name: str
    id: str
    labels: Mapping[str, str]
    image: str
    state: str
    published: tuple[Published, ...]


def listed(containers: Iterable[Mapping[str, Any]]) -> dict[str, Listed]:
    """Containers by name (a container's other names are links to it from others)."""
    result = {}
    for item in containers:
        names = [name.lstrip("/") for name in item.get("Names") or () if name.count("/") == 1]
        if not names:
            continue  # being removed
        published = sorted(
            {
                (
                    port.get("IP") or "0.0.0.0",
                    int(port["PublicPort"]),
                    port.get("Type") or "tcp",
                    int(port["PrivatePort"]),
                )
                for port in item.get("Ports") or ()
                if port.get("PublicPort")
            }
        )
        result[names[0]] = Listed(
            name=names[0],
            id=item["Id"],
            labels=item.get("Labels") or {},
            image=item.get("Image") or "",
            state=item.get("State") or "",
            published=tuple(Published(*port) for port in published),
        )
    return result
