# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.images import build_context
from ansible_collections.retail.profiles.plugins.module_utils.images.build_context import BuildContext, BuildTarget

TARGET = BuildTarget("3.11", "x86_64")


def write_context(folder: Path, dockerfile: str = "FROM debian:bookworm-slim\n", **files: str) -> Path:
    """A build context with these files (their names with ``_`` for the dot)."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(dockerfile)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def read_one(folder: Path, target: BuildTarget = TARGET) -> BuildContext:
    (context,) = build_context.read({"retail/x:1": str(folder)}, target)
    return context


class FakePip:
    """Stands for pip: writes one wheel, or fails."""

    def __init__(self, output: str = "", status: int = 0) -> None:
        self.output = output
        self.status = status
        self.commands: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> tuple[int, str]:
        self.commands.append(list(command))
        Path(command[command.index("--dest") + 1], "x-1-py3-none-any.whl").write_bytes(b"wheel")
        return self.status, self.output


def test_digest_is_of_names_contents_and_execute_bits(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c", run_sh="echo\n")
    first = read_one(folder).digest
    assert read_one(folder).digest == first
    script = folder / "run.sh"

    script.chmod(0o755)
    executable = read_one(folder).digest
    script.chmod(0o700)
    assert read_one(folder).digest == executable != first

    script.write_text("echo 2\n")
    assert read_one(folder).digest not in (first, executable)
    script.write_text("echo\n")
    script.chmod(0o644)
    assert read_one(folder).digest == first

    script.rename(folder / "other.sh")
    assert read_one(folder).digest != first


def test_digest_does_not_depend_on_times_place_or_caches(tmp_path: Path) -> None:
    one = write_context(tmp_path / "one", app_py="x = 1\n")
    other = write_context(tmp_path / "other", app_py="x = 1\n")
    (other / "__pycache__").mkdir()
    (other / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"\0")
    (other / "wheels").mkdir()
    (other / "wheels" / "old.whl").write_bytes(b"\0")
    os.utime(other / "app.py", (0, 0))
    assert read_one(one).digest == read_one(other).digest


def test_digest_cannot_be_confused_by_moving_bytes_between_files(tmp_path: Path) -> None:
    one = write_context(tmp_path / "one", a="xy", b="z")
    other = write_context(tmp_path / "other", a="x", b="yz")
    assert read_one(one).digest != read_one(other).digest


def test_digest_depends_on_what_the_wheels_are_for(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c")
    targets = [TARGET, BuildTarget("3.12", "x86_64"), BuildTarget("3.11", "aarch64")]
    assert len({read_one(folder, target).digest for target in targets}) == 3


def test_contexts_come_after_those_they_build_on(tmp_path: Path) -> None:
    top = write_context(tmp_path / "top", "FROM retail/middle:1\n")
    middle = write_context(tmp_path / "middle", "FROM retail/base:1\n")
    base = write_context(tmp_path / "base")
    paths = {"retail/a-top:1": str(top), "retail/middle:1": str(middle), "retail/base:1": str(base)}
    before = build_context.read(paths, TARGET)
    assert [context.image for context in before] == ["retail/base:1", "retail/middle:1", "retail/a-top:1"]

    (base / "new").write_text("x")
    after = build_context.read(paths, TARGET)
    assert all(old.digest != new.digest for old, new in zip(before, after))


def test_contexts_of_a_round_do_not_build_on_each_other(tmp_path: Path) -> None:
    texts = {"top": "FROM middle\nFROM base\n", "middle": "FROM base\n", "base": "FROM debian\n", "other": "FROM x\n"}
    contexts = build_context.read(
        {name: str(write_context(tmp_path / name, text)) for name, text in texts.items()}, TARGET
    )
    assert build_context.rounds(contexts) == {"base": 0, "other": 0, "middle": 1, "top": 2}
    # What is there already is waited for by nobody.
    lacking = [context for context in contexts if context.image in ("top", "middle")]
    assert build_context.rounds(lacking) == {"middle": 0, "top": 1}


def test_contexts_that_begin_alike_are_built_one_after_the_other(tmp_path: Path) -> None:
    begin = "FROM debian AS {stage}\n# why\n\nRUN apt-get update \\\n && apt-get install {package}\nCOPY x /x\n"
    texts = {
        "a": begin.format(stage="one", package="python3"),
        "b": "FROM debian\nRUN other\n" + begin.format(stage="two", package="python3"),
        "c": begin.format(stage="one", package="other"),
        "d": "FROM debian\nCOPY x /x\n",
        "e": "FROM scratch\nRUN other\n",
        "f": "from --platform=x debian\nrun other\n",
    }
    contexts = build_context.read(
        {name: str(write_context(tmp_path / name, text, x="x")) for name, text in texts.items()}, TARGET
    )
    assert build_context.rounds(contexts) == {"a": 0, "b": 1, "c": 0, "d": 0, "e": 0, "f": 0}


def test_contexts_in_a_circle_are_an_error(tmp_path: Path) -> None:
    paths = {
        "a": str(write_context(tmp_path / "a", "FROM b\n")),
        "b": str(write_context(tmp_path / "b", "FROM a\n")),
    }
    with pytest.raises(ProfileError, match="circle: a → b → a"):
        build_context.read(paths, TARGET)


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM debian:bookworm-slim\n", ("debian:bookworm-slim",)),
        ("FROM --platform=linux/amd64 a:1 AS build\nfrom build\nCOPY --from=build /x /x\n", ("a:1",)),
        ("FROM scratch\n", ()),
        ("# FROM no:1\nARG X\nFROM a:1\nFROM a:1\nFROM b:2\n", ("a:1", "b:2")),
    ],
)
def test_bases(dockerfile: str, expected: tuple[str, ...]) -> None:
    assert build_context.bases(dockerfile, {}) == expected


def test_bases_are_named_by_arguments() -> None:
    text = "ARG BASE=debian:12\nFROM ${BASE} AS a\nFROM $OTHER\nFROM ${TAG:-x:1}\nFROM ${NONE}\n"
    assert build_context.bases(text, {}) == ("debian:12", "$OTHER", "x:1", "${NONE}")
    assert build_context.bases(text, {"BASE": "own:1", "OTHER": "o:2"}) == ("own:1", "o:2", "x:1", "${NONE}")


def test_a_build_is_another_one_with_other_options(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c", "FROM a:1\n")
    (folder / "docker").mkdir()
    (folder / "docker" / "Dockerfile.gpu").write_text("FROM b:1\n")
    plain: dict[str, Any] = {"context": str(folder)}
    builds: list[dict[str, Any]] = [
        plain,
        {**plain, "dockerfile": "./docker/Dockerfile.gpu"},
        {**plain, "target": "t"},
        {**plain, "args": {"A": "1"}},
        {**plain, "args": {"A": "2", "B": None}},
        {**plain, "dockerfile_inline": "FROM b:1\n"},
        {**plain, "dockerfile_inline": "FROM a:1\n"},
    ]
    read = [build_context.read({"x": build}, TARGET)[0] for build in builds]
    assert len({context.digest for context in read}) == 7
    assert read[0].digest == read_one(folder).digest
    assert [context.bases for context in read] == [("a:1",), ("b:1",), *[("a:1",)] * 3, ("b:1",), ("a:1",)]
    assert read[1].build.dockerfile == "docker/Dockerfile.gpu"
    staged = Path(build_context.stage(read[5], str(tmp_path / "cache"), None))
    assert (staged / read[5].build.dockerfile).read_text() == "FROM b:1\n"
    assert (staged / "Dockerfile").read_text() == "FROM a:1\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"dockerfile": "../secret"}, r"the build context has no \.\./secret"),
        ({"stage": "x"}, "is no folder, and no mapping of context, dockerfile, dockerfile_inline, target, args"),
        ({"args": ["A=1"]}, "is no folder, and no mapping"),
        ({"dockerfile": "D", "dockerfile_inline": "FROM x"}, "dockerfile and dockerfile_inline exclude each other"),
    ],
)
def test_a_build_that_is_none_is_an_error(tmp_path: Path, more: dict[str, Any], message: str) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(ProfileError, match=message):
        build_context.read({"x": {"context": str(write_context(tmp_path / "c")), **more}}, TARGET)


def test_context_without_dockerfile_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProfileError, match="empty: the build context has no Dockerfile"):
        read_one(tmp_path / "empty")
    with pytest.raises(ProfileError, match="nowhere: the build context is not a folder"):
        read_one(tmp_path / "nowhere")


def test_symbolic_link_out_of_the_context_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = write_context(tmp_path / "c")
    (folder / "inside").symlink_to("Dockerfile")
    read_one(folder)
    (folder / "link").symlink_to("../secret")
    with pytest.raises(ProfileError, match="link: this symbolic link leads out of the build context"):
        read_one(folder)


def test_symbolic_link_to_a_folder_out_of_the_context_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    folder = write_context(tmp_path / "c")
    (folder / "link").symlink_to("../secrets")
    with pytest.raises(ProfileError, match="link: this symbolic link leads out of the build context"):
        read_one(folder)


def test_pipe_in_a_context_is_an_error(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c")
    os.mkfifo(folder / "pipe")
    with pytest.raises(ProfileError, match="neither a file nor a symbolic link"):
        read_one(folder)


def test_staged_copy_holds_files_wheels_and_plain_modes(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c", run_sh="echo\n", requirements_txt="x==1\n", notes_md="n")
    (folder / "run.sh").chmod(0o700)
    (folder / "notes.md").chmod(0o600)
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_text("deep")
    (folder / "sub" / "link").symlink_to("file")
    context = read_one(folder)
    cache = str(tmp_path / "cache")
    wheels = build_context.fetch_wheels(context, cache, TARGET, "python", FakePip())
    staged = Path(build_context.stage(context, cache, wheels))

    assert str(staged) == build_context.stage_folder(cache, context)
    assert sorted(str(path.relative_to(staged)) for path in staged.rglob("*") if not path.is_dir()) == [
        "Dockerfile", "notes.md", "requirements.txt", "run.sh", "sub/file", "sub/link", "wheels/x-1-py3-none-any.whl",
    ]  # fmt: skip
    assert stat.S_IMODE((staged / "run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((staged / "notes.md").stat().st_mode) == 0o644
    assert (staged / "sub" / "link").is_symlink()
    assert (staged / "sub" / "link").read_text() == "deep"
    assert not (folder / "wheels").exists()


def test_staging_again_replaces_what_is_there(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c")
    context = read_one(folder)
    staged = Path(build_context.stage(context, str(tmp_path / "cache"), None))
    (staged / "left-over").write_text("x")
    build_context.stage(context, str(tmp_path / "cache"), None)
    assert [path.name for path in staged.iterdir()] == ["Dockerfile"]


def test_wheels_are_downloaded_once_for_the_target(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c", requirements_txt="x==1\n")
    pip = FakePip()
    cache = str(tmp_path / "cache")
    first = build_context.fetch_wheels(read_one(folder), cache, TARGET, "python", pip)
    (folder / "app.py").write_text("other code, same wheels")
    assert build_context.fetch_wheels(read_one(folder), cache, TARGET, "python", pip) == first
    (command,) = pip.commands
    assert command[:4] == ["python", "-m", "pip", "download"]
    assert "--only-binary=:all:" in command
    assert command[command.index("--python-version") + 1] == "3.11"
    assert {"--platform=manylinux_2_28_x86_64", "--platform=manylinux2014_x86_64"} <= set(command)
    assert command[-1] == str(folder / "requirements.txt")

    (folder / "requirements.txt").write_text("x==2\n")
    assert build_context.fetch_wheels(read_one(folder), cache, TARGET, "python", pip) != first


def test_context_without_requirements_needs_no_wheels(tmp_path: Path) -> None:
    pip = FakePip()
    context = read_one(write_context(tmp_path / "c"))
    assert build_context.fetch_wheels(context, str(tmp_path / "cache"), TARGET, "python", pip) is None
    assert pip.commands == []


def test_failed_download_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    folder = write_context(tmp_path / "c", requirements_txt="x==1\n")
    pip = FakePip("Looking\n\nERROR: No matching distribution found for x==1\n", status=1)
    with pytest.raises(ProfileError) as caught:
        build_context.fetch_wheels(read_one(folder), str(tmp_path / "cache"), TARGET, "python", pip)
    assert str(caught.value) == (
        f"{folder}/requirements.txt: the wheels for the image retail/x:1 could not be downloaded on this machine "
        "(Python 3.11, x86_64): Looking | ERROR: No matching distribution found for x==1"
    )
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("output", "expected"), [("", "it gave no reason"), ("a\n\nb\nc\nd\n", "b | c | d")])
def test_last_lines(output: str, expected: str) -> None:
    assert build_context.last_lines(output) == expected
