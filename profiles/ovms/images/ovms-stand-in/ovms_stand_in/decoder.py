# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decoder on OpenVINO: a number of requests that infer by themselves, each with a text of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ovms_stand_in import decoder_model
from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.generation import Decoder
from ovms_stand_in.instance import DEFAULT_PLUGIN_CONFIG
from ovms_stand_in.model import Array
from ovms_stand_in.modelconfig import BEST_DEVICE

_PIECE = 256
"""Tokens that are read at once: the room that a long prompt takes grows with their number."""


class _Request:
    """An inference request that remembers the text so far; see `generation.Decoder`."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._length = 0

    def begin(self) -> None:
        self._request.reset_state()
        self._length = 0

    def feed(self, tokens: Sequence[int]) -> tuple[Array, Array]:
        found = [self._infer(tokens[start : start + _PIECE]) for start in range(0, len(tokens), _PIECE)]
        return found[-1][0], np.concatenate([hidden for _logits, hidden in found])

    def _infer(self, tokens: Sequence[int]) -> tuple[Array, Array]:
        places = np.arange(self._length, self._length + len(tokens), dtype=np.int64)
        try:
            self._request.infer({"input_ids": np.array([tokens], np.int64), "position_ids": places.reshape(1, -1)})
        except RuntimeError as error:
            raise RequestError(Fault.OV_INTERNAL_INFERENCE_ERROR, str(error).strip()) from None
        self._length += len(tokens)
        logits, hidden = (np.array(self._request.get_tensor(name).data[0]) for name in ("logits", "hidden"))
        return logits, hidden


def load(core: Any, folder: Path, device: str, number: int) -> list[Decoder]:
    """As many decoders as may write at a time. Raises RequestError where ``folder`` has none that is the stand-in's."""
    file = folder / decoder_model.FILE
    if not file.is_file():
        raise RequestError(Fault.FILE_INVALID, f"{file} is missing")
    try:
        model = core.read_model(str(file))
    except RuntimeError as error:
        raise RequestError(Fault.MODEL_NOT_LOADED, f"{file}: {str(error).strip().splitlines()[-1]}") from None
    if model.get_friendly_name() != decoder_model.NAME:
        detail = f"{folder}: the stand-in serves the decoder that it makes itself (--pull), and no other"
        raise RequestError(Fault.MODEL_NOT_LOADED, detail)
    try:
        compiled = core.compile_model(model, device or BEST_DEVICE, dict(DEFAULT_PLUGIN_CONFIG))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise RequestError(Fault.CANNOT_COMPILE, f"device: {device}: {reason}") from None
    return [_Request(compiled.create_infer_request()) for _time in range(number)]
