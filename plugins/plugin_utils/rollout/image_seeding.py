# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets which images from whom: trees of hosts that lack the same layers of the same images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.images.inventory import chains, same
from ansible_collections.retail.profiles.plugins.module_utils.images.stream import derive
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import first_line

#: to how many others a host passes a stream on: more would divide what its network can send, fewer deepen the tree
BRANCHES = 2
#: an engine lays an archive down before it unpacks it
ROOM_FACTOR = 2

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Lack:
    """What one host lacks: images by their names, and the blobs (ids of images and layers) to make them there."""

    images: tuple[str, ...]
    blobs: frozenset[str]
    archive: bool


def plan(wanted: Iterable[Mapping[str, Any]], builder: Facts, hosts: Mapping[str, Facts]) -> dict[str, Any]:
    """What is sent to whom.

    *wanted*: ``[{"image", "hosts"}]``. *builder* and *hosts*: what ``image_facts`` tells of each. The answer:

        transfers   ``[{"images", "blobs", "archive", "tree": {"name", "forward": [...]}}]``, one for each tree
        hosts       by name, those that lack something: ``{"images": {name: facts}, "trail": [names, root first]}``
        problems    by the name of a host, why it cannot take what it lacks
    """
    wanted = list(wanted)
    problems: dict[str, list[str]] = {}
    trees: dict[Lack, list[str]] = {}
    for host in sorted(hosts, key=natural):
        names = sorted(item["image"] for item in wanted if host in item["hosts"])
        lack = lacks(names, builder, hosts[host])
        if lack.images:
            trees.setdefault(lack, []).append(host)
            found = _problems(lack, builder, hosts[host])
            if found:
                problems[host] = found
    transfers = []
    planned: dict[str, dict[str, Any]] = {}
    for lack, members in trees.items():
        transfers.append(
            {
                "images": _images(lack.images, builder),
                "blobs": sorted(lack.blobs),
                "archive": lack.archive,
                "tree": tree(members),
            }
        )
        for index, host in enumerate(members):
            images = {name: builder["images"][name] for name in lack.images}
            planned[host] = {"images": images, "trail": [members[at] for at in _trail(index)]}
    return {"transfers": transfers, "hosts": planned, "problems": problems}


def lacks(names: Iterable[str], builder: Facts, host: Facts) -> Lack:
    """What a host lacks of the images *names*, as far as the builder has them."""
    there = builder["images"]
    images = tuple(name for name in names if name in there and not same(host["images"].get(name), there[name]))
    archive = bool(images) and (builder["containerd_store"] or host["containerd_store"])
    blobs: set[str] = set()
    if not archive:
        known = set(host["chains"])
        for name in images:
            layers = there[name]["layers"]
            blobs.add(there[name]["id"])
            blobs.update(layer for layer, chain in zip(layers, chains(layers), strict=True) if chain not in known)
    return Lack(images, frozenset(blobs), archive)


def tree(hosts: Sequence[str], index: int = 0) -> dict[str, Any]:
    """Hosts as a tree, each branch a host that passes on what it gets."""
    below = range(index * BRANCHES + 1, min(index * BRANCHES + 1 + BRANCHES, len(hosts)))
    return {"name": hosts[index], "forward": [tree(hosts, child) for child in below]}


def _trail(index: int) -> list[int]:
    """The way from the root to a host of a tree."""
    return [*_trail((index - 1) // BRANCHES), index] if index else [0]


def token(secret: str, trail: Iterable[str]) -> str:
    """The token of the last host of a *trail*: each host derives it from its own for those that it passes on to."""
    for name in trail:
        secret = derive(secret, name)
    return secret


def routed(transfers: Iterable[Mapping[str, Any]], listeners: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Transfers with the address and the port of each host, as ``image_transfer`` takes them."""
    result = []
    for transfer in transfers:
        given = {key: value for key, value in transfer.items() if key != "tree"}
        result.append({**given, "root": _node(transfer["tree"], listeners)})
    return result


def _node(node: Mapping[str, Any], listeners: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    at = listeners[node["name"]]
    forward = [_node(child, listeners) for child in node["forward"]]
    return {"name": node["name"], "address": at["address"], "port": at["port"], "forward": forward}


def failures(results: Mapping[str, Mapping[str, Facts]]) -> list[str]:
    """``HOST: why`` for every host that did not get its images.

    *results*: by host, what ``image_transfer`` has answered there: ``received``, ``resent`` where the host was to send
    a file, and ``sent``, the same for all hosts.
    """
    lost: dict[str, str] = {}
    for answers in results.values():
        passed = [*(answers["sent"].get("sent") or ()), *(answers["resent"].get("sent") or ()), answers["received"]]
        for answer in passed:
            lost.update(answer.get("lost") or {})
    found = []
    for host, answers in results.items():
        if "ids" in answers["received"]:
            continue
        why = [
            lost.get(host),
            *(answers[step].get("msg") for step in ("received", "sent", "resent")),
        ]
        found.append(f"{host}: {'; '.join(first_line(item) for item in why if item) or 'no answer'}")
    return found


def _images(names: Iterable[str], builder: Facts) -> list[dict[str, Any]]:
    """The images of these names; one that has several once."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        image = builder["images"][name]
        item = found.setdefault(image["id"], {"names": [], "id": image["id"], "layers": image["layers"]})
        item["names"].append(name)
    return list(found.values())


def _problems(lack: Lack, builder: Facts, host: Facts) -> list[str]:
    found = [
        f"{name} is named by its digest, which only a registry can give it: "
        "let the host pull it, or use a tag (profile_images)"
        for name in lack.images
        if "@" in name
    ]
    if builder["arch"] != host["arch"]:
        found.append(
            f"{', '.join(lack.images)}: made for {builder['arch']}, but the host is {host['arch']}: "
            "build it for that on another builder (images_builder), or leave the host out"
        )
    # Of an image of which layers are there already, nobody knows how much the rest is.
    new = [image for image in map(builder["images"].get, lack.images) if set(image["layers"][:1]) <= lack.blobs]
    size = sum(image["size"] for image in new)
    if host["free_bytes"] is not None and size * ROOM_FACTOR > host["free_bytes"]:
        found.append(
            f"{', '.join(lack.images)}: loading takes up to {size * ROOM_FACTOR >> 20} MiB, but {host['root_dir']} has "
            f"{host['free_bytes'] >> 20} MiB free: make room there (docker system prune)"
        )
    return found
