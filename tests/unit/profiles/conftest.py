# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the images are imported from their build contexts, as the images have them on their path."""

from __future__ import annotations

import sys
from pathlib import Path

PROFILES = Path(__file__).resolve().parents[3] / "profiles"

for _context in ("ovms/images/ovms-stand-in", "ovms/images/kserve-client", "capi/images/local-inference"):
    sys.path.insert(0, str(PROFILES / _context))
