# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of the KServe inference protocol (Open Inference Protocol v2, gRPC), built without generated code.

The descriptors live in a pool of their own, so that they do not clash with other packages that register the same
names in protobuf's default pool. Field numbers are those of the published ``grpc_predict_v2.proto``. The server and
the client ship the same copy of this file (a test compares them): a build context holds all that its image needs.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"

# One line a message: its name (a dot for nesting), then name:type=number; ``*`` is repeated, ``map`` is a map of
# string to InferParameter, and ``?`` a member of the message's only oneof.
_LAYOUT = """
ServerLiveRequest
ServerLiveResponse live:bool=1
ServerReadyRequest
ServerReadyResponse ready:bool=1
ModelReadyRequest name:string=1 version:string=2
ModelReadyResponse ready:bool=1
ServerMetadataRequest
ServerMetadataResponse name:string=1 version:string=2 extensions:string*=3
ModelMetadataRequest name:string=1 version:string=2
ModelMetadataResponse name:string=1 versions:string*=2 platform:string=3 \
inputs:ModelMetadataResponse.TensorMetadata*=4 outputs:ModelMetadataResponse.TensorMetadata*=5
ModelMetadataResponse.TensorMetadata name:string=1 datatype:string=2 shape:int64*=3
InferParameter bool_param:bool?=1 int64_param:int64?=2 string_param:string?=3
InferTensorContents bool_contents:bool*=1 int_contents:int32*=2 int64_contents:int64*=3 uint_contents:uint32*=4 \
uint64_contents:uint64*=5 fp32_contents:float*=6 fp64_contents:double*=7 bytes_contents:bytes*=8
ModelInferRequest model_name:string=1 model_version:string=2 id:string=3 parameters:map=4 \
inputs:ModelInferRequest.InferInputTensor*=5 outputs:ModelInferRequest.InferRequestedOutputTensor*=6 \
raw_input_contents:bytes*=7
ModelInferRequest.InferInputTensor name:string=1 datatype:string=2 shape:int64*=3 parameters:map=4 \
contents:InferTensorContents=5
ModelInferRequest.InferRequestedOutputTensor name:string=1 parameters:map=2
ModelInferResponse model_name:string=1 model_version:string=2 id:string=3 parameters:map=4 \
outputs:ModelInferResponse.InferOutputTensor*=5 raw_output_contents:bytes*=6
ModelInferResponse.InferOutputTensor name:string=1 datatype:string=2 shape:int64*=3 parameters:map=4 \
contents:InferTensorContents=5
"""

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
    "float": _Field.TYPE_FLOAT,
    "double": _Field.TYPE_DOUBLE,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}


def _add_field(message: Any, path: str, text: str) -> None:
    """Add the field that ``text`` (name:type=number) describes to the message descriptor at ``path``."""
    name, _separator, rest = text.partition(":")
    kind, _separator, number = rest.partition("=")
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if kind.endswith("*"):
        field.label = _Field.LABEL_REPEATED
        kind = kind[:-1]
    elif kind.endswith("?"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
        kind = kind[:-1]
    if kind == "map":
        entry = message.nested_type.add(name="ParametersEntry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
        entry.field.add(
            name="value",
            number=2,
            label=_Field.LABEL_OPTIONAL,
            type=_Field.TYPE_MESSAGE,
            type_name=f".{PACKAGE}.InferParameter",
        )
        field.label = _Field.LABEL_REPEATED
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{path}.ParametersEntry"
    elif kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"


def _file() -> Any:
    """The file descriptor of the protocol's messages."""
    file = descriptor_pb2.FileDescriptorProto(name="grpc_predict_v2.proto", package=PACKAGE, syntax="proto3")
    made: dict[str, Any] = {}
    for line in _LAYOUT.strip().splitlines():
        path, *fields = line.split()
        outer, _separator, name = path.rpartition(".")
        message = made[outer].nested_type.add(name=name) if outer else file.message_type.add(name=name)
        made[path] = message
        for field in fields:
            _add_field(message, path, field)
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(_file().SerializeToString())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


ServerLiveRequest = _message("ServerLiveRequest")
ServerLiveResponse = _message("ServerLiveResponse")
ServerReadyRequest = _message("ServerReadyRequest")
ServerReadyResponse = _message("ServerReadyResponse")
ModelReadyRequest = _message("ModelReadyRequest")
ModelReadyResponse = _message("ModelReadyResponse")
ServerMetadataRequest = _message("ServerMetadataRequest")
ServerMetadataResponse = _message("ServerMetadataResponse")
ModelMetadataRequest = _message("ModelMetadataRequest")
ModelMetadataResponse = _message("ModelMetadataResponse")
ModelInferRequest = _message("ModelInferRequest")
ModelInferResponse = _message("ModelInferResponse")
