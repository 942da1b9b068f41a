# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of docker_container options as people write them, turned into what the Docker Engine API takes.

Every function is pure and raises :class:`ValueError` with a text for a person; the caller adds the place.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60}
_SIZE = re.compile(r"^\s*(\d+(?:\.\d*)?)\s*([KMGTPE]?)(?:i?B)?\s*$", re.IGNORECASE)
_DURATION = re.compile(r"^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?(?:(\d+)us)?$")
_VOLUME_MODE = re.compile(r"^(?:rw|ro|z|Z|consistent|delegated|cached|nocopy|r?private|r?shared|r?slave)$")
_IPV4 = re.compile(r"^\d+\.\d+\.\d+\.\d+$")

#: (host address, host port or "" for any free one) of one published port
Binding = dict[str, str]


def text(value: Any) -> str:
    """A string, as it is."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string")
    return value


def integer(value: Any) -> int:
    """An int, or a string of digits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{value!r} is not a whole number")
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a whole number") from None


def boolean(value: Any) -> bool:
    """A bool, or one of the words that Ansible takes for one."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("yes", "true", "on", "1", "y", "t"):
        return True
    if word in ("no", "false", "off", "0", "n", "f"):
        return False
    raise ValueError(f"{value!r} is not a yes or no")


def size(value: Any) -> int:
    """Bytes: ``512m``, ``1.5 GiB``, ``1024`` (all units are powers of 1024)."""
    match = None if isinstance(value, bool) else _SIZE.match(str(value))
    if match is None:
        raise ValueError(f"{value!r} is not a size such as 512m or 2g")
    return round(float(match.group(1)) * _UNITS[match.group(2).upper()])


def swap_size(value: Any) -> int:
    """Like :func:`size`; ``-1`` and ``unlimited`` mean no limit (-1)."""
    return -1 if str(value) in ("-1", "unlimited") else size(value)


def nano_cpus(value: Any) -> int:
    """CPUs (a number such as 1.5) in billionths."""
    try:
        return round(float(value) * 1e9)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a number of CPUs") from None


def duration(value: Any) -> int:
    """Nanoseconds of ``1m30s``, ``500ms``."""
    match = _DURATION.match(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration such as 30s or 1m30s")
    hours, minutes, seconds, millis, micros = (int(part or 0) for part in match.groups())
    return (((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + millis * 1000 + micros) * 1000


def strings(value: Any) -> list[str]:
    """A list of strings; numbers are written out."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{value!r} is not a list")
    return [item if isinstance(item, str) else _scalar(item) for item in value]


def words(value: Any) -> list[str]:
    """A command: a list, or one string that is split as a shell would."""
    return shlex.split(value) if isinstance(value, str) else strings(value)


def mapping(value: Any) -> dict[str, str]:
    """A dictionary of strings; numbers are written out, yes/no become true/false."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a dictionary")
    return {str(key): item if isinstance(item, str) else _scalar(item) for key, item in value.items()}


def environment(value: Any) -> dict[str, str]:
    """Variables; anything but a string is ambiguous (yes? true? 1?) and refused."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a dictionary")
    for key, item in value.items():
        if not isinstance(item, str):
            raise ValueError(f"the value of {key} is {item!r}, not a string: quote it")
    return dict(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError(f"{value!r} is neither a string nor a number")


def device(value: Any) -> dict[str, str]:
    """``/dev/x[:/dev/in/container[:rwm]]``."""
    parts = text(value).split(":")
    return {
        "PathOnHost": parts[0],
        "PathInContainer": parts[1] if len(parts) > 1 else parts[0],
        "CgroupPermissions": parts[2] if len(parts) > 2 else "rwm",
    }


def devices(value: Any) -> list[dict[str, str]]:
    return [device(item) for item in strings(value)]


def rates_bytes(value: Any) -> list[dict[str, Any]]:
    """``[{path: /dev/sda, rate: 10m}]`` in bytes a second."""
    return [{"Path": item["path"], "Rate": size(item["rate"])} for item in dicts(value, ("path", "rate"))]


def rates_count(value: Any) -> list[dict[str, Any]]:
    """``[{path: /dev/sda, rate: 1000}]`` in operations a second."""
    return [{"Path": item["path"], "Rate": integer(item["rate"])} for item in dicts(value, ("path", "rate"))]


def device_requests(value: Any) -> list[dict[str, Any]]:
    """GPUs and the like, by driver and capabilities."""
    names = {
        "driver": "Driver",
        "count": "Count",
        "device_ids": "DeviceIDs",
        "capabilities": "Capabilities",
        "options": "Options",
    }
    return [{names[key]: item.get(key) for key in names} for item in dicts(value, (), tuple(names))]


def dicts(value: Any, required: Sequence[str], known: Sequence[str] = ()) -> list[Mapping[str, Any]]:
    """A list of dictionaries with all of *required* and none but *required* and *known* keys."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{value!r} is not a list")
    for item in value:
        if not isinstance(item, Mapping):
            raise ValueError(f"{item!r} is not a dictionary")
        missing = [key for key in required if item.get(key) is None]
        unknown = sorted(set(item) - set(required) - set(known))
        if missing:
            raise ValueError(f"{dict(item)!r} lacks {', '.join(missing)}")
        if unknown:
            raise ValueError(f"{dict(item)!r} has the unknown key {', '.join(unknown)}")
    return list(value)


def ulimits(value: Any) -> list[dict[str, Any]]:
    """``nofile:1024`` or ``nofile:1024:2048``."""
    result = []
    for item in strings(value):
        parts = item.split(":")
        if len(parts) not in (2, 3):
            raise ValueError(f"{item!r} is not NAME:SOFT[:HARD]")
        result.append({"Name": parts[0], "Soft": integer(parts[1]), "Hard": integer(parts[-1])})
    return result


def tmpfs(value: Any) -> dict[str, str]:
    """``/path[:options]``."""
    pairs = (item.partition(":") for item in strings(value))
    return {path: options for path, _colon, options in pairs}


def healthcheck(value: Any) -> dict[str, Any]:
    """Docker's Healthcheck; one without a test, or with ``NONE``, switches the image's own check off."""
    known = ("test", "test_cli_compatible", "interval", "timeout", "start_period", "start_interval", "retries")
    item = dicts([value], (), known)[0]
    test = item.get("test")
    inherit = boolean(item.get("test_cli_compatible") or False) and test is None
    if not test and not inherit:
        return {"Test": ["NONE"]}
    result: dict[str, Any] = {}
    if test:
        result["Test"] = strings(test) if isinstance(test, (list, tuple)) else ["CMD-SHELL", str(test)]
    for key, name in (
        ("interval", "Interval"),
        ("timeout", "Timeout"),
        ("start_period", "StartPeriod"),
        ("start_interval", "StartInterval"),
    ):
        if item.get(key):
            result[name] = duration(item[key])
    if item.get("retries"):
        result["Retries"] = integer(item["retries"])
    return result


# -- ports


def ports(value: Any) -> dict[str, list[Binding]]:
    """Published ports, ``[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`` with ranges, as ``{"80/tcp": [binding, ...]}``."""
    result: dict[str, list[Binding]] = {}
    for item in strings(value):
        if item == "all":
            raise ValueError('"all" is not a port: set publish_all_ports')
        address, host, container, protocol = _port_parts(item)
        inside = _range(container)
        outside: Sequence[str] = [""] * len(inside)
        if host:
            outside = [host] if len(inside) == 1 else [str(port) for port in _range(host)]
        if len(outside) != len(inside):
            raise ValueError(f"{item!r} publishes {len(inside)} ports on {len(outside)}")
        for port, published in zip(inside, outside):
            result.setdefault(f"{port}/{protocol}", []).append({"HostIp": address, "HostPort": published})
    return result


def _port_parts(item: str) -> tuple[str, str, str, str]:
    """(address, host port, container port, protocol) of one published port."""
    front, _slash, protocol = item.partition("/")
    address = "0.0.0.0"
    if front.startswith("["):
        address, bracket, front = front[1:].partition("]:")
        if not bracket:
            raise ValueError(f"{item!r} is not [IPV6]:HOST:CONTAINER")
        front = f":{front}" if ":" not in front else front
        parts = ["", *front.split(":")]
    else:
        parts = front.split(":")
        if len(parts) == 3:
            address = parts[0]
            if not _IPV4.match(address):
                raise ValueError(f"{item!r}: {address!r} is not an IP address; ports are published on addresses")
    if len(parts) > 3:
        raise ValueError(f"{item!r} has more than three parts; an IPv6 address stands in [brackets]")
    return address, parts[-2] if len(parts) > 1 else "", parts[-1], protocol or "tcp"


def _range(value: str) -> list[int]:
    first, _dash, last = value.partition("-")
    try:
        numbers = range(int(first), int(last or first) + 1)
    except ValueError:
        raise ValueError(f"{value!r} is not a port or a range of ports") from None
    if not numbers or not 0 < numbers[0] <= numbers[-1] < 65536:
        raise ValueError(f"{value!r} is not a port or a range of ports")
    return list(numbers)


def exposed_ports(value: Any) -> list[str]:
    """``80``, ``80/udp``, ``8000-8010`` as ``PORT/PROTOCOL``."""
    result = []
    for item in strings(value):
        front, _slash, protocol = item.strip().partition("/")
        result += [f"{port}/{protocol or 'tcp'}" for port in _range(front)]
    return result


# -- volumes and mounts


def is_volume_mode(value: str) -> bool:
    return all(_VOLUME_MODE.match(part) for part in value.split(","))


def volumes(value: Any) -> list[str]:
    """Each ``SOURCE:TARGET:MODE`` (bound), or ``TARGET[:MODE]`` (anonymous), as the engine is given it."""
    result, targets = [], set()
    for item in strings(value):
        source, target, mode = split_volume(item)
        if target in targets:
            raise ValueError(f"{target} is mounted twice")
        targets.add(target)
        result.append(f"{source}:{target}:{mode}" if source else item)
    return result


def split_volume(item: str) -> tuple[str, str, str]:
    """(source or "" if anonymous, target, mode) of one entry of ``volumes``."""
    parts = item.split(":")
    if len(parts) == 3:
        if not is_volume_mode(parts[2]):
            raise ValueError(f"{item!r}: {parts[2]!r} is not a volume mode")
        source, target, mode = parts
    elif len(parts) == 2 and not is_volume_mode(parts[1]):
        source, target, mode = parts[0], parts[1], "rw"
    elif len(parts) > 3:
        raise ValueError(f"{item!r} is not SOURCE:TARGET[:MODE]")
    else:
        source, target, mode = "", parts[0], parts[1] if len(parts) == 2 else "rw"
    if source and source[0] in ".~":
        raise ValueError(f"{item!r}: the source must be an absolute path or the name of a volume")
    return source, target, mode


_MOUNT_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    # our key: (section.key of the engine's mount, mount types that take it)
    "propagation": ("BindOptions.Propagation", ("bind",)),
    "non_recursive": ("BindOptions.NonRecursive", ("bind",)),
    "create_mountpoint": ("BindOptions.CreateMountpoint", ("bind",)),
    "read_only_non_recursive": ("BindOptions.ReadOnlyNonRecursive", ("bind",)),
    "read_only_force_recursive": ("BindOptions.ReadOnlyForceRecursive", ("bind",)),
    "no_copy": ("VolumeOptions.NoCopy", ("volume",)),
    "labels": ("VolumeOptions.Labels", ("volume",)),
    "volume_driver": ("VolumeOptions.DriverConfig.Name", ("volume",)),
    "volume_options": ("VolumeOptions.DriverConfig.Options", ("volume",)),
    "tmpfs_size": ("TmpfsOptions.SizeBytes", ("tmpfs",)),
    "tmpfs_mode": ("TmpfsOptions.Mode", ("tmpfs",)),
}
_MOUNT_PARSERS: dict[str, Any] = {
    "labels": mapping,
    "volume_options": mapping,
    "tmpfs_size": size,
    "tmpfs_mode": lambda value: int(str(value), 8),
    "volume_driver": text,
    "propagation": text,
}


def mounts(value: Any) -> list[dict[str, Any]]:
    """The engine's HostConfig.Mounts."""
    known = ("source", "type", "read_only", "consistency", *_MOUNT_OPTIONS)
    result, targets = [], set()
    for item in dicts(value, ("target",), known):
        target, kind = item["target"], item.get("type") or "volume"
        if kind not in ("bind", "volume", "tmpfs"):
            raise ValueError(f"mounts of type {kind!r} are not supported")
        if target in targets:
            raise ValueError(f"{target} is mounted twice")
        targets.add(target)
        if kind == "bind" and not item.get("source"):
            raise ValueError(f"the bind mount on {target} lacks its source")
        mount: dict[str, Any] = {"Target": target, "Type": kind, "ReadOnly": boolean(item.get("read_only") or False)}
        for key, name in (("source", "Source"), ("consistency", "Consistency")):
            if item.get(key):
                mount[name] = item[key]
        for key, (path, kinds) in _MOUNT_OPTIONS.items():
            if item.get(key) is None:
                continue
            if kind not in kinds:
                raise ValueError(f"{key} is not for the {kind} mount on {target}")
            put(mount, path, _MOUNT_PARSERS.get(key, boolean)(item[key]))
        result.append(mount)
    return result


# -- nested dictionaries


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set ``data["A"]["B"] = value`` for the path ``A.B``."""
    *parents, last = path.split(".")
    for part in parents:
        data = data.setdefault(part, {})
    data[last] = value


def dig(data: Any, path: str) -> Any:
    """``data["A"]["B"]`` for the path ``A.B``; None where something on the way is missing."""
    for part in path.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def prune(value: Any) -> Any:
    """Without what the engine leaves out or fills with nothing: None, "", 0, False, {} and [], at any depth."""
    if isinstance(value, Mapping):
        pruned = {key: prune(item) for key, item in value.items()}
        return {key: item for key, item in pruned.items() if item} or None
    if isinstance(value, (list, tuple)):
        return [prune(item) for item in value] or None
    return value or None


def canonical(value: Any) -> str:
    """The same text for equal values, whatever the order of keys."""
    return json.dumps(prune(value), sort_keys=True, separators=(",", ":"))
