# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, in the words of OpenVINO Model Server, with the codes that it answers by gRPC and by REST."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class UsageError(Exception):
    """The command line is wrong: exit code 64."""


class StartError(Exception):
    """The server cannot start (configuration missing or invalid, port busy): exit code 1."""


@dataclass(frozen=True)
class Kind:
    """One kind of fault: its message, the name of its gRPC status, its HTTP status."""

    message: str
    grpc: str
    http: int


class Fault(Enum):
    """The faults that a request or the loading of a model can meet."""

    MODEL_NAME_MISSING = Kind("Model with requested name is not found", "NOT_FOUND", 404)
    MODEL_VERSION_MISSING = Kind("Model with requested version is not found", "NOT_FOUND", 404)
    MODEL_VERSION_NOT_LOADED_YET = Kind("Model with requested version is not loaded yet", "UNAVAILABLE", 404)
    MODEL_VERSION_NOT_LOADED_ANYMORE = Kind("Model with requested version is retired", "NOT_FOUND", 404)
    MODEL_VERSION_INVALID_FORMAT = Kind("invalid model version format in request", "INVALID_ARGUMENT", 400)
    MODEL_NOT_LOADED = Kind("Error while loading a model", "INTERNAL", 500)
    MODEL_CONFIG_INVALID = Kind("Model config is invalid", "INTERNAL", 500)
    PATH_INVALID = Kind("The provided base path is invalid or doesn't exists", "INVALID_ARGUMENT", 400)
    FILE_INVALID = Kind("File not found or cannot open", "INTERNAL", 500)
    NO_MODEL_VERSION_AVAILABLE = Kind("Not a single model version directory has valid numeric name", "INTERNAL", 500)
    SHAPE_WRONG_FORMAT = Kind("The provided shape is in wrong format", "INTERNAL", 500)
    LAYOUT_WRONG_FORMAT = Kind("The provided layout is in wrong format", "INTERNAL", 500)
    PLUGIN_CONFIG_WRONG_FORMAT = Kind("Plugin config is in wrong format", "INTERNAL", 500)
    MODEL_VERSION_POLICY_WRONG_FORMAT = Kind("Model version policy is in wrong format", "INTERNAL", 500)
    CONFIG_SHAPE_IS_NOT_IN_MODEL = Kind("Shape from config not found in model", "UNKNOWN", 500)
    CONFIG_LAYOUT_IS_NOT_IN_MODEL = Kind("Layout from config not found in model", "UNKNOWN", 500)
    RESHAPE_ERROR = Kind("Model could not be reshaped with requested shape", "FAILED_PRECONDITION", 412)
    CANNOT_COMPILE = Kind("Cannot compile model into target device", "FAILED_PRECONDITION", 412)
    INVALID_NO_OF_INPUTS = Kind("Invalid number of inputs", "INVALID_ARGUMENT", 400)
    INVALID_MISSING_INPUT = Kind("Missing input with specific name", "INVALID_ARGUMENT", 400)
    INVALID_UNEXPECTED_INPUT = Kind("Unexpected input", "INVALID_ARGUMENT", 400)
    INVALID_NO_OF_SHAPE_DIMENSIONS = Kind("Invalid number of shape dimensions", "INVALID_ARGUMENT", 400)
    INVALID_BATCH_SIZE = Kind("Invalid input batch size", "INVALID_ARGUMENT", 400)
    INVALID_SHAPE = Kind("Invalid input shape", "INVALID_ARGUMENT", 400)
    INVALID_PRECISION = Kind("Invalid input precision", "INVALID_ARGUMENT", 400)
    INVALID_VALUE_COUNT = Kind("Invalid number of values in tensor proto container", "INVALID_ARGUMENT", 400)
    INVALID_CONTENT_SIZE = Kind("Invalid content size of tensor proto", "INVALID_ARGUMENT", 400)
    INVALID_MESSAGE_STRUCTURE = Kind(
        "Passing buffers both in ModelInferRequest::InferInputTensor::contents and in"
        " ModelInferRequest::raw_input_contents is not allowed",
        "INVALID_ARGUMENT",
        400,
    )
    UNSUPPORTED_LAYOUT = Kind(
        "Received binary image input but resource not configured to accept NHWC layout", "INVALID_ARGUMENT", 400
    )
    IMAGE_PARSING_FAILED = Kind("Image parsing failed", "INVALID_ARGUMENT", 400)
    INVALID_NO_OF_CHANNELS = Kind("Invalid number of channels in binary input", "INVALID_ARGUMENT", 400)
    BINARY_IMAGES_RESOLUTION_MISMATCH = Kind("Binary input images has different resolutions", "INVALID_ARGUMENT", 400)
    BYTES_CONTENTS_EMPTY = Kind("Binary input images has empty bytes contents", "INVALID_ARGUMENT", 400)
    OV_INTERNAL_INFERENCE_ERROR = Kind("Internal inference error", "INTERNAL", 500)
    REST_INVALID_URL = Kind("Invalid request URL", "INVALID_ARGUMENT", 400)
    REST_UNSUPPORTED_METHOD = Kind("Unsupported method", "UNIMPLEMENTED", 406)
    REST_BODY_IS_NOT_AN_OBJECT = Kind("Request body should be JSON object", "INVALID_ARGUMENT", 400)
    REST_NO_INPUTS_FOUND = Kind("Invalid JSON structure, missing inputs", "INVALID_ARGUMENT", 400)
    REST_COULD_NOT_PARSE_INPUT = Kind(
        "Could not parse input content. Not valid ndarray detected", "INVALID_ARGUMENT", 400
    )
    REST_BINARY_BUFFER_EXCEEDED = Kind(
        "Received buffer size is smaller than binary_data_size parameter indicates", "INVALID_ARGUMENT", 400
    )
    REST_HEADER_LENGTH_INVALID = Kind(
        "Inference-Header-Content-Length header is invalid and couldn't be parsed", "INVALID_ARGUMENT", 400
    )
    REST_CONTENTS_FIELD_NOT_EMPTY = Kind(
        "Request contains values both in binary data and in content value", "INVALID_ARGUMENT", 400
    )
    JSON_INVALID = Kind("The file is not valid json", "FAILED_PRECONDITION", 412)
    GRAPH_NAME_MISSING = Kind("Mediapipe graph definition with requested name is not found", "NOT_FOUND", 404)
    GRAPH_FAILED = Kind("Mediapipe execution failed. MP status", "INVALID_ARGUMENT", 400)
    UNAUTHORIZED = Kind("Unauthorized", "UNAUTHENTICATED", 401)


class RequestError(Exception):
    """A request, or the loading of one model, failed.

    fault: which kind; detail: what exactly, appended to the kind's message after `` - ``.
    """

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault.value.message + (f" - {detail}" if detail else ""))
        self.fault = fault
