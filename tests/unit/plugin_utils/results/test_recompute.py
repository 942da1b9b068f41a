# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every figure of a made-up run, recomputed from its samples by a script that knows nothing of the collection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.results import exports, run_record

from ..synthetic import T0, Play
from .test_density_look import Lab

RECOMPUTE = Path(__file__).resolve().parents[3] / "oracle" / "recompute.py"


def recomputed(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(RECOMPUTE), str(folder)], capture_output=True, text=True, check=False)


def test_every_figure_is_what_the_samples_say(ready_run: Play) -> None:
    done = recomputed(ready_run.path)
    assert done.returncode == 0, done.stdout + done.stderr
    compared = int(done.stdout.splitlines()[-1].split()[0])
    assert compared > 2000


@pytest.mark.parametrize("env", [None, "STREAMS"])
def test_of_a_search_it_is_the_step_that_was_measured_last(tmp_path: Path, env: str | None) -> None:
    lab = Lab(tmp_path, 48.0)
    lab.env = env
    lab.plan(1)
    lab.run()
    answer = {"host": "server", "action": "profile_density", "status": "ok", "result": lab.answers[-1].as_dict(lab.now)}
    lab.directory.append_event({"t": lab.now, **answer})
    run = run_record.of_directory(lab.directory)
    final = run_record.build(
        lab.directory.read_json("plan.json"),
        run,
        run_record.judge(run),
        run_id="density-1",
        started=T0,
        now=lab.now,
        controller={"python": "3.11"},
    )
    lab.directory.write_record(final)
    for name, make in exports.makers(final, run).items():
        lab.directory.write(name, make())
    assert (final["search"]["searches"][0]["streams"], len(run.measure_spans)) == (3, 1)
    done = recomputed(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[-1].split()[0]) > 1000
    figure = final["search"]["searches"][0]["steps"][-1]["figures"][0]
    figure["worst"] *= 1.001
    lab.directory.write_record(final)
    assert "search fps worst: the run says" in recomputed(tmp_path).stdout


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
