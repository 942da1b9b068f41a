# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves the latest values of a run for a Prometheus to scrape, from a thread of this process.

The thread hands out bytes that are ready: it makes nothing, waits for nobody, and ends with the process. What it may
cost is bounded: so many connections at once, so many seconds each, and nothing but ``GET /metrics``.
"""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.text.listening import Listening

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_CONNECTIONS = 8
MOST_SECONDS = 5.0
"""Seconds that one who has connected may be silent."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "retail.profiles"
    sys_version = ""
    timeout = MOST_SECONDS

    def do_GET(self) -> None:
        known = self.path.partition("?")[0] == PATH
        body = self.server.text if known else f"There is nothing but {PATH}.\n".encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", CONTENT_TYPE if known else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the screen is the playbook's."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    text = b""

    def __init__(self, where: Listening) -> None:
        listening = where.bound("measure_live")
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        # Ansible's workers are forked: one that outlives the playbook would keep the port.
        os.register_at_fork(after_in_child=listening.close)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of one who hung up: the screen is the playbook's."""


class LiveServer:
    """Listens from now on. Raises ProfileError where that cannot be."""

    def __init__(self, where: Listening) -> None:
        self._server = _Server(where)
        host, port = self._server.socket.getsockname()[:2]
        self.url = f"http://{Listening(str(host), int(port))}{PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="live metrics", daemon=True
        )
        self._thread.start()

    def publish(self, text: str) -> None:
        """Serve this from now on."""
        self._server.text = text.encode()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
