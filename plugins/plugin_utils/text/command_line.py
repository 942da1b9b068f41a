# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What an image and a command line say of the OpenVINO Model Server."""

from __future__ import annotations

from collections.abc import Sequence


def is_ovms(image: str) -> bool:
    """Whether an image, as the profile names it, is the OpenVINO Model Server."""
    return "model_server" in image.rpartition("/")[2]


def option(args: Sequence[str], name: str) -> str | None:
    """The value of ``--name VALUE`` or ``--name=VALUE``; '' for a flag without a value; None when it is not there."""
    for index, arg in enumerate(args):
        if arg == f"--{name}":
            following = args[index + 1] if index + 1 < len(args) else ""
            return "" if following.startswith("--") else following
        if arg.startswith(f"--{name}="):
            return arg.partition("=")[2]
    return None
