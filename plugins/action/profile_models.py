# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_models: asks the host."""

from __future__ import annotations

from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.calls.models import argument_spec
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import Call, DirectAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import call_limits


class ActionModule(DirectAction):
    """Nothing but the call."""

    call = Call("profile_models", "calls.models", {"argument_spec": argument_spec()})

    def limit(self, args: dict[str, Any], task_vars: dict[str, Any]) -> call_limits.Limit:
        return call_limits.of_models(len(args["expected"]))
