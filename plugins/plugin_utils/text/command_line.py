# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a container runs the OpenVINO Model Server, of which version, and with which options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.retail.profiles.plugins.plugin_utils.text import ovms_contract
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ovms_contract import Problem, Version

NONE, OVMS = "none", "ovms"
_NAMED = re.compile(r"ovms|model[-_.]?server")
#: what is built for the server, or beside it, and is called after it
_NOT_THE_SERVER = re.compile(r"client|capi|gst|bench|demo|loader|loadgen|proxy|export|convert|download|(?<!la)test")
_PROGRAM = re.compile(r"(.*/bin/)?ovms")
_SHELL = re.compile(r"(.*/)?(ba|da|z|k|a)?sh")
_BEFORE_A_COMMAND = ("", ";", "&&", "||", "|", "&", "(", "exec", "then", "do", "else", "--")
_SAYS_WHAT_IS_SERVED = frozenset({"config_path", "model_path", "source_model", "model_repository_path"})
_SAYS_THAT_IT_IS_OVMS = (
    {"config_path", "rest_port"},
    {"model_name", "model_path", "port"},
    {"model_path", "rest_port"},
)


@dataclass(frozen=True)
class Server:
    """A model server: its version, the words of its command line, and whether a shell reads these first."""

    version: Version
    words: tuple[str, ...]
    by_shell: bool = False

    @cached_property
    def _read(self) -> tuple[dict[str, str], list[Problem]]:
        return ovms_contract.given(self.words, self.version)

    @property
    def options(self) -> Mapping[str, str]:
        """The values of its options by name; of a flag true or false."""
        return self._read[0]

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with its options, each by itself."""
        return self._read[1]

    def port(self, name: str) -> int:
        """``port`` or ``rest_port``; 0 where it is off, or not known here."""
        return ovms_contract.port(self.options, name, self.version)


def server(image: str, entrypoint: Sequence[str], args: Sequence[str], declared: str | None = None) -> Server | None:
    """The model server that a container runs, if it does.

    ``declared``: what its profile says of it, ``ovms``, ``ovms:VERSION`` or ``none``; else the command tells, and where
    the image brings its own, the image's name.
    """
    name = image.partition("@")[0].rpartition("/")[2].lower()
    version = ovms_contract.version_of(declared if declared and ":" in declared else name)
    if declared == NONE:
        return None
    found = _command(entrypoint, args)
    if found is not None:
        return Server(version, *found)
    words = [*entrypoint[1:], *args]
    # A script before them may have options of its own; where the image brings the command, all are the server's.
    dash = "-" if not entrypoint and args and args[0].startswith("-") else "--"
    first = next((number for number, word in enumerate(words) if word.startswith(dash)), len(words))
    made = Server(version, tuple(words[first:]))
    return made if declared or _is_server(name.partition(":")[0], entrypoint, args, set(made.options)) else None


def _is_server(name: str, entrypoint: Sequence[str], args: Sequence[str], options: set[str]) -> bool:
    """Whether a container whose command does not name the program runs it: by its image's name and its options."""
    if not _NAMED.search(name):
        is_known = not entrypoint and options <= ovms_contract.BY_NAME.keys()
        return is_known and any(options >= some for some in _SAYS_THAT_IT_IS_OVMS)
    if _NOT_THE_SERVER.search(name):
        return False
    by_its_own = not entrypoint and (not args or args[0].startswith("-"))
    return by_its_own or bool(options & _SAYS_WHAT_IS_SERVED)  # handed on by a script


def _command(entrypoint: Sequence[str], args: Sequence[str]) -> tuple[tuple[str, ...], bool] | None:
    """The words behind the program, where it is named, and whether they stand in the text of a shell."""
    words = [*entrypoint, *args]
    if words and _SHELL.fullmatch(words[0]):
        text = next((words[n + 1] for n, word in enumerate(words[:-1]) if re.fullmatch(r"-\w*c", word)), "")
        words = list(_shell_words(text))
        by_shell = True
    else:
        by_shell = False
    before = ""
    for number, word in enumerate(words):
        is_command = before in _BEFORE_A_COMMAND or "/bin/" in word
        if is_command and _PROGRAM.fullmatch(word):
            rest = words[number + 1 :]
            end = next((n for n, word in enumerate(rest) if by_shell and word in _BEFORE_A_COMMAND), len(rest))
            return tuple(rest[:end]), by_shell
        before = word if not re.fullmatch(r"\w+=.*", word) else before
    return None


def _shell_words(text: str) -> Iterator[str]:
    """The words of a shell's command, its operators on their own; of a text that is none, nothing."""
    reader = shlex.shlex(text.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=True)
    reader.whitespace_split, reader.commenters = True, ""
    try:
        yield from list(reader)
    except ValueError:
        return


def without(words: Sequence[str], name: str) -> list[str]:
    """The words without ``--name VALUE`` or ``--name=VALUE``."""
    kept: list[str] = []
    skip = False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word == f"--{name}":
            skip = index + 1 < len(words) and not words[index + 1].startswith("--")
        elif not word.startswith(f"--{name}="):
            kept.append(word)
    return kept
