# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that looks like a template, and is none."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.text import templates
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Template

from ..world import render


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
@example("\r{")
@example("a\r\n")
def test_escaped_text_renders_to_itself(text: str) -> None:
    escaped = templates.escape(text)
    assert (render(escaped, {}) if "{" in text else escaped) == text
    joined = str(templates.joined((Template("{{ v }}"), text, Template("{{ v }}"))))
    assert render(joined, {"v": "!"}) == f"!{text}!"
