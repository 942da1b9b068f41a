# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lane as upstream has it since 2025: each camera is a container that runs the pipelines of its workloads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import host_volumes
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import (
    Container,
    Source,
    Translation,
    container_name,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.lane import files, pipeline
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.lane.files import Camera, Lane
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.lane.pipeline import Branch, Element, Settings
from ansible_collections.retail.profiles.plugins.plugin_utils.text import yaml_document

# Upstream keeps the files of a lane in this folder of a repository, whose other files they name.
MARKERS = ("configs",)
_HOST = re.compile(r"[\w.-]*|\[[0-9a-fA-F:.]+\]")
_STREAMER = "rtsp-streamer"
_MEDIA = "./performance-tools/sample-media"
# Upstream passes at 95 per cent of what is asked.
_TOLERANCE = 0.05
_LOOP = "trap 'exit 0' INT TERM; while :; do stdbuf -oL gst-launch-1.0 \"$@\" & wait $! || exit; done"
_OPTIONS = {"user": "root", "stop_signal": "SIGINT", "shm_size": "512m"}


def translate(source: Source) -> Translation:
    """The cameras in their order, with what each must reach; all of them together are a stream's measure."""
    lane = files.read(source)
    _check_workloads(lane)
    settings = _settings(source)
    containers: list[Container] = []
    objectives: list[dict[str, Any]] = []
    for camera in lane.cameras:
        name = container_name(camera.name, [made.fields["name"] for made in containers])
        branches = _branches(camera, lane)
        containers.append(_container(source, camera, name, branches, settings))
        objectives += _objectives(source, camera, name, branches)
    names = [str(made.fields["name"]) for made in containers]
    if looped := [camera.name for camera in lane.cameras if not _uri(source, camera) and _loops(source)]:
        lane.camera_files[0].warn(
            f"fileSrc of {', '.join(looped)}: the pipeline starts anew whenever the file has ended, so frames are "
            "missing in between; a stream has no such gaps: give streamUri, or RTSP_STREAM_HOST in profile_variables"
        )
    aimed = {objective["container"] for objective in objectives}
    if aimed and (others := [name for name in names if name not in aimed]):
        lane.camera_files[0].warn(
            f"targetFps of {', '.join(others)} is not given: it must reach nothing; TARGET_FPS in profile_variables is "
            "for all without one"
        )
    return Translation(
        tuple(containers),
        tuple(source.warnings),
        name=_name(Path(lane.camera_files[0].document.file)),
        description=_described(lane),
        objectives=objectives,
        density={"container": names},
    )


def _described(lane: Lane) -> str:
    cameras, workloads = (
        ", ".join(dict.fromkeys(one.file for one in named)) for named in (lane.camera_files, lane.workload_files)
    )
    return f"{len(lane.cameras)} cameras of {cameras}, with the pipelines of {workloads}"


def _name(file: Path) -> str:
    """What the file adds to upstream's name; else the folder, or that of the repository."""
    rest = file.stem.removeprefix("camera_to_workload").strip("_-")
    folder = file.absolute().parent
    return rest or (folder.parent.name if folder.name in MARKERS else folder.name)


def _check_workloads(lane: Lane) -> None:
    """Raise ProfileError for all workloads that have no pipeline, at the first of them."""
    lacking = [
        (where[0].source, path, name)
        for camera in lane.cameras
        if (where := camera.where("workloads"))
        for path, name in files.workloads_of(camera)
        if name not in lane.workloads
    ]
    if lacking:
        source, path, _name = lacking[0]
        said = dict.fromkeys(files.unknown_workload(name, lane) for _source, _path, name in lacking)
        others = ", ".join(files.fitting(lane))
        hint = f"; {others} has all that the cameras name" if others else ""
        raise source.error("; ".join(said) + hint, path)


def _branches(camera: Camera, lane: Lane) -> list[Branch]:
    where = camera.where("region_of_interest")
    regions = pipeline.regions_of(*where) if where else ()
    names = [name for _path, name in files.workloads_of(camera)]
    return pipeline.branches(camera.name, [(name, pipeline.steps_of(lane.workloads[name], regions)) for name in names])


def _container(source: Source, camera: Camera, name: str, branches: Sequence[Branch], settings: Settings) -> Container:
    uri = _uri(source, camera)
    elements, mounts = _stream(source, uri) if uri else _file(source, camera)
    looped = not uri and _loops(source)
    words = ["--verbose", "--exclude=stats", *pipeline.words(branches, elements, settings)]
    fields: dict[str, Any] = {
        "name": name,
        "image": _image(source, name, camera),
        "entrypoint": ["sh", "-c", _LOOP] if looped else ["stdbuf", "-oL", "gst-launch-1.0"],
        "args": ["gst-launch-1.0", *words] if looped else words,
        "volumes": [
            host_volumes.mount(
                source, host_volumes.expand(source, "$MODEL_DIR", {}, ()), pipeline.MODELS, "ro", (), create=False
            ),
            *mounts,
            *_modules(source, branches),
            host_volumes.mount(source, host_volumes.expand(source, "$RESULTS_DIR", {}, ()), pipeline.RESULTS, "", ()),
        ],
        "target_device": str(pipeline.devices(branches)),
        "metrics": _metrics(branches),
        **({"render": True} if settings.render else {}),
        **({"replicas": lanes} if (lanes := _whole(source, "PIPELINE_COUNT", 1)) > 1 else {}),
    }
    return Container.of(fields, _OPTIONS, _places(source, camera))


_KEYS = {"entrypoint": "workloads", "args": "workloads", "target_device": "workloads", "volumes": "fileSrc"}


def _places(source: Source, camera: Camera) -> Callable[[str], yaml_document.Path]:
    """Where each field was written in the first file; the top of that where another file has it."""

    def place(field: str) -> yaml_document.Path:
        key = _KEYS.get(field, "camera_id")
        where = camera.where(key)
        node = where[0] if where else camera.layers[0]
        return node.at(key) if node.source.document is source.document else ()

    return place


def _loops(source: Source) -> bool:
    """Whether a file is read again and again, as upstream's streamer does unless it is told otherwise."""
    return (source.variable("STREAM_LOOP") or "true").strip().lower() != "false"


def _image(source: Source, name: str, camera: Camera) -> str:
    """The caller's image; else upstream's, of the version that the repository has."""
    given = source.given.image
    if isinstance(given, Mapping) and (own := given.get(name) or given.get(camera.name)):
        return own
    if isinstance(given, str):
        return given
    version = source.variable("LP_TAG") or (source.text("VERSION", ()) if source.is_file("VERSION") else "")
    image = f"intel/pipeline-runner-lp:{version.strip()}" if version.strip() else "intel/dlstreamer:latest"
    camera.layers[0].source.warn(f"no image is named: {image} is taken; -e profile_image=IMAGE names another")
    return image


def _uri(source: Source, camera: Camera) -> str:
    """The stream of a camera; '' where it is a file. A path alone is one of upstream's streamer."""
    host = source.variable("RTSP_STREAM_HOST") or ""
    if not _HOST.fullmatch(host):
        raise source.error(f"the variable RTSP_STREAM_HOST is no host: {host!r}", ())
    port = source.variable("RTSP_STREAM_PORT") or "8554"
    where = camera.where("streamUri", "stream_uri", "rtspUri", "rtsp_url")
    if where is None:
        if camera.where("fileSrc") is None:
            raise camera.layers[-1].source.error(
                f"{camera.name} has no picture: give streamUri, or fileSrc", camera.layers[-1].path
            )
        return f"rtsp://{host}:{port}/{_recorded(camera)}" if host else ""
    node, key = where
    written = node.text(key).strip().strip("\"'")
    uri = written if "://" in written else f"rtsp://{_STREAMER}:{port}/{written.removeprefix('/')}"
    try:
        named = urlsplit(uri).hostname
    except ValueError as error:
        raise node.source.error(f"{key}: {written!r} is no address of a stream: {error}", node.at(key)) from error
    if not named or not uri.startswith(("rtsp://", "rtsps://")):
        raise node.source.error(f"{key}: {written!r} is no address of a stream, rtsp://HOST:PORT/PATH", node.at(key))
    if named == _STREAMER:
        if host:
            return re.sub(rf"(?<=[/@]){_STREAMER}(:\d+)?", f"{host}:{port}", uri, count=1)
        node.source.warn(
            f"{_STREAMER} is a service of upstream's, which this profile does not start: give the host that has it as "
            "RTSP_STREAM_HOST in profile_variables",
            node.at(key),
        )
    return uri


def _stream(source: Source, uri: str) -> tuple[list[Element], list[Any]]:
    latency = _whole(source, "RTSP_LATENCY", 300)
    ends = ("protocols=tcp", f"latency={latency}", "timeout=5000000", "retry=3", "drop-on-latency=true")
    reads: list[Element] = [
        ("rtspsrc", f"location={uri}", *ends),
        ("rtph264depay",),
        ("h264parse", "config-interval=-1"),
        ("decodebin3",),
        pipeline.QUEUE,
    ]
    return reads, []


def _file(source: Source, camera: Camera) -> tuple[list[Element], list[Any]]:
    """The elements that read the video of a camera, and its volume: shipped where it is with the profile."""
    file = f"{_recorded(camera)}.mp4"
    target = f"{pipeline.VIDEOS}/{posixpath.basename(file)}"
    node = (camera.where("fileSrc") or (camera.layers[0], ""))[0]
    place = posixpath.join(source.variable("RTSP_MEDIA_DIR") or _MEDIA, file)
    if place.startswith("/"):
        mounts = [host_volumes.mount(node.source, place, target, "ro", node.at("fileSrc"), create=False)]
    else:
        mounts = host_volumes.relative_mounts(node.source, place, [target, "ro"], node.at("fileSrc"), create=False)
    # At the pace of the video, as upstream's streamer sends it: a file alone is read as fast as it goes.
    reads: list[Element] = [
        ("filesrc", f"location={target}"),
        ("decodebin3",),
        ("video/x-raw(ANY)",),
        ("identity", "sync=true"),
    ]
    return reads, mounts


def _recorded(camera: Camera) -> str:
    """The name under which upstream keeps a video that it has downloaded: with the width and the frames a second."""
    where = camera.where("fileSrc")
    node, key = where if where else (camera.layers[0], "fileSrc")
    name = node.text(key).partition("|")[0].strip()
    if not name or name in (".", "..") or name.endswith("/") or "://" in name:
        raise node.source.error(f"fileSrc: expected NAME.mp4|URL, not {node.text(key)!r}", node.at(key))
    width, fps = _measure(camera, "width", 1920), _measure(camera, "fps", 15)
    return f"{name.removesuffix('.mp4')}-{width:g}-{fps:g}-bench"


def _measure(camera: Camera, key: str, default: float) -> float:
    where = camera.where(key)
    return (files.number(*where) if where else None) or default


def _modules(source: Source, branches: Sequence[Branch]) -> list[str]:
    """The modules of gvapython that are with the profile; others are in the image."""
    named = dict.fromkeys(step.module for branch in branches for step in branch.steps if step.module)
    inside = {module: source.inside(module, "src", ()) for module in named}
    return [f"{file}:{pipeline.MODULES}/{name}:ro" for name, file in inside.items() if source.is_file(file)]


def _metrics(branches: Sequence[Branch]) -> dict[str, Any]:
    """The frames per second that the sinks tell: of the camera, and where it has several branches of each."""

    def told(sink: str) -> dict[str, Any]:
        return {"regex": rf"{sink}: last-message = .*current: ([0-9.]+)", "kind": "gauge", "unit": "fps"}

    if len(branches) == 1:
        return {"fps": told(branches[0].sink)}
    own = {_metric(branches, branch): told(branch.sink) for branch in branches}
    return {"fps": told("GstFPSDisplaySink:[^:]+"), **own}


def _metric(branches: Sequence[Branch], branch: Branch) -> str:
    return "fps" if len(branches) == 1 else f"fps_{re.sub(r'[^a-z0-9_]+', '_', branch.workloads[0])}"


def _objectives(source: Source, camera: Camera, name: str, branches: Sequence[Branch]) -> list[dict[str, Any]]:
    """What the branches of a camera must reach: its own ``targetFps``, or what is asked of all without one."""
    where = camera.where("targetFps")
    target = files.number(*where) if where else None
    if target is None:
        written = (source.variable("TARGET_FPS") or "").strip()
        if not written:
            return []
        try:
            target = float(written)
        except ValueError as error:
            raise source.error(f"the variable TARGET_FPS is no number: {written!r}", ()) from error
    return [
        {"metric": _metric(branches, one), "container": name, "at_least": target, "tolerance": _TOLERANCE}
        for one in branches
    ]


def _settings(source: Source) -> Settings:
    return Settings(
        _whole(source, "BATCH_SIZE_DETECT", 1),
        _whole(source, "BATCH_SIZE_CLASSIFY", 1),
        _whole(source, "INFERENCE_INTERVAL", 3),
        (source.variable("RENDER_MODE") or "").strip() == "1",
    )


def _whole(source: Source, variable: str, default: int) -> int:
    """A variable that is a whole number of at least 1."""
    written = (source.variable(variable) or "").strip()
    if not written:
        return default
    if not re.fullmatch(r"[1-9][0-9]{0,8}", written):
        raise source.error(f"the variable {variable} must be a number of at least 1, not {written!r}", ())
    return int(written)
