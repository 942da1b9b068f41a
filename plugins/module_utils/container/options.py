# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a container: the one declaration of each docker_container option that a task may carry.

Importable without the ``docker`` package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.retail.profiles.plugins.module_utils.container import option_values as v


class _Word:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


#: not in the task (what to send), or: the engine may choose (what to expect)
ABSENT: Any = _Word("ABSENT")
ANY: Any = _Word("ANY")

Values = Mapping[str, Any]
Send = Callable[[Values], Any]
Expect = Callable[[Values, Any, "Situation"], Any]
Same = Callable[[Any, Any], bool]


def _nothing(values: Values) -> Any:
    return ABSENT


@dataclass(frozen=True)
class Situation:
    """What the expected state of a container depends on, apart from its task."""

    name: str
    image: Mapping[str, Any]  # ``Config`` of the image


@dataclass(frozen=True)
class EngineField:
    """One field of the engine: *path* in the create request, where ``Config.X`` stands at the request's top level."""

    path: str
    send: Send
    expect: Expect
    same: Same
    live: bool = False  # `docker update` changes it; all other fields are fixed when a container is created
    unset: Send = _nothing  # what an update sends where the task has none; ABSENT: it cannot take it away


@dataclass(frozen=True)
class Option:
    """One option of docker_container: its name, its Ansible type, the check of a written value, its engine fields."""

    name: str
    type: str
    parse: Callable[[Any], Any]
    fields: tuple[EngineField, ...] = ()
    elements: str = ""
    choices: tuple[str, ...] = ()


# -- comparisons: (expected, actual) -> equal?


def same(expected: Any, actual: Any) -> bool:
    """Equal, where nothing is as good as None, "", 0, False, [] and {}."""
    return bool(v.prune(expected) == v.prune(actual))


def same_set(expected: Any, actual: Any) -> bool:
    """Equal lists in any order."""
    return {v.canonical(item) for item in expected or ()} == {v.canonical(item) for item in actual or ()}


def same_mapping(expected: Any, actual: Any) -> bool:
    """Equal dictionaries, where an empty value is a value."""
    return (expected or {}) == (actual or {})


def same_keys(expected: Any, actual: Any) -> bool:
    return set(expected or ()) == set(actual or ())


def same_capabilities(expected: Any, actual: Any) -> bool:
    def plain(names: Any) -> set[str]:
        return {name.upper()[4:] if name.upper().startswith("CAP_") else name.upper() for name in names or ()}

    return plain(expected) == plain(actual)


def same_ports(expected: Any, actual: Any) -> bool:
    def plain(bindings: Any) -> set[tuple[str, str, str]]:
        # engines say "" or "0.0.0.0" for all addresses, "" or "0" for any port
        return {
            (port, item.get("HostIp") or "0.0.0.0", (item.get("HostPort") or "0").lstrip("0"))
            for port, items in (bindings or {}).items()
            for item in items or ()
        }

    return plain(expected) == plain(actual)


def one_of(expected: Any, actual: Any) -> bool:
    """*expected* is a set of acceptable values."""
    return actual in expected if isinstance(expected, tuple) else same(expected, actual)


# -- makers of table entries


def _sends(name: str) -> Send:
    return lambda values: values.get(name, ABSENT)


def _fixed(default: Any) -> Expect:
    return lambda values, sent, situation: default if sent is ABSENT else sent


def _of_image(key: str) -> Expect:
    """What the image says, unless the task says something."""
    return lambda values, sent, situation: sent if sent is not ABSENT and sent != "" else situation.image.get(key)


def _option(
    name: str,
    kind: str,
    path: str,
    parse: Callable[[Any], Any],
    default: Any = None,
    *,
    compare: Same = same,
    expect: Any = None,
    live: bool = False,
    unset: Send = _nothing,
    elements: str = "",
    choices: tuple[str, ...] = (),
) -> Option:
    field = EngineField(path, _sends(name), expect or _fixed(default), compare, live, unset)
    return Option(name, kind, parse, (field,), elements, choices)


def _text(name: str, path: str, default: Any = None, **more: Any) -> Option:
    return _option(name, "str", path, v.text, default, **more)


def _int(name: str, path: str, default: Any = None, **more: Any) -> Option:
    return _option(name, "int", path, v.integer, default, **more)


def _bool(name: str, path: str, **more: Any) -> Option:
    return _option(name, "bool", path, v.boolean, **more)


def _size(name: str, path: str, default: Any = None, **more: Any) -> Option:
    return _option(name, "str", path, v.size, default, **more)


def _list(name: str, path: str, parse: Callable[[Any], Any] = v.strings, elements: str = "str", **more: Any) -> Option:
    return _option(name, "list", path, parse, elements=elements, **more)


def _set(name: str, path: str, parse: Callable[[Any], Any] = v.strings, elements: str = "str", **more: Any) -> Option:
    return _list(name, path, parse, elements, **{"compare": same_set, **more})


# -- options that take more than a line


def _send_env(values: Values) -> Any:
    return [f"{key}={value}" for key, value in values["env"].items()] if "env" in values else ABSENT


def _expect_env(values: Values, sent: Any, situation: Situation) -> list[str]:
    merged: dict[str, str] = {}
    for item in [*(situation.image.get("Env") or ()), *([] if sent is ABSENT else sent)]:
        key, _equals, value = item.partition("=")
        merged[key] = value
    return [f"{key}={value}" for key, value in merged.items()]


def _expect_labels(values: Values, sent: Any, situation: Situation) -> dict[str, str]:
    return {**(situation.image.get("Labels") or {}), **({} if sent is ABSENT else sent)}


def _expect_command(values: Values, sent: Any, situation: Situation) -> Any:
    """An entrypoint in the task makes the engine forget the image's command."""
    if sent is not ABSENT and sent:
        return sent
    return None if values.get("entrypoint") else situation.image.get("Cmd")


def _send_command(values: Values) -> Any:
    return values.get("command") or ABSENT


def _expect_healthcheck(values: Values, sent: Any, situation: Situation) -> Any:
    """The engine fills what the task leaves open from the image's own check."""
    image = situation.image.get("Healthcheck") or {}
    if sent is ABSENT:
        return image
    return sent if sent.get("Test") == ["NONE"] else {**image, **sent}


def _same_healthcheck(expected: Any, actual: Any) -> bool:
    off = {"Test": ["NONE"]}
    return same(expected or off, actual or off)


def _binds(values: Values) -> Any:
    if "volumes" not in values:
        return ABSENT
    return [item for item in values["volumes"] if v.split_volume(item)[0]]


def _anonymous(values: Values) -> Any:
    if "volumes" not in values:
        return ABSENT
    return {item: {} for item in values["volumes"] if not v.split_volume(item)[0]}


def _expect_anonymous(values: Values, sent: Any, situation: Situation) -> dict[str, Any]:
    return {**(situation.image.get("Volumes") or {}), **({} if sent is ABSENT else sent)}


def _exposed(values: Values) -> Any:
    if "exposed_ports" not in values and "published_ports" not in values:
        return ABSENT
    return {port: {} for port in [*values.get("exposed_ports", ()), *values.get("published_ports", ())]}


def _expect_exposed(values: Values, sent: Any, situation: Situation) -> list[str]:
    ports = [*(situation.image.get("ExposedPorts") or ()), *(() if sent is ABSENT else sent)]
    return [port if "/" in port else f"{port}/tcp" for port in ports]


def _network_mode(values: Values) -> Any:
    """As Docker's CLI does: the first network is the mode, unless a mode is given."""
    if "network_mode" in values:
        return values["network_mode"]
    return values["networks"][0]["name"] if values.get("networks") else ABSENT


def _same_network_mode(expected: Any, actual: Any) -> bool:
    default = ("default", "bridge", "", None)
    return expected == actual or (expected in default and actual in default)


def _expect_security(values: Values, sent: Any, situation: Situation) -> Any:
    return [] if sent is ABSENT else sent


def _same_security(expected: Any, actual: Any) -> bool:
    # "label=disable" is added by the engine itself to containers that are privileged or share a namespace of the host
    own = [item for item in actual or () if item != "label=disable" or item in (expected or ())]
    return same_set(expected, own)


def _expect_swap(values: Values, sent: Any, situation: Situation) -> Any:
    """Memory without swap gets the engine's own rule: twice the memory, or none where swap cannot be limited."""
    if sent is not ABSENT:
        return sent
    return (2 * values["memory"], 0, None, -1) if values.get("memory") else (0, None)


def _usual_swap(values: Values) -> Any:
    """What the engine would choose: an update keeps what was chosen for another memory."""
    return 2 * values["memory"] if values.get("memory") else ABSENT


def _networks(value: Any) -> list[dict[str, Any]]:
    known = ("ipv4_address", "ipv6_address", "aliases", "links", "mac_address")
    return [{key: item[key] for key in item if item[key] is not None} for item in v.dicts(value, ("name",), known)]


def _retries(values: Values) -> Any:
    return values.get("restart_retries", ABSENT) if "restart_policy" in values else ABSENT


def _log_options(values: Values) -> Any:
    return values.get("log_options", {}) if "log_driver" in values else ABSENT


def _true_only(value: Any) -> bool:
    if not v.boolean(value):
        raise ValueError("a container of a profile always runs detached")
    return True


HOST = "HostConfig."
CONFIG = "Config."
_POLICIES = ("no", "on-failure", "always", "unless-stopped")

#: every option that a task may carry, in the order of docker_container's documentation
TABLE: tuple[Option, ...] = (
    _bool("auto_remove", HOST + "AutoRemove"),
    _int("blkio_weight", HOST + "BlkioWeight", live=True),
    _set("cap_drop", HOST + "CapDrop", compare=same_capabilities),
    _set("capabilities", HOST + "CapAdd", compare=same_capabilities),
    _text("cgroup_parent", HOST + "CgroupParent"),
    _text("cgroupns_mode", HOST + "CgroupnsMode", ANY, choices=("host", "private")),
    Option(
        "command", "raw", v.words, (EngineField(CONFIG + "Cmd", _send_command, _expect_command, same),), elements="str"
    ),
    _int("cpu_period", HOST + "CpuPeriod", live=True),
    _int("cpu_quota", HOST + "CpuQuota", live=True),
    _int("cpu_shares", HOST + "CpuShares", live=True),
    _option("cpus", "float", HOST + "NanoCpus", v.nano_cpus, live=True),
    _text("cpuset_cpus", HOST + "CpusetCpus", live=True),
    _text("cpuset_mems", HOST + "CpusetMems", live=True),
    Option("detach", "bool", _true_only),
    _set("device_cgroup_rules", HOST + "DeviceCgroupRules"),
    _set("device_read_bps", HOST + "BlkioDeviceReadBps", v.rates_bytes, "dict"),
    _set("device_read_iops", HOST + "BlkioDeviceReadIOps", v.rates_count, "dict"),
    _set("device_requests", HOST + "DeviceRequests", v.device_requests, "dict"),
    _set("device_write_bps", HOST + "BlkioDeviceWriteBps", v.rates_bytes, "dict"),
    _set("device_write_iops", HOST + "BlkioDeviceWriteIOps", v.rates_count, "dict"),
    _set("devices", HOST + "Devices", v.devices),
    _set("dns_opts", HOST + "DnsOptions"),
    _list("dns_search_domains", HOST + "DnsSearch"),
    _list("dns_servers", HOST + "Dns"),
    _text("domainname", CONFIG + "Domainname"),
    _list("entrypoint", CONFIG + "Entrypoint", expect=_of_image("Entrypoint")),
    Option("env", "dict", v.environment, (EngineField(CONFIG + "Env", _send_env, _expect_env, same_set),)),
    Option(
        "etc_hosts",
        "dict",
        v.mapping,
        (
            EngineField(
                HOST + "ExtraHosts",
                lambda values: (
                    [f"{name}:{address}" for name, address in values["etc_hosts"].items()]
                    if "etc_hosts" in values
                    else ABSENT
                ),
                _fixed(None),
                same_set,
            ),
        ),
    ),
    Option(
        "exposed_ports",
        "list",
        v.exposed_ports,
        (EngineField(CONFIG + "ExposedPorts", _exposed, _expect_exposed, same_keys),),
        elements="str",
    ),
    _set("groups", HOST + "GroupAdd"),
    Option(
        "healthcheck",
        "dict",
        v.healthcheck,
        (EngineField(CONFIG + "Healthcheck", _sends("healthcheck"), _expect_healthcheck, _same_healthcheck),),
    ),
    _text("hostname", CONFIG + "Hostname", ANY),
    _text("image", CONFIG + "Image"),
    _bool("init", HOST + "Init"),
    _bool("interactive", CONFIG + "OpenStdin"),
    _text("ipc_mode", HOST + "IpcMode", ("private", "shareable", "", None), compare=one_of),
    Option(
        "labels", "dict", v.mapping, (EngineField(CONFIG + "Labels", _sends("labels"), _expect_labels, same_mapping),)
    ),
    _text("log_driver", HOST + "LogConfig.Type", ANY),
    Option(
        "log_options",
        "dict",
        v.mapping,
        (EngineField(HOST + "LogConfig.Config", _log_options, _fixed(ANY), same_mapping),),
    ),
    _size("memory", HOST + "Memory", live=True),
    _size("memory_reservation", HOST + "MemoryReservation", live=True),
    _option(
        "memory_swap",
        "str",
        HOST + "MemorySwap",
        v.swap_size,
        expect=_expect_swap,
        compare=one_of,
        live=True,
        unset=_usual_swap,
    ),
    _int("memory_swappiness", HOST + "MemorySwappiness", (None, -1), compare=one_of),
    _set("mounts", HOST + "Mounts", v.mounts, "dict"),
    Option("name", "str", v.text),
    Option(
        "network_mode",
        "str",
        v.text,
        (EngineField(HOST + "NetworkMode", _network_mode, _fixed(None), _same_network_mode),),
    ),
    Option("networks", "list", _networks, elements="dict"),  # compared by drift.networks: they can change any time
    _bool("oom_killer", HOST + "OomKillDisable"),
    _int("oom_score_adj", HOST + "OomScoreAdj"),
    _text("pid_mode", HOST + "PidMode"),
    _int("pids_limit", HOST + "PidsLimit", live=True, unset=lambda values: 0),
    _bool("privileged", HOST + "Privileged"),
    _bool("publish_all_ports", HOST + "PublishAllPorts"),
    _option("published_ports", "list", HOST + "PortBindings", v.ports, compare=same_ports, elements="str"),
    _bool("read_only", HOST + "ReadonlyRootfs"),
    _text(
        "restart_policy",
        HOST + "RestartPolicy.Name",
        ("no", "", None),
        compare=one_of,
        live=True,
        unset=lambda values: "no",
        choices=_POLICIES,
    ),
    Option(
        "restart_retries",
        "int",
        v.integer,
        (
            EngineField(
                HOST + "RestartPolicy.MaximumRetryCount",
                _retries,
                _fixed(None),
                same,
                live=True,
                unset=lambda values: 0,
            ),
        ),
    ),
    _text("runtime", HOST + "Runtime", ANY),
    _set("security_opts", HOST + "SecurityOpt", expect=_expect_security, compare=_same_security),
    _size("shm_size", HOST + "ShmSize", 64 << 20),
    Option("state", "str", v.text, choices=("started",)),
    _text("stop_signal", CONFIG + "StopSignal", expect=_of_image("StopSignal")),
    _int("stop_timeout", CONFIG + "StopTimeout"),
    _option("storage_opts", "dict", HOST + "StorageOpt", v.mapping, compare=same_mapping),
    _option("sysctls", "dict", HOST + "Sysctls", v.mapping, compare=same_mapping),
    _option("tmpfs", "list", HOST + "Tmpfs", v.tmpfs, compare=same_mapping, elements="str"),
    _bool("tty", CONFIG + "Tty"),
    _set("ulimits", HOST + "Ulimits", v.ulimits),
    _text("user", CONFIG + "User", expect=_of_image("User")),
    _text("userns_mode", HOST + "UsernsMode"),
    _text("uts", HOST + "UTSMode"),
    _text("volume_driver", HOST + "VolumeDriver"),
    Option(
        "volumes",
        "list",
        v.volumes,
        (
            EngineField(HOST + "Binds", _binds, _fixed(None), same_set),
            EngineField(CONFIG + "Volumes", _anonymous, _expect_anonymous, same_keys),
        ),
        elements="str",
    ),
    _set("volumes_from", HOST + "VolumesFrom"),
    _text("working_dir", CONFIG + "WorkingDir", expect=_of_image("WorkingDir")),
)

OPTIONS: Mapping[str, Option] = {option.name: option for option in TABLE}
#: the fields that an update of a container changes, by option
LIVE: Mapping[str, EngineField] = {option.name: field for option in TABLE for field in option.fields if field.live}

#: other names that docker_container takes for the same
ALIASES: Mapping[str, str] = {
    "expose": "exposed_ports",
    "exposed": "exposed_ports",
    "log_opt": "log_options",
    "ports": "published_ports",
}
