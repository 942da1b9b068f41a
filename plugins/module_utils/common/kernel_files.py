# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of /proc and /sys: read whole, and why one cannot be read."""

from __future__ import annotations

import os

READ_BYTES = 65536


def read_file(path: str) -> bytes:
    """The whole of a (small) file. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def reason(error: OSError, what: str) -> str:
    """One line on why *what* cannot be read."""
    return f"cannot read {what}: {error.strerror or error}"
