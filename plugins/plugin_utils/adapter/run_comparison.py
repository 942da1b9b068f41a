# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case of profile_compare: directories of runs in, a comparison in words and files out."""

from __future__ import annotations

import glob
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import study_runs
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import compare, comparison_page, runs, texts
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.compare import Comparison
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.effects import LEAST_RUNS
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory, reserve, stamp

OPTIONS: dict[str, Any] = {
    "a": {"type": "raw", "required": True},
    "b": {"type": "raw", "required": True},
    "aa": {"type": "raw", "default": []},
    "metrics": {"type": "raw", "default": []},
    "include_failed": {"type": "bool", "default": False},
    "fail_on": {"type": "str", "choices": ["changed", "worse"]},
    "dest": {"type": "path"},
    "results_dir": {"type": "path", "default": "results"},
}
NEEDED = ("scipy", "numpy")
"""Packages without which runs cannot be judged."""
PAGE, TABLE, DATA = "comparison.html", "comparison.csv", "comparison.json"


@dataclass(frozen=True)
class Made:
    """What is printed, and what the task answers."""

    table: str
    answer: dict[str, Any]


def names(value: Any) -> list[str]:
    """A list of names; or text with commas between them, with or without brackets, as ``-e a=[x,y]`` gives it."""
    if isinstance(value, str):
        value = value.strip().removeprefix("[").removesuffix("]").split(",")
    if not isinstance(value, list):
        raise ProfileError(f"expected a list of names, not {value!r}")
    return [name for item in value if (name := str(item).strip().strip("'\""))]


def paths(value: Any) -> list[str]:
    """The directories that are named; a pattern stands for those that match, in order, and ``STUDY#GROUP`` for the runs
    of a group of a study."""
    found: list[str] = []
    for name in (str(Path(os.path.expanduser(name))) for name in names(value)):
        folder, mark, group = name.partition("#")
        if mark and not Path(name).exists():
            found += of_study(Path(folder), group)
            continue
        matching = sorted(glob.glob(name)) if glob.has_magic(name) else [name]
        if not matching:
            raise ProfileError("no directory matches this pattern", file=name)
        found += matching
    return found


def of_study(folder: Path, group: str) -> list[str]:
    """The directories of the runs of a study's group. Raises ProfileError."""
    stored = study_runs.read(folder)
    try:
        return [str(folder / run_id) for run_id in stored.group(group)]
    except ProfileError as error:
        raise ProfileError(str(error), file=str(folder)) from error


def groups(args: Mapping[str, Any]) -> dict[str, list[runs.ComparedRun]]:
    """The runs of a and b, and of aa where it is given, checked. Raises ProfileError."""
    named = {name: paths(args[name]) for name in ("a", "b", "aa")}
    if not named["aa"]:
        del named["aa"]
    found = {name: runs.read_group(name, given, args["include_failed"]) for name, given in named.items()}
    runs.check_groups({name: found[name] for name in ("a", "b")})
    return found


def require_packages() -> None:
    """Raise ProfileError where the controller has not what runs are judged with."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ProfileError(
            f"Python on the controller has no {', '.join(missing)}, which several runs are compared with; "
            f"install with: pip install {' '.join(missing)}"
        )


def compared(args: Mapping[str, Any], check_mode: bool) -> Made:
    """Compare, and write page, table and data, but in check mode. Raises ProfileError."""
    found = groups(args)
    fewest = min(len(found["a"]), len(found["b"]))
    if args["fail_on"] and fewest < LEAST_RUNS:
        raise ProfileError(
            f"fail_on={args['fail_on']} takes at least {LEAST_RUNS} runs of a and of b: "
            "one run does not tell what runs vary by"
        )
    if fewest >= LEAST_RUNS:
        require_packages()
    made = compare.compare(found["a"], found["b"], found.get("aa", ()), names(args["metrics"]))
    files = {} if check_mode else written(made, _folder(args))
    failing = made.fails(args["fail_on"]) if args["fail_on"] else []
    table = "\n".join([texts.table(made), *(f"Page: {path}" for name, path in files.items() if name == PAGE)])
    said = made.headline
    if failing:
        what = "; ".join(f"{row.figure.key} {compare.change(row)} ({row.conclusion})" for row in failing)
        said = f"fail_on={args['fail_on']}: {what}"
    answer = {
        "changed": False,
        "failed": bool(failing),
        "msg": said,
        "headline": made.headline,
        "verdicts": {row.figure.key: row.conclusion for row in made.declared},
        "differences": [str(one) for one in made.differences],
        "files": list(files.values()),
    }
    return Made(table, answer)


def repeated(before: str, now: str) -> str:
    """A run that was made again against the one it repeats, as text; its files go beside its record. ProfileError."""
    made = compare.compare([runs.read(Path(before))], [runs.read(Path(now))])
    files = written(made, Path(now))
    return "\n".join([texts.table(made), f"Comparison: {files[PAGE]}"])


def _folder(args: Mapping[str, Any]) -> Path:
    """Where the files go: the folder that is asked for, else a new one beside the runs."""
    if args["dest"]:
        return Path(os.path.expanduser(args["dest"])).absolute()
    return reserve(Path(os.path.expanduser(args["results_dir"])).absolute(), f"comparison-{stamp()}")


def written(made: Comparison, folder: Path) -> dict[str, str]:
    """Write a comparison's files into a folder; by name, where they are. Raises ProfileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProfileError(f"cannot be made: {error.strerror or error}", file=str(folder)) from error
    contents = {PAGE: comparison_page.html(made), TABLE: texts.csv_text(made), DATA: texts.json_text(made)}
    for name, content in contents.items():
        RunDirectory(folder).write(name, content)
    return {name: str(folder / name) for name in contents}
