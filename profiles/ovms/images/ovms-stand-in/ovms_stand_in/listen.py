# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and ports to listen on."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from ovms_stand_in.faults import StartError


def target(address: str, port: int) -> str:
    """``address:port`` as it is written, an IPv6 address in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def check_free(addresses: Sequence[str], port: int) -> None:
    """Raise StartError when something else listens on ``port`` of one of ``addresses``."""
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise StartError(f"at {address}:{port} - {error.strerror or error}") from None
