# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile whose limit a test sets: a server on h1 and clients on other hosts, with so much of a processor each."""

from __future__ import annotations

_PROFILE = """
containers:
  - name: server
    image: openvino/model_server:2026.4
    args: [--model_name, face-detection, --model_path, /models/face-detection, --port, 9000, --rest_port, 8000,
           --metrics_enable{options}]
    volumes: ["{{{{ models_dir }}}}:/models:ro"]
    cpus: {server_cpus}
    networks: [inference]
    ports: {{grpc: 9000, rest: 8000}}
    hosts: h1
    ready: {{ovms_models: all, timeout: 120s}}
  - name: client
    image: retail/kserve-client:1
    args: [--model, face-detection, --frames, 1, --address, "{{{{ peers.server.address }}}}",
           --port, "{{{{ peers.server.ports.grpc }}}}", {load}]
    cpus: {client_cpus}
    networks: [inference]
    hosts: {clients}
    depends_on: [server]
    # With little of a processor it takes its time to start.
    ready: {{log: '"requests":[1-9]', timeout: 120s}}
    metrics:
      fps: {{log: fps, kind: gauge, unit: fps}}
      latency_seconds: {{log: latency, kind: sketch, unit: seconds}}
      offered_per_second: {{log: asked, kind: gauge, unit: frames/s, required: false}}
      dropped: {{log: dropped, kind: counter}}
"""


def profile(load: str, *, server_cpus: float, client_cpus: float, clients: str = "h2", options: str = "") -> str:
    """Its text. ``load``: arguments of the client; ``options``: more of the server, each after a comma."""
    return _PROFILE.format(
        load=load, server_cpus=server_cpus, client_cpus=client_cpus, clients=clients, options=options
    )
