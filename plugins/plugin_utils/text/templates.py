# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that is taken as it is, and the templates in it that the collection itself put there.

Profiles of other formats hold no templates: what looks like Jinja in them is text. Where a translator needs a value
that is known only for each replica, it marks its own text as a :class:`Template`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_UNDEFINED = re.compile(r"'(\w+)' is undefined")
Render = Callable[[Any, Mapping[str, Any]], Any]


class UndefinedError(ValueError):
    """A template wants the variable ``name``, which nobody gives."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


def unrendered(said: str) -> ValueError:
    """The error for what Jinja said of a template that it could not render."""
    text = " ".join(said.split())
    if undefined := _UNDEFINED.fullmatch(text):
        return UndefinedError(f"cannot be rendered: {text}: give it in the inventory or with -e", undefined[1])
    return ValueError(f"cannot be rendered: {text}")


class Template(str):
    """Text that is rendered, within values that are otherwise taken as they are."""


def escape(text: str) -> str:
    """A template that renders to ``text``."""
    return quoted(text) if "{" in text else text


def quoted(text: str) -> str:
    """The text as a string of Jinja, which would take a carriage return for the end of a line."""
    inside = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r")
    return f'{{{{ "{inside}" }}}}'


def _within(text: str) -> str:
    """The text as a part of a template."""
    return quoted(text) if "{" in text or "\r" in text else text


def joined(parts: Iterable[str]) -> str:
    """The parts as one text; a Template when one of them is."""
    parts = list(parts)
    if not any(isinstance(part, Template) for part in parts):
        return "".join(parts)
    return Template("".join(str(part) if isinstance(part, Template) else _within(part) for part in parts))


def holds_template(value: Any) -> bool:
    """Whether a Template is anywhere in a value."""
    if isinstance(value, Mapping):
        return any(holds_template(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds_template(item) for item in value)
    return isinstance(value, Template)


def rendered(value: Any, render: Render, variables: Mapping[str, Any]) -> Any:
    """The value with each Template in it rendered, and all else as it is."""
    if isinstance(value, Template):
        return render(str(value), variables)
    if isinstance(value, Mapping):
        return {key: rendered(item, render, variables) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rendered(item, render, variables) for item in value]
    return value


def templates(value: Any) -> list[str]:
    """Every Template in a value."""
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in templates(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in templates(item)]
    return [str(value)] if isinstance(value, Template) else []
