# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Networks of a deployment on this host: made, and made again where they drifted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference
from ansible_collections.retail.profiles.plugins.module_utils.container.options import same
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, listed

#: options of docker_network -> field of the engine's network
_OPTIONS = {
    "driver": "Driver",
    "internal": "Internal",
    "attachable": "Attachable",
    "enable_ipv6": "EnableIPv6",
    "labels": "Labels",
    "driver_options": "Options",
}
_IPAM = {"subnet": "Subnet", "gateway": "Gateway", "iprange": "IPRange", "aux_addresses": "AuxiliaryAddresses"}

FOREIGN = "a network of that name is on this host and is not ours: remove it, or choose another profile_deployment"


def check_options(network: Mapping[str, Any]) -> None:
    """Raises ProfileError that names an option of docker_network that is not known here."""
    for option in network:
        if option not in {"name", "state", "ipam_config", "ipam_driver", *_OPTIONS}:
            raise ProfileError(
                f"the option {option} of docker_network is not known to profile_apply: "
                "remove it, or use profile_apply_with=docker_container",
                field=f"networks {network.get('name')}",
            )


def create_request(network: Mapping[str, Any]) -> dict[str, Any]:
    """The body of ``POST /networks/create`` for docker_network arguments."""
    request: dict[str, Any] = {"Name": network["name"], "Driver": "bridge"}
    for option, field in _OPTIONS.items():
        if network.get(option) is not None:
            request[field] = network[option]
    if network.get("ipam_config") or network.get("ipam_driver"):
        request["IPAM"] = {
            "Driver": network.get("ipam_driver") or "default",
            "Config": [_pool(item) for item in network.get("ipam_config") or ()],
        }
    return request


def _pool(item: Mapping[str, Any]) -> dict[str, Any]:
    return {_IPAM[key]: value for key, value in item.items() if value is not None and key in _IPAM}


def network_differences(network: Mapping[str, Any], actual: Mapping[str, Any]) -> list[Difference]:
    """What differs between docker_network arguments and a network of the engine."""
    found = []
    for option, field in _OPTIONS.items():
        desired, current = network.get(option), actual.get(field)
        if option == "driver":
            desired = desired or "bridge"
        elif option == "driver_options":
            # Engines add options of their own.
            desired, current = desired or {}, {key: (current or {}).get(key) for key in desired or {}}
        if not same(desired, current):
            found.append(Difference(f"{network['name']}.{option}", current, desired))
    pools = [_pool(item) for item in network.get("ipam_config") or ()]
    if pools:
        current = [
            {key: item.get(key) for key in pool}
            for pool, item in zip(pools, (actual.get("IPAM") or {}).get("Config") or ())
        ]
        if not same(pools, current):
            found.append(Difference(f"{network['name']}.ipam_config", current, pools))
    return found


def find(networks: Iterable[Mapping[str, Any]], name: str) -> Optional[Mapping[str, Any]]:
    """The network called *name* in the engine's list."""
    return next((item for item in networks if item.get("Name") == name), None)


def release(engine: Engine, name: str, ours: Callable[[Listed], bool]) -> None:
    """Disconnect what keeps network *name* from being removed: containers of ours, and ends of containers long gone.

    Raises ProfileError that names the containers on it that are not ours.
    """
    ends = (engine.network(name) or {}).get("Containers") or {}
    if not ends:
        return
    containers = {item.id: item for item in listed(engine.containers()).values()}
    foreign = sorted(
        containers[identity].name for identity in ends if identity in containers and not ours(containers[identity])
    )
    if foreign:
        raise ProfileError(
            f"containers that are not ours are connected to it: {', '.join(foreign)}: "
            "disconnect them, and run this again",
            field=f"network {name}",
        )
    for end in ends.values():
        engine.disconnect(end["Name"], name)  # by name: the engine no longer knows the id of a container that is gone
