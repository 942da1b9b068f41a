# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a served model is to the rest of the program, which does not know OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# OpenVINO's element types, KServe's names for them, and numpy's.
DATATYPES = {
    "f32": ("FP32", np.float32),
    "f64": ("FP64", np.float64),
    "f16": ("FP16", np.float16),
    "i8": ("INT8", np.int8),
    "i16": ("INT16", np.int16),
    "i32": ("INT32", np.int32),
    "i64": ("INT64", np.int64),
    "u8": ("UINT8", np.uint8),
    "u16": ("UINT16", np.uint16),
    "u32": ("UINT32", np.uint32),
    "u64": ("UINT64", np.uint64),
    "boolean": ("BOOL", np.bool_),
}
NUMPY_TYPES = dict(DATATYPES.values())


@dataclass(frozen=True)
class TensorInfo:
    """An input or output as clients see it. shape: one entry a dimension, -1 for any size.

    layout: "" when not configured.
    bounds: lowest and highest size of each dimension; the highest is -1 when there is none.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    bounds: tuple[tuple[int, int], ...]
    layout: str = ""


@dataclass(frozen=True)
class Timing:
    """Seconds that a request waited for a free inference request, and that the inference took."""

    wait: float
    inference: float


class Servable(Protocol):
    """A loaded model. Thread-safe.

    inputs, outputs: by name, in the model's order; streams: OpenVINO's execution streams; nireq: requests in the pool.
    """

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    nireq: int
    streams: int

    def infer(self, inputs: Mapping[str, Array]) -> tuple[dict[str, Array], Timing]:
        """All outputs for inputs that fit; waits until an inference request is free. Raises RequestError."""
