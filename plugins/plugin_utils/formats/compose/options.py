# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Compose's options of a service as options of docker_container: one table."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source, go_duration
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import docker_options
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Template
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

Convert = Callable[[Any], Any]


def texts(value: Any) -> list[str]:
    """A list of texts; one stands for a list of one."""
    items = value if isinstance(value, list) else [value]
    return [scalar(item) for item in items]


def scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    raise ValueError(f"expected a text or a number, not {value!r}")


def pairs(value: Any, separator: str = "=") -> dict[str, str | None]:
    """A mapping, or a list of NAME=VALUE; None for a name without a value."""
    if isinstance(value, Mapping):
        return {name: None if item is None else scalar(item) for name, item in value.items()}
    split = (item.partition(separator) for item in texts(value))
    return {name: item if found else None for name, found, item in split}


def _set(value: Any) -> dict[str, str]:
    return {name: item or "" for name, item in pairs(value).items()}


def _hosts(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return _set(value)
    return {name: item for name, _sign, item in (_host(line) for line in texts(value))}


def _host(line: str) -> tuple[str, str, str]:
    return line.partition("=") if "=" in line else line.partition(":")


def seconds(value: Any) -> float:
    """Seconds of a duration as Compose writes it."""
    found = go_duration(scalar(value))
    if found is None:
        raise ValueError(f"{value!r} is not a duration such as 1m30s")
    return found


def _ulimits(value: Any) -> list[str]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a mapping, not {value!r}")
    limits = {name: item if isinstance(item, Mapping) else {"soft": item, "hard": item} for name, item in value.items()}
    return [
        f"{name}:{item.get('soft', item.get('hard'))}:{item.get('hard', item.get('soft'))}"
        for name, item in limits.items()
    ]


def _devices(value: Any) -> list[str]:
    written = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            source = scalar(item["source"])
            item = f"{source}:{item.get('target') or source}:{item.get('permissions') or 'rwm'}"
        written.append(scalar(item))
    return written


def command(value: Any) -> list[str]:
    """A command: a list, or a text that is split as a shell would."""
    return shlex.split(value) if isinstance(value, str) else texts(value)


# Compose's key: docker_container's option, and how the value is written there.
TABLE: Mapping[str, tuple[str, Convert]] = {
    "cap_add": ("capabilities", texts),
    "cap_drop": ("cap_drop", texts),
    "cgroup": ("cgroupns_mode", scalar),
    "cgroup_parent": ("cgroup_parent", scalar),
    "cpu_period": ("cpu_period", scalar),
    "cpu_quota": ("cpu_quota", scalar),
    "cpu_shares": ("cpu_shares", scalar),
    "device_cgroup_rules": ("device_cgroup_rules", texts),
    "devices": ("devices", _devices),
    "dns": ("dns_servers", texts),
    "dns_opt": ("dns_opts", texts),
    "dns_search": ("dns_search_domains", texts),
    "domainname": ("domainname", scalar),
    "extra_hosts": ("etc_hosts", _hosts),
    "group_add": ("groups", texts),
    "hostname": ("hostname", scalar),
    "init": ("init", scalar),
    "ipc": ("ipc_mode", scalar),
    "labels": ("labels", _set),
    "mem_limit": ("memory", scalar),
    "mem_reservation": ("memory_reservation", scalar),
    "mem_swappiness": ("memory_swappiness", scalar),
    "memswap_limit": ("memory_swap", scalar),
    "oom_kill_disable": ("oom_killer", scalar),
    "oom_score_adj": ("oom_score_adj", scalar),
    "pid": ("pid_mode", scalar),
    "pids_limit": ("pids_limit", scalar),
    "privileged": ("privileged", scalar),
    "read_only": ("read_only", scalar),
    "runtime": ("runtime", scalar),
    "security_opt": ("security_opts", texts),
    "shm_size": ("shm_size", scalar),
    "stdin_open": ("interactive", scalar),
    "stop_grace_period": ("stop_timeout", lambda value: math.ceil(seconds(value))),
    "stop_signal": ("stop_signal", scalar),
    "storage_opt": ("storage_opts", _set),
    "sysctls": ("sysctls", _set),
    "tmpfs": ("tmpfs", texts),
    "tty": ("tty", scalar),
    "ulimits": ("ulimits", _ulimits),
    "user": ("user", scalar),
    "userns_mode": ("userns_mode", scalar),
    "uts": ("uts", scalar),
    "working_dir": ("working_dir", scalar),
}


def option(source: Source, key: str, value: Any, label: str, path: Path) -> dict[str, Any]:
    """The option of one key of the table. ProfileError for a value that the engine would not take."""
    name, convert = TABLE[key]
    try:
        return {name: docker_options.from_text(name, convert(value))}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise source.error(f"{label}.{key}: {error}", path) from error


def replica_of(service: str) -> Template:
    """Docker's name of the replica of another service that has the same number as this one."""
    own = "replica.name[:(replica.name | length) - ((replica.container ~ '-' ~ replica.index) | length)]"
    return Template(f"{{{{ {own} ~ '{service}-' ~ replica.index }}}}")


def healthcheck(value: Mapping[str, Any]) -> dict[str, Any]:
    """The option ``healthcheck``. ValueError for a value that is not valid."""
    if value.get("disable") in (True, "true") or value.get("test") in ("NONE", ["NONE"]):
        return {"test": ["NONE"]}
    made: dict[str, Any] = {}
    if value.get("test"):
        test = value["test"]
        made["test"] = texts(test) if isinstance(test, list) else ["CMD-SHELL", scalar(test)]
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if value.get(key) is not None:
            made[key] = f"{round(seconds(value[key]) * 1000)}ms"
    if value.get("retries") is not None:
        made["retries"] = int(scalar(value["retries"]))
    if not made.get("test") and made:
        made["test_cli_compatible"] = True
    return made


def patience(value: Mapping[str, Any]) -> float:
    """Seconds within which a service with this health check is healthy, or is not."""

    def of(key: str, default: float) -> float:
        return default if value.get(key) is None else seconds(value[key])

    retries = int(scalar(value.get("retries") or 3))
    return max(60.0, of("start_period", 0.0) + (retries + 1) * (of("interval", 30.0) + of("timeout", 30.0)))


def restart(value: Any) -> dict[str, Any]:
    """``no``, ``always``, ``unless-stopped`` or ``on-failure[:TIMES]``."""
    policy, _colon, retries = ("no" if value is False else scalar(value)).partition(":")
    made: dict[str, Any] = {"restart_policy": policy}
    return {**made, "restart_retries": int(retries)} if retries else made


def deploy_restart(value: Mapping[str, Any]) -> dict[str, Any]:
    """``deploy.restart_policy``, as far as an engine knows it."""
    names = {"none": "no", "on-failure": "on-failure", "any": "always"}
    policy = names[scalar(value.get("condition") or "any")]
    retries = value.get("max_attempts")
    return {
        "restart_policy": policy,
        **({"restart_retries": int(scalar(retries))} if retries is not None and policy == "on-failure" else {}),
    }


def device_requests(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Reserved devices, as ``deploy`` and ``gpus`` write them."""
    made = []
    for item in items:
        count = item.get("count")
        request: dict[str, Any] = {
            "driver": item.get("driver"),
            "device_ids": item.get("device_ids"),
            "capabilities": [texts(item.get("capabilities") or ["gpu"])],
        }
        if not item.get("device_ids"):
            request["count"] = -1 if count in (None, "all") else int(scalar(count))
        made.append({key: value for key, value in request.items() if value is not None})
    return made
