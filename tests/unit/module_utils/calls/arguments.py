# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments as Ansible completes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator


def completed(spec: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """*given* with the defaults and types of an argument spec; AssertionError with what is wrong."""
    checked = ArgumentSpecValidator(dict(spec)).validate(given)
    assert checked.error_messages == []
    found: dict[str, Any] = checked.validated_parameters
    return found
