# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``inference.GRPCInferenceService`` on plain grpcio, without generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from typing import Any

import grpc
import numpy as np

from ovms_stand_in import NAME, kserve, tensors
from ovms_stand_in.faults import Fault, RequestError, StartError
from ovms_stand_in.inference import Inference, check_names
from ovms_stand_in.listen import check_free, target
from ovms_stand_in.log import SERVING
from ovms_stand_in.model import Array, TensorInfo

_GIGABYTE = 1 << 30
_PLATFORM = "OpenVINO"


def read_inputs(request: Any, inputs: Mapping[str, TensorInfo]) -> dict[str, Array]:
    """The input arrays of a ModelInferRequest. RequestError when they do not fit the model's ``inputs``."""
    check_names(inputs, [given.name for given in request.inputs])
    raw = request.raw_input_contents
    if raw and any(given.HasField("contents") for given in request.inputs):
        raise RequestError(Fault.INVALID_MESSAGE_STRUCTURE)
    if raw and len(raw) != len(request.inputs):
        raise RequestError(Fault.INVALID_CONTENT_SIZE, f"{len(raw)} raw contents for {len(request.inputs)} inputs")
    arrays: dict[str, Array] = {}
    for number, given in enumerate(request.inputs):
        info, shape = inputs[given.name], tuple(given.shape)
        if given.datatype == "BYTES":
            images = tensors.split_bytes(raw[number]) if raw else list(given.contents.bytes_contents)
            if shape != (len(images),):
                raise RequestError(Fault.INVALID_VALUE_COUNT, f"Expected: {shape}; Actual: {len(images)} images")
            arrays[given.name] = tensors.from_images(info, images)
            continue
        tensors.check_shape(info, given.datatype, shape)
        if raw:
            arrays[given.name] = tensors.from_raw(info, shape, raw[number])
        elif given.datatype in tensors.CONTENTS:
            values = getattr(given.contents, tensors.CONTENTS[given.datatype])
            arrays[given.name] = tensors.from_values(info, shape, np.asarray(values))
        else:
            raise RequestError(Fault.INVALID_PRECISION, f"{given.datatype} must come as raw_input_contents")
    return arrays


def chosen(outputs: Mapping[str, Array], asked: Sequence[str]) -> dict[str, Array]:
    """The outputs that a request asks for; all when it names none. OVMS ignores unknown names, and so does this."""
    return {name: array for name, array in outputs.items() if not asked or name in asked}


def write_outputs(response: Any, outputs: Mapping[str, Array], infos: Mapping[str, TensorInfo], raw: bool) -> None:
    """Fill a ModelInferResponse, as raw bytes if the request came so, else as typed contents."""
    for name, array in outputs.items():
        datatype = infos[name].datatype
        output = response.outputs.add(name=name, datatype=datatype, shape=array.shape)
        if raw or datatype not in tensors.CONTENTS:
            response.raw_output_contents.append(array.tobytes())
        else:
            getattr(output.contents, tensors.CONTENTS[datatype]).extend(array.ravel().tolist())


class _Service:
    def __init__(self, inference: Inference, is_live: Callable[[], bool]) -> None:
        self._inference = inference
        self._is_live = is_live

    def handlers(self) -> dict[str, Any]:
        """Method name → grpc handler."""
        return {
            "ServerLive": self._handler(self.server_live, kserve.ServerLiveRequest),
            "ServerReady": self._handler(self.server_ready, kserve.ServerReadyRequest),
            "ModelReady": self._handler(self.model_ready, kserve.ModelReadyRequest),
            "ServerMetadata": self._handler(self.server_metadata, kserve.ServerMetadataRequest),
            "ModelMetadata": self._handler(self.model_metadata, kserve.ModelMetadataRequest),
            "ModelInfer": self._handler(self.model_infer, kserve.ModelInferRequest),
        }

    @staticmethod
    def _handler(method: Callable[[Any], Any], request_type: Any) -> Any:
        def call(request: Any, context: Any) -> Any:
            try:
                return method(request)
            except RequestError as error:
                return context.abort(grpc.StatusCode[error.fault.value.grpc], str(error))

        return grpc.unary_unary_rpc_method_handler(
            call, request_deserializer=request_type.FromString, response_serializer=lambda r: r.SerializeToString()
        )

    def server_live(self, _request: Any) -> Any:
        return kserve.ServerLiveResponse(live=self._is_live())

    def server_ready(self, _request: Any) -> Any:
        return kserve.ServerReadyResponse(ready=self._inference.manager.ready)

    def server_metadata(self, _request: Any) -> Any:
        return kserve.ServerMetadataResponse(name=NAME, version=self._inference.version)

    def model_ready(self, request: Any) -> Any:
        return kserve.ModelReadyResponse(ready=self._inference.model_ready(request.name, request.version, "gRPC"))

    def model_metadata(self, request: Any) -> Any:
        instance, versions = self._inference.metadata(request.name, request.version, "gRPC")
        response = kserve.ModelMetadataResponse(name=request.name, versions=map(str, versions), platform=_PLATFORM)
        for infos, field in ((instance.inputs, response.inputs), (instance.outputs, response.outputs)):
            for info in infos.values():
                field.add(name=info.name, datatype=info.datatype, shape=info.shape)
        return response

    def model_infer(self, request: Any) -> Any:
        version, outputs = self._inference.infer(
            request.model_name, request.model_version, "gRPC", lambda inputs: read_inputs(request, inputs)
        )
        response = kserve.ModelInferResponse(model_name=request.model_name, model_version=str(version), id=request.id)
        infos = self._inference.manager.find(request.model_name, version).available().outputs
        asked = [output.name for output in request.outputs]
        write_outputs(response, chosen(outputs, asked), infos, raw=bool(request.raw_input_contents))
        return response


def start(
    inference: Inference, addresses: Sequence[str], port: int, workers: int, is_live: Callable[[], bool]
) -> Callable[[float], None]:
    """Serve on ``port`` of ``addresses``; what is returned stops it, within the given seconds.

    workers: OVMS's grpc_workers; here a measure of threads. Raises StartError when the port is not to be had.
    """
    for address in addresses:
        SERVING.info("Binding gRPC server to address: %s", target(address, port))
    try:
        check_free(addresses, port)
    except StartError as error:
        raise StartError(f"Failed to start gRPC server - {error} - port is busy") from None
    service = _Service(inference, is_live)
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16 * workers, thread_name_prefix="grpc"),
        handlers=[grpc.method_handlers_generic_handler(kserve.SERVICE, service.handlers())],
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", _GIGABYTE),
            ("grpc.max_send_message_length", _GIGABYTE),
        ],
    )
    for address in addresses:
        try:
            server.add_insecure_port(target(address, port))
        except RuntimeError as error:
            raise StartError(f"Failed to start gRPC server - at {address}:{port}: {error}") from None
    server.start()

    def stop(grace: float) -> None:
        server.stop(grace).wait()

    return stop
