# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KServe's REST interface, OVMS's ``/v1/config``, and ``/metrics``, on the standard library's HTTP server.

Endpoints of generative models are those of `generative_api`.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from ovms_stand_in import NAME, rest_tensors
from ovms_stand_in.faults import Fault, RequestError, StartError
from ovms_stand_in.generative_api import GenerativeRoutes
from ovms_stand_in.inference import Inference
from ovms_stand_in.listen import check_free, target
from ovms_stand_in.log import SERVING
from ovms_stand_in.model import Servable
from ovms_stand_in.rest_answer import Answer, Pieces, of_error, of_json

_MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/ready|/infer|/)?")


class Routes:
    """Answers requests; knows nothing of sockets. reload: follows changed files, and says whether there were any."""

    def __init__(
        self,
        inference: Inference,
        is_live: Callable[[], bool],
        reload: Callable[[], bool],
        generative: GenerativeRoutes | None = None,
    ) -> None:
        self._inference = inference
        self._is_live = is_live
        self._reload = reload
        self._generative = generative or GenerativeRoutes(inference.graphs, inference.metrics)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer to a request; headers have lower-case names."""
        path = path.partition("?")[0]
        try:
            generated = self._generative.answer(method, path, headers, body)
            if generated is not None:
                return generated
            if method == "GET":
                return self._get(path)
            if method == "POST":
                return self._post(path, headers, body)
            raise RequestError(Fault.REST_UNSUPPORTED_METHOD)
        except RequestError as error:
            return of_error(error)

    def _get(self, path: str) -> Answer:
        empty: Answer = (200, "application/json", b"", {})
        if path == "/v2/health/live":
            return empty if self._is_live() else of_error(RequestError(Fault.MODEL_NOT_LOADED))
        if path == "/v2/health/ready":
            return empty if self._inference.manager.ready else of_error(RequestError(Fault.MODEL_NOT_LOADED))
        if path == "/v2":
            return of_json({"name": NAME, "version": self._inference.version})
        if path == "/v1/config":
            return of_json(self._states())
        if path == "/metrics" and self._inference.metrics.enabled:
            return 200, "text/plain; version=0.0.4; charset=utf-8", self._inference.metrics.text().encode(), {}
        match = _MODEL.fullmatch(path)
        if not match or match[3] == "/infer":
            raise RequestError(Fault.REST_INVALID_URL)
        name, version = unquote(match[1]), match[2] or ""
        if match[3] == "/ready":
            if not self._inference.model_ready(name, version, "REST"):
                raise RequestError(Fault.MODEL_VERSION_NOT_LOADED_YET)
            return empty
        return of_json(_metadata(name, *self._inference.metadata(name, version, "REST")))

    def _post(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == "/v1/config/reload":
            try:
                changed = self._reload()
            except StartError as error:
                return of_json(
                    {"error": f"Reloading config file failed. Check server logs for more info. {error}"}, 412
                )
            return of_json(self._states(), 201 if changed else 200)
        match = _MODEL.fullmatch(path)
        if not match or match[3] != "/infer":
            raise RequestError(Fault.REST_INVALID_URL)
        request = rest_tensors.parse(body, headers.get("inference-header-content-length"))
        name, version = unquote(match[1]), match[2] or ""
        served, outputs = self._inference.infer(name, version, "REST", request.arrays)
        infos = self._inference.manager.find(name, served).available().outputs
        content, length = rest_tensors.response(request, name, served, outputs, infos)
        if length is None:
            return 200, "application/json", content, {}
        return 200, "application/octet-stream", content, {"Inference-Header-Content-Length": str(length)}

    def _states(self) -> dict[str, Any]:
        found = {
            name: [(served.version, served.state, served.error) for served in versions]
            for name, versions in self._inference.manager.states().items()
        }
        found.update({name: [(1, "AVAILABLE", "OK")] for name in self._inference.graphs})
        return {
            name: {
                "model_version_status": [
                    {
                        "version": str(version),
                        "state": state,
                        "status": {"error_code": error, "error_message": error},
                    }
                    for version, state, error in versions
                ]
            }
            for name, versions in found.items()
        }


def _metadata(name: str, instance: Servable, versions: Sequence[int]) -> dict[str, Any]:
    def describe(infos: Any) -> list[dict[str, Any]]:
        return [{"name": i.name, "datatype": i.datatype, "shape": list(i.shape)} for i in infos.values()]

    return {
        "name": name,
        "versions": [str(version) for version in versions],
        "platform": "OpenVINO",
        "inputs": describe(instance.inputs),
        "outputs": describe(instance.outputs),
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, port: int, routes: Routes) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.routes = routes
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Not HTTPServer's: that asks the name service for the host's name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away is no error of the server's, and never worth a traceback.
        SERVING.debug("REST connection from %s ended: %s", client_address, sys.exc_info()[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def _serve(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if length < 0:
            self.close_connection = True
            answer: Answer = of_json({"error": "Content-Length is not a number"}, 400)
        else:
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = self.server.routes.answer(self.command, self.path, headers, body)
        status, kind, content, more = answer
        if isinstance(content, bytes):
            self._head(status, {"Content-Type": kind, "Content-Length": str(len(content)), **more})
            if self.command != "HEAD":
                self.wfile.write(content)
        else:
            self._head(status, {"Content-Type": kind, "Transfer-Encoding": "chunked", **more})
            self._stream(content)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _stream(self, pieces: Pieces) -> None:
        """Send each piece as soon as it is there, in a chunk of its own."""
        with closing(pieces):
            for piece in pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        SERVING.debug("REST %s", format % args)


def start(routes: Routes, addresses: Sequence[str], port: int) -> Callable[[], None]:
    """Serve on ``port`` of ``addresses``; what is returned stops it. StartError when the port is not to be had."""
    try:
        check_free(addresses, port)
        servers = [_Server(address, port, routes) for address in addresses]
    except (StartError, OSError) as error:
        raise StartError(f"Failed to start REST server - {error}") from None
    for server in servers:
        threading.Thread(target=server.serve_forever, name="rest", daemon=True).start()
    SERVING.info("Started REST server at %s", ",".join(target(address, port) for address in addresses))

    def stop() -> None:
        for server in servers:
            server.shutdown()
            server.server_close()

    return stop
