# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are read as text, and what may stand in their place; JSON that a user wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_text, text_file


def test_a_file_is_its_text_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes("\ufeffä\r\n".encode())
    assert text_file.text(file) == "ä\r\n"


def test_what_is_no_file_is_one_error_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    (tmp_path / "latin").write_bytes(b"a\nb\n\xe4\n")
    found = {
        "pipe": "cannot be read: it is not a file",
        "zero": "cannot be read: it is not a file",
        "": "cannot be read: it is not a file",
        "loop": "cannot be read: Too many levels of symbolic links",
        "nowhere": "cannot be read: No such file or directory",
        "n" * 5000: "cannot be read: File name too long",
        "nul\0": "cannot be read: embedded null byte",
        "large": "cannot be read: it has 104857600 bytes, and at most 524288 are read",
        "latin": "this line is not UTF-8",
    }
    for name, message in found.items():
        with pytest.raises(ProfileError) as caught:
            text_file.text(tmp_path / name)
        line = ":3" if name == "latin" else ""
        assert str(caught.value).startswith(f"{tmp_path / name}{line}: {message}")


@pytest.mark.parametrize("text", ["[" * 100_000, "NaN", '{"a": -Infinity}', "9" * 5000, "", "{", b"\xff"])
def test_json_that_cannot_be_told_on_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        json_text.parse(text)


def test_json_is_its_value() -> None:
    assert json_text.parse('{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
