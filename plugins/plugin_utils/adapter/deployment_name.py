# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which deployment is meant by a profile, where nothing is planned: to stop it, to look at it, to read its logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import shared_containers
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Render

_HINT = "or name its deployment with -e profile_deployment=NAME"


def of(profile: Any, search: Sequence[Path], render: Render, variables: Mapping[str, Any], given: Given) -> str:
    """The deployment of a profile. A name under which there is no profile is one whose profile is gone.

    Raises ProfileError.
    """
    try:
        try:
            file, given = load.find(profile, search, render, variables, given)
        except ProfileError:
            if _may_be_gone(profile):
                return str(profile)
            raise
        return load.name_of(file, render, variables, given)
    except ProfileError as error:
        raise ProfileError(f"{error}; {_HINT}") from None


def _may_be_gone(profile: Any) -> bool:
    """Whether this is the name of a deployment, and no file that is not there."""
    if not isinstance(profile, str) or profile.endswith((".json", ".yaml", ".yml")):
        return False
    try:
        return shared_containers.deployment(profile) == profile
    except ValueError:
        return False
