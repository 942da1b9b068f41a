# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that start load tools: what their arguments are, by stand-ins of the tools that write down their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

PROFILES = Path(__file__).resolve().parents[3] / "profiles"
KEY = 'it\'s: {a} key, #1 "x" $y'
GIVEN = {
    "LLM_URL": "http://10.0.0.1:8000",
    "LLM_MODEL": "org/tiny",
    "API_KEY": KEY,
    "REQUEST_RATE": "2",
    "CONCURRENCY": "3",
    "LOAD_SECONDS": "30",
    "INPUT_TOKENS": "128",
    "OUTPUT_TOKENS": "64",
    "GOOD_FIRST_TOKEN_MS": "500",
    "GOOD_TOKEN_MS": "50",
    "SEED": "4",
}


# What every user of the host sees of the process, and what the tool does.
TOLD = """
import pathlib, sys

def told():
    print(pathlib.Path("/proc/self/cmdline").read_text(), *sys.argv[1:], sep="\\0", end="\\n\\0")

app = cli = told
"""


def started(folder: Path, script: str, *more: str, **changes: str) -> list[str]:
    """The arguments of the tool that a script starts, which is named as the script is."""
    file = PROFILES / script
    tool = folder / file.stem
    tool.mkdir()
    for module in ("__init__", "__main__", "cli"):
        (tool / f"{module}.py").write_text(TOLD)
    home = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "HF_HOME": str(folder / "hub")}
    done = subprocess.run(
        [str(file), *more], env={**home, **GIVEN, **changes}, capture_output=True, text=True, check=True
    )
    seen, end, arguments = done.stdout.removesuffix("\n\0").partition("\0\0")
    assert end and KEY not in seen and KEY.replace("'", "''") not in seen
    assert "{API_KEY}" in seen
    return arguments.split("\0")


def of_guidellm(arguments: list[str]) -> dict[str, Any]:
    assert arguments[0] == "run"
    given = [one for one in arguments[1:] if one != "--disable-console-interactive"]
    return {name: yaml.safe_load(value) for name, value in zip(given[::2], given[1::2], strict=True)}


def test_guidellm_is_given_the_load(tmp_path: Path) -> None:
    given = of_guidellm(started(tmp_path, "ovms-llm-guidellm/guidellm.sh"))
    backend = given["--backend"]
    assert (backend["target"], backend["model"], backend["api_key"]) == (GIVEN["LLM_URL"], "org/tiny", KEY)
    assert given["--profile"] == {"kind": "constant", "rate": [2]}
    assert given["--constraint"] == {"kind": "max_duration", "seconds": 30}
    assert given["--tokenizer"]["model"] == "/models/org/tiny"
    assert given["--data"] == {"kind": "synthetic_text", "prompt_tokens": 128, "output_tokens": 64}
    assert given["--seed"]["value"] == 4
    assert given["--metrics"]["slo"] == {"ttft_ms": 500, "tpot_ms": 50}


def test_guidellm_without_a_rate_keeps_so_many_requests_open(tmp_path: Path) -> None:
    given = of_guidellm(started(tmp_path, "ovms-llm-guidellm/guidellm.sh", "--cooldown", "1", REQUEST_RATE="0"))
    assert given["--profile"] == {"kind": "concurrent", "streams": [3]}
    assert given["--cooldown"] == 1


def of_aiperf(arguments: list[str]) -> dict[str, str]:
    """Each option with what follows it: its value, or the next option."""
    assert arguments[0] == "profile"
    return dict(zip(arguments[1:], [*arguments[2:], ""], strict=True))


def test_aiperf_is_given_the_load(tmp_path: Path) -> None:
    given = of_aiperf(started(tmp_path, "ovms-llm/aiperf.sh"))
    assert (given["--url"], given["--model"], given["--api-key"]) == (GIVEN["LLM_URL"], "org/tiny", KEY)
    assert (given["--request-rate"], given["--benchmark-duration"], given["--random-seed"]) == ("2", "30", "4")
    assert (given["--synthetic-input-tokens-mean"], given["--output-tokens-mean"]) == ("128", "64")
    assert given["--goodput"] == "time_to_first_token:500 inter_token_latency:50"
    assert os.readlink(tmp_path / "hub" / "hub" / "models--org--tiny" / "snapshots" / "main") == "/models/org/tiny"


@pytest.mark.parametrize("rate", ["0", ""])
def test_aiperf_without_a_rate_keeps_so_many_requests_open(tmp_path: Path, rate: str) -> None:
    given = of_aiperf(started(tmp_path, "ovms-llm/aiperf.sh", "--ui", "simple", REQUEST_RATE=rate))
    assert given["--concurrency"] == "3"
    assert "--request-rate" not in given
    assert given["--ui"] == "simple"
