# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable reaches the process in its container byte for byte, whoever makes the container."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file, text_file

from .conftest import Deployment, stock

FIELD = {
    "EMPTY": "",
    "EQUALS": "=a=b==",
    "DOLLARS": "$HOME ${HOME} $$ $(id) `id`",
    "SPACES": "  two  blanks \t and a tab ",
    "QUOTES": "\"double\" 'single' \\ backslash",
    "UNICODE": "größe 漢字 🎥 e\u0301 \u2028 \ufeff",
    "LINES": "one\ntwo\r\nthree\n",
    "TEMPLATE": "{{ nothing }} {% if %} {# no #}",
    "CONTROL": "".join(map(chr, range(1, 32))) + "\x7f",
    "JSON": '{"a": [1, null, "\\u00e9"]}',
    "LONG": "x" * 100_000,
    "lower.case-and_dots": "1",
}
FILE = (
    '\ufeffQUOTED="literal"\r\nUNEXPANDED=$OTHER\nTWICE=1\nTWICE= 2 \nNOTHING=\nALONE\n# C=1\n漢字=é=\n'.encode()
    + b"LAST=no newline"
)
FROM_FILE = {
    "QUOTED": '"literal"',
    "UNEXPANDED": "$OTHER",
    "TWICE": " 2 ",
    "NOTHING": "",
    "漢字": "é=",
    "LAST": "no newline",
}


def environ(engine: Engine, container: str) -> dict[str, str]:
    """The environment that the first process of a container was given."""
    made = engine.client().exec_create(container, ["cat", "/proc/1/environ"])
    content: bytes = engine.client().exec_start(made["Id"])
    pairs = [item.decode().partition("=") for item in content.split(b"\0") if item]
    return {name: value for name, _equals, value in pairs}


def test_every_value_reaches_the_process_byte_for_byte(engine: Engine, deployment: Deployment) -> None:
    env = {**env_file.parse(text_file.decoded(FILE, "e.env"), "e.env"), **FIELD}
    ours, theirs = deployment.task("ours", env=env), deployment.task("theirs", env=env)
    assert not deployment.present(ours)["failed"]
    stock("docker_container", **theirs)
    expected = {**FROM_FILE, **FIELD}
    for task in (ours, theirs):
        seen = environ(engine, task["name"])
        assert {name: seen.get(name) for name in expected} == expected
        assert "ALONE" not in seen
    assert not deployment.present(ours)["changed"]
