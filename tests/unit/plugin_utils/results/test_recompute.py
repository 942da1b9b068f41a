# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every figure of a made-up run, recomputed from its samples by a script that knows nothing of the collection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ..synthetic import Play

RECOMPUTE = Path(__file__).resolve().parents[3] / "oracle" / "recompute.py"


def recomputed(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(RECOMPUTE), str(folder)], capture_output=True, text=True, check=False)


def test_every_figure_is_what_the_samples_say(ready_run: Play) -> None:
    done = recomputed(ready_run.path)
    assert done.returncode == 0, done.stdout + done.stderr
    compared = int(done.stdout.splitlines()[-1].split()[0])
    assert compared > 2000


def test_a_figure_that_is_wrong_is_found(ready_run: Play, tmp_path: Path) -> None:
    for file in ready_run.path.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    record = json.loads((tmp_path / "run.json").read_text())
    record["metrics"]["ovms-client-1"]["fps"]["mean"] *= 1.001
    (tmp_path / "run.json").write_text(json.dumps(record))
    done = recomputed(tmp_path)
    assert done.returncode == 1
    assert "ovms-client-1 fps mean: the run says" in done.stdout
