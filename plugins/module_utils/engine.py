# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The connection to the host's Docker Engine: one client, one pool, errors that a person can act on.

All calls to the engine go through :class:`Engine`; nothing else imports the ``docker`` package, and it is imported
only when a connection is made.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
#: seconds that one call may take; what takes longer by nature (stop, pull) sets its own
CALL_TIMEOUT = 60
_POOL_SIZE = 64
#: the API of Docker Engine 20.10
_FRAGILE_API = (1, 41)


class MissingLibrary(ProfileError):
    """The ``docker`` package cannot be imported; ``traceback`` says why."""

    def __init__(self, traceback: str) -> None:
        self.traceback = traceback
        super().__init__("the Python package docker is not installed: run prepare_hosts.yml, or install python3-docker")


class EngineError(ProfileError):
    """The engine refused a call. ``status`` is its HTTP status, 0 where it did not answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


def connect(url: Optional[str] = None, timeout: int = CALL_TIMEOUT) -> Engine:
    """Connect to the engine at *url*, else ``DOCKER_HOST``, else the default socket.

    Raises MissingLibrary, or EngineError that says what is wrong with the engine and what to do.
    """
    url = url or os.environ.get("DOCKER_HOST") or DEFAULT_SOCKET
    _check_socket(url)
    try:
        import docker
    except ImportError:
        import traceback

        raise MissingLibrary(traceback.format_exc()) from None
    with _translated("connect"):
        client = docker.APIClient(base_url=url, version="auto", timeout=timeout)
        # The adapter keeps so many idle connections; without it threads beyond ten would connect anew for each call.
        adapter = getattr(client, "_custom_adapter", None)
        if adapter is not None:
            adapter.max_pool_size = _POOL_SIZE
        client.trust_env = False  # no proxy and no .netrc for the engine's socket: half a millisecond a call
    return Engine(client)


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
def _translated(doing: str) -> Iterator[None]:
    """Turn what the library raises into EngineError."""
    import docker.errors
    import requests

    try:
        yield
    except docker.errors.APIError as error:
        status = error.response.status_code if error.response is not None else 0
        raise EngineError(str(error.explanation or error).strip(), status) from None
    except requests.exceptions.Timeout:
        raise EngineError(
            f"the Docker Engine took too long ({doing}): it is overloaded, or hangs (systemctl restart docker helps)"
        ) from None
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
    """The calls that the collection makes, thin over ``docker.APIClient``; safe to use from several threads."""

    def __init__(self, client: Any) -> None:
        self.client = client
        # Containers that end at the same moment can lock up an engine before 20.10.27 for good (moby/moby#46661).
        self._stops = Turnstile(2 if self.api_version <= _FRAGILE_API else _POOL_SIZE, patience=1.0)

    # -- what there is

    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = self._call("info", self.client.info)
        return found

    def version(self) -> dict[str, Any]:
        found: dict[str, Any] = self._call("version", self.client.version)
        return found

    def containers(self) -> list[dict[str, Any]]:
        """All containers, running or not, as listed (not inspected)."""
        found: list[dict[str, Any]] = self._call("list containers", self.client.containers, all=True)
        return found

    def networks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("list networks", self.client.networks)
        return found

    def images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("list images", self.client.images)
        return found

    def volume_names(self, label: str) -> list[str]:
        """Names of the volumes that bear *label* (``key=value``)."""
        listed = self._call("list volumes", self.client.volumes, filters={"label": label})
        return [volume["Name"] for volume in listed.get("Volumes") or ()]

    def inspect(self, container: str) -> Optional[dict[str, Any]]:
        """A container by name or id; None where there is none."""
        return self._found("inspect a container", self.client.inspect_container, container)

    def image(self, name: str) -> Optional[dict[str, Any]]:
        """An image by name or id; None where there is none."""
        return self._found("inspect an image", self.client.inspect_image, name)

    def volume(self, name: str) -> Optional[dict[str, Any]]:
        return self._found("inspect a volume", self.client.inspect_volume, name)

    def network(self, name: str) -> Optional[dict[str, Any]]:
        return self._found("inspect a network", self.client.inspect_network, name)

    def logs(
        self, container: str, *, tail: Optional[int] = None, since: Optional[int] = None, timestamps: bool = False
    ) -> str:
        """Log text, both streams; *since* in whole seconds of the host's clock."""
        options: dict[str, Any] = {"tail": "all" if tail is None else tail, "timestamps": timestamps}
        if since is not None:
            options["since"] = since
        raw = self._call("read logs", self.client.logs, container, stdout=True, stderr=True, **options)
        return bytes(raw).decode("utf-8", "replace")

    # -- writes

    def create(self, name: str, request: Mapping[str, Any]) -> str:
        """Create a container and answer its id."""
        made = self._call("create a container", self.client.create_container_from_config, dict(request), name)
        return str(made["Id"])

    def start(self, container: str) -> None:
        self._call("start a container", self.client.start, container)

    def wait(self, container: str) -> int:
        """Wait until a container ends; its exit code."""
        return int(self._call("wait for a container", self.client.wait, container)["StatusCode"])

    def unpause(self, container: str) -> None:
        self._call("unpause a container", self.client.unpause, container)

    def stop(self, container: str) -> None:
        """Stop a container within its own stop timeout; one that is gone or stopped is no error."""
        with _ignoring(404), self._stops.passing():
            try:
                self._call("stop a container", self.client.stop, container)
            except EngineError as error:
                if error.status:
                    raise
                # No answer within our own time: the container has asked for longer.
                asked = ((self.inspect(container) or {}).get("Config") or {}).get("StopTimeout") or 0
                self._call("stop a container", self.client.stop, container, timeout=int(asked))

    def remove(self, container: str) -> None:
        """Remove a container and its anonymous volumes, even if it runs; one that is gone is no error."""
        with _ignoring(404), _ignoring(409, "already in progress"):
            self._call("remove a container", self.client.remove_container, container, v=True, force=True)

    def connect(self, container: str, network: str, endpoint: Mapping[str, Any]) -> None:
        """Connect a container to one more network."""
        self._call("connect a network", self.client.connect_container_to_network, container, network, **endpoint)

    def disconnect(self, container: str, network: str) -> None:
        with _ignoring(404):
            self._call(
                "disconnect a network", self.client.disconnect_container_from_network, container, network, force=True
            )

    def create_network(self, name: str, **options: Any) -> str:
        made = self._call("create a network", self.client.create_network, name, check_duplicate=True, **options)
        return str(made["Id"])

    def remove_network(self, network: str) -> None:
        with _ignoring(404):
            self._call("remove a network", self.client.remove_network, network)

    def create_volume(self, name: str, **options: Any) -> None:
        self._call("create a volume", self.client.create_volume, name, **options)

    def remove_volume(self, name: str) -> None:
        with _ignoring(404):
            self._call("remove a volume", self.client.remove_volume, name)

    def pull(self, name: str) -> None:
        """Pull an image; raises EngineError with the engine's own words."""
        repository, tag = split_image(name)
        # The library authenticates from the user's Docker configuration, as the CLI does.
        for event in self._stream("pull an image", self.client.pull, repository, tag, stream=True, decode=True):
            if event.get("error"):
                raise EngineError(str(event["error"]))

    # -- private

    @property
    def api_version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in str(self.client._version).split("."))

    def _call(self, doing: str, function: Any, *args: Any, **kwargs: Any) -> Any:
        with _translated(doing):
            return function(*args, **kwargs)

    def _found(self, doing: str, function: Any, name: str) -> Optional[dict[str, Any]]:
        with _ignoring(404):
            found: dict[str, Any] = self._call(doing, function, name)
            return found
        return None

    def _stream(self, doing: str, function: Any, *args: Any, **kwargs: Any) -> Iterator[dict[str, Any]]:
        with _translated(doing):
            yield from function(*args, **kwargs)


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
