# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_convert: reads a profile of another format, and writes it in ours."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import supported
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

supported.require()
with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner_input
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
    from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base, read
    from ansible_collections.retail.profiles.plugins.plugin_utils.planning import trial
    from ansible_collections.retail.profiles.plugins.plugin_utils.profile import convert, load, search
    from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Render
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown, text_file

OPTIONS: dict[str, Any] = {
    "source": {"type": "raw", "required": True},
    "dest": {"type": "path", "required": True},
    "image": {"type": "raw"},
    "env": {"type": "dict", "default": {}},
    "variables": {"type": "dict", "default": {}},
    "root": {"type": "path"},
    "force": {"type": "bool", "default": False},
}


class ActionModule(ControllerAction):
    """Writes files on the controller; see the documentation of the module of this name."""

    options = OPTIONS
    variables = MappingProxyType(
        {"dest": "to", "env": "profile_env", "variables": "profile_variables", "root": "profile_root", "force": "force"}
    )

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        render = planner_input.renderer(self._templar)
        return convert_profile(untagged(args), render, check_mode=self._task.check_mode)


def convert_profile(args: dict[str, Any], render: Render, check_mode: bool) -> dict[str, Any]:
    """Convert, see that both can be planned, and write what differs from what is there."""
    # Nothing of the inventory: the new profile is for any.
    try:
        given = base.given(args["env"], args["image"], args["root"], args["variables"])
    except ValueError as error:
        raise ProfileError(f"a variable is not valid: {error}") from error
    named = args["source"] if isinstance(args["source"], list) else [args["source"]]
    found = [os.path.realpath(os.path.expanduser(name)) for name in named]
    file, given = search.named(found if len(found) > 1 else found[0], [], given, lambda name: None)
    foreign = read.read(text_file.text(file), file, given, lambda name: None)
    if foreign is None:
        raise ProfileError("this is a profile of our own format already, or none at all", file=str(file))
    trial.check(load.of_foreign(foreign), {**given.env, **given.variables}, render)
    converted = convert.convert(foreign)
    _check(converted, file, render)
    folder = Path(args["dest"]).absolute()
    differing = convert.differing(converted, folder)
    convert.check_free(differing, folder, args["force"])
    if not check_mode:
        convert.write(differing, folder)
    for note in converted.notes:
        Display().display(f"Not carried over as it was: {shown.one_line(note)}")
    return {
        "changed": bool(differing),
        "profile": str(folder / search.PROFILE_FILE),
        "files": [item.path for item in converted.files],
        "notes": list(converted.notes),
    }


def _check(converted: convert.Converted, file: Path, render: Render) -> None:
    """Raise ProfileError where what is to be written cannot be planned."""
    with TemporaryDirectory() as folder:
        convert.write(converted.files, Path(folder))
        try:
            trial.check(load.load(Path(folder) / search.PROFILE_FILE, [], render, {}), {}, render)
        except ProfileError as error:
            raise ProfileError(f"what it becomes cannot be planned: {error.message}", file=str(file)) from error
