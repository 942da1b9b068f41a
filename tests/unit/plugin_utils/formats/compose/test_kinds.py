# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that people have met in Compose files, one of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import secrets, stock_playbook
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load, search
from ansible_collections.retail.profiles.plugins.plugin_utils.text import go_yaml

from ...world import World, assert_equal_plan, comparable, converted, render, write_files
from .shop import shop, task


def files(world: World, given: dict[str, str]) -> Path:
    """Files below the folder of the shop; the first is the profile."""
    return write_files(world.root / "shop", given)


def warned(made: dict[str, Any], text: str) -> bool:
    return any(text in warning for warning in made["warnings"])


def test_options_of_a_mount_that_compose_does_not_know_are_named(world: World) -> None:
    text = 'services: {a: {image: i, volumes: ["cache:/c:uid=1999,gid=1999"]}}\nvolumes: {cache: {}}\n'
    made = world.plan_foreign(shop(world, text))
    assert task(made, "a")["volumes"] == ["d-cache:/c"]
    assert warned(made, "uid=1999,gid=1999 is ignored, as Compose ignores it")


def test_what_shares_namespaces_or_volumes_starts_after_it_on_its_host(world: World) -> None:
    text = "services: {a: {image: i, ipc: 'service:s', volumes_from: ['s:ro']}, s: {image: i, ipc: shareable}}"
    made = world.plan_foreign(shop(world, text), place={"a": "h1", "s": "h1"})
    assert made["waves"] == [["d-s-1"], ["d-a-1"]]
    assert (task(made, "a")["ipc_mode"], task(made, "a")["volumes_from"]) == ("container:d-s-1", ["d-s-1:ro"])
    with pytest.raises(ProfileError, match=r"h2.*d-a-1 is to share namespaces or volumes of s, of which no replica is"):
        world.plan_foreign(shop(world, text), place={"a": "h2", "s": "h1"})


@pytest.mark.parametrize(
    "shared", ["ipc: 'service:s'", "pid: 'service:s'", "volumes_from: [s]", "network_mode: 'service:s'"]
)
def test_replicas_that_share_are_placed_where_what_they_share_is(world: World, shared: str) -> None:
    text = f"services: {{a: {{image: i, scale: 3, {shared}}}, s: {{image: i}}}}"
    made = world.plan_foreign(shop(world, text), place={"a": "h1,h2", "s": "h2"})
    assert {made["replicas"][f"d-a-{number}"]["host"] for number in (1, 2, 3)} == {"h2"}
    assert made["left_out"] == {"a": {"s, with which it shares, is not there": ["h1"]}}
    assert all("d-s-1" in repr(task(made, "a", number)) for number in (1, 2, 3))


def test_an_env_file_uses_an_earlier_one(world: World) -> None:
    file = shop(
        world, "services: {a: {image: i, env_file: [one.env, two.env]}}", one__env="M=yolo\n", two__env="A=--m ${M}\n"
    )
    assert task(world.plan_foreign(file), "a")["env"] == {"M": "yolo", "A": "--m yolo"}
    assert_equal_plan(world, file)
    more = {"one__env": "M=one\n", "two__env": "A=${M}\nM=two\nB=${M}\n"}
    made = world.plan_foreign(shop(world, "services: {a: {image: i, env_file: [one.env, two.env]}}", **more))
    assert task(made, "a")["env"] == {"M": "two", "A": "one", "B": "two"}


def test_what_follows_an_operator_is_not_run_and_that_is_said(world: World) -> None:
    made = world.plan_foreign(shop(world, "services: {a: {image: i, command: echo ready && sleep infinity}}"))
    assert task(made, "a")["command"] == ["echo", "ready"]
    assert warned(made, "services.a.command: everything from '&& sleep infinity' on is not run")


def test_an_absolute_path_of_the_folder_is_shipped(world: World) -> None:
    here = world.root / "shop" / "src"
    text = f"services: {{a: {{build: '{here}/db', volumes: ['{here}/c.json:/c.json:ro']}}}}"
    file = files(world, {"src/compose.yaml": text, "src/c.json": "{}", "src/db/Dockerfile": "FROM scratch\n"})
    made = world.plan_foreign(file)
    assert task(made, "a")["volumes"][0].endswith("/c.json:/c.json:ro")
    assert made["replicas"]["d-a-1"]["files"]


def test_a_key_that_compose_does_not_have_is_an_error_with_the_nearest(world: World) -> None:
    for text, message in (
        (
            "services: {a: {image: i, comand: x}}",
            r"services.a: Compose has no key 'comand' here: did you mean 'command'",
        ),
        (
            "services: {a: {image: i}}\nservice: {}\n",
            r"yaml:2: Compose has no key 'service' here: did you mean",
        ),
        ("services: {a: {image: i, deploy: {replica: 2}}}", r"services.a.deploy: .*did you mean 'replicas'"),
    ):
        with pytest.raises(ProfileError, match=message):
            world.plan_foreign(shop(world, text))


def test_an_overlay_alone_says_what_it_is(world: World) -> None:
    with pytest.raises(ProfileError, match=r"no image for container a: .* made to be laid over another"):
        world.plan_foreign(shop(world, "services: {a: {environment: {MODE: gpu}}}"))


def test_what_has_the_name_of_a_file_is_not_made_as_a_folder(world: World) -> None:
    text = 'services: {a: {image: i, volumes: ["/etc/app/c.json:/c.json", "./s.json:/s.json", "/srv/conf.d:/d"]}}'
    made = world.plan_foreign(shop(world, text))
    needed = {item["path"] for host in made["hosts"].values() for item in host["paths"]}
    assert needed == {"/etc/app/c.json", "/var/lib/retail-profiles/work/src/s.json"}


@pytest.mark.parametrize("device", ["./data", "${PWD}/data", "~/data"])
def test_a_volume_that_is_a_folder_beside_the_file_is_refused(world: World, device: str) -> None:
    options = "{type: none, o: bind, device: DEV}"
    text = f"services: {{a: {{image: i, volumes: ['data:/d']}}}}\nvolumes:\n  data: {{driver_opts: {options}}}\n"
    with pytest.raises(ProfileError, match=r"yaml:3: volumes.data.driver_opts.device: '[.~].*' is not an absolute"):
        world.plan_foreign(shop(world, text.replace("DEV", f"'{device}'")))
    made = world.plan_foreign(shop(world, text.replace("DEV", "/srv/data")))
    assert task(made, "a")["mounts"][0]["volume_options"]["device"] == "/srv/data"


SECRET = """
services:
  a:
    image: i
    secrets: [token, {source: key, target: /etc/app/key}]
    environment: {TOKEN_FILE: /run/secrets/token}
secrets:
  token: {file: ./token.txt}
  key: {environment: API_KEY}
"""


def test_secrets_are_names_in_the_plan_and_values_where_a_host_is_applied(world: World) -> None:
    file = shop(world, SECRET, token__txt="s3cret-{{ x }}\n")
    world.variables = {"API_KEY": 'k"e\\y-1'}
    loaded = load.load(file, [world.root], render, world.variables)
    made = world.plan_loaded(loaded, deployment="d")
    assert made["replicas"]["d-a-1"]["secrets"] == ["/run/secrets/token", "/etc/app/key"]
    assert task(made, "a")["labels"]["retail.profiles.secrets"] == "/etc/app/key /run/secrets/token"
    assert "s3cret" not in repr(made) and "e\\y" not in repr(made)
    known = secrets.Secrets(loaded, dict.fromkeys(world.hosts, world.variables), render)
    secrets.check(made, known)
    assert secrets.of_host(made, known, ["d-a-1"]) == {
        "d-a-1": {"/run/secrets/token": "s3cret-{{ x }}\n", "/etc/app/key": 'k"e\\y-1'}
    }
    with pytest.raises(ProfileError, match="no stock module writes secret files"):
        stock_playbook.playbook(made, "files")


def test_a_converted_profile_has_the_names_of_secrets_alone(world: World) -> None:
    file = shop(world, SECRET.replace("API_KEY", "K"), token__txt="s3cret\n", **{"__env": "K=also-secret\n"})
    made = converted(file, world.root / "converted")
    written = [item.source if isinstance(item.source, bytes) else item.source.read_bytes() for item in made.files]
    assert all(b"secret\n" not in data and b"also-secret" not in data for data in written)
    assert any("the value of the secret /run/secrets/token is not written" in note for note in made.notes)
    assert_equal_plan(world, file)


@pytest.mark.parametrize(
    "more,message",
    [
        ("read_only: true", "a container that is read_only takes no secret files"),
        ("tmpfs: /run", "the secret file /run/secrets/token would lie under what is mounted at /run"),
    ],
)
def test_a_secret_file_that_would_not_be_there_is_refused(world: World, more: str, message: str) -> None:
    text = SECRET.replace("    image: i\n", f"    image: i\n    {more}\n").replace(
        "environment: API_KEY", "file: ./token.txt"
    )
    with pytest.raises(ProfileError, match=message):
        world.plan_foreign(shop(world, text, token__txt="s3cret\n"))


def test_files_are_laid_over_each_other_and_errors_name_theirs(world: World) -> None:
    given = {
        "src/compose.yml": "services: {a: {image: i, environment: {A: 1, B: 2}, ports: ['80:80'], command: one}}\n",
        "src/compose.override.yml": "services:\n  a:\n    environment: [B=3]\n    ports: !override ['81:81']\n",
        "src/bad.yml": "services:\n  a:\n    ports: x\n",
    }
    file = files(world, given)
    folder = str(file.parent)
    assert search.find_files(folder, []) == (file, file.parent / "compose.override.yml")
    assert search.find_files(str(file), []) == (file,)
    assert search.find_files([str(file), f"{folder}/bad.yml"], [])[1].name == "bad.yml"
    assert search.find_files(f'["{file}", "{folder}/bad.yml"]', [])[1].name == "bad.yml"
    for wrong, message in (
        ([], "it must hold names or paths, at least one"),
        ([1], "it must hold names or paths, at least one"),
        ({"a": 1}, "profile is a name, a path, or a list of files, not of type dict"),
        (10**5000, "profile is a name, a path, or a list of files, not of type int"),
    ):
        with pytest.raises(ProfileError, match=message):
            search.find_files(wrong, [])
    made = world.plan_foreign(file, Given(over=(file.parent / "compose.override.yml",)))
    assert task(made, "a")["env"] == {"A": "1", "B": "3"}
    assert task(made, "a")["published_ports"] == ["127.0.0.1:81:81/tcp"]
    assert warned(made, "compose.override.yml:4: services.a.ports are published")
    assert warned(world.plan_foreign(file), "compose.override.yml beside it is not read")
    with pytest.raises(ProfileError, match=r"bad.yml:3: services.a.ports: expected a list, not 'x'"):
        world.plan_foreign(file, Given(over=(file.parent / "bad.yml",)))
    converted(file, world.root / "converted", Given(over=(file.parent / "compose.override.yml",)))
    assert comparable(world.plan_foreign(world.root / "converted" / "profile.yml")) == comparable(made)


def test_what_is_overridden_with_nothing_is_a_text(world: World) -> None:
    given = {
        "src/compose.yml": "services: {a: {image: i, command: one, ports: ['80:80'], tty: true}}\n",
        "src/null.yml": "services:\n  a:\n    command: !override null\n    tty: !reset\n",
        "src/ports.yml": "services:\n  a:\n    ports: !override null\n",
    }
    file = files(world, given)
    made = world.plan_foreign(file, Given(over=(file.parent / "null.yml",)))
    assert task(made, "a")["command"] == ["null"] and "tty" not in task(made, "a")
    assert warned(made, "null.yml:3: services.a.command is the text 'null', as with Compose: '!reset null' takes a key")
    with pytest.raises(ProfileError, match=r"ports.yml:3: .*ports: expected a list, not 'null': '!reset null'"):
        world.plan_foreign(file, Given(over=(file.parent / "ports.yml",)))


def test_included_files_have_their_own_folder_and_variables(world: World) -> None:
    given = {
        "src/compose.yml": "include: [sub/c.yml]\n"
        "services: {a: {extends: {file: sub/c.yml, service: b}, depends_on: [b]}}\n",
        "src/sub/c.yml": "services: {b: {image: 'j:${T:-1}', env_file: e.env, volumes: ['./f.json:/f.json']}}\n",
        "src/sub/.env": "T=5\n",
        "src/sub/e.env": "X=1\n",
        "src/sub/f.json": "{}",
    }
    made = world.plan_foreign(files(world, given))
    assert (task(made, "b")["image"], task(made, "a")["image"]) == ("j:5", "j:1")
    assert task(made, "a")["env"] == task(made, "b")["env"] == {"X": "1"}
    assert all("/f.json:/f.json:ro" in task(made, name)["volumes"][0] for name in "ab")


def test_a_file_that_many_services_extend_is_read_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    base = "".join(f"  b{number}: {{image: i}}\n" for number in range(9))
    own = "".join(f"  a{number}: {{extends: {{file: b.yml, service: b{number}}}}}\n" for number in range(9))
    file = files(world, {"src/compose.yml": f"services:\n{own}", "src/b.yml": f"services:\n{base}"})
    read: list[str] = []
    documents = go_yaml.documents
    monkeypatch.setattr(go_yaml, "documents", lambda text, name: read.append(name) or documents(text, name))
    assert len(world.plan_foreign(file)["replicas"]) == 9
    assert [Path(name).name for name in read] == ["compose.yml", "b.yml"]


def test_of_an_extended_file_what_is_used_is_checked_where_it_stands(world: World) -> None:
    base = "services:\n  b: {image: i}\n  c:\n    image: i\n    bogus: 1\n"
    own = "services: {a: {extends: {file: b.yml, service: SERVICE}}}\n"
    used = files(world, {"src/compose.yml": own.replace("SERVICE", "b"), "src/b.yml": base})
    assert task(world.plan_foreign(used), "a")["image"] == "i"
    with pytest.raises(ProfileError, match=r"b.yml:5: services.a: Compose has no key 'bogus' here"):
        world.plan_foreign(files(world, {"src/compose.yml": own.replace("SERVICE", "c"), "src/b.yml": base}))


INCLUDED = "services: {b: {image: j}}\nnetworks: {x: {}}\nvolumes: {v: {}}\n"


def test_a_file_is_checked_with_what_it_is_laid_over(world: World) -> None:
    given = {
        "src/compose.yml": "services:\n  a: {image: i, depends_on: [b], environment: {A: 1}}\n  b: {image: j}\n",
        "src/o.yml": "services:\n  a:\n    depends_on: {b: {restart: true}}\n    environment: B=2\n",
        "src/list.yml": "services:\n  a:\n    environment:\n      - 5\n",
    }
    file = files(world, given)
    made = world.plan_foreign(file, Given(over=(file.parent / "o.yml",)))
    assert task(made, "a")["env"] == {"A": "1", "B": "2"} and made["replicas"]["d-a-1"]["depends_on"] == ["d-b-1"]
    assert warned(made, "o.yml:3: services.a.depends_on.b.restart is ignored: a profile cannot say it")
    for section in ("networks: x", "volumes: [v]", "services: x"):
        text = f"include: [compose.yml]\n{section}\n"
        with pytest.raises(ProfileError, match=r"main.yml:2: "):
            world.plan_foreign(files(world, {"src/main.yml": text, **given, "src/compose.yml": INCLUDED}))
    files(world, given)
    with pytest.raises(ProfileError, match=r"list.yml:4: services.a.environment.0: expected a text, not 5"):
        world.plan_foreign(file, Given(over=(file.parent / "list.yml",)))


def test_what_variables_stand_for_is_bounded(world: World) -> None:
    text = "services:\n  a:\n    image: i\n    environment:\n" + "".join(f"      V{n}: $LONG\n" for n in range(30))
    with pytest.raises(ProfileError, match="this file is too large with what its variables stand for"):
        world.plan_foreign(shop(world, text), Given(variables={"LONG": "x" * 100_000}))


def test_the_platform_is_required_of_a_host_and_the_pull_is_the_containers_own(world: World) -> None:
    text = "services: {a: {image: i, platform: linux/arm64, pull_policy: always}, b: {image: i}}"
    world.snapshot = {host: {"arch": "x86_64"} for host in world.hosts} | {"h3": {"arch": "aarch64"}}
    made = world.plan_foreign(shop(world, text))
    assert made["replicas"]["d-a-1"]["host"] == "h3"
    assert [made["replicas"][f"d-{name}-1"]["pull"] for name in "ab"] == ["always", "missing"]
    for key in ("provider: {type: x}", "models: [m]"):
        with pytest.raises(ProfileError, match=rf"services.a.{key.partition(':')[0]}: "):
            world.plan_foreign(shop(world, f"services: {{a: {{image: i, {key}}}}}\nmodels: {{m: {{model: x}}}}\n"))
