# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of models on this host, by their content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Union

from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

LARGEST = 4 * 1024**3
"""Bytes that are read of one model: more would take longer than a run may wait for."""

Digest = Union[str, Mapping[str, str]]
"""SHA-256, or ``{"absent": why}``."""


def digests(paths: Iterable[str], largest: int = LARGEST) -> dict[str, Digest]:
    """By path, the digest of a model's folder or file."""
    return {path: _digest(path, largest) for path in paths}


def _digest(path: str, largest: int) -> Digest:
    try:
        if _size(path) > largest:
            return {"absent": f"it has more than {largest} bytes, which would take long to read"}
        return file_tree.digest_of(path, file_tree.DIRECTORY if os.path.isdir(path) else file_tree.FILE)
    except (OSError, ProfileError) as error:
        return {"absent": str(error)}


def _size(path: str) -> int:
    """The bytes of a file, or of all files in a folder. Raises OSError."""
    if not os.path.isdir(path):
        return os.stat(path).st_size
    return sum(
        os.lstat(os.path.join(folder, name)).st_size for folder, _folders, names in os.walk(path) for name in names
    )


def other(before: Mapping[str, Any], now: Mapping[str, Digest]) -> list[str]:
    """The models that are not what they were, in words; those whose digest was not known say nothing."""
    return [
        f"model {path} is {_told(now[path])} now, and was {digest}"
        for path, digest in sorted(before.items())
        if isinstance(digest, str) and now[path] != digest
    ]


def _told(digest: Digest) -> str:
    return digest if isinstance(digest, str) else f"not known ({digest['absent']})"
