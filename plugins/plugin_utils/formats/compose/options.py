# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose's options of a service, in canonical form, as options of docker_container: one table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source, go_duration
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.forms import scalar
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import docker_options
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

Convert = Callable[[Any], Any]
_CDI = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*/[A-Za-z][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*")


def texts(value: Sequence[Any]) -> list[str]:
    """A list of texts."""
    return [scalar(item) for item in value]


def _set(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: "" if item is None else scalar(item) for name, item in value.items()}


def _hosts(value: Sequence[str]) -> dict[str, str]:
    for item in value:
        if item.find("=") < 1:
            raise ValueError(f"{item!r} is not NAME=ADDRESS")
    return {name: address for name, _sign, address in (item.partition("=") for item in value)}


def _groups(value: Sequence[Any]) -> list[str]:
    for item in value:
        if isinstance(item, float):
            raise ValueError(f"{scalar(item)} is written with a fraction or an exponent: write it in quotes")
    return texts(value)


def _whole(value: Any) -> str:
    """A whole number; of another one what is before the point, as with Compose."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{scalar(value)} is not a whole number")
    return str(int(value)) if isinstance(value, float) else scalar(value)


def seconds(value: Any) -> float:
    """Seconds of a duration as Compose writes it."""
    found = go_duration(scalar(value))
    if found is None:
        raise ValueError(f"{value!r} is not a duration such as 1m30s")
    return found


def _whole_seconds(value: Any) -> int:
    """Whole seconds, rounded up; less than none is for ever."""
    written = scalar(value)
    return -math.floor(seconds(written[1:])) if written.startswith("-") else math.ceil(seconds(written))


def _size(value: Any) -> str:
    """A size, of which Compose takes the number with an exponent, too."""
    written = scalar(value)
    return str(int(float(written))) if re.fullmatch(r"[0-9.]+e[-+]?[0-9]{1,2}", written) else written


def _ulimits(value: Mapping[str, Any]) -> list[str]:
    limits = {name: item if isinstance(item, Mapping) else {"soft": item, "hard": item} for name, item in value.items()}
    return [f"{name}:{item['soft']}:{item['hard']}" for name, item in limits.items()]


def _devices(value: Sequence[Mapping[str, str]]) -> list[str]:
    for item in value:
        if not item["source"] or not item["target"]:
            raise ValueError(f"the {'target' if item['source'] else 'source'} of a device is missing")
    return [
        ":".join(filter(None, (item["source"], item["target"], item.get("permissions"))))
        for item in value
        if not is_cdi(item)
    ]


def is_cdi(device: Mapping[str, str]) -> bool:
    """Whether this is a device of the Container Device Interface, which is asked for by its name."""
    return device["source"] == device["target"] and _CDI.fullmatch(device["source"]) is not None


def cdi_request(devices: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The request for those of the devices that are of the Container Device Interface."""
    names = [item["source"] for item in devices if is_cdi(item)]
    return [{"driver": "cdi", "device_ids": names}] if names else []


TABLE: Mapping[str, tuple[str, Convert]] = {
    "cap_add": ("capabilities", texts),
    "cap_drop": ("cap_drop", texts),
    "cgroup": ("cgroupns_mode", scalar),
    "cgroup_parent": ("cgroup_parent", scalar),
    "cpu_period": ("cpu_period", _whole),
    "cpu_quota": ("cpu_quota", _whole),
    "cpu_shares": ("cpu_shares", _whole),
    "device_cgroup_rules": ("device_cgroup_rules", texts),
    "devices": ("devices", _devices),
    "dns": ("dns_servers", texts),
    "dns_opt": ("dns_opts", texts),
    "dns_search": ("dns_search_domains", texts),
    "domainname": ("domainname", scalar),
    "extra_hosts": ("etc_hosts", _hosts),
    "group_add": ("groups", _groups),
    "hostname": ("hostname", scalar),
    "init": ("init", scalar),
    "ipc": ("ipc_mode", scalar),
    "labels": ("labels", _set),
    "mem_limit": ("memory", _size),
    "mem_reservation": ("memory_reservation", _size),
    "mem_swappiness": ("memory_swappiness", scalar),
    "memswap_limit": ("memory_swap", _size),
    "oom_kill_disable": ("oom_killer", scalar),
    "oom_score_adj": ("oom_score_adj", scalar),
    "pid": ("pid_mode", scalar),
    "pids_limit": ("pids_limit", _whole),
    "privileged": ("privileged", scalar),
    "read_only": ("read_only", scalar),
    "runtime": ("runtime", scalar),
    "security_opt": ("security_opts", texts),
    "shm_size": ("shm_size", _size),
    "stdin_open": ("interactive", scalar),
    "stop_grace_period": ("stop_timeout", _whole_seconds),
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
#: of these it takes a number with a fraction or an exponent for nothing, unless it is a text
SIZES = ("mem_limit", "mem_reservation", "mem_swappiness", "memswap_limit", "shm_size")
#: of these Compose takes a zero for nothing
_NOTHING_IF_ZERO = ("mem_limit", "mem_reservation", "memswap_limit", "pids_limit", "shm_size", "cpu_shares")


def option(source: Source, key: str, value: Any, label: str, path: Path) -> dict[str, Any]:
    """The option of one key of the table. ProfileError for a value that the engine would not take."""
    if key in _NOTHING_IF_ZERO and str(value) == "0":
        return {}
    if key in SIZES and isinstance(value, float):
        why = "says nothing, as with Compose: write a whole number, or it in quotes"
        source.warn(f"{label}.{key}: {scalar(value)} {why}", path)
        return {}
    name, convert = TABLE[key]
    try:
        return {name: docker_options.from_text(name, convert(value))}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise source.error(f"{label}.{key}: {error}", path) from error


def healthcheck(value: Mapping[str, Any]) -> dict[str, Any]:
    """The option ``healthcheck``. ValueError for a value that is not valid."""
    if value.get("disable") is True or value.get("test") == ["NONE"]:
        return {"test": ["NONE"]}
    made: dict[str, Any] = {}
    if value.get("test"):
        made["test"] = texts(value["test"])
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if value.get(key) is not None and scalar(value[key]) != "0":
            made.update(_milliseconds(key, scalar(value[key])))
    if value.get("retries") is not None:
        made["retries"] = int(value["retries"])
    if not made.get("test") and made:
        made["test_cli_compatible"] = True
    return made


def _milliseconds(key: str, written: str) -> dict[str, str]:
    """A time of a health check, where it is one: an engine takes none below a millisecond."""
    number = seconds(written)
    if written.startswith("-") or 0 < number < 0.001:
        raise ValueError(f"{key}: {written} is less than 1ms, which is the least that an engine takes")
    return {key: f"{round(number * 1000)}ms"} if number else {}


def patience(value: Mapping[str, Any]) -> float:
    """Seconds within which a service with this health check is healthy, or is not."""

    def of(key: str, default: float) -> float:
        return default if value.get(key) is None else seconds(value[key])

    retries = int(value.get("retries") or 3)
    return max(60.0, of("start_period", 0.0) + (retries + 1) * (of("interval", 30.0) + of("timeout", 30.0)))


def restart(value: str) -> dict[str, Any]:
    """``no``, ``always``, ``unless-stopped`` or ``on-failure[:TIMES]``."""
    policy, _colon, retries = value.partition(":")
    if retries and not re.fullmatch(r"[0-9]{1,9}", retries):
        raise ValueError(f"{retries!r} is not how many times to try")
    made: dict[str, Any] = {"restart_policy": policy}
    return {**made, "restart_retries": int(retries)} if retries else made


def deploy_restart(value: Mapping[str, Any]) -> dict[str, Any]:
    """``deploy.restart_policy``, as far as an engine knows it; it stands above ``restart``."""
    names = {"none": "no", "any": "always"}
    condition = scalar(value.get("condition") or "any")
    policy = names.get(condition, condition)
    retries = value.get("max_attempts")
    return {
        "restart_policy": policy,
        **({"restart_retries": int(retries)} if retries is not None and policy == "on-failure" else {}),
    }


def device_requests(items: Sequence[Mapping[str, Any]], always: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Reserved devices, as ``deploy`` and ``gpus`` write them. ``always``: capabilities that are added."""
    made = []
    for item in items:
        count = item.get("count")
        wanted = [*texts(item.get("capabilities") or ()), *always]
        request: dict[str, Any] = {
            "driver": item.get("driver"),
            "device_ids": item.get("device_ids"),
            "capabilities": [list(dict.fromkeys(wanted))],
            "options": _set(item["options"]) if item.get("options") else None,
        }
        if "device_ids" not in item:
            request["count"] = -1 if count in (None, "all") else int(count)
        elif not item["device_ids"]:
            request["count"] = 0
        made.append({key: value for key, value in request.items() if value is not None})
    return made
