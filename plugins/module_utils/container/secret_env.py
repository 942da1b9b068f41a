# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of containers: their names in a label, their values nowhere but in the container.

Whoever keeps them out of what is written takes them from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.names import SECRETS_LABEL, is_secret_file

#: what stands in place of a secret
MASK = "********"
#: parts of a secret of several lines that are shorter than this are not looked for
SHORTEST = 4
#: a character of a secret takes at most this many where it is escaped, and escaped again
_LONGEST_ESCAPE = 12
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


def names(labels: Optional[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of a container's secrets, from its labels."""
    return tuple(str((labels or {}).get(SECRETS_LABEL) or "").split())


def values(inspect: Mapping[str, Any], read: Callable[[str], Optional[str]] = lambda path: None) -> dict[str, str]:
    """The secrets of an inspected container, of which *read* gives a file."""
    config = inspect.get("Config") or {}
    env = dict(item.partition("=")[::2] for item in config.get("Env") or ())
    found = {name: read(name) if is_secret_file(name) else env.get(name) for name in names(config.get("Labels"))}
    return {name: value for name, value in found.items() if value is not None}


def hidden(inspect: Mapping[str, Any], labels: Optional[Mapping[str, Any]]) -> Mapping[str, Any]:
    """An inspected container without its secrets, and without those that *labels* (of its task) name."""
    config = inspect.get("Config") or {}
    secret = {*names(config.get("Labels")), *names(labels)}
    if not secret:
        return inspect
    env = [item for item in config.get("Env") or () if item.partition("=")[0] not in secret]
    return {**inspect, "Config": {**config, "Env": env}}


def differing(
    wanted: Mapping[str, str], inspect: Mapping[str, Any], known: bool = False
) -> list[tuple[str, Optional[str], Optional[str]]]:
    """The secrets that differ from a container's: name, what is there, what should be; files if not *known*."""
    current = values(inspect)
    return [
        (name, _said(current.get(name)), "as given" if name in wanted else None)
        for name in sorted({*wanted, *current})
        if wanted.get(name) != current.get(name) and not (known and is_secret_file(name))
    ]


def _said(value: Optional[str]) -> Optional[str]:
    return None if value is None else "another value"


# -- the digest in the host's record


def key(path: str) -> bytes:
    """The key in the file *path*; a new one is made where there is none. Raises OSError."""
    if not os.path.exists(path):
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(secrets.token_bytes(32))
                os.fchmod(stream.fileno(), 0o660)  # the group may apply, too
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)  # whole, or that of somebody who was faster
        finally:
            os.unlink(temporary)
    with open(path, "rb") as stream:
        return stream.read()


def digest(wanted: Mapping[str, str], with_key: bytes) -> str:
    """HMAC-SHA-256 (hex) of secrets."""
    message = json.dumps(dict(wanted), sort_keys=True).encode("utf-8")
    return hmac.new(with_key, message, hashlib.sha256).hexdigest()


# -- keeping secrets out of text


class Redactor:
    """Replaces secrets, and each of their lines, in text by MASK, also as JSON, Python or URLs escape them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: frozenset[str] = frozenset()
        self._pattern: Optional[re.Pattern[str]] = None
        self._longest = 0
        self.add(known)

    def add(self, known: Iterable[str]) -> None:
        """Know more secrets."""
        parts = {part for value in known for part in (value, *value.splitlines()) if len(part.strip()) >= SHORTEST}
        if not parts - self._known:
            return
        self._known |= parts
        # The longest first: one secret may begin with another.
        ordered = sorted(self._known, key=lambda part: (-len(part), part))
        self._pattern = re.compile("|".join(map(spellings, ordered)))
        self._longest = len(ordered[0]) * _LONGEST_ESCAPE

    def text(self, text: str, cut: bool = False) -> str:
        """*text* without secrets. Of a text that was *cut* off, what may be the beginning of one goes, too."""
        if self._pattern is None:
            return text
        clean = self._pattern.sub(MASK, text)
        return clean[: max(0, len(clean) - self._longest)] if cut else clean

    def record(self, record: dict[str, Any]) -> dict[str, Any]:
        """A flat record without secrets in its texts."""
        if self._pattern is None:
            return record
        cut = bool(record.get("truncated"))
        return {key: self.text(item, cut) if isinstance(item, str) else item for key, item in record.items()}


def spellings(value: str) -> str:
    """A regular expression for *value* however often its characters are escaped; linear on runs of backslashes."""
    pattern, backslashes = "", r"(?<!\\)\\"
    for run in re.findall(r"\\+|[^\\]", value):
        if run.startswith("\\"):
            pattern += rf"(?:{backslashes}{{{len(run)},}}|(?i:%5c){{{len(run)}}})"
            backslashes = ""  # those before the next character are taken already
        else:
            pattern += _character(run, backslashes)
            backslashes = r"\\"
    return pattern


def _character(character: str, backslashes: str) -> str:
    if re.match("[0-9A-Za-z]", character):
        return character
    any_number, some = (f"{backslashes}*", f"{backslashes}+") if backslashes else ("", "")
    plain = re.escape(character)
    ways = [plain, f"{any_number}{plain}"] if character in "\"'/$`" and any_number else [plain]
    if character == " ":
        ways.append(r"\+")
    if character in _ESCAPES:
        ways.append(f"{some}{_ESCAPES[character]}")
    units = character.encode("utf-16-be", "surrogatepass").hex()
    escaped = [f"u{units[at : at + 4]}" for at in range(0, len(units), 4)]
    ways.append(f"(?i:{some}" + r"\\+".join(escaped) + ")")
    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    number = f"x{ord(character):02x}" if ord(character) < 256 else f"U{ord(character):08x}"
    ways.insert(0, f"(?i:{percent}|{some}{number})")  # first: "%" itself begins as its own "%25" does
    return f"(?:{'|'.join(ways)})"
