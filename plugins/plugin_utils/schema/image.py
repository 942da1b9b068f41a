# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References of images, as Docker takes them."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import text, typed

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::{_TAG})?(?:@{_DIGEST})?")


@typed(**text.schema)
def image(value: Any) -> str:
    """The reference of an image. ValueError that says what is wrong with it."""
    reference: str = text(value)
    if _REFERENCE.fullmatch(reference):
        return reference
    raise ValueError(f"{reference!r} is no reference of an image: {_why(reference)}")


def _why(reference: str) -> str:
    name, at, digest = reference.partition("@")
    repository, colon, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
    if strange := re.search(r"[^A-Za-z0-9._/:@+\[\]-]", reference):
        return f"it holds {strange[0]!r}"
    if at and not re.fullmatch(_DIGEST, digest):
        return f"{digest!r} is no digest such as sha256:…"
    if colon and not tag:
        return "its tag is empty"
    if colon and not re.fullmatch(_TAG, tag):
        return f"{tag!r} is no tag"
    if repository != repository.lower():
        return f"names of repositories are in lower case: {repository.lower()!r}"
    return "expected [REGISTRY/]NAME[:TAG][@DIGEST]"
