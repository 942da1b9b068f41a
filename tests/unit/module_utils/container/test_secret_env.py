# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets on a host: kept out of text however they are escaped, compared without being shown, digested with a key."""

from __future__ import annotations

import json
import stat
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import SECRETS_LABEL
from ansible_collections.retail.profiles.plugins.module_utils.container import drift, secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.secret_env import MASK, Redactor
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order, parse_task

secrets = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=4, max_size=40).filter(
    lambda value: len(value.strip()) >= 4
)
SECRET = 'p"a\\s/s<w>é 漢🎥\tx'


def inspected(**env: str) -> dict[str, Any]:
    labels = {SECRETS_LABEL: "TOKEN KEY"}
    return {"Config": {"Env": [f"{name}={value}" for name, value in env.items()], "Labels": labels}}


# -- redaction


@given(secrets, st.text(max_size=20), st.text(max_size=20), st.integers(0, 3), st.booleans())
def test_a_secret_is_found_however_often_it_is_escaped_as_json(
    secret: str, before: str, after: str, depth: int, ascii_only: bool
) -> None:
    written = secret
    for _level in range(depth):
        written = json.dumps(written, ensure_ascii=ascii_only)[1:-1]
    clean = Redactor([secret]).text(before + written + after)
    assert MASK in clean
    assert written not in clean.replace(MASK, "\0")


@given(secrets)
def test_a_secret_is_found_in_urls_and_in_pythons_own_spelling(secret: str) -> None:
    for written in (urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret), repr(secret)[1:-1]):
        assert Redactor([secret]).text(f"a {written} b") == f"a {MASK} b"


def test_other_escapes_of_json_are_found() -> None:
    go = json.dumps(SECRET, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003E")[1:-1]
    php = json.dumps(SECRET).replace("/", "\\/")[1:-1]
    for written in (go, php):
        assert Redactor([SECRET]).text(f"<{written}>") == f"<{MASK}>"


@given(st.text(max_size=60))
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert Redactor().text(text) == text
    assert Redactor(["no such text 4711"]).text(text) == text


def test_each_line_of_a_secret_is_one() -> None:
    key = "-----BEGIN KEY-----\nabcdefgh\nxy\n-----END KEY-----\n"
    redactor = Redactor([key])
    assert redactor.text(f"key: {json.dumps(key)}") == f'key: "{MASK}"'
    assert [redactor.text(line) for line in key.splitlines()] == [MASK, MASK, "xy", MASK]


def test_the_longer_of_two_secrets_is_taken_whole() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh abcd") == f"{MASK} {MASK}"


def test_a_line_that_was_cut_does_not_end_with_a_part_of_a_secret() -> None:
    redactor = Redactor(["topsecret"])
    line = "x" * 16_000 + "topsec"
    record = redactor.record({"line": line, "truncated": True, "t": 1.5})
    assert "tops" not in record["line"]
    assert record["line"].startswith("x" * 15_000)
    assert record["t"] == 1.5


def test_many_backslashes_take_no_time() -> None:
    assert Redactor(["\\" * 20 + "x"]).text("\\" * 16_000) == "\\" * 16_000


# -- comparison


def test_secrets_of_a_container_are_those_that_its_label_names() -> None:
    assert secret_env.values(inspected(A="1", TOKEN="a=b")) == {"TOKEN": "a=b"}
    assert secret_env.values({"Config": {"Env": ["A=1"], "Labels": None}}) == {}


def test_secret_files_of_a_container_are_read_as_long_as_they_are_there() -> None:
    inspect = {"Config": {"Env": ["TOKEN=t"], "Labels": {SECRETS_LABEL: "TOKEN /run/secrets/key /gone"}}}
    assert secret_env.values(inspect, {"/run/secrets/key": "deep"}.get) == {"TOKEN": "t", "/run/secrets/key": "deep"}
    assert secret_env.values(inspect) == {"TOKEN": "t"}


def test_differences_name_secrets_and_show_none() -> None:
    task = {"name": "n", "image": "i", "env": {"A": "1"}, "labels": {SECRETS_LABEL: "TOKEN KEY"}}
    inspect = {**inspected(A="2", TOKEN="topsecret", KEY="other"), "Name": "/n", "HostConfig": {}}
    found = drift.differences(parse_task(task, "c"), inspect, {"Config": {}}, {}, name="n")
    assert "topsecret" not in repr(found)
    assert {item.field: item.current for item in found}["env"] == ["A=2"]
    assert secret_env.differing({"TOKEN": "topsecret", "NEW": "n"}, inspect) == [
        ("KEY", "another value", None),
        ("NEW", None, "as given"),
    ]
    assert secret_env.differing({"TOKEN": "changed"}, inspected(TOKEN="t")) == [("TOKEN", "another value", "as given")]


def test_a_secret_file_differs_where_it_is_not_known_what_a_container_was_made_with() -> None:
    inspect = inspected(TOKEN="topsecret")
    wanted = {"TOKEN": "topsecret", "/run/secrets/key": "other"}
    assert secret_env.differing(wanted, inspect, known=True) == []
    assert secret_env.differing(wanted, inspect) == [("/run/secrets/key", None, "as given")]


def order(labels: dict[str, str], given: Any, state: str = "present") -> Any:
    task = {"name": "d-c-1", "image": "i", "env": {}, "labels": labels}
    share = {"replicas": [{"name": "d-c-1", "container": "c", "task": task}]}
    return parse_order({"state": state, "state_dir": "/s", "deployment": "d", "share": share, "secrets": given})


def test_secrets_are_handed_over_with_the_call_that_starts_containers() -> None:
    labels = {SECRETS_LABEL: "TOKEN"}
    [task] = order(labels, {"d-c-1": {"TOKEN": "topsecret"}}).share.replicas
    assert task.secrets == {"TOKEN": "topsecret"}
    assert "topsecret" not in repr(task)
    assert order(labels, None, "checked").share.replicas[0].secrets == {}
    with pytest.raises(ProfileError, match=r"container c, field secret_env: the secret TOKEN was not handed over"):
        order(labels, None)
    with pytest.raises(ProfileError, match=r"the secret OTHER is not named by the label"):
        order(labels, {"d-c-1": {"TOKEN": "topsecret", "OTHER": "x"}})


# -- the digest


def test_the_key_is_made_once_and_for_the_group(tmp_path: Path) -> None:
    file = tmp_path / "secrets.key"
    key = secret_env.key(str(file))
    assert len(key) == 32
    assert secret_env.key(str(file)) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o660
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.key"]


def test_a_digest_depends_on_names_values_and_key() -> None:
    digests = {
        secret_env.digest({"A": "1", "B": "2"}, b"k"),
        secret_env.digest({"A": "2", "B": "1"}, b"k"),
        secret_env.digest({"A": "1"}, b"k"),
        secret_env.digest({"A": "1"}, b"l"),
    }
    assert len(digests) == 4
    assert secret_env.digest({"B": "2", "A": "1"}, b"k") in digests
