# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""A search for stream density in lines of text."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import SearchState


def line(search: SearchState) -> str:
    """The last ended step of a search, in a line."""
    ended = [one for one in search.steps if one.step.outcome is not None]
    return f"{ended[-1].step.streams} streams: {ended[-1].step.outcome}; {ended[-1].told}" if ended else search.reason
