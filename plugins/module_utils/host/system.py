# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of a host's hardware and kernel that makes a run comparable, read from /proc and /sys.

A value that cannot be had is ``{"absent": reason}``: never missing, never zero.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

Value = Any
_MITIGATIONS = "/sys/devices/system/cpu/vulnerabilities"
_CPU = "/sys/devices/system/cpu"


def absent(reason: str) -> dict[str, str]:
    return {"absent": reason}


class Files:
    """Reads below *root*, which tests set."""

    def __init__(self, root: str = "/") -> None:
        self.root = root

    def path(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))

    def text(self, path: str) -> str:
        """Stripped content. Raises OSError."""
        with open(self.path(path), encoding="utf-8", errors="replace") as stream:
            return stream.read().strip().strip("\0")

    def value(self, path: str, may_be_empty: bool = False) -> Value:
        """Stripped content, or why there is none."""
        try:
            text = self.text(path)
            return text if text or may_be_empty else absent(f"{path} is empty")
        except OSError as error:
            return absent(f"{path}: {error.strerror}")

    def names(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(self.path(path)))
        except OSError:
            return []

    def link(self, path: str) -> str:
        """Base name of what a symbolic link leads to. Raises OSError."""
        return os.path.basename(os.readlink(self.path(path)))

    def exists(self, path: str) -> bool:
        return os.path.exists(self.path(path))


def memory_bytes() -> int:
    """The host's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def describe(files: Files) -> dict[str, Any]:
    """Everything about the host itself; what the engine knows is added by :func:`snapshot.snapshot`."""
    return {
        "cpu": cpu(files),
        "kernel": kernel(files),
        "memory": memory(files),
        "board": board(files),
        "network": network(files),
        "accelerators": accelerators(files),
        "virtualization": virtualization(files),
        "clock": {
            "source": files.value("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            "synchronised": synchronised(),
        },
        "load_before": _load(files),
    }


def _load(files: Files) -> Value:
    value = files.value("/proc/loadavg")
    return [float(part) for part in value.split()[:3]] if isinstance(value, str) else value


def cpu(files: Files) -> dict[str, Any]:
    """Model, microcode, topology, and how its speed is governed."""
    blocks = [_pairs(block) for block in str(files.value("/proc/cpuinfo")).split("\n\n")]
    processors = [block for block in blocks if "processor" in block]
    first = processors[0] if processors else {}
    packages = {block["physical id"] for block in processors if "physical id" in block}
    cores = {(block["physical id"], block["core id"]) for block in processors if "core id" in block}
    governor = f"{_CPU}/cpu0/cpufreq"
    return {
        "model": first.get("model name") or absent("/proc/cpuinfo has no model name"),
        "microcode": first.get("microcode") or absent("/proc/cpuinfo has no microcode"),
        "sockets": len(packages) or absent("/proc/cpuinfo has no physical id"),
        "cores": len(cores) or absent("/proc/cpuinfo has no core id"),
        "threads": len(processors) or absent("/proc/cpuinfo has no processor"),
        "smt": files.value(f"{_CPU}/smt/control"),
        "numa_nodes": len([name for name in files.names("/sys/devices/system/node") if name[4:].isdigit()])
        or absent("/sys/devices/system/node has no nodes"),
        "governor": files.value(f"{governor}/scaling_governor"),
        "energy_preference": files.value(f"{governor}/energy_performance_preference"),
        "turbo": _turbo(files),
        "frequency_khz": {
            "min": files.value(f"{governor}/scaling_min_freq"),
            "max": files.value(f"{governor}/scaling_max_freq"),
        },
        "isolated": files.value(f"{_CPU}/isolated", may_be_empty=True),
        "mitigations": {name: files.value(f"{_MITIGATIONS}/{name}") for name in files.names(_MITIGATIONS)}
        or absent(f"{_MITIGATIONS} has none"),
    }


def cpu_cores(files: Files, usable: Iterable[int]) -> list[list[int]]:
    """The CPUs that may be used, by core; where the kernel shows no siblings, each is a core of its own."""
    cores: dict[str, list[int]] = {}
    for number in sorted(usable):
        siblings = files.value(f"{_CPU}/cpu{number}/topology/thread_siblings_list")
        cores.setdefault(siblings if isinstance(siblings, str) else str(number), []).append(number)
    return list(cores.values())


def _turbo(files: Files) -> Value:
    if files.exists(f"{_CPU}/intel_pstate/no_turbo"):
        return {"0": "on", "1": "off"}.get(str(files.value(f"{_CPU}/intel_pstate/no_turbo")), absent("unreadable"))
    if files.exists(f"{_CPU}/cpufreq/boost"):
        return {"1": "on", "0": "off"}.get(str(files.value(f"{_CPU}/cpufreq/boost")), absent("unreadable"))
    return absent("the kernel shows neither intel_pstate/no_turbo nor cpufreq/boost")


def kernel(files: Files) -> dict[str, Any]:
    return {
        "release": files.value("/proc/sys/kernel/osrelease"),
        "version": files.value("/proc/sys/kernel/version"),
        "command_line": files.value("/proc/cmdline", may_be_empty=True),
        "os": _os_release(files),
    }


def _os_release(files: Files) -> Value:
    value = files.value("/etc/os-release")
    if not isinstance(value, str):
        return value
    names = [line.partition("=")[2].strip('"') for line in value.splitlines() if line.startswith("PRETTY_NAME=")]
    return names[0] if names else absent("/etc/os-release has no PRETTY_NAME")


def memory(files: Files) -> dict[str, Any]:
    """Sizes in bytes."""
    pairs = _pairs(str(files.value("/proc/meminfo")))

    def size(key: str) -> Value:
        number = pairs.get(key, "").split(" ")[0]
        return int(number) * 1024 if number.isdigit() else absent(f"/proc/meminfo has no {key}")

    return {"total_bytes": size("MemTotal"), "swap_bytes": size("SwapTotal"), "huge_page_bytes": size("Hugetlb")}


def board(files: Files) -> dict[str, Any]:
    names = ("sys_vendor", "product_name", "board_vendor", "board_name", "bios_version", "bios_date")
    return {name: files.value(f"/sys/class/dmi/id/{name}") for name in names}


def network(files: Files) -> dict[str, Any]:
    """Each real network interface: driver, speed (Mbit/s), MTU. Bridges and veths of Docker are left out."""
    result: dict[str, Any] = {}
    for name in files.names("/sys/class/net"):
        if name == "lo" or name.startswith(("veth", "docker", "br-")):
            continue
        base = f"/sys/class/net/{name}"
        result[name] = {
            "driver": _link(files, f"{base}/device/driver", "it has no device driver"),
            "speed_mbit": _number(files, f"{base}/speed"),
            "mtu": _number(files, f"{base}/mtu"),
        }
    return result


def _number(files: Files, path: str) -> Value:
    value = files.value(path)
    if not isinstance(value, str):
        return value
    return int(value) if value.isdigit() else absent(f"{path} says {value}")


def _link(files: Files, path: str, reason: str) -> Value:
    try:
        return files.link(path)
    except OSError:
        return absent(reason)


def accelerators(files: Files) -> Value:
    """GPUs and NPUs: PCI id, driver and its version."""
    result: dict[str, Any] = {}
    for folder, names in (
        ("/sys/class/drm", [name for name in files.names("/sys/class/drm") if name.startswith("renderD")]),
        ("/sys/class/accel", files.names("/sys/class/accel")),
    ):
        for name in names:
            device = f"{folder}/{name}/device"
            driver = _link(files, f"{device}/driver", "it has no driver")
            result[name] = {
                "vendor": files.value(f"{device}/vendor"),
                "device": files.value(f"{device}/device"),
                "driver": driver,
                "driver_version": files.value(f"/sys/module/{driver}/version")
                if isinstance(driver, str)
                else absent("it has no driver"),
                "firmware": files.value(f"{device}/fw_version"),
            }
    return result or absent("neither /sys/class/drm nor /sys/class/accel has a device")


def virtualization(files: Files) -> Value:
    """What this host runs in, as far as it shows."""
    if files.exists("/.dockerenv"):
        return "docker"
    if files.exists("/run/systemd/container"):
        return files.value("/run/systemd/container")
    if " hypervisor" not in f" {_pairs(str(files.value('/proc/cpuinfo'))).get('flags', '')}":
        return "none"
    vendor = files.value("/sys/class/dmi/id/sys_vendor")
    return vendor if isinstance(vendor, str) else "a hypervisor"


def synchronised() -> Value:
    """Whether the kernel says that the clock is disciplined (adjtimex)."""
    import ctypes

    try:
        buffer = ctypes.create_string_buffer(256)  # struct timex, modes = 0: only read
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError) as error:
        return absent(f"adjtimex: {error}")
    return absent("adjtimex failed") if state < 0 else bool(state != 5)


def _pairs(text: str) -> dict[str, str]:
    """``key : value`` lines."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _colon, value in pairs}
