# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's endpoints by REST, below ``/v3``, and below ``/v1`` from 2026 on: which there are, and who may ask."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import unquote

from ovms_stand_in import contract, openai_api, tokens
from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.generation import EMBEDDINGS, TEXT, Generative
from ovms_stand_in.log import SERVING
from ovms_stand_in.metrics import Metrics
from ovms_stand_in.openai_api import CHAT, COMPLETIONS, Asked, Usage, Writer
from ovms_stand_in.rest_answer import Answer, Pieces, of_json

_BELOW_V1: contract.Version = (2026, 0)
_PATH = re.compile(rf"/(v1|v3)/({CHAT}|{COMPLETIONS}|{openai_api.EMBEDDINGS}|models)(?:/(.+))?")
UNARY, STREAM = "Unary", "Stream"
LENGTH = "length"
"""Why a text ends."""


class GenerativeRoutes:
    """Answers requests to generative models; ``key``: what clients must show, "" for nothing."""

    def __init__(
        self, models: Mapping[str, Generative], metrics: Metrics, key: str = "", version: contract.Version = (2026, 4)
    ) -> None:
        self._models = models
        self._metrics = metrics
        self._key = key
        self._version = version
        self._created = int(time.time())

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """The answer; None for a path that is no endpoint of these. RequestError for what is refused."""
        match = _PATH.fullmatch(path)
        if match is None or (match[1] == "v1" and self._version < _BELOW_V1) or (match[3] and match[2] != "models"):
            return None
        shown = headers.get("authorization", "").encode()
        if self._key and not hmac.compare_digest(shown, f"Bearer {self._key}".encode()):
            raise RequestError(Fault.UNAUTHORIZED)
        if match[2] == "models":
            return self._listed(method, match[3] and unquote(match[3]))
        if method != "POST":
            raise RequestError(Fault.REST_UNSUPPORTED_METHOD)
        return self._generated(match[2], openai_api.parse(body))

    def _generated(self, path: str, content: Mapping[str, Any]) -> Answer:
        """The answer of the model that a request names."""
        model = self._models.get(content["model"])
        if model is None:
            raise RequestError(Fault.GRAPH_NAME_MISSING)
        task = EMBEDDINGS if path == openai_api.EMBEDDINGS else TEXT
        writer = Writer(path, model.name, int(time.time()))
        if content.get("stream") is True and model.task == task == TEXT:
            return 200, "text/event-stream", self._begun(model, content, writer), {"Cache-Control": "no-cache"}
        with self._counted(model.name, UNARY):
            if model.task != task:
                raise RequestError(Fault.GRAPH_FAILED, f"model {model.name} is for {model.task}: no {path} of it")
            if task == EMBEDDINGS:
                texts = openai_api.inputs(content)
                vectors = [model.embedding(text) for text in texts]
                return of_json(openai_api.embeddings(content, vectors, sum(map(len, texts))))
            wanted = openai_api.asked(content, path)
            found = list(model.tokens(wanted.prompt, _limit(model, wanted), wanted.sampling))
            usage = Usage(len(wanted.prompt), len(found))
            return 200, "application/json", writer.whole(tokens.decode(found), LENGTH, usage), {}

    def _listed(self, method: str, name: str | None) -> Answer:
        if method != "GET":
            raise RequestError(Fault.REST_UNSUPPORTED_METHOD)
        found = openai_api.models([one for one in self._models if name in (None, one)], self._created)
        if name is None:
            return of_json({"object": "list", "data": found})
        if not found:
            raise RequestError(Fault.GRAPH_NAME_MISSING)
        return of_json(found[0])

    def _begun(self, model: Generative, content: Mapping[str, Any], writer: Writer) -> Pieces:
        """A stream whose first piece is there: what is refused is refused before its status goes out."""
        stream = self._streamed(model, content, writer)
        first = next(stream)
        return _after(first, stream)

    def _streamed(self, model: Generative, content: Mapping[str, Any], writer: Writer) -> Pieces:
        with self._counted(model.name, STREAM):
            wanted = openai_api.asked(content, writer.path)
            limit = _limit(model, wanted)
            for number, token in enumerate(model.tokens(wanted.prompt, limit, wanted.sampling), start=1):
                self._metrics.count_graph("ovms_responses", model.name, STREAM)
                yield writer.chunk(tokens.decode([token]), LENGTH if number == limit else None)
            if wanted.with_usage:
                yield writer.usage(Usage(len(wanted.prompt), limit))
            yield openai_api.DONE

    @contextmanager
    def _counted(self, name: str, method: str) -> Iterator[None]:
        """Count a request in the graph's metrics, from here to the end of its answer."""
        start = time.perf_counter()
        self._metrics.count_graph("ovms_requests_accepted", name, method)
        self._metrics.change_graph(name, 1)
        try:
            yield
            if method == UNARY:
                self._metrics.count_graph("ovms_responses", name, method)
        except RequestError as error:
            self._metrics.count_graph("ovms_graph_error", name, method)
            SERVING.info("request to %s failed: %s", name, error)
            raise
        finally:
            self._metrics.change_graph(name, -1)
            self._metrics.observe_graph(name, method, time.perf_counter() - start)


def _limit(model: Generative, wanted: Asked) -> int:
    """How many tokens are written: the decoder knows no end of its own. RequestError where there is no room for any."""
    room = model.room(wanted.prompt)
    return min(wanted.limit or room, room)


def _after(first: bytes, stream: Pieces) -> Pieces:
    """The stream with its first piece again; a failure after that is told in it."""
    with closing(stream):
        yield first
        try:
            yield from stream
        except RequestError as error:
            yield openai_api.event({"error": str(error)})
