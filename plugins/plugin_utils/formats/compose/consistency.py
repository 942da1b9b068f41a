# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Compose file says against itself, or of what is not there: Compose refuses it, and so does this."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source, container_name
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.schema import DISTINCT_KEYS
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.volumes import size
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

Service = Mapping[str, Any]
_NUMBERS = ("mem_limit", "memswap_limit", "mem_reservation", "mem_swappiness", "shm_size")
#: a key, and what is wrong with it
Wrong = tuple[str, str]
_UNKNOWN, _NEAR = "there is no ", ": did you mean "


def check(source: Source, started: Mapping[str, Service]) -> None:
    """ProfileError for the first contradiction. ``started``: the services that are, in canonical form."""
    file: Mapping[str, Any] = source.document.value
    for name, service in started.items():
        if not service.get("image") and not {"build", "provider"} & service.keys() and not source.given.image:
            raise source.error(
                f"no image for container {container_name(name, ())}: name one with -e profile_image=IMAGE; or, "
                f"{_overlay(source)}",
                ("services", name, "image"),
            )
    for name, service in started.items():
        for key, why in _of_service(service, file, started):
            alone = _UNKNOWN in why and _NEAR not in why and not source.given.over
            hint = f": declare it; or, {_overlay(source)}" if alone else ""
            raise source.error(f"services.{name}.{key}: {why}{hint}", _place(source, ("services", name), key))
    _check_names(source, started)
    for name, item in (file.get("volumes") or {}).items():
        more = [key for key in ("driver", "driver_opts", "labels") if key in (item or {})]
        if more and item.get("external"):
            raise source.error(f"volumes.{name}: external and {more[0]} exclude each other", ("volumes", name))
    for section, sources in (("configs", ("file", "environment", "content")), ("secrets", ("file", "environment"))):
        for name, item in (file.get(section) or {}).items():
            given = [key for key in sources if key in item]
            if len(given) > 1:
                raise source.error(f"{section}.{name}: {' and '.join(given)} exclude each other", (section, name))
            if not given and "external" not in item and "driver" not in item:
                raise source.error(f"{section}.{name}: give one of {', '.join(sources)}", (section, name))


def _overlay(source: Source) -> str:
    """What to do with a file that is no profile by itself."""
    return (
        "where this file is made to be laid over another one, name both, the other one first: "
        f'-e \'{{"profile": ["OTHER.yml", "{source.file}"]}}\''
    )


def _check_names(source: Source, started: Mapping[str, Service]) -> None:
    taken: dict[str, str] = {}
    for name, service in started.items():
        own = service.get("container_name")
        if own and taken.setdefault(own, name) != name:
            message = f"services.{name}.container_name: services.{taken[own]} is called {own!r}, too"
            raise source.error(message, ("services", name, "container_name"))


def _place(source: Source, path: Path, key: str) -> Path:
    return (*path, key.partition(".")[0].partition("[")[0])


def _of_service(service: Service, file: Mapping[str, Any], started: Mapping[str, Service]) -> Iterator[Wrong]:
    yield from _undefined(service, file, started)
    yield from _both(service)
    weight = (service.get("blkio_config") or {}).get("weight")
    if isinstance(weight, str):
        yield "blkio_config", f"the weight {weight!r} is a text: write the number itself"
    yield from _mounted_twice(service)
    build = service.get("build") or {}
    if "dockerfile" in build and "dockerfile_inline" in build:
        yield "build", "dockerfile and dockerfile_inline exclude each other"
    platforms = build.get("platforms") or []
    if platforms and service.get("platform") and service["platform"] not in platforms:
        yield "platform", f"{service['platform']!r} is not one of build.platforms"
    for key in (*DISTINCT_KEYS, "group_add"):
        items = service.get(key) or ()
        if twice := next((item for at, item in enumerate(items) if item in items[:at]), None):
            yield key, f"{twice!r} stands here twice"
    for key in _NUMBERS:
        if service.get(key) == "":
            yield key, "'' is no number"
    if service.get("stop_grace_period") == "":
        yield "stop_grace_period", "'' is not a duration such as 1m30s"
    retries = (service.get("healthcheck") or {}).get("retries")
    if retries is not None and retries < 0:
        yield "healthcheck.retries", f"{retries} is less than none"
    test = (service.get("healthcheck") or {}).get("test") or []
    if test and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        yield "healthcheck.test", f"the list begins with CMD, CMD-SHELL or NONE, not with {test[0]!r}"
    for key, requests in _requests(service):
        if any("count" in item and "device_ids" in item for item in requests):
            yield key, "count and device_ids exclude each other"


def _requests(service: Service) -> Iterator[tuple[str, Iterable[Mapping[str, Any]]]]:
    yield "gpus", service.get("gpus") or ()
    resources = (service.get("deploy") or {}).get("resources") or {}
    yield "deploy.resources", (resources.get("reservations") or {}).get("devices") or ()


def _undefined(service: Service, file: Mapping[str, Any], started: Mapping[str, Service]) -> Iterator[Wrong]:
    """Names of what the file does not have."""
    networks = file.get("networks") or {}
    for name in service.get("networks") or ():
        if name != "default" and name not in networks:
            yield "networks", _no("network", name, networks)
    volumes = file.get("volumes") or {}
    for item in service.get("volumes") or ():
        source = item.get("source")
        if item["type"] == "volume" and source and source not in volumes:
            yield "volumes", _no("volume", source, volumes)
    for key in ("configs", "secrets"):
        declared = file.get(key) or {}
        for item in service.get(key) or ():
            name = item.get("source")
            if name not in declared:
                yield key, _no(key[:-1], name, declared) if name else "the source is missing"
    secrets = file.get("secrets") or {}
    for item in (service.get("build") or {}).get("secrets") or ():
        name = item.get("source") if isinstance(item, Mapping) else item
        if name not in secrets:
            yield "build.secrets", _no("secret", name, secrets) if name else "the source is missing"
    models = file.get("models") or {}
    for name in service.get("models") or ():
        if name not in models:
            yield "models", _no("model", name, models)
    for key, name, needed in _others(service):
        other = file["services"].get(name)
        if other is None:
            yield key, _no("service", name, file["services"])
        elif name not in started and needed and not _has_none(other):
            yield key, f"{name!r} is not started: name one of its profiles in COMPOSE_PROFILES"
        elif _has_none(other) and key not in ("depends_on", "links"):
            yield key, f"{name!r} has no replicas: there is nothing to share"


def _others(service: Service) -> Iterator[tuple[str, str, bool]]:
    """The services that one depends on, each with the key that says so, and whether it does not do without."""
    said = service.get("depends_on") or {}
    for name, how in said.items():
        yield "depends_on", name, how.get("required", True) is not False
    for key in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        kind, _colon, name = str(service.get(key, "")).partition(":")
        if kind == "service":
            yield key, name, name not in said
    for key in ("links", "volumes_from"):
        for written in service.get(key) or ():
            name = written.partition(":")[0]
            if key == "links" or not written.startswith("container:"):
                yield key, name, name not in said


def _has_none(service: Service) -> bool:
    """Whether a service has no replicas: it is there, and not started."""
    return 0 in (service.get("scale"), (service.get("deploy") or {}).get("replicas"))


def _no(kind: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"{_UNKNOWN}{kind} {name!r}{f'{_NEAR}{near[0]!r}?' if near else ''}"


def _both(service: Service) -> Iterator[Wrong]:
    """Two keys that say the same thing differently, or that exclude each other."""
    deploy = service.get("deploy") or {}
    resources = deploy.get("resources") or {}
    if service.get("network_mode") and service.get("networks"):
        yield "network_mode", "network_mode and networks exclude each other"
    scale, replicas = service.get("scale"), deploy.get("replicas")
    if scale is not None and replicas is not None and scale != replicas:
        yield "scale", f"scale is {scale} and deploy.replicas {replicas}: give one"
    for key, count in (("scale", scale), ("deploy.replicas", replicas)):
        if count is not None and count < 0:
            yield key, f"{count} is less than none"
    if (scale if scale is not None else replicas or 0) > 1 and service.get("container_name"):
        yield "container_name", "a service of several replicas has no container_name: it would be the name of each"
    for key, kind, name, read in _SAID_TWICE:
        part = resources.get(kind)
        one, other = service.get(key), None if part is None else part.get(name)
        if read is size and isinstance(one, float):
            continue  # says nothing
        if one and part is not None and read(one) != (read(other) if other is not None else 0):
            yield key, f"{key} is {one} and deploy.resources.{kind}.{name} {other}: give one"


_SAID_TWICE = (
    ("cpus", "limits", "cpus", float),
    ("mem_limit", "limits", "memory", size),
    ("mem_reservation", "reservations", "memory", size),
    ("pids_limit", "limits", "pids", int),
)


def _mounted_twice(service: Service) -> Iterator[Wrong]:
    mounted: dict[str, str] = {}
    tmpfs = [("tmpfs", item.partition(":")[0]) for item in service.get("tmpfs") or ()]
    for key, target in (
        *tmpfs,
        *(("volumes", posixpath.normpath(item["target"])) for item in service.get("volumes") or ()),
    ):
        if target in mounted:
            yield key, f"{target} is mounted already, by {mounted[target]}"
        mounted[target] = key
