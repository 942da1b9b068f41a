# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A language model on the OVMS stand-in, in a container: made where it is to be pulled, and asked over REST."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from containers import Run, Started

REST = 8000
KEY = "the-key-of-the-test"
PULLED = ("--source_model", "org/llm", "--model_repository_path", "/home")


@pytest.fixture(scope="module")
def server(run: Run, place: Started) -> Started:
    started = run(
        "ovms-stand-in",
        *PULLED,
        *("--task", "text_generation", "--rest_port", REST),
        user="0:0",
        environment={"API_KEY": KEY},
        network_mode=f"container:{place.container.id}",
    )
    started.wait_for("org/llm state changed to: AVAILABLE")
    started.wait_for("ServableManagerModule started")
    return started


def post(place: Started, path: str, key: str = KEY, **content: Any) -> tuple[int, str]:
    request = urllib.request.Request(
        f"http://{place.address}:{REST}{path}",
        json.dumps({"model": "org/llm", **content}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_stream_says_what_the_whole_answer_says(server: Started, place: Started) -> None:
    asked = {"prompt": "Once upon a time", "max_tokens": 24, "temperature": 1.0, "seed": 5}
    status, whole = post(place, "/v3/completions", **asked)
    assert status == 200
    text = json.loads(whole)["choices"][0]["text"]
    assert len(text) == 24 and text.isprintable()
    _status, streamed = post(place, "/v3/completions", stream=True, stream_options={"include_usage": True}, **asked)
    *pieces, usage, done = [event.removeprefix("data: ") for event in streamed.strip().split("\n\n")]
    assert "".join(json.loads(piece)["choices"][0]["text"] for piece in pieces) == text
    assert json.loads(usage)["usage"] == {"prompt_tokens": 16, "completion_tokens": 24, "total_tokens": 40}
    assert done == "[DONE]"


def test_another_prompt_gets_another_answer(server: Started, place: Started) -> None:
    asked = {"max_tokens": 24, "temperature": 1.0, "seed": 5}
    answers = [json.loads(post(place, "/v3/completions", prompt=prompt, **asked)[1]) for prompt in ("a", "b")]
    first, second = (answer["choices"][0]["text"] for answer in answers)
    assert first != second


def test_without_the_key_there_is_no_answer(server: Started, place: Started) -> None:
    assert post(place, "/v3/completions", "wrong", prompt="a")[0] == 401


def test_what_is_to_be_pulled_is_made_once(run: Run) -> None:
    code, log = run("ovms-stand-in", "--pull", *PULLED, "--task", "text_generation", user="0:0").end()
    assert (code, "makes its own decoder in place of org/llm" in log) == (0, True)
    code, log = run("ovms-stand-in", "--pull", *PULLED, "--task", "text_generation").end()
    assert (code, "cannot be written" in log) == (1, True)
