# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths on the hosts that templates see as ``host_paths``, and what they are where nobody sets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.text import interpolation
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Render

# The working directory of upstream's launcher, and what users' shells had in it. Each may stand on those before it.
DEFAULTS: Mapping[str, str] = {
    "HOME": "/root",
    "RUN_PATH": "$STATE_DIR/work",
    "PWD": "$RUN_PATH",
    "RESULTS_DIR": "$RUN_PATH/results",
    "cl_cache_dir": "$RUN_PATH/.cl-cache",
    "MODEL_DIR": "$MODELS_DIR",
}


def of_host(variables: Mapping[str, Any], env: Mapping[str, str], state_dir: str, render: Render) -> dict[str, str]:
    """What templates see as ``host_paths``: each of ``profile_env``, else of the host's variable, else the default."""

    def of_variable(name: str) -> str | None:
        return str(render(variables[name], variables)) if name in variables else None

    known = {"STATE_DIR": state_dir, "MODELS_DIR": of_variable("models_dir") or f"{state_dir}/models"}
    for name, default in DEFAULTS.items():
        given = env.get(name) or of_variable(name)
        known[name] = given or interpolation.expand(default, known.get)
    return {name: known[name] for name in DEFAULTS}
