# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's decoder, made by code: a small transformer with seeded weights, whose state OpenVINO keeps.

What it writes means nothing, but it is worked out token by token. It stands for the model that a folder is named after.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ovms_stand_in import tokens

FILE = "openvino_model.xml"
NAME = "stand-in-decoder"
CONTEXT = 4096
_WIDTH, _HEADS, _LAYERS, _SEED = 128, 4, 4, 7
_HEAD = _WIDTH // _HEADS
_NEVER = -1e9


class _Maker:
    """Weights, one after the other, from one seed."""

    def __init__(self) -> None:
        self._random = np.random.Generator(np.random.PCG64(_SEED))
        self.states: list[Any] = []

    def weights(self, *shape: int) -> Any:
        values = self._random.standard_normal(shape, dtype=np.float32) / np.float32(math.sqrt(shape[0]))
        return ops.constant(values)

    def heads(self, value: Any) -> Any:
        """1 × tokens × width as 1 × heads × tokens × a head's width."""
        shaped = ops.reshape(value, ops.constant(np.array([0, 0, _HEADS, _HEAD], np.int64)), True)
        return ops.transpose(shaped, ops.constant(np.array([0, 2, 1, 3], np.int64)))

    def remembered(self, value: Any, name: str) -> Any:
        """What earlier calls gave, and *value* behind it; that is remembered for the next."""
        shape = ov.PartialShape([1, _HEADS, -1, _HEAD])
        nothing = ops.constant(np.zeros((1, _HEADS, 0, _HEAD), np.float32))
        past = ops.read_value(nothing, name, ov.Type.f32, shape)
        whole = ops.concat([past, value], 2)
        self.states.append(ops.assign(whole, name))
        return whole


def _normalised(value: Any) -> Any:
    return ops.mvn(value, ops.constant(np.array([2], np.int64)), True, 1e-5, "inside_sqrt")


def _places(positions: Any) -> Any:
    """Waves of other lengths for each place in the text."""
    rates = np.exp(-math.log(10000.0) * np.arange(_WIDTH // 2, dtype=np.float32) / (_WIDTH // 2))
    place = ops.unsqueeze(ops.convert(positions, "f32"), ops.constant(np.array([2], np.int64)))
    angles = ops.multiply(place, ops.constant(rates.astype(np.float32).reshape(1, 1, -1)))
    return ops.concat([ops.sin(angles), ops.cos(angles)], 2)


def _visible(keys: Any, positions: Any) -> Any:
    """Which of the keys each token may look at: those up to its own."""
    zero, one = (ops.constant(np.array(number, np.int64)) for number in (0, 1))
    count = ops.gather(ops.shape_of(keys, "i64"), ops.constant(np.array(2, np.int64)), zero)
    numbers = ops.range(zero, count, one, "i64")
    own = ops.unsqueeze(positions, ops.constant(np.array([1, 3], np.int64)))
    return ops.less_equal(numbers, own)


def _attention(make: _Maker, value: Any, positions: Any, layer: int) -> Any:
    parts = ops.split(ops.matmul(value, make.weights(_WIDTH, 3 * _WIDTH), False, False), ops.constant(2), 3)
    query = make.heads(parts.output(0))
    keys = make.remembered(make.heads(parts.output(1)), f"keys.{layer}")
    values = make.remembered(make.heads(parts.output(2)), f"values.{layer}")
    scores = ops.multiply(ops.matmul(query, keys, False, True), ops.constant(np.float32(1 / math.sqrt(_HEAD))))
    seen = ops.select(_visible(keys, positions), scores, ops.constant(np.float32(_NEVER)))
    told = ops.matmul(ops.softmax(seen, -1), values, False, False)
    joined = ops.transpose(told, ops.constant(np.array([0, 2, 1, 3], np.int64)))
    flat = ops.reshape(joined, ops.constant(np.array([0, 0, _WIDTH], np.int64)), True)
    return ops.matmul(flat, make.weights(_WIDTH, _WIDTH), False, False)


def _printable() -> Any:
    """Added to the scores of the next token, so that it is a letter that can be seen, or a space."""
    allowed = np.full(tokens.VOCABULARY, _NEVER, np.float32)
    allowed[0x20:0x7F] = 0.0
    return ops.constant(allowed)


def model() -> Any:
    """``input_ids`` and ``position_ids`` of the next tokens → ``logits`` of the one after, ``hidden`` of each."""
    make = _Maker()
    given = [ops.parameter([1, -1], np.int64, name=name) for name in ("input_ids", "position_ids")]
    for node in given:
        node.output(0).get_tensor().set_names({node.get_friendly_name()})
    ids, positions = given
    value = ops.gather(make.weights(tokens.VOCABULARY, _WIDTH), ids, ops.constant(0))
    value = ops.add(value, _places(positions))
    for layer in range(_LAYERS):
        value = ops.add(value, _attention(make, _normalised(value), positions, layer))
        inner = ops.gelu(ops.matmul(_normalised(value), make.weights(_WIDTH, 4 * _WIDTH), False, False), "erf")
        value = ops.add(value, ops.matmul(inner, make.weights(4 * _WIDTH, _WIDTH), False, False))
    hidden = _normalised(value)
    last = ops.gather(hidden, ops.constant(-1), ops.constant(1))
    scores = ops.matmul(last, make.weights(_WIDTH, tokens.VOCABULARY), False, False)
    logits = ops.add(scores, _printable())
    results = []
    for node, name in ((logits, "logits"), (hidden, "hidden")):
        node.output(0).get_tensor().set_names({name})
        results.append(ops.result(node))
    return ov.Model(results, make.states, given, NAME)


def write(folder: Path) -> None:
    """Make the decoder and its tokenizer in ``folder``; the model comes last, for it says that all is there."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name, text in tokens.files(CONTEXT).items():
        (folder / name).write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as scratch:
        ov.save_model(model(), f"{scratch}/{FILE}", compress_to_fp16=False)
        for file in (Path(scratch, FILE).with_suffix(".bin"), Path(scratch, FILE)):
            file.chmod(0o644)
            file.replace(folder / file.name)
