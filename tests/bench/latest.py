# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of the benchmarks' last results: bench/latest.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LATEST = Path(__file__).resolve().parents[2] / "bench" / "latest.json"


def write(output: Path, values: dict[str, Any]) -> None:
    """Add *values* to the record."""
    output.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    output.write_text(json.dumps({**known, **values}, indent=1) + "\n", encoding="utf-8")
