# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks share. They run in the image of the stand-in, beside a server at localhost:9000."""

from __future__ import annotations

import io
from typing import Any

import grpc
import numpy as np
from ovms_stand_in import kserve
from PIL import Image

CHANNEL = grpc.insecure_channel(
    "localhost:9000", options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
)
RESPONSES = {
    "ServerLive": kserve.ServerLiveResponse,
    "ServerReady": kserve.ServerReadyResponse,
    "ServerMetadata": kserve.ServerMetadataResponse,
    "ModelReady": kserve.ModelReadyResponse,
    "ModelMetadata": kserve.ModelMetadataResponse,
    "ModelInfer": kserve.ModelInferResponse,
}


def call(method: str, request: Any) -> Any:
    """The answer to a request."""
    return CHANNEL.unary_unary(
        f"/inference.GRPCInferenceService/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=RESPONSES[method].FromString,
    )(request, timeout=60)


def refusal(method: str, request: Any) -> tuple[str, str]:
    """The status and the message of a request that is to be refused."""
    try:
        call(method, request)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    raise AssertionError("the request was not refused")


def tensor(model: str, array: Any, name: str, datatype: str = "FP32", **more: str) -> Any:
    """A ModelInferRequest with one raw tensor."""
    request = kserve.ModelInferRequest(model_name=model, **more)
    request.inputs.add(name=name, datatype=datatype, shape=array.shape)
    request.raw_input_contents.append(array.tobytes())
    return request


def images(model: str, files: list[bytes], name: str = "data", raw: bool = False) -> Any:
    """A ModelInferRequest with encoded images."""
    request = kserve.ModelInferRequest(model_name=model)
    given = request.inputs.add(name=name, datatype="BYTES", shape=[len(files)])
    if raw:
        request.raw_input_contents.append(b"".join(len(file).to_bytes(4, "little") + file for file in files))
    else:
        given.contents.bytes_contents.extend(files)
    return request


def encode(pixels: Any, kind: str) -> bytes:
    """Pixels as a file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def raw_output(response: Any) -> Any:
    """The only output, which came raw."""
    (data,) = response.raw_output_contents
    (output,) = response.outputs
    return np.frombuffer(data, np.float32).reshape(tuple(output.shape))
