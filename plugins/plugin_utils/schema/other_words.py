# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people write in a container that is no field of it: words of Compose, options of Docker, and misspelt ones."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from ansible_collections.retail.profiles.plugins.plugin_utils.schema import docker_options, field_types

#: by the word of Compose, how a profile says it
_OF_COMPOSE: Mapping[str, str] = {
    "cap_add": "docker: {capabilities: […]}",
    "cap_drop": "docker: {cap_drop: […]}",
    "command": "args: […]",
    "configs": "volumes: [./FILE:/TARGET:ro]",
    "container_name": "name, or an alias in networks",
    "deploy": "replicas, replicas_per_host, max_per_host, hosts and cpus",
    "dns": "docker: {dns_servers: […]}",
    "environment": "env: {NAME: value}",
    "expose": "ports: {NAME: PORT}",
    "extends": "use: PROFILE/NAME",
    "extra_hosts": "docker: {etc_hosts: {…}}",
    "gpus": "target_device: GPU, or docker: {device_requests: […]}",
    "group_add": "docker: {groups: […]}",
    "healthcheck": "docker: {healthcheck: {…}}, and ready: {healthy: true} to wait for it",
    "ipc": "docker: {ipc_mode: …}",
    "links": "depends_on: […]",
    "mem_limit": "docker: {memory: 1g}",
    "network_mode": "networks: host",
    "pid": "docker: {pid_mode: …}",
    "profiles": "profile_replicas, or a profile of its own",
    "pull_policy": "the variable profile_pull",
    "restart": "docker: {restart_policy: always}",
    "scale": "replicas: 2",
    "secrets": "secret_env: {NAME: …}",
    "shm_size": "docker: {shm_size: 1g}",
    "stop_grace_period": "docker: {stop_timeout: 10}",
}


#: what stands at the top of a Compose file, or belongs to a container
_AT_THE_TOP: Mapping[str, str] = {
    "configs": "volumes: [./FILE:/TARGET:ro] of a container",
    "include": "use: PROFILE/NAME of a container",
    "name": "it by the name of its folder, and the variable profile_deployment",
    "secrets": "secret_env and secret_files of a container",
    "service": "containers: [{name: …}]",
    "services": "containers: [{name: …}]",
    "version": "no version: leave it out",
}


def unknown_at_the_top(key: str, known: Sequence[str], of_a_container: Sequence[str]) -> str:
    """What to say of a name that is no field of a profile."""
    if key in _AT_THE_TOP:
        return f"unknown field {key!r}: a profile says {_AT_THE_TOP[key]}"
    if key in of_a_container and not difflib.get_close_matches(key, known, n=1, cutoff=0.8):
        return f"unknown field {key!r}: it is one of a container: move it into containers"
    return field_types.unknown(key, known)


def unknown(key: str, known: Sequence[str]) -> str:
    """What to say of a name that is no field of a container: how a profile says it, or what was meant."""
    options = {name: f"docker: {{{name}: …}}" for name in docker_options.NAMES if name not in known}
    instead = {**options, **_OF_COMPOSE}
    if key in instead:
        return f"unknown field {key!r}: a profile says {instead[key]}"
    near = difflib.get_close_matches(key, [*known, *instead], n=1, cutoff=0.7)
    if near and near[0] in instead:
        return f"unknown field {key!r}: did you mean {near[0]!r}? A profile says {instead[near[0]]}"
    return field_types.unknown(key, known)
