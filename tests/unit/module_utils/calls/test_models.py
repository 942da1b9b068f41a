# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.calls import models
from ansible_collections.retail.profiles.plugins.module_utils.host import model_digests


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "face-detection"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.bin").write_bytes(b"weights")
    (folder / "1" / "model.xml").write_text("<net/>")
    return folder


def test_a_model_is_known_by_its_content(model: Path) -> None:
    before = model_digests.digests([str(model)])
    assert model_digests.digests([str(model)]) == before
    (model / "1" / "model.bin").write_bytes(b"other")
    assert model_digests.digests([str(model)]) != before
    file = model / "1" / "model.xml"
    assert model_digests.digests([str(file)]) == {str(file): hashlib.sha256(b"<net/>").hexdigest()}


def test_what_cannot_be_known_has_a_reason(model: Path) -> None:
    (gone,) = model_digests.digests([str(model / "gone")]).values()
    assert "No such file" in gone["absent"]  # type: ignore[index,unused-ignore]
    (large,) = model_digests.digests([str(model)], largest=3).values()
    assert large == {"absent": "it has more than 3 bytes, which would take long to read"}


def test_a_model_that_is_the_recorded_one_is_well(model: Path) -> None:
    expected = model_digests.digests([str(model)])
    assert models.answer({"expected": expected}, False, False) == {
        "failed": False,
        "changed": False,
        "models": expected,
    }
    # Of what the record does not know nothing is asked.
    unknown = {str(model): {"absent": "too large"}}
    assert not models.answer({"expected": unknown}, False, False)["failed"]


def test_another_model_is_an_error_that_names_it(model: Path) -> None:
    expected = model_digests.digests([str(model)])
    (model / "1" / "model.bin").write_bytes(b"other")
    now = model_digests.digests([str(model)])[str(model)]
    answer = models.answer({"expected": expected}, False, False)
    assert answer["failed"]
    assert f"model {model} is {now} now, and was {expected[str(model)]}" in answer["msg"]
    gone = models.answer({"expected": {str(model / "gone"): "abc"}}, False, False)
    assert "is not known (" in gone["msg"] and gone["failed"]
