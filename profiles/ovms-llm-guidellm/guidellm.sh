#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts GuideLLM with the load that load.env sets, on the model LLM_MODEL at LLM_URL with the key API_KEY; SEED tells its prompts
# from another client's. Arguments go on to GuideLLM. The tokenizer is the model's own, from its folder; what GuideLLM exports is
# /results/benchmarks.json.
set -eu

# Each process that sends requests loads all of GuideLLM anew before the first one: ten, its default, take a minute on two cores.
export GUIDELLM__MAX_WORKER_PROCESSES="${GUIDELLM__MAX_WORKER_PROCESSES:-1}"
# Prompts are made 128 ahead, where its default is 5120: they would be made while the first answers are timed.
export GUIDELLM__MP_MAX_PENDING_BUFFER_PERCENT="${GUIDELLM__MP_MAX_PENDING_BUFFER_PERCENT:-0.0125}"

# A value as YAML has it, whatever stands in it.
quoted() {
    printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"
}

if [ "${REQUEST_RATE:-0}" = 0 ]; then
    load="{kind: concurrent, streams: [${CONCURRENCY:-1}]}"
else
    load="{kind: constant, rate: [$REQUEST_RATE]}"
fi
# Whoever is on the host may read the arguments of a process, so that the key is in none of them: it comes in when they have been read.
exec python3 -c '
import os, sys
from guidellm.__main__ import cli
quoted = os.environ["API_KEY"].replace(chr(39), 2 * chr(39))
sys.argv = ["guidellm", *(word.replace("{API_KEY}", quoted) for word in sys.argv[1:])]
cli()
' run --profile "$load" --constraint "{kind: max_duration, seconds: $LOAD_SECONDS}" \
    --backend "{kind: openai_http, target: $(quoted "$LLM_URL"), model: $(quoted "$LLM_MODEL"), api_key: '{API_KEY}', validate_backend: false,
        http2: false, api_routes: {/v1/chat/completions: v3/chat/completions}}" \
    --tokenizer "{kind: huggingface_auto, model: $(quoted "/models/$LLM_MODEL")}" \
    --data "{kind: synthetic_text, prompt_tokens: $INPUT_TOKENS, output_tokens: $OUTPUT_TOKENS}" \
    --seed "{kind: static, value: ${SEED:-7}}" \
    --metrics "{kind: generative, sample_size: 0, slo: {ttft_ms: $GOOD_FIRST_TOKEN_MS, tpot_ms: $GOOD_TOKEN_MS}}" \
    --output "{kind: json, path: /results/benchmarks.json}" --disable-console-interactive "$@"
