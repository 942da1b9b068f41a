# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a profile can be planned at all: on a fleet that is made up, with as many hosts as it may need."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import STATE_DIR
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import Inventory, PlanSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile, Render

_MOST_HOSTS = 1000
# Of RFC 2544, for tests: no host of a user has one of them.
_FIRST_ADDRESS = ipaddress.ip_address("198.18.0.1")


def check(profile: Profile, env: Mapping[str, str], render: Render) -> None:
    """Raise ProfileError for what no inventory can mend. ``env`` is ``profile_env``.

    The hosts of every pattern are all of the fleet, and nothing is said of their hardware.
    """
    variables: dict[str, Any] = {"models_dir": f"{STATE_DIR}/models"}
    numbers = [entry.value("replicas", render, variables) or 1 for entry in profile.entries]
    hosts = [f"host{number}" for number in range(1, min(max(numbers), _MOST_HOSTS) + 1)]
    inventory = Inventory(hosts, hosts, lambda pattern: hosts)
    settings = PlanSettings(deployment="trial", env=env)
    fleet = Fleet.unseen(
        dict.fromkeys(hosts, variables), {host: [str(_FIRST_ADDRESS + at)] for at, host in enumerate(hosts)}
    )
    shaped = plan.shape(profile, inventory, settings, render, variables)
    plan.planned(profile, shaped, settings, fleet, render)
