# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where something listens, as a person gives it: ``ADDRESS:PORT``, or a port of the loopback address alone."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

LOOPBACK = "127.0.0.1"
_FORM = re.compile(r"(?:(?P<address>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+(?:%\w+)?\]):)?(?P<port>\d{1,5})")


@dataclass(frozen=True)
class Listening:
    """An address to listen on: a name or a number of IPv4 or IPv6; port 0 is any that is free."""

    address: str
    port: int

    def bound(self, field: str) -> socket.socket:
        """A socket that is bound to it. Raises ProfileError, about ``field``, where that cannot be."""
        try:
            family, kind, protocol, _name, where = socket.getaddrinfo(
                self.address, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            made = socket.socket(family, kind, protocol)
        except OSError as error:
            raise ProfileError(f"{self} is no address here: {error.strerror}", field=field) from error
        except ValueError as error:  # a name that no name server can be asked for
            raise ProfileError(f"{self} is no address here: {error}", field=field) from error
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(where)
            made.listen()
        except OSError as error:
            made.close()
            raise ProfileError(f"{self} cannot be listened on: {error.strerror}", field=field) from error
        return made

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def parse(text: str, field: str) -> Listening:
    """The address that a text names. Raises ProfileError, about ``field``."""
    found = _FORM.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise ProfileError(f"'{text}' is no ADDRESS:PORT, and no port", field=field)
    return Listening((found["address"] or LOOPBACK).strip("[]"), int(found["port"]))
