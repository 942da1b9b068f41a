# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a lane: its cameras and the pipelines of their workloads, found, and laid over each other.

Upstream's user names both, in ``CAMERA_STREAM`` and ``WORKLOAD_DIST``. Here one finds the other, where there is no
choice; several files of a kind are laid over each other, the first one first.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import detect
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Node, Source
from ansible_collections.retail.profiles.plugins.plugin_utils.text import text_file, yaml_document

CAMERA = (
    *("camera_id", "workloads", "fileSrc", "streamUri", "stream_uri", "rtspUri", "rtsp_url"),
    *("fps", "width", "height", "targetFps", "region_of_interest"),
)
_CAMERAS, _PIPELINES = "camera_to_workload", "workload_to_pipeline"
_OF_KEY = {detect.LANE_CAMERAS: _CAMERAS, detect.LANE_PIPELINES: _PIPELINES}
#: upstream's variable with the name of each file
_VARIABLE = {_CAMERAS: "CAMERA_STREAM", _PIPELINES: "WORKLOAD_DIST"}


@dataclass(frozen=True)
class Camera:
    """A camera as it is written: in one file, or in several that are laid over each other, the last one last."""

    name: str
    layers: Sequence[Node]

    def where(self, *keys: str) -> tuple[Node, str] | None:
        """The topmost layer that says one of these things, and the key; None where none does."""
        found = ((layer, key) for layer in reversed(self.layers) for key in keys if layer.value(key) not in (None, ""))
        return next(found, None)


@dataclass(frozen=True)
class Workload:
    """The steps of a workload as they are written, each with its place."""

    source: Source
    path: yaml_document.Path
    steps: Sequence[tuple[yaml_document.Path, Any]]


@dataclass(frozen=True)
class Lane:
    """Cameras, and workloads by their names in lower case; and the files of both."""

    cameras: Sequence[Camera]
    workloads: Mapping[str, Workload]
    camera_files: Sequence[Source]
    workload_files: Sequence[Source]


def read(source: Source) -> Lane:
    """The lane of the files that are named, and of the other half where only one is. Raises ProfileError."""
    named = [source, *(source.beside(_document(file)) for file in source.given.over)]
    halves: dict[str, list[Source]] = {kind: [] for kind in _VARIABLE}
    for one in named:
        kinds = _kinds(one)
        if not kinds:
            keys = f"{detect.LANE_CAMERAS} or {detect.LANE_PIPELINES}"
            raise one.error(f"this is no file of a lane: it has no {keys}", ())
        for kind in kinds:
            halves[kind].append(one)
    for kind, files in halves.items():
        if not files:
            files.append(_other_half(source, kind, halves))
    cameras, workloads = halves[_CAMERAS], halves[_PIPELINES]
    return Lane(_cameras(cameras), _workloads(workloads), cameras, workloads)


def _document(file: Path) -> yaml_document.Document:
    return detect.parsed(text_file.text(file), str(file))


def _kinds(source: Source) -> list[str]:
    value = source.document.value
    keys = {key.lower() for key in value} if isinstance(value, Mapping) else set()
    return [kind for key, kind in _OF_KEY.items() if key in keys]


# -- the half that is not named


def _other_half(source: Source, kind: str, halves: Mapping[str, list[Source]]) -> Source:
    """The file of a kind that belongs to those of the other."""
    variable = _VARIABLE[kind]
    folder = Path(source.document.file).parent
    if name := source.variable(variable):
        file = folder / name
        if not os.path.isfile(file):
            raise source.error(f"the file {name!r} that {variable} names is not there", ())
        return source.beside(_document(file))
    near, far = _candidates(folder, Path(source.document.file).stem, kind)
    fitting = [file for file in (*near, *far) if _fits(source, file, kind, halves)]
    chosen = [file for file in near if file in fitting][:1] or fitting
    if len(chosen) > 1:
        names = ", ".join(file.name for file in chosen)
        raise source.error(f"several {kind}*.json belong to it, {names}: {_how_to_name(source, chosen[0])}", ())
    if not chosen and len(near) + len(far) == 1:
        chosen = [*near, *far]  # what it lacks is told then
    if not chosen:
        others = ", ".join(file.name for file in (*near, *far))
        said = f"of {others} none has all that it names" if others else "none lies beside it"
        raise source.error(
            f"no {kind}*.json belongs to it: {said}; {_how_to_name(source, folder / f'{kind}.json')}", ()
        )
    if others := ", ".join(file.name for file in fitting if file != chosen[0]):
        source.warn(f"taken with {chosen[0].name}; {others} would do, too: {_how_to_name(source, fitting[-1])}")
    return source.beside(_document(chosen[0]))


def _how_to_name(source: Source, other: Path) -> str:
    both = json.dumps({"profile": [source.document.file, str(other)]}, ensure_ascii=False)
    return f"name both, -e '{both}'"


def _candidates(folder: Path, stem: str, kind: str) -> tuple[list[Path], list[Path]]:
    """The files of a kind in a folder: first those with the same name, or its beginning; then the others."""
    own = _PIPELINES if kind == _CAMERAS else _CAMERAS
    words = stem.removeprefix(own).split("_")[1:]
    names = [f"{'_'.join([kind, *words[:length]])}.json" for length in range(len(words), -1, -1)]
    there = {file.name: file for file in sorted(folder.glob(f"{kind}*.json"))}
    return [there[name] for name in names if name in there], [there[name] for name in there if name not in names]


def _fits(source: Source, file: Path, kind: str, halves: Mapping[str, list[Source]]) -> bool:
    """Whether all workloads of the cameras are in the pipelines. A file that cannot be read fits nothing."""
    kept = list(source.warnings)
    try:
        both = {**halves, kind: [source.beside(_document(file))]}
        wanted = {name for camera in _cameras(both[_CAMERAS]) for _path, name in workloads_of(camera)}
        return wanted <= _workloads(both[_PIPELINES]).keys()
    except ProfileError:
        return False
    finally:
        source.warnings[:] = kept  # of a file that may not be taken


# -- what is in them


def _cameras(files: Iterable[Source]) -> list[Camera]:
    layers: dict[str, list[Node]] = {}
    for source in files:
        earlier = list(layers)
        seen: dict[str, yaml_document.Path] = {}
        top = without_notes(source, (), source.document.value, (detect.LANE_CAMERAS, detect.LANE_PIPELINES))
        lane = without_notes(source, top.at(detect.LANE_CAMERAS), top.value(detect.LANE_CAMERAS), ("cameras",))
        items = lane.value("cameras")
        if not isinstance(items, list) or not items:
            raise source.error("lane_config.cameras must be a list of at least one camera", lane.at("cameras"))
        for index, item in enumerate(items):
            node = without_notes(source, (*lane.at("cameras"), index), item, CAMERA)
            name = node.text("camera_id").strip()
            if not name:
                name = f"cam{index + 1}"
                source.warn(f"camera_id is not given: the camera is called {name}", node.path)
            if name in seen:
                line = source.document.line(seen[name])
                raise source.error(f"the camera of line {line} has the camera_id {name!r}, too", node.at("camera_id"))
            seen[name] = node.at("camera_id")
            if earlier and name not in earlier and "workloads" not in node:
                raise source.error(
                    f"no earlier file has the camera {name!r}, but {', '.join(earlier)}", node.at("camera_id")
                )
            layers.setdefault(name, []).append(node)
    return [Camera(name, nodes) for name, nodes in layers.items()]


def _workloads(files: Iterable[Source]) -> dict[str, Workload]:
    found: dict[str, Workload] = {}
    for source in files:
        key = next(key for key in source.document.value if key.lower() == detect.LANE_PIPELINES)
        value = source.document.value[key]
        path: yaml_document.Path = (key,)
        if not isinstance(value, Mapping):
            raise source.error(f"{key} must be a mapping of workloads to their steps", path)
        for name, steps in value.items():
            if not name.startswith("_"):
                at: yaml_document.Path = (*path, name)
                listed: list[tuple[yaml_document.Path, Any]] = []
                if isinstance(steps, list):
                    listed += [((*at, index), step) for index, step in enumerate(steps)]
                if isinstance(steps, Mapping):
                    listed.append((at, steps))
                found[name.strip().lower()] = Workload(source, at, listed)
    return found


def workloads_of(camera: Camera) -> list[tuple[yaml_document.Path, str]]:
    """The workloads of a camera, in lower case, each with its place in the topmost file that names them."""
    where = camera.where("workloads")
    node = where[0] if where else camera.layers[0]
    names = [
        (path, name.strip().lower())
        for path, name in ((_item(node, index), name) for index, name in enumerate(node.texts("workloads")))
    ]
    if not names or not all(name for _path, name in names):
        raise node.source.error(
            f"workloads of {camera.name} must name at least one of the workloads that have a pipeline",
            node.at("workloads"),
        )
    return names


def _item(node: Node, index: int) -> yaml_document.Path:
    return (*node.at("workloads"), index) if isinstance(node.value("workloads"), list) else node.at("workloads")


def without_notes(source: Source, path: yaml_document.Path, value: Any, known: Iterable[str]) -> Node:
    """A mapping without its notes, the keys that begin with ``_``."""
    if isinstance(value, Mapping):
        value = {key: item for key, item in value.items() if not key.startswith("_")}
    return Node(source, path, value, known)


def number(node: Node, key: str) -> float | None:
    """A number above 0; None where it is not given. ProfileError for anything else."""
    value = node.value(key)
    if value is None or value == "":
        return None
    try:
        found = 0.0 if isinstance(value, bool) else float(value)
    except (OverflowError, TypeError, ValueError):
        found = 0.0
    if not 0.0 < found < float("inf"):
        raise node.source.error(f"{key}: expected a number above 0, not {value!r}", node.at(key))
    return found


def unknown_workload(name: str, lane: Lane) -> str:
    """What to say of a workload that has no pipeline."""
    files = ", ".join(one.file for one in lane.workload_files)
    near = difflib.get_close_matches(name, list(lane.workloads), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(lane.workloads) or 'none'}"
    return f"the workload {name!r} has no pipeline in {files}: {hint}"


def fitting(lane: Lane) -> list[str]:
    """The files beside the pipelines that have one for each workload of the cameras."""
    source = lane.camera_files[0]
    folder = Path(lane.workload_files[0].document.file).parent
    halves = {_CAMERAS: list(lane.camera_files)}
    there = sorted(folder.glob(f"{_PIPELINES}*.json"))
    return [file.name for file in there if _fits(source, file, _PIPELINES, halves)]
