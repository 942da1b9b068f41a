# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests to send: made once from what the model says about itself, serialised, and sent again and again."""

from __future__ import annotations

import random
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from kserve_client import kserve


class FrameError(Exception):
    """No request can be made for the model."""


def _floats(code: str) -> Callable[[bytes], bytes]:
    # One random byte a value, as of a pixel, scaled to 0 … 1.
    return lambda noise: struct.pack(f"<{len(noise)}{code}", *(value / 255 for value in noise))


def _integers(code: str) -> Callable[[bytes], bytes]:
    return lambda noise: struct.pack(f"<{len(noise)}{code}", *noise)


_DATATYPES: Mapping[str, Callable[[bytes], bytes]] = {
    "FP32": lambda noise: array("f", (value / 255 for value in noise)).tobytes(),
    "FP64": _floats("d"),
    "FP16": _floats("e"),
    "UINT8": bytes,
    "INT8": lambda noise: bytes(value >> 1 for value in noise),
    "BOOL": lambda noise: bytes(value & 1 for value in noise),
    "INT16": _integers("h"),
    "UINT16": _integers("H"),
    "INT32": _integers("i"),
    "UINT32": _integers("I"),
    "INT64": _integers("q"),
    "UINT64": _integers("Q"),
}


def random_frames(metadata: Any, number: int, shape: Sequence[int], seed: int) -> list[bytes]:
    """``number`` serialised ModelInferRequests with random inputs.

    metadata: a ModelMetadataResponse; shape: for the model's only input instead of its own; () for its own, of which
    sizes left open become 1. Raises FrameError when the model cannot be served so.
    """
    if shape and len(metadata.inputs) != 1:
        raise FrameError(f"the model has {len(metadata.inputs)} inputs: --shape is for models with one")
    noise = random.Random(seed)
    frames = []
    for _time in range(number):
        request = kserve.ModelInferRequest(model_name=metadata.name)
        for given in metadata.inputs:
            if given.datatype not in _DATATYPES:
                raise FrameError(f"input {given.name} has datatype {given.datatype}, which this client cannot make")
            sizes = list(shape) or [size if size > 0 else 1 for size in given.shape]
            request.inputs.add(name=given.name, datatype=given.datatype, shape=sizes)
            request.raw_input_contents.append(_DATATYPES[given.datatype](noise.randbytes(prod(sizes))))
        frames.append(request.SerializeToString())
    return frames


def file_frames(metadata: Any, images: Sequence[bytes]) -> list[bytes]:
    """A serialised ModelInferRequest for each image file (JPEG, PNG). FrameError unless the model has one input."""
    if len(metadata.inputs) != 1:
        raise FrameError(f"the model has {len(metadata.inputs)} inputs: --input is for models with one")
    frames = []
    for image in images:
        request = kserve.ModelInferRequest(model_name=metadata.name)
        given = request.inputs.add(name=metadata.inputs[0].name, datatype="BYTES", shape=[1])
        given.contents.bytes_contents.append(image)
        frames.append(request.SerializeToString())
    return frames
