# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception root of the collection: a message for a person, and the place it came from."""

from __future__ import annotations

from typing import Optional


class ProfileError(Exception):
    """A failure that a user can act on; caught once, in ``main()`` of a module or ``run()`` of an action.

    The text reads ``where: what``.
    """

    def __init__(
        self,
        message: str,
        *,
        file: Optional[str] = None,
        line: Optional[int] = None,
        host: Optional[str] = None,
        container: Optional[str] = None,
        field: Optional[str] = None,
    ) -> None:
        self.message = message
        where = [] if file is None else [file if line is None else f"{file}:{line}"]
        named = (("host", host), ("container", container), ("field", field))
        where += [f"{label} {value}" for label, value in named if value is not None]
        super().__init__(f"{', '.join(where)}: {message}" if where else message)
