# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that several build contexts ship are the same in each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

PROFILES = Path(__file__).resolve().parents[3] / "profiles"
COPIES = (
    ("ovms/images/ovms-stand-in/ovms_stand_in/kserve.py", "ovms/images/kserve-client/kserve_client/kserve.py"),
    (
        "ovms/images/kserve-client/kserve_client/measures.py",
        "capi/images/local-inference/local_inference/measures.py",
    ),
    ("ovms/images/models/recipe.py", "capi/images/local-inference/recipe.py"),
)
CONTEXTS = sorted(path.parent for path in PROFILES.glob("*/images/*/Dockerfile"))


@pytest.mark.parametrize(("one", "other"), COPIES)
def test_copies_are_equal(one: str, other: str) -> None:
    assert (PROFILES / one).read_bytes() == (PROFILES / other).read_bytes()


def test_the_stand_in_checks_by_the_declaration_that_profiles_are_checked_by() -> None:
    declared = PROFILES.parent / "plugins" / "plugin_utils" / "text" / "ovms_contract.py"
    copy = PROFILES / "ovms/images/ovms-stand-in/ovms_stand_in/contract.py"
    assert copy.read_bytes() == declared.read_bytes()


def test_images_with_openvino_share_their_layers() -> None:
    """Up to its own files each has the same lines, so that the engine takes the layers from its cache."""
    heads = set()
    for context in CONTEXTS:
        text = (context / "Dockerfile").read_text()
        if "AS openvino\n" in text:
            stage, _separator, _rest = text.partition("\n\n")
            final = text[text.rindex("FROM debian:bookworm-slim\n") :]
            heads.add((stage, final[: final.index("\n", final.index("COPY --from=openvino"))]))
    assert len(heads) == 1


# Each has the versions of other packages that its tool asks for.
TOOLS = ("aiperf", "guidellm")


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda path: path.name)
def test_requirements_are_pinned_and_agree(context: Path) -> None:
    """One version of a package in all images, exactly."""
    everywhere: dict[str, str] = {}
    for path in PROFILES.glob("*/images/*/requirements.txt"):
        if path.parent.name in TOOLS:
            continue
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                name, separator, version = line.partition("==")
                assert separator and version, f"{path}: {line!r} is not pinned"
                assert everywhere.setdefault(name, version) == version
    assert "openvino-telemetry" not in everywhere
    assert not (context / "requirements.txt").exists() or "/wheels/" in (context / ".gitignore").read_text()


@pytest.mark.parametrize("tool", TOOLS)
def test_requirements_of_load_tools_are_pinned(tool: str) -> None:
    (path,) = PROFILES.glob(f"*/images/{tool}/requirements.txt")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    names = [line.partition("==")[0].lower() for line in lines]
    assert tool in names and len(names) == len(set(names))
    assert not {"torch", "pytest"} & set(names)


def test_stand_ins_say_what_they_stand_for() -> None:
    labelled = {
        context.name
        for context in CONTEXTS
        if 'LABEL retail.profiles.stand_in="openvino/model_server' in (context / "Dockerfile").read_text()
    }
    assert labelled == {"ovms-stand-in", "local-inference"}


@pytest.mark.parametrize("profile", ["ovms", "capi", "capi-fleet", "gstreamer"])
def test_models_that_a_profile_uses_are_made(profile: str) -> None:
    content = yaml.safe_load((PROFILES / profile / "profile.yml").read_text())
    text = (PROFILES / profile / "profile.yml").read_text()
    if "models_dir" in text:
        assert content["models"]["names"]
    for name in content.get("models", {}).get("names", []):
        assert name in content["models"]["command"]
