# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""study_profile.yml for what is wrong with a study: one clear error each, and no run; and what it would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from .playbook import play

INVENTORY = "h1 ansible_connection=local cpus=2\n"
GOOD = "profile: ovms\nfactors: {cpus: [1, 2], profile_env.STREAMS: [1, 2]}\nrepeats: 2\n"


def studied(tmp_path: Path, collections: Path, text: str, *more: str) -> tuple[int, str]:
    (tmp_path / "hosts.ini").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "study.yml").write_text(text, encoding="utf-8")
    results = ("-e", f"profile_results_dir={tmp_path}/results")
    named = () if any("study=" in one for one in more) else ("-e", f"study={tmp_path}/study.yml")
    ended = play("study_profile", tmp_path / "hosts.ini", collections, *results, *named, *more)
    assert "Traceback" not in ended.stdout
    return ended.returncode, " ".join(ended.stdout.split())


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("profile: ovms\nfactors: {stream: [1, 2]}\n", (), "factors.stream: is no variable of the run"),
        ("profile: ovms\nfactors: {cpus: [1, ]}\nx: 1\n", (), "a study has no field 'x'"),
        ("profile: ovms\nfactors: {cpus: [1, '']}\n", (), "factors.cpus: a level is empty"),
        ("profile: ovmz\nfactors: {cpus: [1]}\n", (), "there is no profile 'ovmz': did you mean 'ovms'?"),
        ("repeats: 2\nprofile: ]\n", (), "study.yml:2: this is not valid YAML"),
        (GOOD, ("-e", "study="), "no study is named: give its file with -e study=FILE"),
        (GOOD, ("-e", "study=gone.yml"), "gone.yml: cannot be read: No such file or directory"),
        (GOOD, ("-e", "resume=docs"), "docs: this is not the folder of a study: it has no study.json"),
    ],
)
def test_what_is_wrong_is_one_clear_error(
    tmp_path: Path, collections: Path, text: str, more: tuple[str, ...], said: str
) -> None:
    status, output = studied(tmp_path, collections, text, *more)
    assert status != 0
    assert said in output, output
    assert not (tmp_path / "results").exists()


def test_check_mode_shows_the_runs_and_makes_none(tmp_path: Path, collections: Path) -> None:
    status, output = studied(tmp_path, collections, GOOD, "--check")
    assert status == 0, output
    assert output.count("profile_env.STREAMS=") == 8
    assert not (tmp_path / "results").exists()
