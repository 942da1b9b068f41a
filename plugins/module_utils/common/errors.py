# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""The one exception root of the collection: a message for a person, and the place it came from."""

from __future__ import annotations

from typing import Optional


class ProfileError(Exception):
    """A failure that a user can act on; caught once, in ``main()`` of a module or ``run()`` of an action.

    The text reads ``where: what``; *where* is built from whatever parts are known
    (file and line, host, container, field).
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
        self.file = file
        self.line = line
        self.host = host
        self.container = container
        self.field = field
        super().__init__(str(self))

    def __str__(self) -> str:
        where = []
        if self.file is not None:
            where.append(self.file if self.line is None else f"{self.file}:{self.line}")
        for label, value in (("host", self.host), ("container", self.container), ("field", self.field)):
            if value is not None:
                where.append(f"{label} {value}")
        return f"{', '.join(where)}: {self.message}" if where else self.message
