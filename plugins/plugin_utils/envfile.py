# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Environment files in Docker's own format, as ``docker run --env-file`` reads them."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError


def parse(text: str, file: str) -> dict[str, str]:
    """Variables of an env file; the last of a variable given twice wins.

    Quotes, ``$`` and everything after the first ``=`` belong to the value. A line that starts with ``#`` is
    a comment. A name without ``=`` would take its value from the caller's environment in Docker; there is no
    such caller here, so it sets nothing. Raises ProfileError for a name with white space or no name.
    """
    variables: dict[str, str] = {}
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = raw.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not name or any(character.isspace() for character in name):
            raise ProfileError(
                f"{line!r} is not NAME=VALUE: the name must not be empty or hold white space", file=file, line=number
            )
        if separator:
            variables[name] = value
    return variables
