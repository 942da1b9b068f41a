# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers by REST, as plain values; those that come piece by piece are generators."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, Union

from ovms_stand_in.faults import RequestError

Pieces = Generator[bytes, None, None]
Answer = tuple[int, str, Union[bytes, Pieces], dict[str, str]]  # status, content type, body, further headers


def of_json(content: Any, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(content).encode(), {}


def of_error(error: RequestError) -> Answer:
    return of_json({"error": str(error)}, error.fault.value.http)
