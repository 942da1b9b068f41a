# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preparing hosts, on the lab: images built once and seeded where they are needed, models in place, nothing left over.

The tests of a class build on each other, in order: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.images.inventory import content
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import image_seeding

from . import over_ssh

Images = list[dict[str, Any]]
Models = dict[str, Any]

STATE_DIR = "/var/lib/retail-profiles-test-prepare"
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
BASE = "FROM debian:bookworm-slim\n"
RECIPE = """#!/bin/sh
set -eu
for name in "$@"; do
    mkdir -p "/models/$name/1"
    echo "$name" > "/models/$name/1/model.xml"
done
chmod -R go= /models/*
"""


@dataclass(frozen=True)
class Outcome:
    """How a playbook ended: exit status, output, and per host whether it changed and failed."""

    status: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        return {host: int(changed) for host, changed, _unreachable, _failed in RECAP.findall(self.output)}

    @property
    def failed(self) -> set[str]:
        recap = RECAP.findall(self.output)
        return {host for host, _changed, gone, failed in recap if int(gone) or int(failed)}

    @property
    def received(self) -> dict[str, int]:
        """The bytes of images that hosts received (with -v)."""
        return {
            host: int(count) for host, count in re.findall(r'changed: \[(\S+)\] => \{\s*"bytes": (\d+)', self.output)
        }

    def tasks_run(self, name: str) -> bool:
        """Whether the task ran on any host, not only skipped."""
        block = self.output.partition(f"{name}] ")[2].partition("\nTASK ")[0]
        return re.search(r"^(ok|changed|fatal|failed): ", block, re.MULTILINE) is not None


class Fleet:
    """The lab's hosts, and what the tests do to them."""

    def __init__(self, inventory: Path, checkout: Path, work: Path) -> None:
        self.inventory = inventory
        self.checkout = checkout
        self.work = work
        self.cache = work / "cache" / "retail-profiles"
        self.environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(checkout / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
            "ANSIBLE_NOCOLOR": "1",
            "XDG_CACHE_HOME": str(work / "cache"),
        }
        tag = uuid.uuid4().hex[:8]
        self.server = f"retail/test-server-{tag}:1"
        self.client = f"retail/test-client-{tag}:1"
        listing = json.loads(self.command("ansible-inventory", "-i", str(inventory), "--list").stdout)
        self.hosts = sorted(listing["_meta"]["hostvars"])
        self.docker_host = listing["_meta"]["hostvars"][self.hosts[0]]["images_docker_host"]

    def command(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        found = Path(sys.executable).parent / command[0]
        line = [str(found), *command[1:]]
        where = {"env": self.environment, "cwd": self.checkout}
        result = subprocess.run(line, check=False, capture_output=True, text=True, timeout=600, **where)
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def play(self, tasks: list[dict[str, Any]], *options: str) -> Outcome:
        """Run tasks on all hosts of the lab."""
        playbook = self.work / "playbook.yml"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        result = self.command("ansible-playbook", "-i", str(self.inventory), str(playbook), *options, check=False)
        return Outcome(result.returncode, result.stdout + result.stderr)

    def prepare(self, images: Images, *options: str, models: Models | None = None, **variables: Any) -> Outcome:
        """Run both roles, as the playbook prepare_hosts does, on images and models of the test's own."""
        return self.roles(("docker_host", "images"), images, *options, models=models, **variables)

    def roles(
        self, names: tuple[str, ...], images: Images, *options: str, models: Models | None = None, **variables: Any
    ) -> Outcome:
        """Run roles of the collection."""
        given = {
            "images_list": images, "images_models": models or {}, "profile_state_dir": STATE_DIR, **variables,
        }  # fmt: skip
        values = self.work / "variables.yml"
        values.write_text(yaml.safe_dump(given))
        tasks = [{"ansible.builtin.include_role": {"name": f"retail.profiles.{name}"}} for name in names]
        return self.play(tasks, "-e", f"@{values}", *options)

    def ask(self, pattern: str, command: str) -> dict[str, list[str]]:
        """Run a shell command on hosts; the lines that it printed, by host."""
        answers = over_ssh.shells(self.inventory, pattern, command)
        return {host: [line for line in text.splitlines() if line] for host, text in answers.items()}

    def contents(self, image: str) -> dict[str, str]:
        """What the image is on every host that has it; by its content, as kinds of engines give it other ids."""
        answers = self.ask("all", f"docker image inspect -f '{{{{json .}}}}' {image} 2>/dev/null || true")
        return {host: content(json.loads(lines[0])) for host, lines in answers.items() if lines}

    def forget(self, image: str) -> None:
        """Take the image, and the layers that only it has, from all hosts."""
        self.ask("all", f"docker image rm -f {image} >/dev/null 2>&1; docker image prune -f")

    def on_builder(self, *arguments: str, check: bool = True) -> str:
        command = ["docker", "-H", self.docker_host, *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=120).stdout.strip()

    def built(self, image: str) -> str:
        """What the image is on the builder."""
        return content(json.loads(self.on_builder("image", "inspect", "-f", "{{json .}}", image)))

    def context(self, name: str, dockerfile: str, **files: str) -> str:
        """Write a build context of the test; executable files."""
        folder = self.work / name
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(dockerfile)
        for file, text in files.items():
            (folder / file).write_text(text)
            (folder / file).chmod(0o755)
        return str(folder)


@pytest.fixture(scope="module")
def fleet(lab_inventory: Path, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The lab with at least three hosts; what the tests put on it is taken away at the end."""
    made = Fleet(lab_inventory, checkout, tmp_path_factory.mktemp("prepare"))
    assert len(made.hosts) >= 3
    yield made
    images = f"{made.server} {made.client}"
    made.ask("all", f"docker image rm -f {images} 2>/dev/null; docker image prune -f; rm -rf {STATE_DIR}")
    made.on_builder("image", "rm", "-f", *images.split(), check=False)


@pytest.fixture(scope="module")
def images(fleet: Fleet) -> Images:
    """Two images: one for the first host, one on top of it for the others."""
    server = fleet.context("server", BASE + "COPY data wheels /data/\n", data="one", requirements_txt="")
    Path(server, "requirements_txt").rename(Path(server, "requirements.txt"))
    Path(server, "requirements.txt").write_text("idna==3.20\n")
    client = fleet.context("client", f"FROM {fleet.server}\nCOPY recipe /recipe\n", recipe=RECIPE)
    first, *others = fleet.hosts
    return [
        {"image": fleet.server, "build": server, "hosts": [first], "containers": ["server"]},
        {"image": fleet.client, "build": client, "hosts": others, "containers": ["client"]},
    ]


@pytest.fixture(scope="module")
def models(fleet: Fleet) -> Models:
    """Two models for the first host, made by the client's image, which that host does not need."""
    names = ["one", "two"]
    return {"image": fleet.client, "command": ["/recipe", *names], "names": names, "hosts": fleet.hosts[:1]}


class TestPrepare:
    """From hosts with an engine to hosts ready for a profile, and again."""

    def test_first_run(self, fleet: Fleet, images: Images, models: Models) -> None:
        outcome = fleet.prepare(images, models=models)
        assert outcome.status == 0, outcome.output
        first, *others = fleet.hosts

        assert fleet.contents(fleet.server) == {first: fleet.built(fleet.server)}
        assert fleet.contents(fleet.client) == dict.fromkeys(others, fleet.built(fleet.client))
        assert "idna-3.20" in fleet.on_builder("run", "--rm", "--network", "none", fleet.server, "ls", "/data")

        listing = f"cd {STATE_DIR}; stat -c '%a %G' .; ls; find models -type f -printf '%p %m\\n' 2>/dev/null | sort"
        answers = fleet.ask("all", listing)
        assert answers[first] == ["2770 docker", "models", "models/one/1/model.xml 644", "models/two/1/model.xml 644"]
        assert {tuple(answers[host]) for host in others} == {("2770 docker",)}

        # Nothing that was on its way is left, nothing half done, nothing in the contexts' own folders.
        assert list(fleet.cache.glob("sending-*")) == []
        assert list((fleet.cache / "contexts").iterdir()) == []
        assert list((fleet.cache / "models").glob("*.partial")) == []
        assert not Path(images[0]["build"], "wheels").exists()

    def test_second_run_changes_nothing(self, fleet: Fleet, images: Images, models: Models) -> None:
        outcome = fleet.prepare(images, models=models)
        assert outcome.status == 0, outcome.output
        assert outcome.changed == dict.fromkeys(fleet.hosts, 0)

    def test_check_mode_tells_and_does_nothing(self, fleet: Fleet, images: Images, models: Models) -> None:
        before = fleet.contents(fleet.client)
        Path(images[1]["build"], "more").write_text("more")
        outcome = fleet.prepare(images, "--check", models=models)
        assert outcome.status == 0, outcome.output
        assert f"Would build or pull, and seed: {fleet.client}" in outcome.output
        assert {host: count > 0 for host, count in outcome.changed.items()} == {
            host: host in images[1]["hosts"] or host == fleet.hosts[0] for host in fleet.hosts
        }
        assert fleet.contents(fleet.client) == before
        assert fleet.built(fleet.client) in before.values()

    def test_check_mode_before_the_image_of_the_models_is_built(
        self, fleet: Fleet, images: Images, models: Models
    ) -> None:
        name = f"{fleet.server}-unbuilt"
        outcome = fleet.prepare([{**images[0], "image": name}], "--check", models={**models, "image": name})
        assert outcome.status == 0, outcome.output
        assert f"Would build or pull, and seed: {name}" in outcome.output

    def test_changed_context_lost_image_and_changed_models_are_repaired_and_no_more(
        self, fleet: Fleet, images: Images, models: Models
    ) -> None:
        # The client's context has changed (above); the server's image is gone from the host, not from the builder.
        first, *others = fleet.hosts
        before = fleet.contents(fleet.client)
        server = fleet.contents(fleet.server)
        spoil = f"cd {STATE_DIR}/models; echo other > one/1/model.xml; chmod 600 two/1/model.xml"
        fleet.ask(first, f"docker image rm -f {fleet.server}; {spoil}")
        outcome = fleet.prepare(images, models=models)
        assert outcome.status == 0, outcome.output
        look = f"cd {STATE_DIR}/models; cat one/1/model.xml two/1/model.xml; stat -c %a two/1/model.xml"
        assert fleet.ask(first, look)[first] == ["one", "two", "644"]
        assert fleet.contents(fleet.server) == server
        after = fleet.contents(fleet.client)
        assert set(after) == set(others)
        assert set(after.values()).isdisjoint(before.values())
        assert len(set(after.values())) == 1

    def test_another_builder_and_a_user_who_is_not_root(self, fleet: Fleet, images: Images, models: Models) -> None:
        # The builder is a host of the lab: it builds on the image that it has been given, without a way out.
        first, builder, *others = fleet.hosts
        given = [{"image": fleet.server, "build": None, "hosts": [first, builder]}]
        assert fleet.roles(("images",), given).status == 0
        fleet.ask("all", f"rm -rf {STATE_DIR}/models; docker image rm -f {fleet.client} >/dev/null 2>&1 || true")
        options = {
            "ansible_user": "lab",
            "images_builder": builder,
            "images_docker_host": "unix:///var/run/docker.sock",
        }
        outcome = fleet.prepare(
            [{**images[1], "hosts": [builder, *others]}],
            *(word for name, value in options.items() for word in ("-e", f"{name}={value}")),
            models={**models, "command": ["/recipe", "two", "three"], "names": ["two", "three"]},
        )
        assert outcome.status == 0, outcome.output
        contents = fleet.contents(fleet.client)
        assert set(contents) == {builder, *others}
        assert len(set(contents.values())) == 1
        assert fleet.ask(first, f"ls {STATE_DIR}/models")[first] == ["three", "two"]
        left = fleet.ask(builder, f"find {STATE_DIR}/build {STATE_DIR}/transfers -type f 2>/dev/null || true")
        assert left == {builder: []}
        assert fleet.ask(first, f"stat -c %U {STATE_DIR}/models/two/1/model.xml")[first] == ["lab"]

    @pytest.mark.parametrize("options", [[], ["--become"]], ids=["alone", "become"])
    def test_what_needs_root_is_made_by_root(self, fleet: Fleet, options: list[str]) -> None:
        place = f"{STATE_DIR}/of-root"
        fleet.ask("all", f"rm -rf {place}; mkdir -p {STATE_DIR}; chmod 755 {STATE_DIR}")
        outcome = fleet.roles(("docker_host",), [], "-e", "ansible_user=lab", *options, profile_state_dir=place)
        assert outcome.status == 0, outcome.output
        told = fleet.ask("all", f"stat -c '%a %U %G' {place}; rmdir {place}")
        assert told == {host: ["2770 root docker"] for host in fleet.hosts}


@pytest.fixture(scope="module")
def image(fleet: Fleet) -> Images:
    context = fleet.context("large", BASE + "COPY large /data/\nCOPY small /data/\n", small="one")
    Path(context, "large").write_bytes(random.Random(0).randbytes(20 << 20))
    return [{"image": fleet.server, "build": context, "hosts": fleet.hosts[:3], "containers": ["server"]}]


class TestTransfer:
    """Images on their way to three hosts: how much of them, by which way, and what of it can be seen."""

    def test_token_and_secret_are_not_to_be_seen(self, fleet: Fleet, image: Images) -> None:
        fleet.forget(fleet.server)
        secret = "S3cretOfThisTest"  # instead of a random one
        outcome = fleet.roles(("images",), image, "-vvv", images_secret=secret)
        assert outcome.status == 0, outcome.output
        assert fleet.contents(fleet.server) == dict.fromkeys(fleet.hosts[:3], fleet.built(fleet.server))
        first, second, third = fleet.hosts[:3]
        tokens = [image_seeding.token(secret, trail) for trail in ([first], [first, second], [first, third])]
        assert [word for word in (secret, *tokens) if word in outcome.output] == []
        assert min(outcome.received.values()) > 20 << 20

    def test_changed_layer_is_all_that_travels(self, fleet: Fleet, image: Images) -> None:
        Path(image[0]["build"], "small").write_text("two")
        outcome = fleet.roles(("images",), image, "-v")
        assert outcome.status == 0, outcome.output
        assert set(outcome.received) == set(fleet.hosts[:3])
        assert max(outcome.received.values()) < 20_000
        built = fleet.built(fleet.server)
        assert fleet.contents(fleet.server) == dict.fromkeys(fleet.hosts[:3], built)
        command = f"docker run --rm --network none {fleet.server} sha256sum /data/large /data/small"
        seen = {tuple(lines) for lines in fleet.ask(",".join(fleet.hosts[:3]), command).values()}
        assert len(seen) == 1

    def test_over_ssh_from_a_builder_that_is_a_host(self, fleet: Fleet, image: Images) -> None:
        builder, *others = fleet.hosts[:3]
        for host in others:
            fleet.ask(host, f"docker image rm -f {fleet.server}")
        given = [{**image[0], "build": None}]
        options = {"images_builder": builder, "images_docker_host": "unix:///var/run/docker.sock"}
        outcome = fleet.roles(("images",), given, "-v", "-e", json.dumps({**options, "images_over_ssh": True}))
        assert outcome.status == 0, outcome.output
        assert "Send from the first host" in outcome.output
        assert set(outcome.received) == set(others)
        assert len(set(fleet.contents(fleet.server).values())) == 1
        left = fleet.ask("all", f"find {STATE_DIR} -name '*.stream' -o -name transfers -o -name 'sending-*'")
        assert set(map(tuple, left.values())) == {()}
        assert list(fleet.cache.glob("sending-*")) == []

    def test_host_that_cannot_receive_is_told_before_anything_is_sent(self, fleet: Fleet, image: Images) -> None:
        fleet.ask(fleet.hosts[1], f"docker image rm -f {fleet.server}")
        fleet.ask(fleet.hosts[2], f"docker image rm -f {fleet.server}")
        elsewhere = {"profile_address": "192.0.2.1"}
        outcome = fleet.roles(("images",), image, "-e", json.dumps(elsewhere))
        assert outcome.status != 0
        for host in fleet.hosts[1:3]:
            assert f"{host}: no fleet address to receive images on" in outcome.output
        assert not outcome.tasks_run("Send the images")
        assert set(fleet.contents(fleet.server)) == {fleet.hosts[0]}
        assert fleet.ask("all", f"ls {STATE_DIR}/transfers 2>/dev/null || true") == {key: [] for key in fleet.hosts}


class TestBadInput:
    """What cannot be had is one clear error, and leaves nothing behind."""

    def test_images_that_cannot_be_had(self, fleet: Fleet) -> None:
        # Port 1 of this machine refuses at once, as a registry that is not there does.
        absent = [
            {"image": "127.0.0.1:1/none:1", "build": None, "hosts": fleet.hosts, "containers": ["server"]},
            {"image": "127.0.0.1:1/nothing:2", "build": None, "hosts": fleet.hosts[:1], "containers": ["a", "b"]},
        ]
        outcome = fleet.roles(("images",), absent)
        assert outcome.status != 0
        assert "The image 127.0.0.1:1/none:1 (container server) cannot be had" in outcome.output
        assert "The image 127.0.0.1:1/nothing:2 (container a, b) cannot be had" in outcome.output
        assert "connection refused" in outcome.output
        assert "profile_images" in outcome.output
        assert "Traceback" not in outcome.output

    def test_image_that_may_not_be_pulled(self, fleet: Fleet) -> None:
        absent = [{"image": "127.0.0.1:1/none:1", "build": None, "hosts": fleet.hosts[:1], "containers": ["server"]}]
        outcome = fleet.roles(("images",), absent, profile_pull="never")
        assert outcome.status != 0
        assert "it is not pulled (profile_pull=never)" in outcome.output

    def test_context_without_a_dockerfile(self, fleet: Fleet) -> None:
        (fleet.work / "empty").mkdir()
        given = [{"image": "retail/none:1", "build": str(fleet.work / "empty"), "hosts": fleet.hosts[:1]}]
        outcome = fleet.roles(("images",), given)
        assert outcome.status != 0
        assert f"{fleet.work}/empty: the build context has no Dockerfile" in outcome.output

    def test_recipe_that_does_not_make_its_models(self, fleet: Fleet, images: Images, models: Models) -> None:
        outcome = fleet.roles(("images",), images[:1], models={**models, "names": ["one", "two", "three"]})
        assert outcome.status != 0
        assert "did not make the models three" in outcome.output
        assert list((fleet.cache / "models").glob("*.partial")) == []
