# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of REST inference: JSON, with KServe's binary extension after it when a header says how long the JSON is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ovms_stand_in import tensors
from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.inference import check_names
from ovms_stand_in.model import NUMPY_TYPES, Array, TensorInfo
from ovms_stand_in.modelconfig import is_integer


@dataclass(frozen=True)
class RestRequest:
    """A parsed body. inputs: KServe's input objects; binary: by input name, where the data came after the JSON."""

    content: Mapping[str, Any]
    inputs: tuple[Mapping[str, Any], ...]
    binary: Mapping[str, bytes]

    def arrays(self, wanted: Mapping[str, TensorInfo]) -> dict[str, Array]:
        """The input arrays. RequestError when they do not fit the model's inputs ``wanted``."""
        check_names(wanted, [given["name"] for given in self.inputs])
        return {given["name"]: self._array(wanted[given["name"]], given) for given in self.inputs}

    def _array(self, info: TensorInfo, given: Mapping[str, Any]) -> Array:
        name, shape, datatype = given["name"], given["shape"], given["datatype"]
        data = self.binary.get(name)
        if datatype == "BYTES":
            images = tensors.split_bytes(data) if data is not None else _texts(given.get("data"))
            if tuple(shape) != (len(images),):
                raise RequestError(Fault.INVALID_VALUE_COUNT, f"Expected: {shape}; Actual: {len(images)} images")
            return tensors.from_images(info, images)
        tensors.check_shape(info, datatype, shape)
        if data is not None:
            return tensors.from_raw(info, shape, data)
        return tensors.from_values(info, shape, given.get("data"))


def _texts(data: Any) -> list[bytes]:
    """Encoded images in JSON: base64 text."""
    if not isinstance(data, list) or not all(isinstance(text, str) for text in data):
        raise RequestError(Fault.REST_COULD_NOT_PARSE_INPUT)
    try:
        return [base64.b64decode(text, validate=True) for text in data]
    except binascii.Error:
        raise RequestError(Fault.REST_COULD_NOT_PARSE_INPUT, "BYTES in JSON must be base64") from None


def _check_input(given: Any) -> None:
    fine = (
        isinstance(given, dict)
        and isinstance(given.get("name"), str)
        and isinstance(given.get("datatype"), str)
        and isinstance(given.get("shape"), list)
        and all(is_integer(size) and size >= 0 for size in given["shape"])
        and isinstance(given.get("parameters", {}), dict)
    )
    if not fine:
        raise RequestError(Fault.REST_COULD_NOT_PARSE_INPUT, "an input has name, datatype and shape")


def _binary_size(given: Mapping[str, Any]) -> int | None:
    """How many bytes of the binary part belong to an input; None when its data is in the JSON."""
    size = given.get("parameters", {}).get("binary_data_size")
    if size is not None:
        if not is_integer(size) or size < 0:
            raise RequestError(Fault.REST_BINARY_BUFFER_EXCEEDED, str(size))
        if "data" in given:
            raise RequestError(Fault.REST_CONTENTS_FIELD_NOT_EMPTY)
        return size
    if "data" in given or given["datatype"] not in NUMPY_TYPES:
        return None
    # Neither data nor a size: the size follows from the shape.
    return np.dtype(NUMPY_TYPES[given["datatype"]]).itemsize * int(np.prod(given["shape"], dtype=np.int64))


def parse(body: bytes, header_length: str | None) -> RestRequest:
    """The request in ``body``; header_length: the header Inference-Header-Content-Length. RequestError if bad."""
    length = len(body)
    if header_length is not None:
        if not header_length.isdecimal() or int(header_length) > len(body):
            raise RequestError(Fault.REST_HEADER_LENGTH_INVALID, header_length)
        length = int(header_length)
    try:
        content = json.loads(body[:length])
    except (ValueError, UnicodeDecodeError):
        raise RequestError(Fault.JSON_INVALID) from None
    if not isinstance(content, dict):
        raise RequestError(Fault.REST_BODY_IS_NOT_AN_OBJECT)
    inputs = content.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise RequestError(Fault.REST_NO_INPUTS_FOUND)
    binary: dict[str, bytes] = {}
    position = length
    for given in inputs:
        _check_input(given)
        size = _binary_size(given)
        if size is not None:
            if position + size > len(body):
                raise RequestError(Fault.REST_BINARY_BUFFER_EXCEEDED)
            binary[given["name"]] = body[position : position + size]
            position += size
    return RestRequest(content, tuple(inputs), binary)


def response(
    request: RestRequest, name: str, version: int, outputs: Mapping[str, Array], infos: Mapping[str, TensorInfo]
) -> tuple[bytes, int | None]:
    """The body of the answer, and the length of its JSON part when binary data follows it."""
    asked = {o["name"]: o for o in request.content.get("outputs", []) if isinstance(o, dict) and "name" in o}
    all_binary = request.content.get("parameters", {}).get("binary_data_output", False)
    described: list[dict[str, Any]] = []
    tail: list[bytes] = []
    for output, array in outputs.items():
        if asked and output not in asked:
            continue
        entry: dict[str, Any] = {"name": output, "shape": list(array.shape), "datatype": infos[output].datatype}
        if asked.get(output, {}).get("parameters", {}).get("binary_data", all_binary):
            tail.append(array.tobytes())
            entry["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            entry["data"] = array.ravel().tolist()
        described.append(entry)
    content: dict[str, Any] = {"model_name": name, "model_version": str(version), "outputs": described}
    if "id" in request.content:
        content["id"] = request.content["id"]
    head = json.dumps(content).encode()
    return (head + b"".join(tail), len(head)) if tail else (head, None)
