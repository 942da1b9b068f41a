# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What images of a Compose file are built from."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load

from ...world import World, converted, render, write_files

BUILD = """
services:
  a:
    build:
      context: app
      dockerfile: docker/Dockerfile.gpu
      target: ${STAGE:-runtime}
      args: [A=1, B, NONE, "C=${STAGE:-x}"]
      no_cache: true
  b: {image: 'b:1', build: ./app}
"""
FILES = {"src/app/docker/Dockerfile.gpu": "FROM x\n", "src/app/Dockerfile": "FROM y\n"}


def builds(world: World, text: str, **variables: Any) -> tuple[dict[str, Any], list[str]]:
    """The builds of a file by image, and its warnings."""
    file = write_files(world.root / "shop", {"src/compose.yaml": text, **FILES})
    loaded = load.load(file, [world.root], render, variables)
    folder = str(world.root / "shop" / "src")
    made = {
        image: {**build, "context": build["context"].removeprefix(folder)} for image, build in loaded.builds.items()
    }
    return made, loaded.warnings


def test_an_image_is_built_as_the_file_says(world: World) -> None:
    made, warnings = builds(world, BUILD, B="of the play")
    assert made == {
        "src-a": {
            "context": "/app",
            "dockerfile": "docker/Dockerfile.gpu",
            "target": "runtime",
            "args": {"A": "1", "B": "of the play", "C": "x"},
        },
        "b:1": {"context": "/app"},
    }
    assert [warning for warning in warnings if "build" in warning] == [
        "compose.yaml:4: services.a.build.no_cache is ignored: a profile cannot say it"
    ]


def test_a_converted_profile_builds_the_same(world: World) -> None:
    text = BUILD.replace("      no_cache: true\n", "") + "  c: {build: {context: app, dockerfile_inline: FROM z}}\n"
    made, _warnings = builds(world, text)
    converted(world.root / "shop" / "src" / "compose.yaml", world.root / "converted")
    again = load.load(world.root / "converted" / "profile.yml", [world.root], render, {})
    assert {
        image: {**build, "context": build["context"].removeprefix(f"{world.root}/converted/src")}
        for image, build in again.builds.items()
    } == {image: {**build, "context": build["context"]} for image, build in made.items()}


@pytest.mark.parametrize(
    ("build", "made"),
    [
        ("{context: app, dockerfile_inline: 'FROM ${X:-y} # $$Z'}", {"dockerfile_inline": "FROM y # $Z"}),
        ("{dockerfile_inline: 'FROM y', args: {A: 1}}", {"dockerfile_inline": "FROM y", "args": {"A": "1"}}),
        ("{context: app, dockerfile: ../Dockerfile.app}", {"dockerfile_inline": "FROM ${OUTSIDE}\n"}),
        ("{context: app, dockerfile: '${HERE}/Dockerfile.app'}", {"dockerfile_inline": "FROM ${OUTSIDE}\n"}),
        ("{context: app, dockerfile: '${HERE}/app/docker/Dockerfile.gpu'}", {"dockerfile": "docker/Dockerfile.gpu"}),
    ],
)
def test_a_dockerfile_need_not_be_in_its_context(world: World, build: str, made: dict[str, Any]) -> None:
    folder = world.root / "shop" / "src"
    write_files(folder, {"Dockerfile.app": "FROM ${OUTSIDE}\n"})
    text = f"services: {{a: {{image: 'i:1', build: {build}}}}}\n"
    found, warnings = builds(world, text, HERE=str(folder))
    assert {key: item for key, item in found["i:1"].items() if key != "context"} == made and not warnings
    assert found["i:1"]["context"] in ("/app", "")


def test_a_dockerfile_outside_of_the_root_is_refused(world: World) -> None:
    with pytest.raises(ProfileError, match=r"'../../../D' leads out of .*profile_root"):
        builds(world, "services: {a: {image: i, build: {context: app, dockerfile: ../../../D}}}\n")


@pytest.mark.parametrize(
    ("build", "why"),
    [
        ("https://example.com/x.git", "its context is not a folder"),
        ("{context: app, additional_contexts: {x: ./y}}", "no image is built with additional_contexts here"),
        ("{context: app, dockerfile: ../Dockerfile}", "app has no ../Dockerfile"),
        ("{context: app, dockerfile: Other}", "app has no Other"),
        ("gone", "gone is not there"),
    ],
)
def test_what_is_built_elsewhere_is_said(world: World, build: str, why: str) -> None:
    made, warnings = builds(world, f"services: {{a: {{image: 'i:1', build: {build}}}}}\n")
    assert made == {}
    said = f"services.a.build is ignored: {why}; the hosts or a registry must have the image"
    assert any(said in warning for warning in warnings), warnings


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("{context: ./c, dockerfile: ../D}", r"build.*'\.\./D' is not a file in the build context"),
        ("{context: ./c, stage: x}", "unknown field 'stage'"),
        ("{context: ./c, args: {A: '{{ x }}'}}", "no template is rendered here"),
        ("{target: x}", "the field 'context' is missing"),
        ("{context: ./c, dockerfile: D, dockerfile_inline: FROM x}", "dockerfile and dockerfile_inline exclude each"),
    ],
)
def test_a_build_that_is_none_is_refused(world: World, build: str, message: str) -> None:
    text = f"containers:\n  - name: a\n    image: i\n    build: {build}\n"
    file = write_files(world.root / "own", {"profile.yml": text, "c/Dockerfile": "FROM x\n"})
    with pytest.raises(ProfileError, match=message):
        load.load(file, [world.root], render, {})
