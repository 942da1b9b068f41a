# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a Compose service runs, how often, and how much of a host's CPUs it may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.forms import scalar
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import Service


def placement(service: Service) -> dict[str, Any]:
    """The fields of placement."""
    deploy = service.value.get("deploy", {})
    wanted = deploy.get("placement") or {}
    count = replicas(service.value)
    made: dict[str, Any] = {}
    if deploy.get("mode") in ("global", "global-job"):
        made["replicas_per_host"] = 1
    elif count is not None:
        made["replicas"] = count
    if wanted.get("max_replicas_per_node"):
        made["max_per_host"] = wanted["max_replicas_per_node"]
    for constraint in wanted.get("constraints") or []:
        key, equals, host = (part.strip() for part in str(constraint).partition("=="))
        if equals and key == "node.hostname":
            made["hosts"] = host
        else:
            service.warn(f"deploy.placement.constraints {constraint}", service.at("deploy"))
    if "preferences" in wanted:
        service.warn("deploy.placement.preferences")
    if "platform" in service.value:
        made["require"] = {"arch": _architecture(service)}
    return made


def _architecture(service: Service) -> str:
    """That of ``platform``: an image of another than the host's would run in an emulation, if at all."""
    written = scalar(service.value["platform"])
    system, _slash, architecture = written.partition("/")
    if system == "linux" and architecture:
        return architecture.partition("/")[0]
    if "/" in written or system in ("windows", "darwin"):
        raise service.error("platform", f"{written!r} is not linux/ARCHITECTURE")
    return system


def limits(service: Service) -> dict[str, Any]:
    """CPU time and CPUs, which have fields of their own."""
    limits = ((service.value.get("deploy", {}).get("resources") or {}).get("limits")) or {}
    cpus = limits.get("cpus", service.value.get("cpus"))
    made: dict[str, Any] = {}
    if cpus is not None:
        try:
            number = float(cpus)
        except ValueError as error:
            raise service.source.error(
                f"{service.label}: {cpus!r} is not a number of CPUs", service.at("deploy")
            ) from error
        made.update({"cpus": number} if number else {})
    if "cpuset" in service.value:
        made["cpuset"] = scalar(service.value["cpuset"])
    return made


def replicas(value: Mapping[str, Any]) -> int | None:
    """How many replicas a service has; None where it does not say."""
    count = value.get("scale")
    count = (value.get("deploy") or {}).get("replicas") if count is None else count
    return None if count is None else int(count)
