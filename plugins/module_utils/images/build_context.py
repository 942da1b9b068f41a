# SPDX-License-Identifier: GPL-3.0-or-later
"""Image build contexts: what is in them, in which order they build, and a staged copy with the wheels they install.

A context is a folder with a Dockerfile. Where it has a ``requirements.txt``, the wheels for it are downloaded on
this machine and laid into ``wheels/`` of the staged copy, so that a build needs no package index.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

DOCKERFILE = "Dockerfile"
# The name, in a staged context, of a Dockerfile that is given by its text: no file of the context has it.
INLINE = ".retail-profiles.Dockerfile"
REQUIREMENTS = "requirements.txt"
WHEELS = "wheels"
# Not part of what an image is made of.
LEFT_OUT = frozenset({"__pycache__", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", WHEELS})
# glibc 2.36 is that of Debian 12; pip takes only the tags that it is given.
GLIBC = tuple(f"manylinux_2_{minor}" for minor in range(36, 4, -1))
MANYLINUX = (*GLIBC, "manylinux2014", "manylinux2010", "manylinux1", "linux")
FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
# A stage's image, and the command that is run on it first.
FIRST_RUN = re.compile(
    r"^\s*FROM\s+(?:--\S+\s+)*(\S+)[^\n]*\n(?:\s*(?:#[^\n]*)?\n)*\s*(RUN\s(?:[^\n]*\\\n)*[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
ARG = re.compile(r"^\s*ARG\s+(\w+)=[\"']?([^\s\"']+)", re.IGNORECASE | re.MULTILINE)
VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")

# Runs a command (arguments), and returns its exit status and its output.
Run = Callable[[Sequence[str]], tuple[int, str]]


@dataclass(frozen=True)
class BuildTarget:
    """What the wheels are for: Python's version ("3.11") and the machine's architecture ("x86_64")."""

    python: str
    arch: str


@dataclass(frozen=True)
class Build:
    """What is built: a folder, the Dockerfile in it, the stage ('' for the last one), and build arguments.

    ``dockerfile_inline``: the text of a Dockerfile that is not in the folder.
    """

    context: str
    dockerfile: str = DOCKERFILE
    dockerfile_inline: str = ""
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> list[str]:
        """What it says beside its folder, in words that are no two builds' but the same one's."""
        said = [json.dumps(["arg", name, value]) for name, value in sorted(self.args.items())]
        said += [json.dumps(["target", self.target])] if self.target else []
        return said + ([json.dumps(["dockerfile", self.dockerfile])] if self.dockerfile != DOCKERFILE else [])


def parse(given: Union[str, Mapping[str, Any]]) -> Build:
    """A build as a profile says it: the path of the context, or a mapping. Raises ProfileError."""
    if isinstance(given, str):
        return Build(given)
    try:
        found = {key: item for key, item in given.items() if item is not None}
        args = {str(name): str(item) for name, item in found.pop("args", {}).items() if item is not None}
        if "dockerfile" in found and "dockerfile_inline" in found:
            raise ProfileError("dockerfile and dockerfile_inline exclude each other: give one")
        own = INLINE if "dockerfile_inline" in found else DOCKERFILE
        dockerfile = os.path.normpath(str(found.pop("dockerfile", own)))
        return Build(**{key: str(item) for key, item in found.items()}, dockerfile=dockerfile, args=args)
    except (AttributeError, TypeError) as error:
        raise ProfileError(
            f"{given!r} is no folder, and no mapping of context, dockerfile, dockerfile_inline, target, args"
        ) from error


@dataclass(frozen=True)
class BuildContext:
    """A build context as it was read.

    ``digest`` is the sha256 (hex) of all that goes into the image as far as it is in our hands: names, modes and
    contents of the files, how they are built, the target of the wheels, and the digests of the contexts of the images
    it builds on. ``first_runs``: the image of each stage with the command that is run on it first.
    """

    image: str
    build: Build
    digest: str
    bases: tuple[str, ...]
    first_runs: frozenset[tuple[str, str]]
    requirements: Optional[str]


@dataclass(frozen=True)
class ContextEntry:
    """A file or symbolic link of a context; ``name`` is its path below the context, ``path`` where it was found."""

    name: str
    path: str
    mode: int
    content: bytes


def entries(build: Build) -> list[ContextEntry]:
    """Everything in the folder that is built, sorted by name, without caches.

    Raises:
        ProfileError: it is no folder with that Dockerfile, or a symbolic link in it leads out of it.
    """
    path = build.context
    found: list[ContextEntry] = []
    root = os.path.realpath(path)
    for folder, folders, files in os.walk(path):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT and name not in links)
        for name in files + links:
            full = os.path.join(folder, name)
            if name.endswith(".pyc"):
                continue
            mode = os.lstat(full).st_mode
            if stat.S_ISLNK(mode):
                if os.path.commonpath([root, os.path.realpath(full)]) != root:
                    raise ProfileError("this symbolic link leads out of the build context", file=full)
                content = os.readlink(full).encode()
            elif stat.S_ISREG(mode):
                with open(full, "rb") as stream:
                    content = stream.read()
            else:
                raise ProfileError("neither a file nor a symbolic link: it cannot be built from", file=full)
            found.append(ContextEntry(os.path.relpath(full, path), full, mode, content))
    if build.dockerfile_inline and os.path.isdir(path):
        found.append(ContextEntry(INLINE, "", stat.S_IFREG, build.dockerfile_inline.encode()))
    if build.dockerfile not in (entry.name for entry in found):
        what = f"has no {build.dockerfile}" if os.path.isdir(path) else "is not a folder"
        raise ProfileError(f"the build context {what}; 'build' names a folder with a Dockerfile", file=path)
    return sorted(found, key=lambda entry: entry.name)


def bases(dockerfile: str, args: Mapping[str, str]) -> tuple[str, ...]:
    """The images that a Dockerfile builds on, in order, without its own stages. *args*: build arguments."""
    known = {**dict(ARG.findall(dockerfile)), **args}
    named: list[str] = []
    stages = set()
    for written, stage in FROM.findall(dockerfile):
        image = VARIABLE.sub(lambda found: known.get(found[1] or found[3]) or found[2] or found[0], written)
        if image not in stages and image != "scratch" and image not in named:
            named.append(image)
        if stage:
            stages.add(stage)
    return tuple(named)


def digest(
    found: Sequence[ContextEntry], target: BuildTarget, base_digests: Sequence[str], options: Sequence[str]
) -> str:
    """The sha256 (hex) of a context; see :class:`BuildContext`. Of a mode only the execute bit and the kind count."""
    state = hashlib.sha256()
    for part in ("retail.profiles/context/1", target.python, target.arch, *base_digests, *options):
        state.update(part.encode() + b"\0")
    for entry in found:
        kind = "link" if stat.S_ISLNK(entry.mode) else "x" if entry.mode & stat.S_IXUSR else "-"
        state.update(f"{entry.name}\0{kind}\0{len(entry.content)}\0".encode())
        state.update(entry.content)
    return state.hexdigest()


def read(given: Mapping[str, Union[str, Mapping[str, Any]]], target: BuildTarget) -> list[BuildContext]:
    """Read the contexts *given* (image → see :func:`parse`); each comes after those it builds on.

    Raises:
        ProfileError: a context cannot be read, or contexts build on each other in a circle.
    """
    builds = {image: parse(one) for image, one in given.items()}
    files = {image: entries(build) for image, build in builds.items()}
    contents = {image: {entry.name: entry.content for entry in found} for image, found in files.items()}
    done: dict[str, BuildContext] = {}

    def visit(image: str, above: tuple[str, ...]) -> BuildContext:
        if image in above:
            circle = " → ".join((*above[above.index(image) :], image))
            raise ProfileError(f"the images build on each other in a circle: {circle}", file=builds[image].context)
        if image not in done:
            build = builds[image]
            dockerfile = contents[image][build.dockerfile].decode("utf-8", "replace")
            named = bases(dockerfile, build.args)
            below = [visit(base, (*above, image)).digest for base in named if base in builds]
            needed = contents[image][REQUIREMENTS].decode() if REQUIREMENTS in contents[image] else None
            made = digest(files[image], target, below, build.options)
            first_runs = frozenset(FIRST_RUN.findall(dockerfile))
            done[image] = BuildContext(image, build, made, named, first_runs, needed)
        return done[image]

    for image in sorted(builds):
        visit(image, ())
    return list(done.values())


def rounds(contexts: Sequence[BuildContext]) -> dict[str, int]:
    """By image, when it is built: those of a round build on none but those of the rounds before.

    Those that begin alike are not in one round: side by side the engine would run for each what it has for the second.
    """
    found: dict[str, int] = {}
    for number, context in enumerate(contexts):
        before = [
            other.image
            for other in contexts[:number]
            if other.image in context.bases or other.first_runs & context.first_runs
        ]
        found[context.image] = max((found[image] + 1 for image in before), default=0)
    return found


def wheel_folder(cache: str, requirements: str, target: BuildTarget) -> str:
    """Where the wheels for *requirements* are kept below *cache*."""
    state = hashlib.sha256("\0".join((requirements, target.python, target.arch)).encode())
    return os.path.join(cache, WHEELS, state.hexdigest()[:32])


def pip_download(python: str, requirements: str, folder: str, target: BuildTarget) -> list[str]:
    """The pip command that downloads the wheels for the file *requirements*, of *target*'s kind, into *folder*."""
    command = [python, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--only-binary=:all:", "--no-deps", "--python-version", target.python, "--implementation", "cp"]
    command += [f"--platform={name}_{target.arch}" for name in MANYLINUX]
    return [*command, "--dest", folder, "-r", requirements]


def fetch_wheels(context: BuildContext, cache: str, target: BuildTarget, python: str, run: Run) -> Optional[str]:
    """Make sure that the wheels for *context* are below *cache*; return their folder, or None if it needs none.

    Raises:
        ProfileError: pip cannot download them.
    """
    if context.requirements is None:
        return None
    folder = wheel_folder(cache, context.requirements, target)
    if os.path.isdir(folder):
        return folder
    partial = f"{folder}.{os.getpid()}.partial"
    os.makedirs(partial)
    listed = os.path.join(context.build.context, REQUIREMENTS)
    try:
        status, output = run(pip_download(python, listed, partial, target))
        if status:
            raise ProfileError(
                f"the wheels for the image {context.image} could not be downloaded on this machine "
                f"(Python {target.python}, {target.arch}): {last_lines(output)}",
                file=listed,
            )
        # Whole or not at all. Somebody else may have been quicker: theirs is as good.
        if not os.path.isdir(folder):
            os.rename(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def last_lines(output: str, count: int = 3) -> str:
    """The last lines of *output* that say something, in one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " | ".join(lines[-count:]) or "it gave no reason"


def stage_folder(cache: str, context: BuildContext) -> str:
    """Where *context* is staged below *cache*."""
    return os.path.join(cache, "contexts", context.digest[:32])


def stage(context: BuildContext, cache: str, wheels: Optional[str]) -> str:
    """Make a copy of *context* with its wheels below *cache*; return its path.

    Modes become 0644 or 0755, so that whatever umask a checkout was made with, the image is the same.
    """
    folder = stage_folder(cache, context)
    shutil.rmtree(folder, ignore_errors=True)
    for entry in entries(context.build):
        to = os.path.join(folder, entry.name)
        os.makedirs(os.path.dirname(to), mode=0o755, exist_ok=True)
        if stat.S_ISLNK(entry.mode):
            os.symlink(os.readlink(entry.path), to)
            continue
        with open(to, "wb") as stream:
            stream.write(entry.content)
        os.chmod(to, 0o755 if entry.mode & stat.S_IXUSR else 0o644)
    if wheels is not None:
        shutil.copytree(wheels, os.path.join(folder, WHEELS), copy_function=link_or_copy)
    return folder


def link_or_copy(source: str, to: str) -> None:
    """A hard link where that is possible: wheels are large."""
    try:
        os.link(source, to)
    except OSError:
        shutil.copy2(source, to)
