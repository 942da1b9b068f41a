# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the translators of other formats share: what they are given, what they read from, and what they give.

A translator is a pure function from a parsed file, and the files beside it, to native fields. Their text is literal,
but for the :class:`literal.Template` that a translator puts there.
"""

from __future__ import annotations

import copy
import difflib
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import (
    field_types,
    fields,
    input_source,
    target_device,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import image as references
from ansible_collections.retail.profiles.plugins.plugin_utils.text import (
    env_file,
    interpolation,
    json_text,
    text_file,
    yaml_document,
)

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)")
_SMALL_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3}
#: Compose knows days and weeks, too
_UNITS = {**_SMALL_UNITS, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
# Upstream and its users keep profiles in such folders: what they name lies as many levels above.
_LEVELS = {"res": 2, "src": 1, "docker": 1}


@dataclass(frozen=True)
class Given:
    """What the caller says of a profile in another format.

    ``env``: variables for every container; ``env_wins``: above what a Compose file gives one, too. ``variables``: what
    the file is written with, and no container is given. ``image``: the image of the containers that name none, or
    images by container. ``root``: the folder under which the files of the profile lie; None for the layout's own.
    ``over``: further files of the profile, each laid over those before it. ``folder``: the one that was named for them,
    where its variables have chosen the files.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    image: str | Mapping[str, str] | None = None
    root: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    env_wins: bool = False
    over: tuple[Path, ...] = ()
    folder: Path | None = None

    def value(self, name: str) -> str | None:
        """What the file is written with for a variable: that of ``profile_variables``, else of ``profile_env``."""
        return self.variables.get(name, self.env.get(name))

    def variable(self, name: str, play: Callable[[str], str | None]) -> str | None:
        """The same, else the variable of the play."""
        value = self.value(name)
        return play(name) if value is None else value


def given(env: Any, image: Any, root: str | None, variables: Any, env_wins: bool = False) -> Given:
    """What the caller says, from the variables of a run. ValueError for what is not valid."""
    if isinstance(image, str) and image.lstrip().startswith("{"):
        # On the command line, NAME=VALUE gives a text.
        try:
            image = json_text.parse(image)
        except ValueError as error:
            raise ValueError(f"profile_image is neither an image nor {{container: image}}: {error}") from error
    if isinstance(image, Mapping):
        image = valid("profile_image", field_types.mapping_of(references.image), image)
    elif image is not None and not isinstance(image, str):
        raise ValueError(f"profile_image is an image, or {{container: image}}, not {image!r}")
    if root and "\0" in root:
        raise ValueError("profile_root: a path cannot hold the character NUL")
    folder = Path(root) if root else None
    return Given(texts("profile_env", env), image or None, folder, texts("profile_variables", variables), env_wins)


def texts(variable: str, value: Any) -> dict[str, str]:
    """A variable of the run that gives texts by name. ValueError for what is not valid."""
    parsed: dict[str, str] = valid(variable, field_types.mapping_of(field_types.scalar, field_types.variable), value)
    return parsed


def valid(variable: str, kind: field_types.Parser, value: Any) -> Any:
    """The canonical value of a variable of the run. ValueError that says where in it what is wrong."""
    try:
        return kind(value)
    except ValueError as error:
        path = getattr(error, "path", ())
        said = str(error).removeprefix(f"{'.'.join(map(str, path))}: ")
        raise ValueError(f"{'.'.join([variable, *map(str, path)])}: {said}") from error


@dataclass(frozen=True)
class Container:
    """One container in native fields, and where in the document each of them was written."""

    fields: Mapping[str, Any]
    paths: Mapping[str, yaml_document.Path]

    @classmethod
    def of(
        cls, own: Mapping[str, Any], options: Mapping[str, Any], at: Callable[[str], yaml_document.Path]
    ) -> Container:
        """The container of native fields and of docker_container options, without those fields that say nothing.

        An option that has become a field of a profile is said by that field: ``docker`` would not take it. ``at`` gives
        where a field was written; all options were where ``docker`` is.
        """
        said = {name: value for name, value in {**own, **fields.of_options(options)}.items() if value not in ([], {})}
        return cls(said, {name: at(name if name in own else "docker") for name in said})


@dataclass(frozen=True)
class Translation:
    """A profile of another format in native fields.

    ``generated``: files that were made of it, by their path under the root. ``own_env``: what a container says of its
    environment stands above ``profile_env``.
    """

    containers: tuple[Container, ...]
    warnings: tuple[str, ...]
    name: str | None = None
    description: str = ""
    networks: Mapping[str, Any] | None = None
    volumes: Mapping[str, Any] | None = None
    objectives: Sequence[Mapping[str, Any]] = ()
    density: Mapping[str, Any] | None = None
    generated: Mapping[str, bytes] = field(default_factory=dict)
    own_env: bool = False


class Source:
    """A document of another format, the files under its root, and the variables that the caller gives.

    ``play`` gives the value of a variable of the play, None where there is none. ``written``: the document's own text.
    """

    def __init__(
        self,
        document: yaml_document.Document,
        root: Path,
        given: Given,
        play: Callable[[str], str | None],
        written: str = "",
    ) -> None:
        file = Path(document.file).absolute()
        self.document = document
        self.given = given
        self.root = root
        self.folder = Path(os.path.relpath(os.path.realpath(file.parent), os.path.realpath(root))).as_posix()
        self.file = file.name
        self.written = written
        self.warnings: list[str] = []
        self.blanks: list[str] = []
        #: a variable that nothing sets, and that is used at a path or below
        self.unset: Callable[[yaml_document.Path], str | None] = lambda path: None
        self._play = play
        self._told: set[tuple[str, str]] = set()

    def beside(self, document: yaml_document.Document) -> Source:
        """The same profile, read from another of its files."""
        other = copy.copy(self)
        other.document = document
        other.file = Path(document.file).name
        return other

    def warn(self, message: str, path: yaml_document.Path = ()) -> None:
        """Note what a person should know; it stands in the plan."""
        self.warn_at(message, *self.document.place(path))

    def warn_at(self, message: str, file: str, line: int | None) -> None:
        """The same of a line of a file, which is shown as it is seen from the first one."""
        name = os.path.relpath(file, Path(self.document.file).parent) if file != self.document.file else self.file
        self.warnings.append(f"{name}{f':{line}' if line else ''}: {message}")

    def blank(self, name: str, path: yaml_document.Path) -> None:
        """Note a variable that nothing sets, and that stands for nothing."""
        self.blanks.append(name)
        self.warn(f"variable {name} is not set: nothing stands in its place", path)

    def blank_at(self, file: str, name: str, line: int) -> str:
        """Note the same of a line of a file of variables, once for each file; and what stands there."""
        if (name, file) not in self._told:
            self._told.add((name, file))
            self.blanks.append(name)
            self.warn_at(f"variable {name} is not set: nothing stands in its place", file, line)
        return ""

    def error(self, message: str, path: yaml_document.Path) -> ProfileError:
        """An error that points at ``path``: a variable that is not set there is the reason for whatever is wrong."""
        unset = self.unset(path)
        return self.document.error(message, path) if unset is None else self.not_set(unset, path)

    def variable(self, name: str) -> str | None:
        """A variable of the caller: of ``profile_variables``, else of ``profile_env``, else of the play."""
        return self.given.variable(name, self._play)

    def not_set(self, name: str, path: yaml_document.Path, reason: str = "") -> ProfileError:
        """The error of a variable that nothing sets, with how to give it."""
        return self.document.error(how_to_give(name, reason), path)

    def image(self, written: str, name: str, original: str, path: yaml_document.Path) -> str:
        """The image of a container: the caller's own for it, what is written, or the caller's for all without one."""
        given = self.given.image
        if isinstance(given, Mapping):
            image = given.get(name) or given.get(original) or written
        else:
            image = written or given or ""
        if image:
            return image
        raise self.error(
            f"no image for container {name}: name one with -e profile_image=IMAGE, "
            f'or with -e \'{{"profile_image": {{"{name}": "IMAGE"}}}}\'',
            path,
        )

    def inside(self, relative: str, base: str, path: yaml_document.Path) -> str:
        """A path, relative to ``base`` or absolute, as ``./PATH`` under the root. ProfileError where it leads out."""
        try:
            return self.below_root(relative, base)
        except ValueError as error:
            raise self.error(str(error), path) from error

    def below_root(self, relative: str, base: str) -> str:
        """The same; ValueError where it leads out."""
        joined = self._below(posixpath.normpath(posixpath.join(base, relative)))
        if "\0" in joined:
            raise ValueError(f"{relative!r}: a path cannot hold the character NUL")
        real = Path(os.path.realpath(self.root / joined))
        if joined == ".." or joined.startswith(("/", "../")) or not real.is_relative_to(os.path.realpath(self.root)):
            raise ValueError(
                f"{relative!r} leads out of {str(self.root)!r}, the folder of the profile's files: "
                "give one that holds all of them with -e profile_root=FOLDER"
            )
        return f"./{joined}"

    def of_caller(self, file: Path) -> str:
        """A file that the caller names, as ``./PATH`` under the root. ProfileError where it leads out."""
        return self.inside(str(file.absolute()), ".", ())

    def _below(self, path: str) -> str:
        """An absolute path under the root as one that is relative to it; any other as it is."""
        for root in (self.root.absolute(), Path(os.path.realpath(self.root))):
            if path.startswith("/") and Path(path).is_relative_to(root):
                return Path(path).relative_to(root).as_posix()
        return path

    def holds(self, path: str) -> bool:
        """Whether an absolute path is one of the profile's files."""
        return path.startswith("/") and not self._below(path).startswith("/") and os.path.exists(path)

    def exists(self, inside: str) -> bool:
        return os.path.exists(self.root / inside)

    def is_folder(self, inside: str) -> bool:
        return os.path.isdir(self.root / inside)

    def is_file(self, inside: str) -> bool:
        return os.path.isfile(self.root / inside)

    def text(self, inside: str, path: yaml_document.Path) -> str:
        """The text of a file under the root, which is named at ``path``. ProfileError when it cannot be read."""
        try:
            return text_file.text(self.root / inside)
        except ProfileError as error:
            if not path:
                raise
            raise self.error(str(error), path) from error

    def variables(self, env_files: Iterable[str], path: yaml_document.Path) -> dict[str, str]:
        """What env files in Docker's own format set."""
        result: dict[str, str] = {}
        for file in env_files:
            result.update(env_file.parse(self.text(file, path), str(self.root / file)))
        return result


def how_to_give(name: str, reason: str = "") -> interpolation.NotSet:
    """What to say of a variable that nothing sets."""
    return interpolation.NotSet.of({name: reason or f"variable {name} is not set"})


def root_of(file: Path, given: Given, markers: Iterable[str] = ()) -> Path:
    """The folder under which the files of a profile lie.

    The caller's; else the nearest folder above that holds one of the folders ``markers``; for upstream's layouts
    (``USE_CASE/res/``, ``src/``) theirs; else the profile's own, or the named one. ProfileError when the caller's does
    not hold it.
    """
    folder = file.absolute().parent
    if given.root is not None:
        root = Path(os.path.expanduser(given.root)).absolute()
        if not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root)):
            raise ProfileError(f"profile_root {str(root)!r} does not hold the profile", file=str(file))
        return root
    for above in (folder, *list(folder.parents)[:3]):
        if any(os.path.isdir(above / marker) for marker in markers):
            return above
    levels = _LEVELS.get(folder.name, 0)
    root = folder.parents[levels - 1] if 0 < levels < len(folder.parents) else folder
    return root if given.folder is None or given.folder.absolute().is_relative_to(root) else given.folder.absolute()


class Node:
    """A mapping of a document: the keys that its format knows, in whatever case they are written.

    Other keys are warned of and ignored.
    """

    def __init__(self, source: Source, path: yaml_document.Path, value: Any, known: Iterable[str]) -> None:
        self.source = source
        self.path = path
        names = {name.lower(): name for name in known}
        if value is not None and not isinstance(value, Mapping):
            raise source.error(f"expected a mapping, not {value!r}", path)
        self._values: dict[str, Any] = {}
        self._paths: dict[str, yaml_document.Path] = {}
        for key, item in (value or {}).items():
            name = names.get(key.lower())
            if name is None:
                near = difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.7)
                hint = f"; did you mean {names[near[0]]}?" if near else ""
                source.warn(f"{key} is ignored: it is not known here{hint}", (*path, key))
            else:
                self._values[name] = item
                self._paths[name] = (*path, key)

    def at(self, key: str) -> yaml_document.Path:
        """Where a key is written; the mapping itself where it is not."""
        return self._paths.get(key, self.path)

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def value(self, key: str) -> Any:
        return self._values.get(key)

    def text(self, key: str) -> str:
        """A scalar as text; '' where there is none."""
        value = self._values.get(key)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        return "" if value is None else self._scalar(value, self.at(key))

    def texts(self, key: str) -> list[str]:
        """A list of texts, or one that stands for a list of one; [] where there is none."""
        value = self._values.get(key)
        if value is None or value == "":
            return []
        items = value if isinstance(value, list) else [value]
        return [self._scalar(item, (*self.at(key), index)) for index, item in enumerate(items) if item is not None]

    def pairs(self, key: str) -> dict[str, str | None]:
        """A mapping, or a list of NAME=VALUE; None for a name without a value."""
        value = self._values.get(key)
        if isinstance(value, Mapping):
            at = self.at(key)
            return {name: None if v is None else self._scalar(v, (*at, name)) for name, v in value.items()}
        split = (item.partition("=") for item in self.texts(key))
        return {name: text if equals else None for name, equals, text in split}

    def flag(self, key: str) -> bool:
        value = self._values.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        if str(value).lower() in ("true", "false", ""):
            return str(value).lower() == "true"
        raise self.source.error(f"{key}: expected true or false, not {value!r}", self.at(key))

    def node(self, key: str, known: Iterable[str]) -> Node:
        """The mapping under a key; an empty one where there is none."""
        return Node(self.source, self.at(key), self._values.get(key), known)

    def _scalar(self, value: Any, path: yaml_document.Path) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (str, int)):
            return str(value)
        raise self.source.error(f"expected a text or a number, not {value!r}", path)


def hardware(variables: Mapping[str, str]) -> dict[str, Any]:
    """The fields for the hardware that upstream's variables name; None where only the caller's choice counts."""

    def valid(name: str, parse: Callable[[str], str]) -> str | None:
        try:
            return parse(variables.get(name, ""))
        except ValueError:
            return None

    return {
        "target_device": valid("TARGET_DEVICE", target_device.name),
        "input_source": valid("INPUTSRC", input_source.source),
        "render": True if variables.get("RENDER_MODE", "").strip() == "1" else None,
    }


def container_name(written: str, taken: Iterable[str]) -> str:
    """A native name for a container: lower case, and unlike those that are taken."""
    name = re.sub(r"[^a-z0-9_.-]+", "-", written.strip().lower()).strip("-_.") or "container"
    others = set(taken)
    unique = (candidate for number in range(1, len(others) + 2) if (candidate := _numbered(name, number)) not in others)
    return next(unique)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def in_image(command: str) -> str:
    """A program as an entrypoint. What is relative is so to the working directory of the image, not to the profile."""
    return f"/proc/self/cwd/{command.removeprefix('./')}" if command.startswith("./") else command


def go_duration(text: str) -> float | None:
    """Seconds of a Go duration such as ``1m30s``; None for what is not one. A negative one is as good as none."""
    sign, number = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    if number == "0":
        return 0.0
    if not number or _DURATION.sub("", number):
        return None
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _DURATION.findall(number))
    return 0.0 if sign == "-" else seconds
