# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The docker_container task of a replica, made of its rendered fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    COLLECTION,
    COLLECTION_LABEL,
    CONTAINER_LABEL,
    DEPLOYMENT_LABEL,
    REPLICA_LABEL,
    SECRETS_LABEL,
    SPEC_LABEL,
    digest,
)
from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.module_utils.container.options import ALIASES, LIVE
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.replica import Rendered, Value
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.fields import PLAIN_FIELDS, RESERVED


def task(rendered: Rendered) -> dict[str, Any]:
    """The task, with the label that holds its hash."""
    slot, contents, docker = rendered.endpoint.slot, rendered.contents, rendered.docker
    made = {
        "name": slot.replica,
        "image": rendered.image,
        "state": "started",
        **({"entrypoint": contents.entrypoint} if contents.entrypoint else {}),
        **({"command": contents.args} if contents.args else {}),
        "env": rendered.env.values,
        **_volumes(contents.volumes, rendered.given.volumes),
        **({"mounts": contents.other_mounts} if contents.other_mounts else {}),
        **rendered.wired.options,
        **_cpus(rendered.value("cpus"), rendered.value("cpuset"), rendered.around.cpuset),
        **_plain(rendered.value),
        **docker,
        **_etc_hosts(rendered),
        **rendered.given.options(docker),
        **_published_ports(rendered),
        "labels": {**docker.get("labels", {}), **_labels(rendered)},
    }
    made["labels"][SPEC_LABEL] = digest(_fixed(made))  # as spec_hash takes it of the task that has the label
    return made


def spec_hash(task: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what is fixed when a container is made from a task, but for the label that holds this hash.

    A label stays as it is when limits are changed in place, so these do not count.
    """
    labels = {label: value for label, value in task["labels"].items() if label != SPEC_LABEL}
    return digest({**_fixed(task), "labels": labels})


def limits(task: Mapping[str, Any]) -> dict[str, Any]:
    """What of a task its spec hash does not have."""
    return {option: value for option, value in task.items() if option in LIVE}


def _fixed(task: Mapping[str, Any]) -> dict[str, Any]:
    return {option: value for option, value in task.items() if option not in LIVE}


def passed_through(entry: Entry, value: Value) -> dict[str, Any]:
    """The options passed through, by their proper names."""
    options: dict[str, Any] = value("docker")
    for option in options:
        proper = ALIASES.get(option, option)
        if proper in RESERVED:
            instead = f"use the field {RESERVED[proper]!r}" if RESERVED[proper] else "the plan sets it"
            raise entry.error(f"docker.{option} cannot be given: {instead}", "docker", (option,))
    for label in options.get("labels") or {}:
        if label.startswith(f"{COLLECTION}."):
            raise entry.error(f"docker.labels: {label} is a label that the plan sets", "docker", ("labels", label))
    named = {ALIASES.get(option, option): value for option, value in options.items()}
    # What the plan adds to is to be of the same types.
    own = {option: option_values.mapping(named[option]) for option in ("labels", "etc_hosts") if named.get(option)}
    return {**named, **own}


def _volumes(own: Sequence[str], given: Sequence[str]) -> dict[str, Any]:
    """The container's own, and those given with its hardware where it has nothing at their target."""
    targets = {volume.split(":")[1] for volume in own} if given else set()
    volumes = [*own, *(volume for volume in given if volume.split(":")[1] not in targets)]
    return {"volumes": volumes} if volumes else {}


def _cpus(number: float | None, spec: Mapping[str, Any] | None, own: str | None) -> dict[str, Any]:
    """The set; and a limit where ``cpus`` is not the size of the set."""
    limited = number is not None and (spec is None or "fixed" in spec)
    return {**({"cpuset_cpus": own} if own else {}), **({"cpus": number} if limited else {})}


def _plain(value: Value) -> dict[str, Any]:
    """The fields that are an option each."""
    return {field.options[0]: found for field in PLAIN_FIELDS if (found := value(field.name)) is not None}


def _etc_hosts(rendered: Rendered) -> dict[str, Any]:
    """Servers on other hosts are known by their container's name too; the profile's own names stand above."""
    if rendered.endpoint.joins:
        return {}
    hosts = {**rendered.around.names, **(rendered.docker.get("etc_hosts") or {})}
    return {"etc_hosts": hosts} if hosts else {}


def _published_ports(rendered: Rendered) -> dict[str, Any]:
    """Ours on the fleet address alone, beside those that the profile itself publishes."""
    published, address = rendered.around.published, rendered.address
    if not published or address is None:
        return {}
    bound = f"[{address}]" if ":" in address else address
    inside = rendered.endpoint.ports
    ours = dict.fromkeys(f"{bound}:{port}:{inside[name]}/tcp" for name, port in published.items())
    return {"published_ports": [*ours, *rendered.docker.get("published_ports", [])]}


def _labels(rendered: Rendered) -> dict[str, str]:
    """The labels by which the collection knows a container.

    They name its secrets: who reads its logs takes their values from it, to keep them out.
    """
    labels = {
        COLLECTION_LABEL: COLLECTION,
        DEPLOYMENT_LABEL: rendered.owner.deployment,
        CONTAINER_LABEL: rendered.identity.container,
        REPLICA_LABEL: rendered.identity.replica,
    }
    if rendered.env.secrets:
        labels[SECRETS_LABEL] = " ".join(sorted(rendered.env.secrets))
    return labels
