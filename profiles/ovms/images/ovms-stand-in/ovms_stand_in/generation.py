# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generative models: what is generated, token by token, and who may at a time. Knows neither OpenVINO nor HTTP."""

from __future__ import annotations

import queue
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.model import Array

TEXT, EMBEDDINGS = "text_generation", "embeddings"


class Decoder(Protocol):
    """Goes on with one text."""

    def begin(self) -> None:
        """Forget the text so far."""

    def feed(self, tokens: Sequence[int]) -> tuple[Array, Array]:
        """The scores of what comes after these tokens, and what the decoder made of each of them."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen: the best at temperature 0, else by chance, from a seed."""

    temperature: float = 0.0
    seed: int | None = None

    def choice(self, prompt: Sequence[int]) -> _Choice:
        """Equal for an equal prompt where no seed is given."""
        seed = zlib.crc32(bytes(token % 256 for token in prompt)) if self.seed is None else self.seed
        return _Choice(self.temperature, np.random.Generator(np.random.PCG64(seed)))


@dataclass(frozen=True)
class _Choice:
    temperature: float
    random: np.random.Generator

    def of(self, logits: Array) -> int:
        if self.temperature <= 0.0:
            return int(np.argmax(logits))
        scaled = logits.astype(np.float64) / self.temperature
        weights = np.exp(scaled - scaled.max())
        return int(self.random.choice(len(weights), p=weights / weights.sum()))


class Generative:
    """One generative model by its name. Thread-safe: who finds no free decoder waits for one."""

    def __init__(self, name: str, task: str, decoders: Sequence[Decoder], context: int) -> None:
        self.name = name
        self.task = task
        self.context = context
        self._free: queue.SimpleQueue[Decoder] = queue.SimpleQueue()
        for decoder in decoders:
            self._free.put(decoder)

    @contextmanager
    def _decoder(self) -> Iterator[Decoder]:
        decoder = self._free.get()
        try:
            decoder.begin()
            yield decoder
        finally:
            self._free.put(decoder)

    def room(self, prompt: Sequence[int]) -> int:
        """How many tokens may follow a prompt. RequestError where it is empty, or too long for the model."""
        room = self.context - len(prompt)
        if not prompt or room < 1:
            detail = f"number of prompt tokens: {len(prompt)} exceeds model max length: {self.context}"
            raise RequestError(Fault.GRAPH_FAILED, detail if prompt else "prompt is empty")
        return room

    def tokens(self, prompt: Sequence[int], limit: int, sampling: Sampling) -> Iterator[int]:
        """The tokens that follow a prompt, each as soon as it is there."""
        choice = sampling.choice(prompt)
        with self._decoder() as decoder:
            logits, _hidden = decoder.feed(prompt)
            for number in range(limit):
                token = choice.of(logits)
                yield token
                if number + 1 < limit:
                    logits, _hidden = decoder.feed([token])

    def embedding(self, prompt: Sequence[int]) -> list[float]:
        """The mean of what the model made of each token, of length 1."""
        self.room(prompt)
        with self._decoder() as decoder:
            _logits, hidden = decoder.feed(prompt)
        mean = hidden.astype(np.float64).mean(axis=0)
        return [float(value) for value in mean / (np.linalg.norm(mean) or 1.0)]
