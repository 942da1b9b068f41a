# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the server. What goes wrong with it is counted, never raised."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from kserve_client import kserve
from kserve_client.frames import FrameError
from kserve_client.measures import Recorder

_OPTIONS = [
    # gRPC's own back-off grows to two minutes: a server that is back should be used again at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),
]
_RETRY = 0.5  # seconds between questions to a server that is not there or not ready


class Connection:
    """A channel to ``target`` (host:port). timeout: seconds that any call may take."""

    def __init__(self, target: str, timeout: float) -> None:
        self._target = target
        self._timeout = timeout
        self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)
        # Bytes in, bytes out: frames are serialised once, and nobody looks at the answers.
        self._infer = self._channel.unary_unary(f"/{kserve.SERVICE}/ModelInfer", None, None)
        self._metadata = self._channel.unary_unary(
            f"/{kserve.SERVICE}/ModelMetadata",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=kserve.ModelMetadataResponse.FromString,
        )
        self._told = ""

    async def close(self) -> None:
        """End the connection."""
        await self._channel.close(None)

    async def infer(self, frame: bytes) -> bool:
        """Send a serialised request; whether it was answered without an error."""
        try:
            await self._infer(frame, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            self._tell(error)
            return False
        self._told = ""
        return True

    async def frames(
        self, model: str, version: str, make: Callable[[Any], list[bytes]], recorder: Recorder
    ) -> list[bytes]:
        """The frames that ``make`` makes from the model's metadata, once the server answers.

        Until then each try is counted as an error. Raises FrameError when none can be made.
        """
        while True:
            try:
                request = kserve.ModelMetadataRequest(name=model, version=version)
                metadata = await self._metadata(request, timeout=self._timeout)
            except grpc.aio.AioRpcError as error:
                self._tell(error)
                recorder.failed()
                await asyncio.sleep(_RETRY)
                continue
            if not metadata.inputs:
                raise FrameError(f"{self._target} says that model {model} has no inputs")
            metadata.name = model
            return make(metadata)

    def _tell(self, error: Any) -> None:
        """Say on standard error what is wrong, once for each new kind of trouble."""
        text = f"{self._target}: {error.code().name}: {error.details()}"
        if error.code().name != self._told:
            self._told = error.code().name
            print(text, file=sys.stderr, flush=True)
