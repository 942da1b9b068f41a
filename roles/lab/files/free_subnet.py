# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print a /24 of a pool that overlaps no network in use.

Usage: free_subnet.py POOL NAME < any text with the addresses and networks in use, such as the output of `ip route`

The search begins at a place that depends on NAME alone: a lab comes back to its addresses as long as they are free.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import sys


def free_subnet(pool: str, name: str, used: str) -> str:
    """Return the first free /24 of `pool`, counted from the one that `name` hashes to.

    `used` is text in which every IPv4 address or network (CIDR) but the default route, 0.0.0.0/0, counts as taken.
    Raises ValueError where the pool is not an IPv4 network of at least a /24, or has no free one.
    """
    advice = "set lab_network_pool to an IPv4 network of at least a /24 that is free, such as 10.213.0.0/16"
    try:
        subnets = list(ipaddress.IPv4Network(pool).subnets(new_prefix=24))
    except ValueError as error:
        raise ValueError(f"{pool} has no /24 for a lab ({error}): {advice}") from None
    networks = (ipaddress.IPv4Network(text, strict=False) for text in re.findall(r"\d+(?:\.\d+){3}(?:/\d+)?", used))
    taken = [network for network in networks if network.prefixlen > 0]
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % len(subnets)
    for subnet in subnets[start:] + subnets[:start]:
        if not any(subnet.overlaps(network) for network in taken):
            return str(subnet)
    raise ValueError(f"every /24 of {pool} overlaps a route of this machine: {advice}")


if __name__ == "__main__":
    try:
        print(free_subnet(sys.argv[1], sys.argv[2], sys.stdin.read()))
    except ValueError as error:
        sys.exit(str(error))
