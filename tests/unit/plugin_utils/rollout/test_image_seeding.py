# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets which images from whom: trees of hosts that lack the same, and what keeps hosts from taking them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.images.inventory import chains
from ansible_collections.retail.profiles.plugins.module_utils.images.stream import derive
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import image_seeding

GIB = 1 << 30


def image(number: int, *layers: str, size: int = 1000) -> dict[str, Any]:
    layers = tuple(f"sha256:{layer}" for layer in layers)
    return {"id": f"sha256:id{number}", "layers": list(layers), "content": f"content{number}", "size": size}


def facts(*, layers: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    known = chains([f"sha256:{layer}" for layer in layers])
    usual = {"images": {}, "arch": "x86_64", "containerd_store": False, "root_dir": "/d", "free_bytes": GIB}
    return {**usual, "chains": known, **more}


SERVER, CLIENT = image(1, "base", "server"), image(2, "base", "client")
BUILDER = facts(images={"server:1": SERVER, "client:1": CLIENT})


def everywhere(*hosts: str) -> list[dict[str, Any]]:
    return [{"image": "client:1", "hosts": list(hosts)}]


def test_hosts_that_lack_the_same_are_one_tree_in_natural_order() -> None:
    hosts = {f"h{number}": facts() for number in (10, 9, 2, 1)}
    found = image_seeding.plan(everywhere(*hosts), BUILDER, hosts)
    (transfer,) = found["transfers"]
    assert transfer["images"] == [{"names": ["client:1"], "id": "sha256:id2", "layers": CLIENT["layers"]}]
    assert transfer["blobs"] == sorted(["sha256:base", "sha256:client", "sha256:id2"])
    leaf = [{"name": "h10", "forward": []}]
    below = [{"name": "h2", "forward": leaf}, {"name": "h9", "forward": []}]
    assert transfer["tree"] == {"name": "h1", "forward": below}
    assert {host: item["trail"] for host, item in found["hosts"].items()} == {
        "h1": ["h1"],
        "h2": ["h1", "h2"],
        "h9": ["h1", "h9"],
        "h10": ["h1", "h2", "h10"],
    }
    assert found["problems"] == {}


def test_host_that_has_layers_gets_the_others_only() -> None:
    hosts = {"h1": facts(), "h2": facts(layers=("base",)), "h3": facts(layers=("server", "base"))}
    transfers = image_seeding.plan(everywhere(*hosts), BUILDER, hosts)["transfers"]
    # On h3 there is such a layer, but on top of another: that is of no use.
    assert [(item["tree"]["name"], item["blobs"]) for item in transfers] == [
        ("h1", ["sha256:base", "sha256:client", "sha256:id2"]),
        ("h2", ["sha256:client", "sha256:id2"]),
    ]
    assert transfers[0]["tree"]["forward"] == [{"name": "h3", "forward": []}]


def test_images_that_share_layers_travel_together() -> None:
    wanted = [{"image": "client:1", "hosts": ["h1"]}, {"image": "server:1", "hosts": ["h1"]}]
    found = image_seeding.plan(wanted, BUILDER, {"h1": facts()})
    (transfer,) = found["transfers"]
    assert [item["names"] for item in transfer["images"]] == [["client:1"], ["server:1"]]
    assert transfer["blobs"].count("sha256:base") == 1
    assert set(found["hosts"]["h1"]["images"]) == {"client:1", "server:1"}


def test_hosts_that_need_nothing_get_nothing() -> None:
    there = {"h1": facts(images={"client:1": CLIENT}), "h2": facts(), "h3": facts()}
    assert image_seeding.plan(everywhere("h1"), BUILDER, there) == {"transfers": [], "hosts": {}, "problems": {}}
    # What the builder has not either is not its to give.
    assert image_seeding.plan([{"image": "none:1", "hosts": ["h2"]}], BUILDER, there)["transfers"] == []


def test_image_that_is_there_under_another_name_needs_its_configuration_only() -> None:
    hosts = {"h1": facts(images={}, layers=("base", "client"))}
    (transfer,) = image_seeding.plan(everywhere("h1"), BUILDER, hosts)["transfers"]
    assert transfer["blobs"] == ["sha256:id2"]


def test_two_names_of_one_image() -> None:
    builder = facts(images={"a:1": SERVER, "b:1": SERVER})
    wanted = [{"image": name, "hosts": ["h1"]} for name in ("b:1", "a:1")]
    (transfer,) = image_seeding.plan(wanted, builder, {"h1": facts()})["transfers"]
    assert [item["names"] for item in transfer["images"]] == [["a:1", "b:1"]]


def test_containerd_store_gets_whole_archives() -> None:
    hosts = {"h1": facts(containerd_store=True), "h2": facts()}
    one, two = image_seeding.plan(everywhere(*hosts), BUILDER, hosts)["transfers"]
    assert (one["archive"], one["blobs"]) == (True, [])
    assert not two["archive"]


def test_problems_name_host_and_image() -> None:
    wanted = [{"image": name, "hosts": ["h1", "h2", "h3"]} for name in ("big:1", "by@sha256:1")]
    builder = facts(images={"big:1": image(1, "x", size=GIB), "by@sha256:1": image(2, "y")})
    hosts = {
        "h1": facts(images=builder["images"], free_bytes=0),
        "h2": facts(images={"by@sha256:1": image(2, "y")}),
        "h3": facts(images={"big:1": image(1, "x")}, arch="aarch64", free_bytes=None),
    }
    problems = image_seeding.plan(wanted, builder, hosts)["problems"]
    assert list(problems) == ["h2", "h3"]
    (full,) = problems["h2"]
    assert full.startswith("big:1: loading takes up to 2048 MiB, but /d has 1024 MiB free")
    named, foreign = problems["h3"]
    assert named.startswith("by@sha256:1 is named by its digest")
    assert "made for x86_64, but the host is aarch64" in foreign


def names(node: dict[str, Any], trail: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Every host of a tree, and the way to it."""
    here = (*trail, node["name"])
    return {node["name"]: here, **{name: way for child in node["forward"] for name, way in names(child, here).items()}}


@given(count=st.integers(1, 60))
def test_every_host_is_in_the_tree_once_and_has_the_token_of_its_place(count: int) -> None:
    hosts = {f"h{number}": facts() for number in range(count)}
    found = image_seeding.plan(everywhere(*hosts), BUILDER, hosts)
    ways = names(found["transfers"][0]["tree"])
    assert ways == {host: tuple(item["trail"]) for host, item in found["hosts"].items()}
    assert set(ways) == set(hosts)
    for way in ways.values():
        expected = "secret"
        for name in way:
            expected = derive(expected, name)
        assert image_seeding.token("secret", way) == expected
    assert len({image_seeding.token("secret", way) for way in ways.values()}) == count

    listeners = {host: {"address": f"address of {host}", "port": number} for number, host in enumerate(hosts)}
    (routed,) = image_seeding.routed(found["transfers"], listeners)
    assert "tree" not in routed
    assert names(routed["root"]) == ways
    assert routed["root"]["address"] == "address of h0"


def test_failures_say_why_for_each_host() -> None:
    good = {"sent": {"sent": [{"lost": {"h3": "cannot connect"}}]}, "resent": {}, "received": {"ids": {}, "lost": {}}}
    lost = {**good, "received": {"msg": "the images were not received: no host connected to send them"}}
    silent = {**good, "received": {}}
    assert image_seeding.failures({"h1": good, "h3": lost, "h4": silent}) == [
        "h3: cannot connect; the images were not received: no host connected to send them",
        "h4: no answer",
    ]
    failed = {"sent": {"msg": "x cannot be sent: gone"}, "resent": {}, "received": {"msg": "the sender failed: gone"}}
    assert image_seeding.failures({"h1": failed}) == ["h1: the sender failed: gone; x cannot be sent: gone"]
