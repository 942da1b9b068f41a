# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``cpuset``: the CPUs of a host dealt to its replicas, so that no two share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text.cpu_list import text


def deal(host: str, wanted: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any]) -> dict[str, str]:
    """The CPUs of each replica of a host. ``wanted``: each replica's ``cpuset``, as the field gives it.

    Lists that the profile fixes are kept, and their cores are dealt to no other. Of the rest, sets of a given size come
    first, and those without one share evenly what is left. Where the free cores are at least as many as the CPUs
    wanted, each CPU is a core of its own; else siblings are used, too, core by core. Raises ProfileError, with host and
    counts, when there are too few.
    """
    cores = facts.get("cpu_cores") or [[cpu] for cpu in range(facts.get("cpus") or 0)]
    fixed = {name: spec["fixed"] for name, spec in wanted.items() if "fixed" in spec}
    taken = _taken(host, fixed, cores)
    free = [core for core in cores if not taken & set(core)]
    sizes = {name: spec["cpus"] for name, spec in wanted.items() if "cpus" in spec}
    shares = [name for name in wanted if name not in fixed and name not in sizes]
    needed = sum(sizes.values()) + len(shares)
    pool = [core[0] for core in free] if needed <= len(free) and not shares else list(chain.from_iterable(free))
    if needed > len(pool):
        raise ProfileError(_too_few(sizes, shares, len(pool), taken), host=host, field="cpuset")
    result = {name: text(cpus) for name, cpus in fixed.items()}
    for name, size in sizes.items():
        result[name], pool = text(pool[:size]), pool[size:]
    return result | _even(shares, [core for core in free if set(core) <= set(pool)], pool)


def _taken(host: str, fixed: Mapping[str, Sequence[int]], cores: Sequence[Sequence[int]]) -> set[int]:
    there = set(chain.from_iterable(cores))
    for name, cpus in fixed.items():
        if not there.issuperset(cpus):
            raise ProfileError(
                f"{name} is to have the CPUs {text(cpus)}, but the host has {text(there) or 'none that it tells of'}",
                host=host,
                field="cpuset",
            )
    return set(chain.from_iterable(fixed.values()))


def _even(names: Sequence[str], cores: Sequence[Sequence[int]], cpus: Sequence[int]) -> dict[str, str]:
    """Each the same number of whole cores; of CPUs, where the cores are fewer."""
    parts = cores if len(names) <= len(cores) else [[cpu] for cpu in cpus]
    each = len(parts) // max(1, len(names))
    return {name: text(chain.from_iterable(parts[at * each : (at + 1) * each])) for at, name in enumerate(names)}


def _too_few(sizes: Mapping[str, int], shares: Sequence[str], there: int, taken: set[int]) -> str:
    each = [*(f"{name} {size}" for name, size in sizes.items()), *(f"{name} at least 1" for name in shares)]
    beside = f" beside {text(taken)}, which other replicas have by name" if taken else ""
    return (
        f"{len(each)} replicas want {sum(sizes.values()) + len(shares)} CPUs of their own ({', '.join(each)}), "
        f"but the host has {there}{beside}"
    )
