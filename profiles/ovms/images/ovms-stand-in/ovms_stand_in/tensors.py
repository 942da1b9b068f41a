# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From tensors on the wire (gRPC contents, raw bytes, JSON, encoded images) to numpy arrays and back."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.model import NUMPY_TYPES, Array, TensorInfo

# Which field of InferTensorContents holds which datatype. FP16 has none: it must come as raw bytes.
CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
}


def check_shape(info: TensorInfo, datatype: str, shape: Sequence[int]) -> None:
    """Raise RequestError unless a tensor of ``datatype`` and ``shape`` may go into the input ``info``."""
    if datatype != info.datatype:
        detail = f"Expected: {info.datatype}; Actual: {datatype}; input name: {info.name}"
        raise RequestError(Fault.INVALID_PRECISION, detail)
    expected = f"Expected: ({','.join(map(str, info.shape))}); Actual: ({','.join(map(str, shape))})"
    if len(shape) != len(info.shape):
        raise RequestError(Fault.INVALID_NO_OF_SHAPE_DIMENSIONS, f"{expected}; input name: {info.name}")
    for position, (size, (low, high)) in enumerate(zip(shape, info.bounds)):
        if size < low or size < 0 or (high != -1 and size > high):
            batch = info.layout.find("N") if info.layout else 0
            fault = Fault.INVALID_BATCH_SIZE if position == batch else Fault.INVALID_SHAPE
            raise RequestError(fault, f"{expected}; input name: {info.name}")


def from_raw(info: TensorInfo, shape: Sequence[int], data: bytes) -> Array:
    """A tensor from its little-endian bytes. RequestError when their number does not fit the shape."""
    kind = np.dtype(NUMPY_TYPES[info.datatype])
    expected = kind.itemsize * int(np.prod(shape, dtype=np.int64))
    if len(data) != expected:
        detail = f"Expected: {expected} bytes; Actual: {len(data)} bytes; input name: {info.name}"
        raise RequestError(Fault.INVALID_CONTENT_SIZE, detail)
    return np.frombuffer(data, kind).reshape(tuple(shape))


def from_values(info: TensorInfo, shape: Sequence[int], values: Any) -> Array:
    """A tensor from numbers (flat, or nested as in JSON). RequestError when they are no numbers or too few or many."""
    try:
        array: Array = np.asarray(values, dtype=NUMPY_TYPES[info.datatype])
    except (ValueError, TypeError, OverflowError):
        raise RequestError(Fault.REST_COULD_NOT_PARSE_INPUT, f"input name: {info.name}") from None
    expected = int(np.prod(shape, dtype=np.int64))
    if array.size != expected:
        detail = f"Expected: {expected}; Actual: {array.size}; input name: {info.name}"
        raise RequestError(Fault.INVALID_VALUE_COUNT, detail)
    return array.reshape(tuple(shape))


def split_bytes(data: bytes) -> list[bytes]:
    """The elements of a raw BYTES tensor: each after its length (4 bytes, little endian); other data is one element."""
    found: list[bytes] = []
    position = 0
    while position + 4 <= len(data):
        (length,) = struct.unpack_from("<I", data, position)
        found.append(data[position + 4 : position + 4 + length])
        position += 4 + length
    return found if found and position == len(data) else [data]


def from_images(info: TensorInfo, files: Sequence[bytes]) -> Array:
    """A tensor N × height × width × channels from encoded images. RequestError when the input cannot take images."""
    if info.layout != "NHWC" or len(info.shape) != 4:
        raise RequestError(Fault.UNSUPPORTED_LAYOUT, f"input name: {info.name}")
    _batch, height, width, channels = info.shape
    if channels not in (1, 3):
        raise RequestError(Fault.INVALID_NO_OF_CHANNELS, f"Expected: {channels}; input name: {info.name}")
    # Not at the top: few requests bring images, and the decoder is large.
    from ovms_stand_in import images

    decoded = [images.decode(data, channels, info.name) for data in files]
    if height > 0 and width > 0:
        decoded = [images.resize(pixels, height, width) for pixels in decoded]
    elif len({pixels.shape for pixels in decoded}) > 1:
        raise RequestError(Fault.BINARY_IMAGES_RESOLUTION_MISMATCH, f"input name: {info.name}")
    tensor: Array = np.stack(decoded).astype(NUMPY_TYPES[info.datatype])
    check_shape(info, info.datatype, tensor.shape)
    return tensor
