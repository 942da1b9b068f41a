# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of values in a profile: each says how a written value is checked, and the JSON Schema of what may be written.

Types are put together from others (:func:`list_of`, :func:`mapping_of`, :func:`record`), checks and schemas alike.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.text import shell_words

Parser = Callable[[Any], Any]
Schema = Mapping[str, Any]

_NAME = r"[a-z0-9][a-z0-9_.-]*"
#: characters of a name: as many as one in the DNS of Docker has
LONGEST_NAME = 63
_VARIABLE = r"[^=\s\0]+"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\Z")
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


class Invalid(ValueError):
    """A value that is not valid; ``path`` leads to it from the value that was being parsed."""

    def __init__(self, message: str, path: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


def below(key: Any, error: ValueError, say: bool = True) -> Invalid:
    """The error of what stands at ``key``; ``say``: the message names the key."""
    return Invalid(f"{key}: {error}" if say else str(error), (key, *getattr(error, "path", ())))


@dataclass(frozen=True)
class Type:
    """``parse`` takes the written value and gives the canonical one; it raises ValueError with a reason."""

    parse: Parser
    schema: Schema

    def __call__(self, value: Any) -> Any:
        return self.parse(value)


@dataclass(frozen=True)
class Field:
    """One field: of a profile, of a container, or of a mapping inside of one.

    ``default`` and ``example`` are as they are written; ``example`` is YAML. ``unset`` is what the reference says of
    a field without a default. ``rendered``: templates in it are rendered when it is read. ``options`` are the
    docker_container options that it becomes: module_utils/container/options.py says how each is compared with what
    runs. ``plain``: it is its one option under another name or the same, and both the planner and the translators of
    other formats copy its value. ``group`` is its section in the reference.
    """

    name: str
    type: Type
    doc: str
    example: str
    default: Any = None
    unset: str = ""
    required: bool = False
    rendered: bool = True
    options: tuple[str, ...] = ()
    plain: bool = False
    group: str = ""

    def absent(self) -> Any:
        """The canonical value where nothing is written."""
        return None if self.default is None else self.type(self.default)


def typed(**schema: Any) -> Callable[[Parser], Type]:
    """Make a parser a type with this schema."""
    return lambda parse: Type(parse, schema)


def is_template(value: Any) -> bool:
    """Whether a value still holds Jinja that must be rendered before it can be parsed."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_template(item) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple)):
        return any(is_template(item) for item in value)
    return False


# -- scalars


@typed(type=["string", "number", "boolean"])
def scalar(value: Any) -> str:
    """A YAML scalar as the process in the container will see it (booleans in lower case)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and "\0" in value:
        raise ValueError("a process cannot be given the character NUL")
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"expected a string or a number, not {kind(value)}")


@typed(type="string", minLength=1)
def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a string that is not empty, not {kind(value)}")
    return str(value)


@typed(type="string", pattern=f"^{_NAME}$", maxLength=LONGEST_NAME)
def name(value: Any) -> str:
    result: str = text(value)
    if len(result) > LONGEST_NAME:
        raise ValueError(f"a name has at most {LONGEST_NAME} characters, not {len(result)}")
    if not re.fullmatch(_NAME, result):
        raise ValueError(
            f"{result!r} may hold lower-case letters, digits, '.', '_' and '-' only, and starts with a letter or digit"
        )
    return result


@typed(type="string", pattern="^[^=\\s]+$")
def variable(value: Any) -> str:
    """The name of an environment variable."""
    if not isinstance(value, str) or not re.fullmatch(_VARIABLE, value):
        raise ValueError("the name of a variable is not empty and holds neither '=' nor white space")
    return str(value)


@typed(type="integer", minimum=1)
def positive(value: Any) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"expected a whole number of at least 1, not {value!r}")
    return int(value)


@typed(type="integer", minimum=1, maximum=65535)
def port(value: Any) -> int:
    number: int = positive(value)
    if number > 65535:
        raise ValueError(f"{number} is not a port: ports end at 65535")
    return number


@typed(type="boolean")
def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes", "false", "no"):
        return value.lower() in ("true", "yes")
    raise ValueError(f"expected true or false, not {value!r}")


@typed(const=True)
def only_true(value: Any) -> bool:
    if value is not True:
        raise ValueError("expected true")
    return True


@typed(anyOf=[{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^\\d+(\\.\\d+)?\\s*(ms|s|m|h)?$"}])
def duration(value: Any) -> float:
    """Seconds, from a number or a string such as ``60s``, ``2m`` or ``500ms``."""
    match = None if isinstance(value, bool) else _DURATION.match(str(value).strip())
    if match is None:
        raise ValueError(f"expected a duration such as 60s, 2m or 500ms, not {value!r}")
    return float(match.group(1)) * _DURATION_UNITS[match.group(2)]


@typed(type="string", format="regex", minLength=1)
def regex(value: Any) -> str:
    expression: str = text(value)
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"{expression!r} is not a regular expression: {error}") from error
    return expression


@typed(type="object")
def options(value: Any) -> dict[str, Any]:
    """A mapping that goes through as it is."""
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a mapping, not {kind(value)}")
    return dict(value)


# -- types made of others


def choice(*words: str) -> Type:
    """One of a few words."""

    def parse(value: Any) -> str:
        if value not in words:
            raise ValueError(f"{value!r} is not one of {', '.join(words)}")
        return str(value)

    return Type(parse, {"enum": list(words)})


def list_of(item: Type) -> Type:
    """A list, or one value that stands for a list of one."""

    def parse(value: Any) -> list[Any]:
        if value is None or (isinstance(value, Mapping) and not _takes_mappings(item.schema)):
            raise ValueError(f"expected a list, not {kind(value)}")
        if not isinstance(value, (list, tuple)):
            return [item(value)]
        result = []
        for index, each in enumerate(value):
            try:
                result.append(item(each))
            except ValueError as error:
                raise below(index, error, say=False) from error
        return result

    return Type(parse, {"anyOf": [item.schema, {"type": "array", "items": item.schema}]})


def _takes_mappings(schema: Schema) -> bool:
    return schema.get("type") == "object" or any(_takes_mappings(part) for part in schema.get("anyOf", ()))


def mapping_of(item: Type, key: Type = text) -> Type:
    """Values by name."""

    def parse(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a mapping, not {kind(value)}")
        result = {}
        for written, each in value.items():
            try:
                result[key(written)] = item(each)
            except ValueError as error:
                raise below(written, error) from error
        return result

    return Type(parse, {"type": "object", "propertyNames": key.schema, "additionalProperties": item.schema})


def record(fields: Sequence[Field], check: Callable[[dict[str, Any]], None] | None = None, **schema: Any) -> Type:
    """A mapping with these fields. ``check`` looks at the whole of it, and ``schema`` adds what it says.

    The canonical value has the given fields in the order of ``fields``, and those with a default.
    """
    names = [field.name for field in fields]

    def parse(value: Any) -> dict[str, Any]:
        written = options(value)
        for key in written:
            if key not in names:
                raise Invalid(unknown(str(key), names), (key,))
        result = {}
        for field in fields:
            if written.get(field.name) is None:
                if field.required:
                    raise ValueError(f"the field {field.name!r} is missing")
                if field.default is not None:
                    result[field.name] = field.absent()
                continue
            try:
                result[field.name] = field.type(written[field.name])
            except ValueError as error:
                raise below(field.name, error) from error
        if check is not None:
            check(result)
        return result

    required = [field.name for field in fields if field.required]
    return Type(
        parse,
        {
            "type": "object",
            "properties": {field.name: property_of(field) for field in fields},
            **({"required": required} if required else {}),
            "additionalProperties": False,
            **schema,
        },
    )


def property_of(field: Field) -> dict[str, Any]:
    """The JSON Schema of a field where it stands in a mapping."""
    default = {} if field.default is None else {"default": field.default}
    return {"description": field.doc, **default, **field.type.schema}


def short(written: str, kind_of: Type, full: Type) -> Type:
    """A mapping ``full``, or a value of ``kind_of`` that stands for the mapping ``{written: value}``."""

    def parse(value: Any) -> Any:
        return full(value if isinstance(value, Mapping) else {written: kind_of(value)})

    return Type(parse, {"anyOf": [kind_of.schema, full.schema]})


def maybe_empty(full: Type) -> Type:
    """A mapping, or nothing where all of it is left to its defaults."""
    return Type(lambda value: full({} if value is None else value), {"anyOf": [full.schema, {"type": "null"}]})


def but(full: Type, others: tuple[type, ...], message: str) -> Type:
    """A type with an error of its own for what people write in its place."""

    def parse(value: Any) -> Any:
        if isinstance(value, others):
            raise ValueError(message)
        return full(value)

    return Type(parse, full.schema)


def or_nothing(full: Type) -> Type:
    """A value, or none at all behind the name of the field."""
    return Type(full.parse, {"anyOf": [full.schema, {"type": "null"}]})


_WORDS = list_of(scalar)


@typed(**_WORDS.schema)
def command(value: Any) -> list[str]:
    """The words of a command; a text is split as a shell would."""
    if isinstance(value, str):
        return [str(_WORDS.parse(word)[0]) for word in shell_words.as_shell(value)]
    words: list[str] = _WORDS(value)
    return words


# -- what errors say


def unknown(key: str, known: Sequence[str]) -> str:
    """What to say of a name that is not known: the nearest, or all that are."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown field {key!r}: {hint}"


def kind(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value)
