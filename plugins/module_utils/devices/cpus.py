# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a CPU is: in which package, and of which core type."""

from __future__ import annotations

import contextlib
import re

from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Roots, names_in, text_of

FOLDER = "devices/system/cpu"
# PMUs that a hybrid processor has instead of one for all CPUs (P cores, E cores, low-power E cores)
_CORE_TYPES = ("cpu_core", "cpu_atom", "cpu_lowpower")


def numbers(text: str) -> list[int]:
    """CPU numbers of a list as the kernel prints them, with commas and ranges or with blanks."""
    found: list[int] = []
    for part in re.split(r"[,\s]+", text.strip()):
        first, _dash, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1) if part else ())
    return found


def present(roots: Roots) -> list[int]:
    """The CPUs that the kernel shows."""
    names = names_in(f"{roots.sys}/{FOLDER}")
    return sorted(int(name[3:]) for name in names if re.fullmatch(r"cpu\d+", name))


def package_of(roots: Roots, cpu: int) -> str:
    """``package-0``, as RAPL calls it; a machine that names no packages has one."""
    number = 0
    with contextlib.suppress(OSError, ValueError):
        number = max(0, int(text_of(f"{roots.sys}/{FOLDER}/cpu{cpu}/topology/physical_package_id")))
    return f"package-{number}"


def core_of(roots: Roots, cpu: int) -> str:
    """What siblings have in common; each CPU is its own where the kernel does not tell."""
    with contextlib.suppress(OSError):
        return text_of(f"{roots.sys}/{FOLDER}/cpu{cpu}/topology/thread_siblings_list")
    return str(cpu)


def core_types(roots: Roots) -> dict[int, str]:
    """Of a hybrid processor, each CPU's type of core; empty for one whose cores are all alike."""
    found: dict[int, str] = {}
    for kind in _CORE_TYPES:
        with contextlib.suppress(OSError, ValueError):
            found.update(dict.fromkeys(numbers(text_of(f"{roots.sys}/devices/{kind}/cpus")), kind))
    return found
