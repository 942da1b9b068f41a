# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's API: what a request asks for, and the texts of its answers. Pure."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ovms_stand_in import tokens
from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.generation import Sampling
from ovms_stand_in.modelconfig import is_integer

CHAT, COMPLETIONS, EMBEDDINGS = "chat/completions", "completions", "embeddings"


def _refuse(detail: str) -> RequestError:
    return RequestError(Fault.GRAPH_FAILED, detail)


@dataclass(frozen=True)
class Asked:
    """A request for text. ``limit``: the most tokens, None for as many as there is room for."""

    model: str
    prompt: tuple[int, ...]
    limit: int | None
    sampling: Sampling
    stream: bool
    with_usage: bool


@dataclass(frozen=True)
class Usage:
    """Tokens that were read and written."""

    prompt: int
    completion: int

    @property
    def content(self) -> dict[str, int]:
        total = self.prompt + self.completion
        return {"prompt_tokens": self.prompt, "completion_tokens": self.completion, "total_tokens": total}


def parse(body: bytes) -> Mapping[str, Any]:
    """The JSON object in ``body`` with the model's name. RequestError where it is none."""
    try:
        content = json.loads(body)
    except (ValueError, UnicodeDecodeError):
        raise RequestError(Fault.JSON_INVALID) from None
    if not isinstance(content, dict):
        raise RequestError(Fault.REST_BODY_IS_NOT_AN_OBJECT)
    if not isinstance(content.get("model"), str):
        raise _refuse("model field is missing in JSON body")
    return content


def asked(content: Mapping[str, Any], path: str) -> Asked:
    """What a request for text asks for at a path. RequestError for what it may not."""
    prompt = _chat(content) if path == CHAT else _prompt(content)
    limits = [content[key] for key in ("max_completion_tokens", "max_tokens") if content.get(key) is not None]
    if any(not is_integer(limit) or limit < 1 for limit in limits):
        raise _refuse("max_tokens value should be greater than 0")
    if content.get("n") not in (None, 1) or content.get("best_of") not in (None, 1):
        raise _refuse("the stand-in gives one answer: n and best_of should be 1")
    temperature, seed = content.get("temperature") or 0.0, content.get("seed")
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not 0.0 <= temperature <= 2.0:
        raise _refuse("temperature out of range(0.0, 2.0)")
    if seed is not None and (not is_integer(seed) or seed < 0):
        raise _refuse("seed is not an unsigned integer")
    options = content.get("stream_options")
    if options is not None and (not isinstance(options, dict) or not content.get("stream")):
        raise _refuse("stream_options provided, but stream not set to true")
    return Asked(
        model=content["model"],
        prompt=tuple(tokens.encode(prompt)),
        limit=limits[0] if limits else None,
        sampling=Sampling(float(temperature), seed),
        stream=content.get("stream") is True,
        with_usage=bool((options or {}).get("include_usage")),
    )


def _prompt(content: Mapping[str, Any]) -> str:
    if not isinstance(content.get("prompt"), str):
        raise _refuse("prompt is not a string")
    return str(content["prompt"])


def _chat(content: Mapping[str, Any]) -> str:
    messages = content.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _refuse("messages is not an array, or is empty")
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        raise _refuse("each of messages needs a role")
    return tokens.of_chat([{"role": one["role"], "content": _text(one.get("content"))} for one in messages])


def _text(content: Any) -> str:
    """The text of a message, which may come in parts."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if content is None:
        return ""
    if not isinstance(parts, list) or any(not isinstance(part, dict) or part.get("type") != "text" for part in parts):
        raise _refuse("the stand-in reads text alone: content is neither a text nor parts of type text")
    return "".join(str(part.get("text", "")) for part in parts)


def inputs(content: Mapping[str, Any]) -> list[list[int]]:
    """The tokens of each text to embed."""
    given = content.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise _refuse("input should be a string or an array of strings")
    if content.get("encoding_format") not in (None, "float", "base64"):
        raise _refuse("encoding_format should be either base64 or float")
    return [tokens.encode(text) for text in texts]


@dataclass(frozen=True)
class Writer:
    """The answers to one request for text. ``created``: unix seconds."""

    path: str
    model: str
    created: int

    def _object(self, choice: Mapping[str, Any] | None, streamed: bool, usage: Usage | None) -> dict[str, Any]:
        kind = "chat.completion" if self.path == CHAT else "text_completion"
        return {
            "choices": [] if choice is None else [{"index": 0, "logprobs": None, **choice}],
            "created": self.created,
            "model": self.model,
            "object": f"{kind}.chunk" if streamed and self.path == CHAT else kind,
            **({} if usage is None else {"usage": usage.content}),
        }

    def whole(self, text: str, reason: str, usage: Usage) -> bytes:
        """The answer in one piece."""
        said = {"message": {"content": text, "role": "assistant"}} if self.path == CHAT else {"text": text}
        return json.dumps(self._object({"finish_reason": reason, **said}, False, usage)).encode()

    def chunk(self, text: str, reason: str | None) -> bytes:
        """A piece of a stream; the last has a reason."""
        said = {"delta": {"content": text, "role": "assistant"}} if self.path == CHAT else {"text": text}
        return event(self._object({"finish_reason": reason, **said}, True, None))

    def usage(self, usage: Usage) -> bytes:
        """The piece of a stream that has no text, where it was asked for."""
        return event(self._object(None, True, usage))


DONE = b"data: [DONE]\n\n"


def event(content: Mapping[str, Any]) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(content).encode() + b"\n\n"


def embeddings(content: Mapping[str, Any], vectors: Sequence[Sequence[float]], read: int) -> dict[str, Any]:
    """The answer to a request for embeddings."""

    def written(vector: Sequence[float]) -> Any:
        if content.get("encoding_format") != "base64":
            return list(vector)
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

    data = [{"object": "embedding", "embedding": written(v), "index": n} for n, v in enumerate(vectors)]
    usage = {"prompt_tokens": read, "total_tokens": read}
    return {"object": "list", "data": data, "model": content["model"], "usage": usage}


def models(names: Sequence[str], created: int) -> list[dict[str, Any]]:
    """What there is, as OpenAI lists it."""
    return [{"id": name, "object": "model", "created": created, "owned_by": "OVMS"} for name in names]
