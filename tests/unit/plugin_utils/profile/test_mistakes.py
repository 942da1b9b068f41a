# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people write by mistake in a profile of our own: one sentence with file and line, and our word for it."""

from __future__ import annotations

import re

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.search import find_profile
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
        ("$TAG", r"it holds '\$'"),
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


def test_a_time_is_the_text_that_is_written(world: World) -> None:
    world.write("p", "containers: [{name: a, image: i, env: {T: 12:30:45}, docker: {published_ports: [22:22]}}]")
    task = world.plan("p")["replicas"]["p-a-1"]["task"]
    assert (task["env"], task["published_ports"]) == ({"T": "12:30:45"}, ["22:22"])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("docker: {volumes: [/a:/b]}", r"docker.volumes cannot be given: use the field 'volumes'"),
        ("docker: {env: {A: '1'}}", r"docker.env cannot be given: use the field 'env'"),
        (
            "docker: {healthcheck: {test: [curl]}}",
            r"test: the list begins with CMD, CMD-SHELL or NONE, not",
        ),
        ("docker: {healthcheck: {test: [NONE]}}, ready: {healthy: true}", "its health check is switched off"),
        ("docker: {tmpfs: ['/x:size=lots']}", r"tmpfs: /x: 'size=lots' is no option of a tmpfs"),
        ("docker: {tmpfs: ['/x:exec,sice=5m']}", r"tmpfs: /x: 'sice=5m' is no option of a tmpfs"),
        ("metrics: {fps: {log: 'lenght(a)'}}", r"JMESPath has no function 'lenght': known are abs, "),
        ("metrics: {fps: {log: 'a[?abs(b, c) > `1`]'}}", r"abs takes 1 arguments, not 2"),
        ("metrics: {fps: {log: 'merge()'}}", r"merge takes at least 1 arguments, not 0"),
        ("metrics: {fps: {prometheus: 'up{a=b}'}}", r"is no name of a sample of /metrics, such as name or name"),
    ],
)
def test_what_fails_only_when_it_starts_or_is_measured_fails_in_the_plan(world: World, fields: str, said: str) -> None:
    world.write("p", f"containers: [{{name: a, image: i, {fields}}}]")
    with pytest.raises(ProfileError, match=said):
        world.plan("p")


@pytest.mark.parametrize(
    "fields",
    [
        "docker: {healthcheck: {test: curl x}}, ready: {healthy: true}",
        "docker: {tmpfs: ['/run', '/x:rw,noexec,size=64m,mode=1777,uid=5,size=50%']}",
        "metrics: {fps: {log: 'not_null(a, b, sum(c[*].d))'}}",
        'ports: {metrics: 80}, metrics: {fps: {prometheus: \'up{a="b", c="}",}\'}}',
    ],
)
def test_what_an_engine_takes_is_taken(world: World, fields: str) -> None:
    world.write("p", f"containers: [{{name: a, image: i, {fields}}}]")
    assert world.plan("p")["replicas"]


def test_a_file_that_only_a_later_word_names_is_told(world: World) -> None:
    fields = "entrypoint: [bash, ./run.sh], args: [./run.sh, ./none.sh]"
    world.write("p", f"containers: [{{name: a, image: i, {fields}}}]", run__sh="")
    told = [text for text in world.plan("p")["warnings"] if "is not mounted" in text]
    assert [text.partition(" is ")[0] for text in told] == ["p-a-1: entrypoint: ./run.sh", "p-a-1: args: ./run.sh"]


def test_a_path_that_is_not_there_is_called_that(world: World) -> None:
    (world.root / "notes.txt").write_text("")
    for name, said in (
        ("none.yml", "is not there"),
        ("none", "is not there"),
        ("notes.txt", "is no YAML or JSON file"),
    ):
        with pytest.raises(ProfileError, match=rf"'{world.root}/{name}' {said}: profile is a name, or the path"):
            find_profile(f"{world.root}/{name}", [])


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("secrets: {t: {file: x}}", "a profile says secret_env and secret_files of a container"),
        ("version: '3'", "a profile says no version: leave it out"),
        ("name: shop", "the variable profile_deployment"),
        ("image: i", "it is one of a container: move it into containers"),
        ("volume: {}", "did you mean 'volumes'"),
    ],
)
def test_what_belongs_elsewhere_is_told_at_the_top_of_a_profile(world: World, field: str, said: str) -> None:
    world.write("p", f"containers: [{{name: a, image: i}}]\n{field}\n")
    with pytest.raises(ProfileError, match=rf"profile.yml:2, field {field.partition(':')[0]}: unknown field .*{said}"):
        world.plan("p")


def test_a_name_that_no_network_could_know_is_refused(world: World) -> None:
    world.write("p", f"containers: [{{name: {'a' * 64}, image: i}}]")
    with pytest.raises(ProfileError, match="field name: a name has at most 63 characters, not 64"):
        world.plan("p")


def test_what_cannot_be_joined_is_told(world: World) -> None:
    joins = "{{name: a, image: i, depends_on: [s], docker: {{ipc_mode: 'container:s'}}}}"
    text = f"containers: [{{{{name: s, image: i{{}}}}}}, {joins}]"
    world.write("p", text.format(""))
    assert "p-a-1: engines keep the IPC namespace of p-s-1 for itself" in "".join(world.plan("p")["warnings"])
    world.write("p", text.format(", docker: {ipc_mode: shareable}"))
    assert world.plan("p")["warnings"] == []


def test_warnings_of_one_line_stay_in_its_order(world: World) -> None:
    text = 'services: {a: {image: i, volumes: ["/srv/x:/x:noexec", "./b:/b:uid=1"], annotations: {}}}\n'
    folder = world.write("shop", "").parent
    (folder / "profile.yml").unlink()
    (folder / "compose.yml").write_text(text)
    told = [text for text in world.plan_foreign(folder / "compose.yml")["warnings"] if "is no option" in text]
    assert [text.split(": ")[1] for text in told] == ["/srv/x:/x:noexec", "./b:/b:uid=1"]
