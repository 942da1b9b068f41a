# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.retail.profiles.plugins.filter.images_seeding import images_seeding
from ansible_collections.retail.profiles.plugins.filter.images_to_build import images_to_build
from ansible_collections.retail.profiles.plugins.filter.images_unseeded import images_unseeded

LABEL = "retail.profiles.context"


def test_image_is_built_when_its_label_is_not_the_digest() -> None:
    contexts = [{"image": name, "digest": "d1"} for name in ("same", "other", "absent", "unlabelled")]
    there: dict[str, Any] = {
        "same": {"labels": {LABEL: "d1"}},
        "other": {"labels": {LABEL: "d0"}},
        "unlabelled": {"labels": {}},
    }
    assert images_to_build(contexts, there, LABEL) == ["other", "absent", "unlabelled"]


def test_hosts_are_known_by_the_addresses_that_the_inventory_gives() -> None:
    engine = {"images": {}, "chains": [], "arch": "x86_64", "containerd_store": False, "root_dir": "/", "free_bytes": 1}
    image = {"id": "sha256:1", "layers": ["sha256:a"], "content": "c", "size": 0}
    hostvars = {
        "h1": {"here": {"engine": engine}, "profile_address": "192.0.2.1", "ansible_host": "198.51.100.1"},
        "h2": {"here": {"engine": engine}, "ansible_host": "192.0.2.2"},
        "h3": {"here": {"engine": engine}, "ansible_host": "name.invalid"},
        "h4": {"here": {"skipped": True}},
    }
    wanted = [{"image": "i:1", "hosts": list(hostvars)}]
    found = images_seeding(hostvars, list(hostvars), wanted, {**engine, "images": {"i:1": image}}, "here")
    assert {host: item["addresses"] for host, item in found["hosts"].items()} == {
        "h1": ["192.0.2.1"],
        "h2": ["192.0.2.2"],
        "h3": [],
    }


def test_registered_results_are_put_together() -> None:
    sent = {"sent": [{"lost": {}}]}
    hostvars: dict[str, Any] = {
        "h1": {"images_sent": sent, "images_received": {"ids": {}, "lost": {"h2": "cannot connect to it"}}},
        "h2": {"images_sent": sent, "images_received": {"msg": "nothing came"}},
    }
    assert images_unseeded(hostvars, ["h1", "h2"]) == ["h2: cannot connect to it; nothing came"]
