# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a profile of another format in our own, with the files that it uses beside it."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.read import Foreign
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import search
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.build import BUILD
from ansible_collections.retail.profiles.plugins.plugin_utils.text import templates
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Template

_MARKS = ("{{", "{%", "{#")


@dataclass(frozen=True)
class ConvertedFile:
    """A file of the new profile: its content, or the file that has it. ``path`` is relative to its folder."""

    path: str
    source: bytes | Path
    executable: bool = False


@dataclass(frozen=True)
class Converted:
    """The new profile: ``files`` begins with its profile.yml; ``notes`` say what it does not carry over."""

    files: tuple[ConvertedFile, ...]
    notes: tuple[str, ...]


def convert(foreign: Foreign) -> Converted:
    """The profile in our format. Paths stay as they are under the root. ProfileError for a file that cannot be read."""
    used = _files(foreign)
    if search.PROFILE_FILE in used:
        raise ProfileError(
            f"it uses a file of its own that is called {search.PROFILE_FILE}: rename that first",
            file=foreign.document.file,
        )
    profile = ConvertedFile(search.PROFILE_FILE, text(foreign).encode())
    notes = [
        f"{container.fields['name']}: the value of the secret {name} is not written: give it in profile_secrets"
        for container in foreign.translation.containers
        for name in container.fields.get("secret_files", ())
    ]
    return Converted((profile, *(used[path] for path in sorted(used))), (*foreign.translation.warnings, *notes))


def text(foreign: Foreign) -> str:
    """The profile.yml."""
    made = foreign.translation
    top = {
        "description": made.description or None,
        "warnings": list(made.warnings) or None,
        "containers": [_without_secrets(container.fields) for container in made.containers],
        "objectives": list(made.objectives) or None,
        "density": made.density,
        "networks": made.networks,
        "volumes": made.volumes,
    }
    value = native({key: item for key, item in top.items() if item is not None})
    body = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
    return f"# Converted from {Path(foreign.document.file).name}\n---\n{body}"


def _without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the names of secrets, and without their values: no file has those."""
    files = fields.get("secret_files")
    return {**fields, **({"secret_files": dict.fromkeys(files)} if files else {})}


def native(value: Any) -> Any:
    """A value as our format says it: where it looks like a template, it is written as one that renders to it."""
    if isinstance(value, Template):
        return str(value)
    if isinstance(value, str):
        return templates.escape(value) if any(mark in value for mark in _MARKS) else value
    if isinstance(value, Mapping):
        return {key: native(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [native(item) for item in value]
    return value


class _Dumper(yaml.SafeDumper):
    """Writes every value out, without anchors, and lists below their key."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _files(foreign: Foreign) -> dict[str, ConvertedFile]:
    """The files that the containers use, by their paths under the root."""
    made: dict[str, ConvertedFile] = {}
    for container in foreign.translation.containers:
        for field, relative in _named(container.fields):
            path = relative.removeprefix("./")
            if path in foreign.translation.generated:
                made[path] = ConvertedFile(path, foreign.translation.generated[path])
                continue
            try:
                found = search.inside(foreign.root, relative)
                made.update((file.path, file) for file in _found(found, path))
            except (ValueError, OSError) as error:
                raise foreign.document.error(
                    str(error), container.paths[field], str(container.fields["name"]), field
                ) from error
    return made


def _named(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that a container names, each with its field."""
    for item in fields.get("env_file", ()):
        yield "env_file", item["path"] if isinstance(item, Mapping) else item
    for item in fields.get("volumes", ()):
        source = item.get("source", "") if isinstance(item, Mapping) else item.partition(":")[0]
        if source.startswith("./"):
            yield "volumes", source
    if any(word.startswith("./") for word in fields.get("entrypoint", ())[:1]):
        yield "entrypoint", fields["entrypoint"][0]
    if "build" in fields:
        yield "build", BUILD(fields["build"])["context"]


def _found(found: Path, path: str) -> Iterator[ConvertedFile]:
    """A file, or all files of a folder; links in it are followed where they lead to a file of the folder."""
    if not found.is_dir():
        yield _converted(path, found)
        return
    for file in sorted(_walk(found)):
        inside = search.inside(found, file.relative_to(found).as_posix())
        if inside.is_file():
            yield _converted((Path(path) / file.relative_to(found)).as_posix(), inside)


def _converted(path: str, file: Path) -> ConvertedFile:
    if not os.access(file, os.R_OK):
        raise ValueError(f"{str(file)!r} cannot be read")
    return ConvertedFile(path, file, os.access(file, os.X_OK))


def _walk(folder: Path) -> Iterable[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        yield from (Path(parent) / name for name in names)


def differing(converted: Converted, folder: Path) -> list[ConvertedFile]:
    """Those of the files that are not in the folder as they are to be."""
    return [file for file in converted.files if not _is_there(file, folder / file.path)]


def _is_there(file: ConvertedFile, path: Path) -> bool:
    if not os.path.isfile(path) or (file.executable and not os.access(path, os.X_OK)):
        return False
    try:
        if isinstance(file.source, Path):
            return filecmp.cmp(file.source, path, shallow=False)
        return path.stat().st_size == len(file.source) and path.read_bytes() == file.source
    except OSError:
        return False


def check_free(files: Iterable[ConvertedFile], folder: Path, force: bool) -> None:
    """ProfileError where one of the files would replace another, unless it is to be so."""
    for file in files:
        if os.path.lexists(folder / file.path) and not force:
            raise ProfileError(
                "it is there already, with other content: give another folder, or -e force=true to replace it",
                file=str(folder / file.path),
            )


def write(files: Iterable[ConvertedFile], folder: Path) -> None:
    """Write the files, in place of what is there. ProfileError for one that cannot be written."""
    for file in files:
        path = folder / file.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
                path.unlink()
            if isinstance(file.source, Path):
                shutil.copyfile(file.source, path)
            else:
                path.write_bytes(file.source)
            path.chmod(0o755 if file.executable else 0o644)
        except OSError as error:
            raise ProfileError(f"cannot be written: {error.strerror}", file=str(path)) from error
