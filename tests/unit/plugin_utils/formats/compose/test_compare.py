# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose files are read as Docker Compose 2.40.3 reads them, whose readings are recorded here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from . import compare_compose
from .documented import DIFFERENCES, REFUSALS

FILES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
CASES = [json.loads(line) for file in FILES for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_file_is_read_as_compose_reads_it(case: dict[str, Any], tmp_path: Path) -> None:
    compared = compare_compose.compare(case, tmp_path)
    assert compared.is_explained, str(compared)


def test_every_difference_that_is_meant_is_documented(checkout: Path) -> None:
    text = (checkout / "docs" / "upstream.md").read_text(encoding="utf-8").partition("### Where it differs")[2]
    rows = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")}
    assert rows - {"what", "---"} == {*DIFFERENCES, *REFUSALS}


def test_the_tool_tells_of_each_case_and_fails_for_what_is_not_documented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "services:\n  a: {image: i, tty: true, ports: ['80:80']}\n"
    config = {
        "name": "app",
        "services": {"a": {"image": "i", "networks": {"default": None}}},
        "networks": {"default": {}},
    }
    same = {"name": "same", "compose.yml": "services: {a: {image: i}}", "files": {}, "variables": {}, "config": config}
    other = {**same, "name": "other", "compose.yml": text}
    refused = {**same, "name": "refused", "compose.yml": "services: {a: {imag: i}}"}
    wrong = {"name": "wrong", "compose.yml": text, "files": {}, "variables": {}, "refused": "no"}
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in (same, other, refused, wrong)), encoding="utf-8")
    assert compare_compose.main([str(file)]) == 1
    said = capsys.readouterr().out
    assert "same: same" in said
    assert "other: differs" in said and "services.a.tty: Compose null, here true\n" in said
    assert "refused: refused by us: " in said and "did you mean 'image'?" in said
    assert "wrong: refused by Compose: no" in said
    file.write_text(json.dumps(same) + "\n", encoding="utf-8")
    assert compare_compose.main([str(file)]) == 0
