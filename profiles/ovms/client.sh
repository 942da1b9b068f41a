#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts the client with the load that client.env sets. Arguments go on to the client, which takes the server's address
# and port from GRPC_ADDRESS and GRPC_PORT.
set -eu

if [ "${STREAMS:-0}" -gt 0 ]; then
    set -- --streams "$STREAMS" --fps "${FPS:-15}" "$@"
else
    set -- --concurrency "${CONCURRENCY:-1}" "$@"
fi
exec python3 -m kserve_client "$@"
