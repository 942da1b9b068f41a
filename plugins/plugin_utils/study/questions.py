# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a study is asked: its response, and which tables and charts are made of it. Its runs do not depend on that.

All but the response may change when a study goes on, or when it is at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

DENSITY = "density"
"""The response of a study whose runs are searches for stream density."""


@dataclass(frozen=True)
class Questions:
    """Figures are named as compare_runs.yml names them; empty: the first of those that it would declare.

    ``load``: the factor over whose levels there is a curve of ``latency`` over ``throughput``. ``pareto``: two figures,
    ``heat_map``: two factors.
    """

    response: str = ""
    metrics: tuple[str, ...] = ()
    load: str = ""
    throughput: str = ""
    latency: str = ""
    pareto: tuple[str, ...] = ()
    heat_map: tuple[str, ...] = ()

    @property
    def seeks_density(self) -> bool:
        return self.response == DENSITY

    def as_dict(self) -> dict[str, Any]:
        return {name: list(told) if isinstance(told, tuple) else told for name, told in vars(self).items()}


FIELDS = tuple(field.name for field in fields(Questions))
_NAMES = ("response", "load", "throughput", "latency")


def of_dict(data: Mapping[str, Any]) -> Questions:
    """What `Questions.as_dict` gave."""
    kept: dict[str, Any] = {name: tuple(told) if isinstance(told, list) else told for name, told in data.items()}
    return Questions(**kept)


def parse(data: Mapping[str, Any], factors: Mapping[str, Sequence[Any]]) -> Questions:
    """The questions of a study's file. Raises ProfileError."""
    for name in _NAMES:
        if not isinstance(data.get(name, ""), str):
            raise ProfileError(f"expected a name, not {data[name]!r}", field=name)
    found = Questions(
        response=data.get("response", ""),
        load=data.get("load", ""),
        throughput=data.get("throughput", ""),
        latency=data.get("latency", ""),
        metrics=_listed(data, "metrics", "a list of figures"),
        pareto=_listed(data, "pareto", "two figures", most=2),
        heat_map=_listed(data, "heat_map", "two factors", most=2),
    )
    for field, names in (("load", [found.load] if found.load else []), ("heat_map", found.heat_map)):
        for name in names:
            if name not in factors:
                raise ProfileError(f"{name} is no factor of the study: {', '.join(factors)}", field=field)
    _check_load(found, factors)
    return found


def _check_load(found: Questions, factors: Mapping[str, Sequence[Any]]) -> None:
    levels = factors[found.load] if found.load else ()
    if any(isinstance(level, bool) or not isinstance(level, (int, float)) for level in levels):
        raise ProfileError("the levels of the load are numbers, so that they have an order", field="load")
    if found.seeks_density and found.load:
        raise ProfileError("a search for density finds the load itself: leave load out, or density", field="load")
    if not found.load and (found.throughput or found.latency):
        raise ProfileError("the curve goes over the levels of a factor: name it as load", field="throughput")


def _listed(data: Mapping[str, Any], name: str, what: str, most: int | None = None) -> tuple[str, ...]:
    given = data.get(name, [])
    whole = isinstance(given, Sequence) and not isinstance(given, str) and all(isinstance(one, str) for one in given)
    if not whole or (most and given and len(set(given)) != most):
        raise ProfileError(f"expected {what}, not {given!r}", field=name)
    return tuple(given)
