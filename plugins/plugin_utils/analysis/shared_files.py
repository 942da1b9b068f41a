# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that several replicas of a host write into one folder: what they tell belongs to none of them alone."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any


def untellable(replicas: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """By replica and metric of a plan's replicas: why the file of its rule tells nothing of this replica."""
    writers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, replica in replicas.items():
        for _metric, _file, place in _files(replica):
            writers[str(replica.get("host")), place].add(name)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, replica in replicas.items():
        for metric, file, place in _files(replica):
            others = sorted(writers[str(replica.get("host")), place] - {name})
            if others:
                found[name][metric] = (
                    f"{', '.join(others)} on the same host writes {posixpath.basename(file)} into the same folder: give"
                    " each replica a folder of its own, by {{ replica.name }} in the source of its volume"
                )
    return found


def _files(replica: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Metric, file, and its place on the host, of each rule whose file is in a mounted folder."""
    folders = dict(_mounted(replica.get("task") or {}))
    for metric, rule in (replica.get("metrics") or {}).items():
        file = str(rule.get("file") or "")
        above = [folder for folder in folders if file.startswith(f"{folder}/")]
        if above:
            folder = max(above, key=len)
            yield metric, file, posixpath.join(folders[folder], posixpath.relpath(file, folder))


def _mounted(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Folders in the container and what is mounted there: a path of the host, or a volume."""
    for volume in task.get("volumes") or ():
        source, _colon, rest = str(volume).partition(":")
        yield rest.partition(":")[0].rstrip("/"), source
    for mount in task.get("mounts") or ():
        if mount.get("source"):
            yield str(mount.get("target")).rstrip("/"), str(mount["source"])
