# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people write by mistake in a profile of our own: one sentence with file and line, and our word for it."""

from __future__ import annotations

import re

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.image import image

from ..world import World


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("args: {{ x }}", 'a template must be in quotes: "{{ … }}"'),
        ("args: {{ x }} y", 'put the template in quotes: "{{ … }}"'),
        ("env: {A: {{ x }} y}", 'put the template in quotes: "{{ … }}"'),
        ("restart: always", "unknown field 'restart': a profile says docker: {restart_policy: always}"),
        ("comand: x", "did you mean 'command'? A profile says args: […]"),
        ("enviroment: {A: b}", "did you mean 'environment'? A profile says env: {NAME: value}"),
        ("privileged: true", "a profile says docker: {privileged: …}"),
        ("replica: 2", "did you mean 'replicas'?"),
        ("ports: ['8080:80']", "write ports: {http: 80}"),
        ("env: [A=b]", "write env: {NAME: value}"),
        ("depends_on: {b: {condition: x}}", "expected a list of names"),
        ("docker: {memmory: 1g}", "memmory: docker_container has no such option: did you mean 'memory'?"),
        ("docker: {restart: always}", "restart: docker_container has no such option: did you mean 'restart_policy'?"),
        ("env: {A: \"{{ peers['nope'].address }}\"}", "peers names 'nope', but the profile has a, b"),
        ("env: {A: '{{ peers.b.ports.grcp }}'}", "peers names the port 'grcp' of b, but its ports are grpc"),
        ("env: {A: '{{ peers.a.address }}'}", "peers names 'a', which is this container itself"),
        ("replicas: 1000000", "1000000 replicas are more than the 10000 that are planned"),
        (f"replicas: {'9' * 99}", "so many replicas are more than the 10000 that are planned"),
        ('env_file: ["a\\0b"]', r"'a\x00b': a path cannot hold the character NUL"),
        ("metrics: {fps: {log: 'a..b'}}", "fps: log: 'a..b' is no JMESPath"),
        ("metrics: {fps: {file: /r.json, json: '['}}", "fps: json: '[' is no JMESPath"),
        ("metrics: {fps: {prometheus: 'a b'}}", "'a b' is no name of a sample of /metrics"),
        ("args: sleep '5", "cannot be split into words: No closing quotation"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_our_word(world: World, line: str, said: str) -> None:
    world.write(
        "p", f"containers:\n  - name: a\n    image: i\n    {line}\n  - {{name: b, image: i, ports: {{grpc: 9000}}}}\n"
    )
    with pytest.raises(ProfileError, match=rf"p/profile\.yml:4[,:] .*{re.escape(said)}"):
        world.plan("p")


def test_a_second_document_is_told_as_such(world: World) -> None:
    world.write("p", "containers: [{name: a, image: i}]\n---\nx: y\n")
    with pytest.raises(ProfileError, match=r"profile\.yml:2: this is a second document: a file holds one profile"):
        world.plan("p")


def test_a_date_is_the_text_that_is_written(world: World) -> None:
    world.write("p", "containers: [{name: a, image: i, env: {D: 2026-01-31, T: 2026-01-31 10:00:00}}]")
    assert world.plan("p")["replicas"]["p-a-1"]["task"]["env"] == {"D": "2026-01-31", "T": "2026-01-31 10:00:00"}


def test_a_text_of_arguments_is_split_as_a_shell_would(world: World) -> None:
    world.write("p", "containers: [{name: a, image: i, args: sleep '5 6' 7, entrypoint: /bin/env -i}]")
    task = world.plan("p")["replicas"]["p-a-1"]["task"]
    assert (task["command"], task["entrypoint"]) == (["sleep", "5 6", "7"], ["/bin/env", "-i"])


def test_what_a_backslash_takes_in_quotes_is_what_a_shell_would_say(world: World) -> None:
    text = r"""sh -c "echo \$HOME a\.b \\$" x\ y '\$' --caps=raw(ANY)"""
    world.write("p", f"containers:\n  - name: a\n    image: i\n    args: |-\n      {text}\n")
    words = world.plan("p")["replicas"]["p-a-1"]["task"]["command"]
    assert words == ["sh", "-c", r"echo $HOME a\.b \$", "x y", r"\$", "--caps=raw(ANY)"]


def test_a_probe_of_a_command_may_be_one_text(world: World) -> None:
    world.write("p", "containers: [{name: a, image: i, ready: {exec: test -e '/a b'}}]")
    assert world.plan("p")["replicas"]["p-a-1"]["ready"][0]["command"] == ["test", "-e", "/a b"]


@pytest.mark.parametrize(
    ("field", "rest"),
    [
        ("args: echo ready && sleep 5", "&& sleep 5"),
        ("args: run 2>&1 | tee log", "2>&1 | tee log"),
        ("args: echo a; echo b", "; echo b"),
        ("entrypoint: run > /log", "> /log"),
        ("ready: {exec: test -e /x || true}", "|| true"),
    ],
)
def test_a_text_that_needs_a_shell_is_refused(world: World, field: str, rest: str) -> None:
    world.write("p", f"containers:\n  - name: a\n    image: i\n    {field}\n")
    with pytest.raises(ProfileError, match=re.escape(f"there is no shell for {rest!r}: write [sh, -c, ")):
        world.plan("p")


def test_what_only_looks_like_a_shells_business_is_a_word(world: World) -> None:
    world.write("p", "containers: [{name: a, image: i, args: \"http://x/?a=1&b=2 'x && y' a|b '>' -e;x\"}]")
    words = world.plan("p")["replicas"]["p-a-1"]["task"]["command"]
    assert words == ["http://x/?a=1&b=2", "x && y", "a|b", ">", "-e;x"]


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ("args: [sleep 5]", "args: 'sleep 5' is one word: write [sleep, 5], or"),
        ("entrypoint: [/bin/sh -c x, y]", "entrypoint: '/bin/sh -c x' is one word: write [/bin/sh, -c, x]"),
        ("args: [--name, a b]", ""),
        ("args: [--name a]", ""),
        ("entrypoint: [sh, -c], args: [a b]", ""),
    ],
)
def test_a_command_that_was_not_split_is_told(world: World, fields: str, warned: str) -> None:
    world.write("p", f"containers: [{{name: a, image: i, {fields}}}]")
    assert [text for text in world.plan("p")["warnings"] if "is one word" in text] == (
        [text for text in world.plan("p")["warnings"] if warned in text] if warned else []
    )
    assert not warned or any(warned in text for text in world.plan("p")["warnings"])


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("Debian:", "its tag is empty"),
        ("Debian", "in lower case: 'debian'"),
        ("\u201cdebian\u201d", "it holds '\u201c'"),
        ("debian:a b", "it holds ' '"),
        ("debian:-a", "'-a' is no tag"),
        ("debian@sha256:12", "'sha256:12' is no digest"),
        ("a//b", r"expected \[REGISTRY/\]NAME"),
    ],
)
def test_what_is_no_reference_of_an_image_is_refused(reference: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        image(reference)


@pytest.mark.parametrize(
    "reference",
    [
        "i",
        "a_b/c__d:1",
        "Reg.example:5000/a/b-c:V1.2",
        "[::1]:5000/a",
        f"r/a:1@sha256:{'a' * 64}",
        "localhost/a",
        "a.b/c",
    ],
)
def test_references_of_images_are_those_of_docker(reference: str) -> None:
    assert image(reference) == reference


def test_replicas_of_all_containers_are_bounded(world: World) -> None:
    lines = "\n".join(f"  - {{name: {name}, image: i, replicas: 9000}}" for name in "abc")
    world.write("p", f"containers:\n{lines}\n")
    with pytest.raises(ProfileError, match=r"profile\.yml:4.*: with these, 27000 replicas are more than"):
        world.plan("p")
