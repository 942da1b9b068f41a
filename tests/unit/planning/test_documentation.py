# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/profile.md names every field, probe and metric key that there is."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.retail.profiles.plugins.plugin_utils import fields


def test_every_field_is_documented_and_no_other(checkout: Path) -> None:
    text = (checkout / "docs" / "profile.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", text, flags=re.MULTILINE))
    declared = {field.name for field in (*fields.PROFILE_FIELDS, *fields.CONTAINER_FIELDS)}
    assert documented == declared | set(fields.PROBE_KINDS) | {"kind", "unit", "required"}
