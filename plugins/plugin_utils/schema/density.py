# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stream density: what a stream of a profile is, so that a number of them can be asked for."""

from __future__ import annotations

from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    Invalid,
    choice,
    list_of,
    name,
    positive,
    record,
    variable,
)


def _check(density: dict[str, Any]) -> None:
    least, most = density["least"], density.get("most")
    if most is not None and most < least:
        raise Invalid(f"most: {most} streams are fewer than the least, {least}", ("most",))


DENSITY_FIELDS: tuple[Field, ...] = (
    Field(
        "container",
        list_of(name),
        "The container whose replicas are the streams; of several, each has as many.",
        "container: client",
        required=True,
    ),
    Field(
        "env",
        variable,
        "A variable of these containers that says how many streams each of their replicas has.",
        "env: STREAMS",
        unset="a stream is a replica",
    ),
    Field(
        "per",
        choice("fleet", "host"),
        "Whether all hosts together have so many streams, or each host by itself; every host then has its own answer.",
        "per: host",
        default="fleet",
    ),
    Field("least", positive, "The number of streams to begin with.", "least: 4", default=1),
    Field("most", positive, "The largest number to try.", "most: 64", unset="no bound but the hosts'"),
)
DENSITY = record(DENSITY_FIELDS, _check)
