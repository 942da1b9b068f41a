# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker Compose's own reading of a file asks of the engine, in the options of docker_container.

The canonical form of ``docker compose config --format json`` is read here by itself, without the code under test.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.container import option_values as v

Service = Mapping[str, Any]

_SAME = {
    "cap_add": "capabilities",
    "cap_drop": "cap_drop",
    "cgroup": "cgroupns_mode",
    "cgroup_parent": "cgroup_parent",
    "command": "command",
    "cpu_period": "cpu_period",
    "cpu_quota": "cpu_quota",
    "cpu_shares": "cpu_shares",
    "cpus": "cpus",
    "cpuset": "cpuset_cpus",
    "device_cgroup_rules": "device_cgroup_rules",
    "dns": "dns_servers",
    "dns_opt": "dns_opts",
    "dns_search": "dns_search_domains",
    "domainname": "domainname",
    "entrypoint": "entrypoint",
    "group_add": "groups",
    "hostname": "hostname",
    "image": "image",
    "init": "init",
    "ipc": "ipc_mode",
    "labels": "labels",
    "mac_address": "mac_address",
    "mem_limit": "memory",
    "mem_reservation": "memory_reservation",
    "mem_swappiness": "memory_swappiness",
    "memswap_limit": "memory_swap",
    "oom_kill_disable": "oom_killer",
    "oom_score_adj": "oom_score_adj",
    "pid": "pid_mode",
    "pids_limit": "pids_limit",
    "privileged": "privileged",
    "pull_policy": "pull",
    "read_only": "read_only",
    "runtime": "runtime",
    "security_opt": "security_opts",
    "shm_size": "shm_size",
    "stdin_open": "interactive",
    "stop_signal": "stop_signal",
    "storage_opt": "storage_opts",
    "sysctls": "sysctls",
    "tmpfs": "tmpfs",
    "tty": "tty",
    "user": "user",
    "userns_mode": "userns_mode",
    "uts": "uts",
    "working_dir": "working_dir",
}


def unescaped(value: Any) -> Any:
    """The canonical form with ``$$`` as the ``$`` that it stands for."""
    if isinstance(value, Mapping):
        return {unescaped(key): unescaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def options(service_name: str, service: Service, config: Mapping[str, Any]) -> dict[str, Any]:
    """The options of one service; what docker_container has no option for stands under Compose's own key."""
    made: dict[str, Any] = {}
    service = _by_service(service, config)
    # What "deploy" says stands above the older keys of the service.
    for key, value in sorted(service.items(), key=lambda item: item[0] == "deploy"):
        if key in _SAME:
            made[_SAME[key]] = value
        elif key in _OTHERS:
            made.update(_OTHERS[key](value))
        elif key not in ("networks", "volumes", "configs", "secrets"):
            made[key] = value
    made.setdefault("image", f"{config['name']}-{service_name}")
    made["networks"] = _networks(service, config)
    if ":" not in made.get("network_mode", ":") and made["network_mode"] not in ("host", "none", "bridge", "default"):
        made["networks"] = {made.pop("network_mode"): {}}  # one of the engine's own
    if "mac_address" in made and made["networks"]:
        # Of engines from API 1.44 on it is the address of the first network by its priority, and its name.
        first = min(made["networks"], key=lambda name: (-made["networks"][name].get("priority", 0), name))
        made["networks"][first].setdefault("mac_address", made.pop("mac_address").lower().replace("-", ":"))
    made["mounts"] = [
        *(_mount(item, config) for item in service.get("volumes", ())),
        *(_config(item, config) for item in service.get("configs", ())),
    ]
    if "secrets" in service:
        names = (item.get("target") or item["source"] for item in service["secrets"])
        made["secrets"] = sorted({posixpath.join("/run/secrets", name) for name in names})
    if "volumes_from" in service:
        made["volumes_from"] = [item.removeprefix("container:") for item in service["volumes_from"]]
    conditions = {
        other.get("depends_on", {}).get(service_name, {}).get("condition")
        for other in config["services"].values()
        if not has_none(other)
    }
    waits = (("service_completed_successfully", "exited"), ("service_healthy", "healthy"))
    made["waited_for"] = next((kind for condition, kind in waits if condition in conditions), None)
    if "depends_on" in made:
        started = {name for name, other in config["services"].items() if not has_none(other)}
        made["depends_on"] = [name for name in made["depends_on"] if name in started]
    return made


def _by_service(service: Service, config: Mapping[str, Any]) -> Service:
    """What names the container of a service of the file, by that service: no container is called so here."""
    owners = {
        other.get("container_name", f"{config['name']}-{name}-1"): name for name, other in config["services"].items()
    }
    made = dict(service)
    for key in ("network_mode", "ipc", "pid"):
        kind, _colon, name = str(service.get(key)).partition(":")
        if kind == "container" and name in owners:
            made[key] = f"service:{owners[name]}"
    if "volumes_from" in service:
        split = (item.split(":") for item in service["volumes_from"])
        named = (
            ":".join([owners[item[1]], *item[2:]])
            if item[0] == "container" and item[1:2] and item[1] in owners
            else ":".join(item)
            for item in split
        )
        made["volumes_from"] = list(dict.fromkeys(named))
    changed = [
        made[key].partition(":")[2] for key in ("network_mode", "ipc", "pid") if made.get(key) != service.get(key)
    ]
    listed = service.get("volumes_from", ())
    changed += [item.partition(":")[0] for item in made.get("volumes_from", ()) if item not in listed]
    needed: dict[str, Any] = {**dict.fromkeys(changed), **service.get("depends_on", {})}
    return {**made, "depends_on": needed} if needed else made


def has_none(service: Service) -> bool:
    """Whether Compose starts no container of a service."""
    return 0 in (service.get("scale"), service.get("deploy", {}).get("replicas"))


def _environment(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"env": {name: text for name, text in value.items() if text is not None}}


def _ports(value: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "published_ports": sorted(
            {
                f"{item.get('host_ip', '')}|{item.get('published', '').replace('0', '', item.get('published') == '0')}"
                f"|{item['target']}/{item.get('protocol', 'tcp')}"
                for item in value
            }
        )
    }


def _healthcheck(value: Mapping[str, Any]) -> dict[str, Any]:
    if value.get("disable") or value.get("test") == ["NONE"]:
        return {"healthcheck": {"test": ["NONE"]}}
    made = dict(value)
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if key in made:
            made[key] = nanoseconds(made[key])
    return {"healthcheck": {key: item for key, item in made.items() if item}}


def nanoseconds(text: str) -> int:
    """Go's own spelling of a duration: 1h0m0s, 1m30s, 500ms, 1.5s."""
    units = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "µs": 1e3, "us": 1e3, "ns": 1.0}
    total, number, unit = 0.0, "", ""
    sign = -1 if text.startswith("-") else 1
    for character in f"{text.removeprefix('-')} ":
        if (character.isdigit() or character in ". ") and unit:
            total, number, unit = total + float(number) * units[unit], "", ""
        if character.isdigit() or character == ".":
            number += character
        elif character != " ":
            unit += character
    return sign * round(total)


def _hosts(value: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, address in (item.split("=", 1) for item in value):
        made.setdefault(name, []).append(address)
    return {"etc_hosts": {name: found[0] if len(found) == 1 else found for name, found in made.items()}}


def _devices(value: list[Mapping[str, str]]) -> dict[str, Any]:
    value = [{"source": "", "target": "", "permissions": "rwm", **item} for item in value]
    names = [item["source"] for item in value if item["source"] == item["target"] and "=" in item["source"]]
    requests = [{"driver": "cdi", "count": 0, "device_ids": names, "capabilities": None, "options": {}}]
    return {
        "devices": sorted(
            f"{item['source']}:{item['target']}:{item['permissions']}" for item in value if item["source"] not in names
        ),
        **({"device_requests": requests} if names else {}),
    }


def _ulimits(value: Mapping[str, Any]) -> dict[str, Any]:
    def both(item: Any) -> tuple[int, int]:
        return (item.get("soft", 0), item.get("hard", 0)) if isinstance(item, Mapping) else (item, item)

    return {"ulimits": sorted(f"{name}:{both(item)[0]}:{both(item)[1]}" for name, item in value.items())}


def _requests(items: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # Compose adds the capability gpu to those of "gpus:".
    return [
        {
            "driver": item.get("driver") or "",
            "count": item.get("count", 0),
            "device_ids": item.get("device_ids", []),
            "capabilities": [item.get("capabilities", [])],
            "options": item.get("options", {}),
        }
        for item in items
    ]


def _gpus(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    with_gpu = [
        {**item, "capabilities": [*item.get("capabilities", []), *([] if _has_gpu(item) else ["gpu"])]}
        for item in items
    ]
    return {"device_requests": _requests(with_gpu)}


def _has_gpu(item: Mapping[str, Any]) -> bool:
    return "gpu" in item.get("capabilities", ())


def _deploy(value: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    resources = value.get("resources", {})
    limits, reservations = resources.get("limits", {}), resources.get("reservations", {})
    for given, names in (
        (limits, {"cpus": "cpus", "memory": "memory", "pids": "pids_limit"}),
        (reservations, {"memory": "memory_reservation", "cpus": "deploy.resources.reservations.cpus"}),
    ):
        made.update({names[key]: item for key, item in given.items() if key in names})
    if "devices" in reservations:
        made["device_requests"] = _requests(reservations["devices"])
    if "generic_resources" in reservations:
        made["deploy.resources.reservations.generic_resources"] = reservations["generic_resources"]
    policy = value.get("restart_policy")
    if policy:
        made.update(_policy(policy))
    for key in ("update_config", "rollback_config", "labels", "endpoint_mode"):
        if value.get(key):
            made[f"deploy.{key}"] = value[key]
    if value.get("replicas") is not None and value.get("mode") != "global":
        made["replicas"] = value["replicas"]
    return made


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    condition = policy.get("condition", "any")
    made = {"restart_policy": {"none": "no", "any": "always"}.get(condition, condition)}
    if policy.get("max_attempts") and condition == "on-failure":
        made["restart_retries"] = policy["max_attempts"]
    waits = {key: policy[key] for key in ("delay", "window") if policy.get(key)}
    return {**made, **({"deploy.restart_policy": waits} if waits else {})}


def _restart(value: str) -> dict[str, Any]:
    policy, _colon, retries = value.partition(":")
    return {"restart_policy": policy, **({"restart_retries": int(retries)} if retries else {})}


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    made = {"log_options": value["options"]} if value.get("options") else {}
    driver = value.get("driver") or ("json-file" if made else None)
    return {**made, **({"log_driver": driver} if driver else {})}


def _stop(value: str) -> dict[str, Any]:
    return {"stop_timeout": -(-nanoseconds(value) // 1_000_000_000)}


def _blkio(value: Mapping[str, Any]) -> dict[str, Any]:
    made = {
        key: [{name.lower(): part for name, part in rate.items()} for rate in item]
        for key, item in value.items()
        if key.startswith("device_")
    }
    more = {key: item for key, item in value.items() if key not in made and key != "weight"}
    return {**made, "blkio_weight": value.get("weight"), **{f"blkio_config.{key}": item for key, item in more.items()}}


_OTHERS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "attach": lambda value: {},
    "blkio_config": _blkio,
    "build": lambda value: {"build": value},
    "container_name": lambda value: {"container_name": value},
    "depends_on": lambda value: {"depends_on": sorted(value)},
    "deploy": _deploy,
    "devices": _devices,
    "environment": _environment,
    "expose": lambda value: {},
    "extra_hosts": _hosts,
    "gpus": _gpus,
    "healthcheck": _healthcheck,
    "links": lambda value: {
        "links": [link for link in value if ":" in link and link.split(":")[0] != link.split(":")[1]]
    },
    "logging": _logging,
    "network_mode": lambda value: {"network_mode": value},
    "platform": lambda value: {},
    "ports": _ports,
    "profiles": lambda value: {},
    "restart": _restart,
    "scale": lambda value: {"replicas": value},
    "stop_grace_period": _stop,
    "ulimits": _ulimits,
}


def _networks(service: Service, config: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for name, item in (service.get("networks") or {}).items():
        declared = config["networks"][name]
        made[declared.get("name", name) if declared.get("external") else name] = {
            key: sorted(value) if isinstance(value, list) else value for key, value in (item or {}).items()
        }
    return made


def _volume_name(name: str, config: Mapping[str, Any]) -> str:
    declared = config.get("volumes", {}).get(name, {})
    return str(declared.get("name", name)) if declared.get("external") else name


def _mount(item: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    kind, source = item["type"], item.get("source", "")
    made = {"type": kind, "target": item["target"], "read_only": item.get("read_only", False)}
    if kind == "volume":
        made["source"] = _volume_name(source, config) if source else ""
    elif kind != "tmpfs":
        made["source"] = place(source)
    # SELinux and propagation of the short form stand under "bind", whatever it mounts.
    special = {**(item.get("bind") or {}), **(item.get(kind) or {})}
    special.pop("create_host_path", None)
    if "size" in special:
        special["size"] = v.size(special["size"])
    if "mode" in special:
        special["mode"] = f"{int(special['mode']):o}"
    return {**made, **{key: value for key, value in special.items() if value}}


def place(source: str) -> str:
    """A path of the host: the user's home by its sign, and what is relative to the file with a dot."""
    path = posixpath.normpath(source)
    if f"{path}/".startswith("/root/"):
        return f"~{path[len('/root') :]}"
    return path if path.startswith(("/", "~", "../")) or path in (".", "..") else f"./{path}"


def _config(item: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    declared = config["configs"][item["source"]]
    target = item.get("target") or f"/{item['source']}"
    source = place(declared.get("file") or f"./configs/{item['source']}")
    return {
        "type": "bind",
        "source": source,
        "target": target if target.startswith("/") else f"/{target}",
        "read_only": True,
    }


def network(declared: Mapping[str, Any]) -> dict[str, Any]:
    """A network of the file, as the engine would make it."""
    made = {key: value for key, value in declared.items() if key not in ("name", "ipam") and value}
    if made.get("driver") == "bridge":
        del made["driver"]
    pools = (declared.get("ipam") or {}).get("config") or []
    if pools:
        made["pools"] = sorted(pools, key=lambda pool: pool.get("subnet", ""))
    options = (declared.get("ipam") or {}).get("options")
    return {**made, **({"ipam.options": options} if options else {})}


def volume(declared: Mapping[str, Any]) -> dict[str, Any]:
    """A volume of the file, as the engine would make it."""
    return {key: value for key, value in declared.items() if key != "name" and value}
