#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts AIPerf with the load that load.env sets, on the model LLM_MODEL at LLM_URL with the key API_KEY; SEED tells
# its prompts from another client's. Arguments go on to AIPerf. What it exports is in /results.
set -eu

# The tokenizer is the model's own, from its folder. Without a hub AIPerf looks in the hub's cache alone.
cache="$HF_HOME/hub/models--$(printf %s "$LLM_MODEL" | sed 's#/#--#g')"
mkdir -p "$cache/refs" "$cache/snapshots"
printf main >"$cache/refs/main"
ln -sfn "/models/$LLM_MODEL" "$cache/snapshots/main"

if [ "${REQUEST_RATE:-0}" = 0 ]; then
    set -- --concurrency "${CONCURRENCY:-1}" "$@"
else
    set -- --request-rate "$REQUEST_RATE" --arrival-pattern constant "$@"
fi
# Whoever is on the host may read the arguments of a process, so that the key is none of them: it comes in when they have been read.
exec python3 -c '
import os, sys
from aiperf.cli import app
key = os.environ["API_KEY"]
sys.argv = ["aiperf", *(key if word == "{API_KEY}" else word for word in sys.argv[1:])]
app()
' profile --model "$LLM_MODEL" --tokenizer "$LLM_MODEL" \
    --url "$LLM_URL" --endpoint-type chat --custom-endpoint /v3/chat/completions --streaming --api-key '{API_KEY}' \
    --benchmark-duration "$LOAD_SECONDS" --random-seed "${SEED:-7}" \
    --synthetic-input-tokens-mean "$INPUT_TOKENS" --synthetic-input-tokens-stddev 0 \
    --output-tokens-mean "$OUTPUT_TOKENS" --output-tokens-stddev 0 --extra-inputs ignore_eos:true \
    --goodput "time_to_first_token:$GOOD_FIRST_TOKEN_MS inter_token_latency:$GOOD_TOKEN_MS" \
    --no-gpu-telemetry --no-server-metrics --workers-max 1 --artifact-dir /results --ui none "$@"
