# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is written in profiles and what goes with them, the planner ends with a plan or with one error of ours.

RETAIL_PROFILES_FUZZ is how many inputs (make test-long: 10,000), RETAIL_PROFILES_FUZZ_SEED what they are drawn from.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

INPUTS = os.environ.get("RETAIL_PROFILES_FUZZ", "500")
SEED = os.environ.get("RETAIL_PROFILES_FUZZ_SEED", "20261130")


def test_no_input_ends_in_a_traceback_or_takes_long(checkout: Path, collections: Path) -> None:
    fuzzer = [sys.executable, str(checkout / "tests" / "fuzz" / "planner.py"), "--inputs", INPUTS, "--seed", SEED]
    done = subprocess.run(
        fuzzer, env={**os.environ, "PYTHONPATH": str(collections)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{INPUTS} inputs, "), done.stdout
