# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets and addresses of the host. Hand-written (/proc, netlink) because hosts have no psutil."""

from __future__ import annotations

import os
import socket
import struct

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Published

_TABLES = (("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp"))
_LISTEN, _UNCONNECTED = "0A", "07"


def listening(proc: str = "/proc/net") -> list[Published]:
    """Ports on which something listens, by address; a dual-stack socket stands as ``::``."""
    found = set()
    for table, protocol in _TABLES:
        try:
            with open(os.path.join(proc, table), encoding="ascii") as stream:
                lines = stream.readlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 3 and fields[3] == (_LISTEN if protocol == "tcp" else _UNCONNECTED):
                address, _colon, port = fields[1].partition(":")
                found.add((decode_address(address), int(port, 16), protocol))
    return [Published(*item) for item in sorted(found)]


def decode_address(text: str) -> str:
    """An address of /proc/net: words of 32 bits in the host's byte order, in hexadecimal."""
    words = [int(text[index : index + 8], 16) for index in range(0, len(text), 8)]
    raw = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


_RTM_GETADDR, _NLM_F_REQUEST_DUMP, _NLMSG_DONE, _RTM_NEWADDR = 22, 0x301, 3, 20
_IFA_ADDRESS, _IFA_LOCAL = 1, 2


def addresses() -> list[str]:
    """All IPv4 and IPv6 addresses of the host but loopback, asked of the kernel by netlink."""
    found: list[str] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.settimeout(5)
        netlink.bind((0, 0))
        netlink.send(struct.pack("=IHHIIB7x", 24, _RTM_GETADDR, _NLM_F_REQUEST_DUMP, 1, 0, socket.AF_UNSPEC))
        done = False
        while not done:
            done = parse_addresses(netlink.recv(1 << 16), found)
    return sorted(set(found))


def parse_addresses(data: bytes, found: list[str]) -> bool:
    """Append the addresses in one netlink answer to *found*; whether it was the last answer."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind == _NLMSG_DONE or length < 16:
            return True
        if kind == _RTM_NEWADDR:
            address = _address(data[16:length])
            if address is not None:
                found.append(address)
        data = data[(length + 3) & ~3 :]
    return False


def _address(message: bytes) -> str | None:
    family = message[0]
    attributes, rest = {}, message[8:]
    while len(rest) >= 4:
        length, kind = struct.unpack_from("=HH", rest)
        if length < 4:
            break
        attributes[kind] = rest[4:length]
        rest = rest[(length + 3) & ~3 :]
    # on a point-to-point link ADDRESS is the other end
    raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if raw is None or family not in (socket.AF_INET, socket.AF_INET6):
        return None
    text = socket.inet_ntop(family, raw)
    return None if text == "::1" or text.startswith("127.") else text
