# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user wrote, read from files: regular ones of a bounded size, in UTF-8."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

#: bytes of a file that a person writes; a profile of 10,000 lines has half of it
LARGEST = 512 * 1024


def content(file: Path, largest: int = LARGEST) -> bytes:
    """The bytes of a file. ProfileError for one that cannot be read, is no regular file, or has more than *largest*."""
    try:
        status = os.stat(file)
        # A pipe would be waited for.
        if not stat.S_ISREG(status.st_mode):
            raise ProfileError("cannot be read: it is not a file", file=str(file))
        if status.st_size > largest:
            raise _too_large(file, status.st_size, largest)
        with file.open("rb") as stream:
            data = stream.read(largest + 1)  # it may have grown, and files of the kernel have no size
    except OSError as error:
        raise ProfileError(f"cannot be read: {error.strerror}", file=str(file)) from error
    except ValueError as error:
        raise ProfileError(f"cannot be read: {error}", file=str(file)) from error
    if len(data) > largest:
        raise _too_large(file, len(data), largest)
    return data


def _too_large(file: Path, size: int, largest: int) -> ProfileError:
    return ProfileError(f"cannot be read: it has {size} bytes, and at most {largest} are read", file=str(file))


def text(file: Path, largest: int = LARGEST) -> str:
    """The text of a file. ProfileError as above, and with the line of what is not UTF-8."""
    return decoded(content(file, largest), str(file))


def decoded(data: bytes, file: str) -> str:
    """The text of a file's content without its byte order mark. ProfileError for a line that is not UTF-8."""
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProfileError(f"this line is not UTF-8: {error.reason}", file=file, line=line) from error
