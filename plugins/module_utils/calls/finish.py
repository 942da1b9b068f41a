# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""How a module ends with what its call has answered."""

from __future__ import annotations

from typing import Any


def finish(module: Any, result: dict[str, Any]) -> None:
    """End *module*, an AnsibleModule, with *result*, which says in ``failed`` how it went."""
    if result.pop("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
