# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generative models of the stand-in: its command line, OpenAI's API, the tokenizer; with a decoder of the tests'."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ovms_stand_in import settings, tokens
from ovms_stand_in.faults import Fault, RequestError, StartError, UsageError
from ovms_stand_in.generation import EMBEDDINGS, TEXT, Generative, Sampling
from ovms_stand_in.generative_api import GenerativeRoutes
from ovms_stand_in.inference import Inference
from ovms_stand_in.manager import ModelManager
from ovms_stand_in.metrics import KNOWN, Metrics
from ovms_stand_in.model import Array
from ovms_stand_in.rest_service import Routes

CONTEXT = 100


class Alphabet:
    """Writes the letter after the last one; counts what it was given since it began."""

    def __init__(self) -> None:
        self.read = 0

    def begin(self) -> None:
        self.read = 0

    def feed(self, given: Sequence[int]) -> tuple[Array, Array]:
        self.read += len(given)
        if ord("!") in given:
            raise RequestError(Fault.OV_INTERNAL_INFERENCE_ERROR, "!")
        logits = np.zeros(tokens.VOCABULARY, np.float32)
        logits[ord("a") + (given[-1] + 1 - ord("a")) % 26] = 1.0
        return logits, np.array([[3.0, 4.0]] * len(given))


@pytest.fixture
def decoder() -> Alphabet:
    return Alphabet()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(KNOWN)


@pytest.fixture
def models(decoder: Alphabet, metrics: Metrics) -> dict[str, Generative]:
    metrics.add_graph("org/llm")
    return {
        "org/llm": Generative("org/llm", TEXT, [decoder], CONTEXT),
        "vectors": Generative("vectors", EMBEDDINGS, [Alphabet()], CONTEXT),
    }


@pytest.fixture
def routes(models: dict[str, Generative], metrics: Metrics) -> GenerativeRoutes:
    return GenerativeRoutes(models, metrics)


def body(**content: Any) -> bytes:
    return json.dumps({"model": "org/llm", **content}).encode()


def ask(routes: GenerativeRoutes, path: str, content: bytes, **headers: str) -> Any:
    answer = routes.answer("POST", path, headers, content)
    assert answer is not None
    status, kind, sent, _more = answer
    assert (status, kind) == (200, "application/json")
    assert isinstance(sent, bytes)
    return json.loads(sent)


def streamed(routes: GenerativeRoutes, path: str, content: bytes) -> list[Any]:
    """The events of a stream, read as they are by clients."""
    answer = routes.answer("POST", path, {}, content)
    assert answer is not None
    status, kind, sent, _more = answer
    assert (status, kind) == (200, "text/event-stream")
    assert not isinstance(sent, bytes)
    events = b"".join(sent).decode().split("\n\n")
    assert events.pop() == ""
    assert all(event.startswith("data: ") for event in events)
    return [event[6:] if event == "data: [DONE]" else json.loads(event[6:]) for event in events]


CHAT = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 3}
PROMPT = "user: x\nassistant: "


def test_chat_in_one_piece(routes: GenerativeRoutes) -> None:
    answer = ask(routes, "/v3/chat/completions", body(**CHAT))
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "org/llm"
    assert answer["choices"] == [
        {
            "index": 0,
            "logprobs": None,
            "finish_reason": "length",
            "message": {"content": tokens.decode(expected(PROMPT, 3)), "role": "assistant"},
        }
    ]
    assert answer["usage"] == {"prompt_tokens": len(PROMPT), "completion_tokens": 3, "total_tokens": len(PROMPT) + 3}


def expected(prompt: str, count: int) -> list[int]:
    """What the alphabet writes after a prompt."""
    found: list[int] = []
    last = ord(prompt[-1])
    for _number in range(count):
        last = ord("a") + (last + 1 - ord("a")) % 26
        found.append(last)
    return found


def test_a_chat_is_streamed_token_by_token_with_its_usage_where_asked(routes: GenerativeRoutes) -> None:
    asked = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
    *pieces, usage, done = streamed(routes, "/v3/chat/completions", body(**asked))
    assert done == "[DONE]"
    assert [piece["object"] for piece in pieces] == ["chat.completion.chunk"] * 3
    said = [piece["choices"][0]["delta"]["content"] for piece in pieces]
    assert said == [chr(token) for token in expected(PROMPT, 3)]
    assert [piece["choices"][0]["finish_reason"] for piece in pieces] == [None, None, "length"]
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 3)
    assert not any("usage" in piece for piece in pieces)


def test_completions_and_the_newer_path(routes: GenerativeRoutes) -> None:
    assert ask(routes, "/v3/completions", body(prompt="a", max_tokens=2))["choices"][0]["text"] == "bc"
    *pieces, _done = streamed(routes, "/v1/completions", body(prompt="a", max_completion_tokens=2, stream=True))
    assert [piece["choices"][0]["text"] for piece in pieces] == ["b", "c"]
    assert pieces[0]["object"] == "text_completion"


def test_v1_is_there_from_2026_on(models: dict[str, Generative], metrics: Metrics) -> None:
    old = GenerativeRoutes(models, metrics, version=(2025, 4))
    assert old.answer("POST", "/v1/completions", {}, body(prompt="a")) is None
    assert old.answer("GET", "/v3/models", {}, b"") is not None


def test_without_a_limit_a_text_fills_the_room(routes: GenerativeRoutes, decoder: Alphabet) -> None:
    usage = ask(routes, "/v3/completions", body(prompt="a" * 90))["usage"]
    assert usage["completion_tokens"] == 10
    # The last token is not read again.
    assert decoder.read == CONTEXT - 1


def test_a_temperature_draws_from_a_seed(routes: GenerativeRoutes) -> None:
    def text(**more: Any) -> str:
        asked = body(prompt="a", max_tokens=40, temperature=2.0, **more)
        return str(ask(routes, "/v3/completions", asked)["choices"][0]["text"])

    assert text(seed=1) == text(seed=1) != text(seed=2)
    assert text() == text()


@pytest.mark.parametrize(
    ("path", "content", "status", "message"),
    [
        ("chat/completions", b"{", 412, "not valid json"),
        ("chat/completions", b"[]", 400, "JSON object"),
        ("chat/completions", b"{}", 400, "model field is missing"),
        ("chat/completions", body(messages=[]), 400, "messages"),
        ("chat/completions", body(messages=[{"content": "x"}]), 400, "role"),
        ("chat/completions", body(messages=[{"role": "user", "content": [{"type": "image_url"}]}]), 400, "text alone"),
        ("completions", body(), 400, "prompt is not a string"),
        ("completions", body(prompt=""), 400, "prompt is empty"),
        ("completions", body(prompt="a" * CONTEXT), 400, "exceeds model max length: 100"),
        ("completions", body(prompt="a", max_tokens=0), 400, "greater than 0"),
        ("completions", body(prompt="a", n=2), 400, "one answer"),
        ("completions", body(prompt="a", temperature=3), 400, "temperature"),
        ("completions", body(prompt="a", seed=-1), 400, "seed"),
        ("completions", body(prompt="a", stream_options={}), 400, "stream not set"),
        ("completions", body(prompt="!", stream=True), 500, "Internal inference error"),
        ("completions", json.dumps({"model": "none", "prompt": "a"}).encode(), 404, "not found"),
        ("completions", json.dumps({"model": "vectors", "prompt": "a"}).encode(), 400, "is for embeddings"),
        ("embeddings", body(input="a"), 400, "is for text_generation"),
        ("embeddings", json.dumps({"model": "vectors", "input": []}).encode(), 400, "input should be"),
    ],
)
def test_what_is_refused(routes: GenerativeRoutes, path: str, content: bytes, status: int, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        routes.answer("POST", f"/v3/{path}", {}, content)
    assert caught.value.fault.value.http == status


def test_a_failure_within_a_stream_is_told_in_it(models: dict[str, Generative], metrics: Metrics) -> None:
    class Breaks(Alphabet):
        def feed(self, given: Sequence[int]) -> tuple[Array, Array]:
            if self.read:
                raise RequestError(Fault.OV_INTERNAL_INFERENCE_ERROR, "half way")
            return super().feed(given)

    models["org/llm"] = Generative("org/llm", TEXT, [Breaks()], CONTEXT)
    routes = GenerativeRoutes(models, metrics)
    first, failure = streamed(routes, "/v3/completions", body(prompt="a", max_tokens=5, stream=True))
    assert first["choices"][0]["text"] == "b"
    assert "half way" in failure["error"]


def test_embeddings_have_length_one_and_may_be_packed(routes: GenerativeRoutes) -> None:
    asked = {"model": "vectors", "input": ["a", "bcd"]}
    answer = ask(routes, "/v3/embeddings", json.dumps(asked).encode())
    assert [one["embedding"] for one in answer["data"]] == [pytest.approx([0.6, 0.8])] * 2
    assert [one["index"] for one in answer["data"]] == [0, 1]
    assert answer["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    packed = ask(routes, "/v3/embeddings", json.dumps({**asked, "encoding_format": "base64"}).encode())
    assert struct.unpack("<2f", base64.b64decode(packed["data"][0]["embedding"])) == pytest.approx((0.6, 0.8))


def test_models_are_listed(routes: GenerativeRoutes) -> None:
    def listed(path: str) -> Any:
        answer = routes.answer("GET", path, {}, b"")
        assert answer is not None and isinstance(answer[2], bytes)
        return json.loads(answer[2])

    assert [one["id"] for one in listed("/v3/models")["data"]] == ["org/llm", "vectors"]
    assert listed("/v3/models/org/llm")["owned_by"] == "OVMS"
    assert listed("/v3/models/org%2Fllm")["id"] == "org/llm"
    with pytest.raises(RequestError, match="not found"):
        listed("/v3/models/none")


def test_a_key_is_asked_for_on_these_endpoints_alone(models: dict[str, Generative], metrics: Metrics) -> None:
    inference = Inference(ModelManager(lambda _config, _file: None, metrics), metrics)  # type: ignore[arg-type, return-value]
    inference.graphs.update(models)
    routes = Routes(inference, lambda: True, lambda: False, GenerativeRoutes(models, metrics, "the-key"))
    assert routes.answer("GET", "/v3/models", {}, b"")[0] == 401
    assert routes.answer("GET", "/v3/models", {"authorization": "Bearer no"}, b"")[0] == 401
    assert routes.answer("POST", "/v3/completions", {}, body(prompt="a"))[0] == 401
    assert routes.answer("GET", "/v3/models", {"authorization": "Bearer the-key"}, b"")[0] == 200
    assert routes.answer("GET", "/v2/models/org%2Fllm/ready", {}, b"")[0] == 200
    assert routes.answer("GET", "/v2/models/none/ready", {}, b"")[0] == 404
    states = routes.answer("GET", "/v1/config", {}, b"")[2]
    assert isinstance(states, bytes)
    assert json.loads(states)["org/llm"]["model_version_status"][0]["state"] == "AVAILABLE"


def test_graphs_are_counted_under_families_of_their_own(routes: GenerativeRoutes, metrics: Metrics) -> None:
    streamed(routes, "/v3/completions", body(prompt="a", max_tokens=3, stream=True))
    ask(routes, "/v3/completions", body(prompt="a", max_tokens=3))
    with pytest.raises(RequestError):
        routes.answer("POST", "/v3/completions", {}, body())
    text = metrics.text()
    labels = 'api="V3",interface="REST",method="{}",name="org/llm"'
    for family, method, value in (
        ("ovms_requests_accepted", "Stream", 1),
        ("ovms_requests_accepted", "Unary", 2),
        ("ovms_responses", "Stream", 3),
        ("ovms_responses", "Unary", 1),
        ("ovms_graph_error", "Unary", 1),
    ):
        assert f"{family}{{{labels.format(method)}}} {value}" in text
    assert 'ovms_current_graphs{name="org/llm"} 0' in text
    assert 'ovms_graph_processing_time_us_count{method="Stream",name="org/llm"} 1' in text


def test_who_goes_away_leaves_the_decoder_to_the_next(routes: GenerativeRoutes, metrics: Metrics) -> None:
    answer = routes.answer("POST", "/v3/completions", {}, body(prompt="a", max_tokens=50, stream=True))
    assert answer is not None and not isinstance(answer[2], bytes)
    next(answer[2])
    answer[2].close()
    assert ask(routes, "/v3/completions", body(prompt="a", max_tokens=1))["choices"][0]["text"] == "b"
    assert 'ovms_current_graphs{name="org/llm"} 0' in metrics.text()


def test_the_best_token_is_taken_at_temperature_zero(decoder: Alphabet) -> None:
    model = Generative("m", TEXT, [decoder], CONTEXT)
    found: Iterator[int] = model.tokens(tokens.encode("a"), 2, Sampling())
    assert tokens.decode(found) == "bc"


@pytest.mark.parametrize("text", ["plain", "naïve – 日本", "\ud800"])
def test_every_text_has_tokens(text: str) -> None:
    back = tokens.decode(tokens.encode(text))
    assert back == (text if "\ud800" not in text else "?")


def test_the_tokenizer_files_write_each_byte_as_its_own_letter() -> None:
    made = {name: json.loads(content) for name, content in tokens.files(CONTEXT).items()}
    vocabulary = made["tokenizer.json"]["model"]["vocab"]
    assert sorted(vocabulary.values()) == list(range(256))
    assert (vocabulary["A"], vocabulary["Ġ"]) == (ord("A"), ord(" "))
    assert made["tokenizer.json"]["added_tokens"][0]["id"] == tokens.END
    assert made["tokenizer_config.json"]["model_max_length"] == CONTEXT


PULL = ["--source_model", "org/llm", "--model_repository_path", "/models"]
SERVE = ["--rest_port", "8000"]


def test_a_model_to_pull() -> None:
    made = settings.parse(["--pull", *PULL, "--task", "text_generation"]).generated
    assert made == settings.Generated("org/llm", Path("/models/org/llm"), TEXT, source="org/llm", serve=False)


def test_a_model_to_pull_and_serve_and_a_folder_to_serve() -> None:
    pulled = settings.parse([*PULL, *SERVE, "--task", "embeddings", "--model_name", "e", "--max_num_seqs", "2"])
    assert pulled.generated is not None
    assert (pulled.generated.name, pulled.generated.task, pulled.generated.at_once) == ("e", EMBEDDINGS, 2)
    assert (pulled.generated.serve, pulled.model, pulled.config_path) == (True, None, None)
    folder = settings.parse(["--model_name", "m", "--model_path", "/models/m", "--task", "text_generation", *SERVE])
    assert folder.generated == settings.Generated("m", Path("/models/m"), TEXT)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["--pull", "--source_model", "a"], UsageError, "model_repository_path"),
        ([*PULL, *SERVE, "--task", "rerank"], StartError, "not rerank"),
        ([*PULL, *SERVE, "--task", "text_generation", "--api_key_file", "/none"], StartError, "/none"),
    ],
)
def test_what_of_it_is_refused(arguments: list[str], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        settings.parse(arguments)


def test_the_key_comes_from_its_file_or_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [*PULL, *SERVE, "--task", "text_generation"]
    monkeypatch.setenv("API_KEY", "of-the-environment")
    assert settings.parse(arguments).api_key == "of-the-environment"
    (tmp_path / "key").write_text("of-the-file\n")
    assert settings.parse([*arguments, "--api_key_file", str(tmp_path / "key")]).api_key == "of-the-file"
