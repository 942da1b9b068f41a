# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.filter.images_to_build import images_to_build
from ansible_collections.retail.profiles.plugins.filter.images_to_seed import images_to_seed

LABEL = "retail.profiles.context"
IMAGE: dict[str, Any] = {
    "Id": "sha256:1",
    "Created": "2026-01-01T00:00:00Z",
    "RootFS": {"Layers": ["sha256:a", "sha256:b"]},
    "Config": {"Cmd": ["x"], "Labels": {LABEL: "d1"}, "Env": None},
}


def found(name: str, *images: dict[str, Any]) -> dict[str, Any]:
    return {"images_name": name, "images": list(images)}


def test_host_gets_what_it_lacks_and_needs() -> None:
    there = [found("a", IMAGE), found("b", IMAGE), found("c")]
    assert images_to_seed([found("a"), found("c")], there) == ["a"]


def test_host_keeps_an_image_with_the_same_id() -> None:
    other = {**IMAGE, "Created": "shown in another way"}
    assert images_to_seed([found("a", other)], [found("a", IMAGE)]) == []


def test_host_keeps_the_same_content_under_another_id() -> None:
    # As an engine with the containerd image store has it; and it shows what is empty in another way.
    other = {**IMAGE, "Id": "sha256:2", "Config": {**IMAGE["Config"], "Env": [], "Entrypoint": None}}
    assert images_to_seed([found("a", other)], [found("a", IMAGE)]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"Created": "2026-01-02T00:00:00Z"},
        {"RootFS": {"Layers": ["sha256:a"]}},
        {"Config": {**IMAGE["Config"], "Cmd": ["y"]}},
        {"Config": {**IMAGE["Config"], "Labels": {LABEL: "d2"}}},
    ],
)
def test_host_gets_other_content(change: dict[str, Any]) -> None:
    other = {**IMAGE, "Id": "sha256:2", **change}
    assert images_to_seed([found("a", other)], [found("a", IMAGE)]) == ["a"]


def test_image_is_built_when_its_label_is_not_the_digest() -> None:
    contexts = [{"image": name, "digest": "d1"} for name in ("same", "other", "absent", "unlabelled", "bare")]
    there = [
        found("same", IMAGE),
        found("other", {**IMAGE, "Config": {"Labels": {LABEL: "d0"}}}),
        found("absent"),
        found("unlabelled", {**IMAGE, "Config": {"Labels": None}}),
        found("bare", {"Id": "sha256:3"}),
    ]
    assert images_to_build(contexts, there, LABEL) == ["other", "absent", "unlabelled", "bare"]
