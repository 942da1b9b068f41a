# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that open with no network: their templates, their style, and the policy that lets in nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.results import report_tables

FOLDER = Path(__file__).parent / "report"


def part(name: str) -> str:
    """A file of the folder of pages."""
    return (FOLDER / name).read_text(encoding="utf-8")


def policy_hash(text: str) -> str:
    """How a content security policy names a script or a style that may be in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def rendered(template: str, **values: object) -> str:
    """A page of the folder, with the style of all pages. All text is escaped."""
    from markupsafe import Markup

    style = part("style.css")
    page: str = _pages().get_template(template).render(**values, style=Markup(style), style_hash=policy_hash(style))
    return page


@cache
def _pages() -> Any:
    """Jinja's environment, which keeps the templates that it has compiled."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(str(FOLDER)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["long"] = lambda text: Markup(' class="long"') if report_tables.has_long_word(text) else ""
    made.filters.update(plain=report_tables.plain, moment=report_tables.moment, figure=report_tables.figure)
    return made
