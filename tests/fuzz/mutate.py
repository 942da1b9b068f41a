# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutations of what a planner reads: the files of a profile's folder, and the variables of a run.

All is drawn from one generator, so a seed gives the same input again.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

LONG = "x" * 5000
#: bytes of a file that is mutated: what an earlier mutation has made very large stays so
LARGEST = 4 * 1024 * 1024
#: what a user may have written in place of a value, as YAML
WRITTEN = (
    "!!bool x", "!!int x", "!!float x", "!!timestamp x", "!!binary x", "!!binary AAAA", "!!set {a, b}",
    "!!omap [a: 1]", "!!python/object:os.system x", "!!str 1", "!!null x", "!!map []", "!!seq {}", "!unknown x",
    "!vault x", "! x", "2024-13-45", "2024-01-01", "2001-12-14t21:59:43.10-05:00", "9" * 5000, "-" + "9" * 5000,
    "0x" + "f" * 5000, "0b" + "1" * 9000, "1:" * 2000 + "1", "1_000", "012", "0o7", ".inf", "-.inf", ".nan",
    "1.0e+999", "1e400", "1e-400", "999999999", "1000000", "-1", "0", "1.5", "~", "null", "true", "yes", "''", "' '",
    '"\\0"', '"a\\0b"', '"\\e[31mred"', '"\\x9b2J"', '"\\u202e"', '"a\\nb"', '"\\r"', '"\\ud800"', '"\\U0001F600"',
    LONG, f"./{LONG}", "/" + "d/" * 3000, "..", "../..", "/", "//", ".", "./", "~", "~root", "~nobody-like-this/x",
    "./self", "./loop", "./pipe", "./folder", "/dev/null", "/proc/self/mem", "[]", "{}", "[[]]", "[{}]", "[null]",
    "{a: }", "{? [a] : b}", "{1: 2}", "{null: 1}", "{a: 1, a: 2}", "[1, [2, [3]]]", "[" * 60 + "]" * 60,
    "[" * 3000 + "]" * 3000, "[" * 3000, "{a: " * 500 + "}" * 500, "&a [*a]", "&a {b: *a}", "*nowhere", "{<<: 1}",
    "{<<: [1]}", "{<<: {a: 1}}", "&a {<<: *a}", "{<<: x, <<: y}", "{{ 1 / 0 }}", "'{{ 1 / 0 }}'", "'{{'",
    "'{{ nothing }}'", "'{{ lookup(\"env\", \"HOME\") }}'", "'{% for'", "'{{ [1] }}'", "'{{ {} }}'", "'{{ 1e999 }}'",
    "'{{ [] | first }}'", "'{{ \"a\" * 5000 }}'", "'{{ replica.index }}'", "'{{ peers }}'", "'{{ hostvars }}'",
    "'{{ replica }}'", "'{{ 10 ** 4400 }}'", "'{{ none }}'", "$", "${", "${}", "${A:-${B:-${C:-", "${A:?no}", "$$",
    "${A:+b}", "'${' + 'x' * 10", "a=b", "=", "==", ":", "a:b:c:d", "::", "1-", "1-2-3", "65536", "0-65536:1",
    "1:2:3:4", "[::1]:80:80", "1.2.3.4.5", "256.1.1.1", "10.0.0.0/33", "::/0", "fe80::1%eth0", "1kb", "1e3k",
    "9" * 400 + "g", "1h1m1s1ms1us", "9" * 400 + "s", "9" * 30 + "h", "-1s", "0s", "1d", "²", "٣", "½", "1_0", "+5",
    "1 000", "['a', 1, null, {}]", "(", "[a-", "(a+)+$", "(?P<x>", "\\", "*", "all:!h1", "h[1:", "~(", "~h.*", "!",
    "&h1", "@file", "localhost", "container:server", "service:web", "host", "none", "registry/UPPER:1",
    "a:b@sha256:0", "@", "image:", ":1", "a/b/c/d/e:tag@sha256:" + "0" * 64,
)  # fmt: skip
#: pieces that may stand anywhere in a text
PIECES = (
    "\x00", "\x1b[2J", "\x07", "\x9b", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffe", "\ud7ff", "\U0010ffff", "\t",
    "\r", "\r\n", "\n", "\n\n", " ", "  ", "-", "- ", ":", ": ", "?", "? ", "[", "]", "{", "}", ",", "&a ", "*a",
    "*a\n", "!", "!!", "|", "|\n", ">", "'", '"', "%", "%YAML 9.9\n---\n", "---\n", "...\n", "@", "`", "#", " #",
    "<<: ", "<<: *a\n", "=", "\\", "$", "${", "${A", "{{", "}}", "{%", "%}", "{#", "\n\t", LONG, "\x7f",
)  # fmt: skip
#: values of the variables of a run, as Ansible hands them over
GIVEN: tuple[Any, ...] = (
    None, "", " ", "x", "\0", "\x1b[31m", LONG, "{", "{}", "[]", '{"a": 1}', "{{ x }}", "../..", "/", "a\0b", 0, 1,
    -1, 1.5, True, float("inf"), float("nan"), 10**30, 10**4400, 999999999, [], [None], [[]], ["a", 1], {}, {"": 1},
    {"a": None}, {"a": []}, {"a": {}}, {"server": 999999999}, {"worker": "9" * 5000}, {"worker": 3},
    {"server": "\x1b[31m"}, {"server": LONG}, {"web": "h1"}, {"A": float("nan")}, {"A": "\0"}, {"a=b": 1},
    {"\x1b": "1"}, {"container": "worker"}, {"container": "\x1b[31m"}, {"container": ["worker", "server"]},
    [{"metric": "fps", "at_least": float("nan")}], [{"metric": "\x1b[31m", "at_most": 1}],
    [{"metric": "fps", "at_least": 10**4400}],
)  # fmt: skip
#: the variables that a mutation may give
VARIABLES = (
    "env", "replicas", "place", "images", "image", "root", "target_device", "input_source", "render", "objectives",
    "streams", "density", "deployment", "state_dir", "models_dir", "profile",
    "variables", "env_wins", "target_fps", "plan",
)  # fmt: skip
_LOADER, _DUMPER = getattr(yaml, "CSafeLoader", yaml.SafeLoader), getattr(yaml, "CSafeDumper", yaml.SafeDumper)
TEXTS = (".yml", ".yaml", ".env", ".json", ".sh", ".txt")


class Mutator:
    """Changes a folder, and gives the variables of the run."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.given: dict[str, Any] = {}
        self.done: list[str] = []

    def mutate(self, folder: Path) -> None:
        """One to three mutations; what was done is in ``done``."""
        for _number in range(self.random.choice((1, 1, 1, 2, 3))):
            kind = self.random.choices(
                (
                    self._value,
                    self._piece,
                    self._bytes,
                    self._lines,
                    self._tree,
                    self._laughs,
                    self._file,
                    self._variable,
                ),
                (6, 4, 2, 3, 6, 0.5, 1, 2),
            )[0]
            kind(folder)

    def _say(self, what: str, file: Path | None = None) -> None:
        self.done.append(what if file is None else f"{what} in {file.name}")

    def _text(self, folder: Path) -> Path:
        """One of the text files; those at the top more often."""
        known = (file for file in folder.rglob("*") if file.suffix in TEXTS or file.name == ".env")
        known = (file for file in known if file.is_file() and file.stat().st_size < LARGEST)
        found = sorted(file for file in known if "images" not in file.relative_to(folder).parts)
        if not found:  # an earlier mutation has made it something else
            names = (folder / f"other{number}.env" for number in itertools.count())
            found = [next(file for file in names if not os.path.lexists(file))]
            found[0].write_text("A=1\n")
        main = [file for file in found if file.suffix in (".yml", ".yaml")]
        return self.random.choice(main if main and self.random.random() < 0.6 else found)

    def _edit(self, folder: Path, what: str, change: Callable[[str], str]) -> None:
        file = self._text(folder)
        text = file.read_bytes().decode("utf-8", "surrogateescape")
        file.write_bytes(change(text).encode("utf-8", "surrogateescape"))
        self._say(what, file)

    def _value(self, folder: Path) -> None:
        """What stands behind a colon, a dash or an equals sign becomes something else."""
        nasty = self.random.choice(WRITTEN)

        def change(text: str) -> str:
            lines = text.split("\n")
            at = self.random.choice([n for n, line in enumerate(lines) if line.strip()] or [0])
            for mark in self.random.sample((": ", "- ", "=", ", ", "[", "{"), 6):
                head, found, tail = lines[at].partition(mark)
                if found:
                    rest = tail.partition(",")[2] if mark in (", ", "[", "{") and "," in tail else ""
                    lines[at] = f"{head}{mark}{nasty}{',' + rest if rest else ''}"
                    break
            return "\n".join(lines)

        self._edit(folder, f"value {nasty[:40]!r}", change)

    def _piece(self, folder: Path) -> None:
        piece = self.random.choice(PIECES)

        def change(text: str) -> str:
            at = self.random.randint(0, len(text))
            return text[:at] + piece + text[at + self.random.choice((0, 0, 1, 5)) :]

        self._edit(folder, f"piece {piece[:20]!r}", change)

    def _bytes(self, folder: Path) -> None:
        file = self._text(folder)
        data = bytearray(file.read_bytes())
        for _number in range(self.random.randint(1, 4)):
            if data:
                data[self.random.randrange(len(data))] = self.random.randrange(256)
        if self.random.random() < 0.2:
            encoding = self.random.choice(("utf-16", "utf-32", "latin-1", "utf-8-sig"))
            data = bytearray(bytes(data).decode("utf-8", "replace").encode(encoding, "replace"))
        if self.random.random() < 0.2:
            del data[self.random.randint(0, len(data)) :]
        file.write_bytes(bytes(data))
        self._say("bytes", file)

    def _lines(self, folder: Path) -> None:
        def change(text: str) -> str:
            lines = text.split("\n")
            at, other = (self.random.randrange(len(lines)) for _end in range(2))
            move = self.random.randrange(5)
            if move == 0:
                del lines[at]
            elif move == 1:
                lines.insert(other, lines[at])
            elif move == 2:
                lines[at], lines[other] = lines[other], lines[at]
            elif move == 3:
                lines[at] = "  " + lines[at]
            else:
                lines[at:] = lines[at : at + 3] * self.random.choice((2, 30))
            return "\n".join(lines)

        self._edit(folder, "lines", change)

    def _tree(self, folder: Path) -> None:
        """A value of the parsed document is exchanged with another, or becomes one of another kind."""
        file = self._text(folder)
        if any(what.startswith("aliases") for what in self.done):  # PyYAML would follow them
            self._piece(folder)
            return
        try:
            value = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)
        except Exception:  # it is broken already, in whatever way
            self._piece(folder)
            return
        places = list(itertools.islice(_places(value), 2000))
        if not places:
            return
        holder, key = self.random.choice(places)
        other, at = self.random.choice(places)
        what = self.random.randrange(4)
        if what == 0:
            holder[key] = self.random.choice(GIVEN)
        elif what == 1:
            holder[key] = other[at]
        elif what == 2 and isinstance(holder, dict):
            holder[self.random.choice([str(at), "\x1b[31m", "", LONG, "x y", 3, "name", "use", "extends"])] = holder[
                key
            ]
        else:
            holder[key] = [holder[key]] if self.random.random() < 0.5 else {str(at): holder[key]}
        try:
            text = yaml.dump(value, Dumper=_DUMPER, sort_keys=False, allow_unicode=self.random.random() < 0.5)
        except (ValueError, yaml.YAMLError, RecursionError):
            return
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        self._say(f"tree {what} at {key!r:.40}", file)

    def _laughs(self, folder: Path) -> None:
        """Aliases of aliases, of lists, mappings or merges."""
        depth, width = self.random.choice(((7, 10), (60, 2), (2, 300)))
        one, many = self.random.choice((("[x]", "[{}]"), ("{k: x}", "{{<<: [{}]}}"), ("{k: x}", "[{}]")))
        lines = [f"l0: &l0 {one}"]
        lines += [f"l{n}: &l{n} {many.format(', '.join([f'*l{n - 1}'] * width))}" for n in range(1, depth + 1)]

        def change(text: str) -> str:
            return "\n".join(lines) + "\n" + text.removeprefix("---\n").replace("[", f"[*l{depth}, ", 1)

        self._edit(folder, f"aliases {many} {depth}×{width}", change)

    def _file(self, folder: Path) -> None:
        """A file becomes a pipe, a folder, a loop of links, very large, or goes."""
        file = self._text(folder)
        kind = self.random.choice(
            ("pipe", "folder", "loop", "large", "wide", "gone", "dangling", "device", "socket name")
        )
        text = file.read_bytes()
        file.unlink()
        if kind == "pipe":
            os.mkfifo(file)
        elif kind == "folder":
            file.mkdir()
        elif kind == "loop":
            file.symlink_to(file.name)
        elif kind == "dangling":
            file.symlink_to("nowhere")
        elif kind == "device":
            file.symlink_to("/dev/zero")
        elif kind == "large":
            with file.open("wb") as stream:
                stream.write(text)
                stream.truncate(100 * 1024 * 1024)
        elif kind == "wide":
            file.write_bytes(text + b"\n" + b"# " + b"x" * self.random.choice((900_000, 3_000_000)))
        elif kind == "socket name":
            file.with_name("n" * 255).write_bytes(text)
        self._say(kind, file)

    def _variable(self, folder: Path) -> None:
        name = self.random.choice(VARIABLES)
        self.given[name] = self.random.choice(GIVEN)
        self._say(f"variable {name}")


def _places(value: Any, depth: int = 0) -> Any:
    """Each holder and key of a tree, as far as that has an end."""
    if depth > 100:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from _places(item, depth + 1)


def lay_out(source: Path, folder: Path) -> None:
    """A copy of a profile's folder, with what mutations may name beside it; not the contexts of its images."""
    shutil.copytree(source, folder, ignore=lambda at, names: {"__pycache__"} & set(names))
    (folder / "folder").mkdir()
    (folder / "self").symlink_to(".")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
