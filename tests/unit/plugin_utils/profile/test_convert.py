# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile of another format, written in ours, plans as the original does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.action import profile_convert
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import convert, load

from ..world import World, assert_equal_plan, comparable, converted, render, upstream_files, write_files

JINJA = "{{ 1 / 0 }} {% raw %} {% endraw %} {# gone #} \"'\\ ${X} {"


@pytest.mark.parametrize("file", upstream_files(), ids=lambda file: "/".join(file.parts[-4:]))
def test_every_given_file_of_upstream_converts_to_an_equal_plan(world: World, file: Path) -> None:
    assert_equal_plan(world, file, Given(image="given:1"))


def test_what_looks_like_a_template_stays_as_it_is(world: World) -> None:
    text = {
        "Containers": [
            {
                "Name": "a",
                "DockerImage": "i",
                "Entrypoint": f"/bin/echo {JINJA}",
                "Envs": {"A": JINJA, "B": "{{", "C": "on", "D": "012", "E": "two\nlines\n", "F": ""},
                "EnvironmentVariableFiles": "a.env",
                "Volumes": ["./cache:/c", "/x{{ y }}:/x", "./data.txt:/d", "./run:/run:ro"],
                "HostConfig": {"Sysctls": {"net.x": "{% if %}"}},
                "Odd {{ key }}": 1,
            },
            {"Name": "server", "DockerImage": "s", "Envs": ["GRPC_PORT=9005"]},
        ]
    }
    files = {
        "x/res/profile_config.yaml": json.dumps(text),
        "x/res/a.env": f"J={JINJA}",
        "data.txt": "d",
        "run": "#!/bin/sh",
    }
    file = write_files(world.root / "p", files)
    (world.root / "p" / "run").chmod(0o755)
    assert_equal_plan(world, file)
    made = world.plan_foreign(world.root / "converted" / "profile.yml")
    task = made["replicas"]["d-a-1"]["task"]
    assert (task["env"]["A"], task["env"]["J"], task["sysctls"]) == (JINJA, JINJA, {"net.x": "{% if %}"})
    assert os.access(world.root / "converted" / "run", os.X_OK)


def test_what_looks_like_a_template_in_a_build_stays_as_it_is(world: World) -> None:
    lines = f"FROM x\nRUN echo '{JINJA}'\n"
    build = {
        "context": "./{{ c }}",
        "dockerfile_inline": lines.replace("$", "$$"),
        "args": {"A": JINJA.replace("$", "$$")},
    }
    services = {"a": {"build": build}, "b": {"image": "j", "build": {"context": "./{{ c }}", "dockerfile": "D{{"}}}
    files = {"src/compose.yml": json.dumps({"services": services}), "src/{{ c }}/D{{": "FROM y\n"}
    assert_equal_plan(world, write_files(world.root / "p", files))
    loaded = load.load(world.root / "converted" / "profile.yml", [], render, {})
    made = loaded.builds["p-a"] if "p-a" in loaded.builds else loaded.builds["src-a"]
    assert (made["dockerfile_inline"], made["args"], Path(made["context"]).name) == (lines, {"A": JINJA}, "{{ c }}")
    assert loaded.builds["j"]["dockerfile"] == "D{{"


def test_variables_of_a_host_still_count_after_conversion(world: World) -> None:
    volumes = "['$RESULTS_DIR:/r', '$RUN_PATH/x:/x', '$cl_cache_dir:/c']"
    text = f"OvmsClient: {{DockerLauncher: {{DockerImage: i, Volumes: {volumes}}}}}"
    file = write_files(world.root, {"p/a_conf.yaml": text})
    assert_equal_plan(world, file)
    world.variables = {"RUN_PATH": "/of/this/host"}
    original, made = (world.plan_foreign(path) for path in (file, world.root / "converted" / "profile.yml"))
    assert comparable(made) == comparable(original)
    assert made["replicas"]["d-ovms-client-1"]["task"]["volumes"][1] == "/of/this/host/x:/x"


def test_a_merged_configuration_is_written_as_a_file(world: World) -> None:
    text = (
        "OvmsSingleContainer: true\nOvmsClient: {OVMSCustomNodeJson: '{\"a\": [1]}', DockerLauncher: {DockerImage: i}}"
    )
    file = write_files(world.root, {"p/a_conf.yaml": text, "p/config.json": '{"a": [0]}'})
    assert_equal_plan(world, file)
    assert json.loads((world.root / "converted" / "merged" / "config.json").read_text()) == {"a": [0, 1]}


@given(
    st.recursive(
        st.text(alphabet="{}%# \"'\\ab\n:-", max_size=12) | st.booleans() | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab{", max_size=3), inner, max_size=3),
        max_leaves=8,
    )
)
def test_what_is_written_is_what_is_read(value: Any) -> None:
    written = yaml.dump(convert.native({"v": value}), Dumper=convert._Dumper, allow_unicode=True)
    assert render(yaml.safe_load(written), {}) == {"v": value}


def test_nothing_is_replaced_unless_it_is_to_be(world: World) -> None:
    file = write_files(
        world.root, {"p/c.yaml": "Containers: [{Name: a, DockerImage: i, EnvironmentVariableFiles: a.env}]"}
    )
    write_files(world.root, {"p/a.env": "A=1"})
    folder = world.root / "to"
    made = converted(file, folder)
    assert convert.differing(made, folder) == []
    (folder / "a.env").write_text("mine", encoding="utf-8")
    [changed] = convert.differing(made, folder)
    with pytest.raises(ProfileError, match=r"to/a.env: it is there already, .* or -e force=true"):
        convert.check_free([changed], folder, force=False)
    convert.check_free([changed], folder, force=True)
    convert.write([changed], folder)
    assert (folder / "a.env").read_text(encoding="utf-8") == "A=1"


def test_a_large_file_is_copied_and_never_held(world: World) -> None:
    text = "Containers: [{Name: a, DockerImage: i, Volumes: ['./large.bin:/data']}]"
    file = write_files(world.root, {"p/c.yaml": text, "p/large.bin": ""})
    size = 32 * 1024 * 1024
    with file.with_name("large.bin").open("wb") as stream:
        stream.truncate(size)
    folder = world.root / "to"
    tracemalloc.start()
    try:
        made = converted(file, folder)
        assert convert.differing(made, folder) == []
        (folder / "large.bin").write_bytes(b"\1")
        assert [one.path for one in convert.differing(made, folder)] == ["large.bin"]
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    convert.write(made.files, folder)
    assert (folder / "large.bin").stat().st_size == size
    assert held < size / 4


def test_what_is_in_the_place_of_a_file_is_replaced_and_not_waited_for(world: World) -> None:
    file = write_files(
        world.root, {"p/c.yaml": "Containers: [{Name: a, DockerImage: i, EnvironmentVariableFiles: a.env}]"}
    )
    write_files(world.root, {"p/a.env": "A=1"})
    folder = world.root / "to"
    made = converted(file, folder)
    for name in ("a.env", "profile.yml"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
    assert [one.path for one in convert.differing(made, folder)] == ["profile.yml", "a.env"]
    convert.write(made.files, folder)
    assert convert.differing(made, folder) == []


def test_the_playbook_needs_no_inventory_and_no_host(tmp_path: Path, checkout: Path, collections: Path) -> None:
    text = "Containers: [{Name: A, Speed: 1, EnvironmentVariableFiles: gone.env}]"
    file = write_files(tmp_path, {"p/profile_config.yaml": text})

    def run(*extra: str) -> subprocess.CompletedProcess[str]:
        playbook = str(checkout / "playbooks" / "convert_profile.yml")
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", os.devnull, playbook]
        variables = [word for each in (f"from={file.parent}", f"to={tmp_path / 'to'}", *extra) for word in ("-e", each)]
        usual = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_STDOUT_CALLBACK": "default"}
        environment = {**os.environ, **usual, "ANSIBLE_COLLECTIONS_PATH": str(collections)}
        return subprocess.run(
            [*command, *variables],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    refused = run()
    assert refused.returncode != 0
    assert "no image for container a: name one with -e profile_image=IMAGE" in refused.stdout + refused.stderr
    assert not (tmp_path / "to").exists()
    done = run('profile_image={"a":"given:1"}')
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("Not carried over")]
    assert [line.partition("profile_config.yaml:1: ")[2] for line in lines] == [
        "Speed is ignored: it is not known here",
        "the env file gone.env is not there: skipped, as upstream did",
    ]
    assert yaml.safe_load((tmp_path / "to" / "profile.yml").read_text())["containers"][0]["image"] == "given:1"
    again = run('{"profile_image": "given:1"}')
    assert "changed=0" in again.stdout
    other = run("profile_image=other:2")
    assert "-e force=true" in other.stdout + other.stderr
    assert "changed=1" in run("profile_image=other:2", "force=true").stdout


def convert_file(file: Path, folder: Path, **given: Any) -> dict[str, Any]:
    usual = {"env": {}, "variables": {}, "image": None, "root": None, "force": False}
    args = {"source": str(file), "dest": str(folder), **usual, **given}
    return profile_convert.convert_profile(args, render, check_mode=False)


@pytest.mark.parametrize(
    ("service", "line", "said"),
    [
        ("    volumes:\n    - {type: tmpfs, target: /c, tmpfs: {size: much}}", 5, "'much' is not a size"),
        ("    networks: {n: {mac_address: zz}}", 4, "'zz' is not a MAC address"),
        ("    depends_on: [b]\n  b:\n    image: i\n    depends_on: [a]", 4, "depend on each other in a circle"),
        ("    networks: {n: {ipv4_address: 10.9.9.9}}", 4, "needs a subnet"),
    ],
)
def test_what_cannot_be_planned_is_refused_at_its_own_line(world: World, service: str, line: int, said: str) -> None:
    text = f"services:\n  a:\n    image: i\n{service}\nvolumes: {{cache: {{}}}}\nnetworks: {{n: {{}}}}\n"
    file = write_files(world.root, {"p/compose.yml": text, "p/a.txt": "", "p/b.txt": ""})
    with pytest.raises(ProfileError, match=f"compose.yml:{line}, .*{said}"):
        convert_file(file, world.root / "to")
    assert not (world.root / "to").exists()


def test_many_replicas_and_hardware_that_no_host_is_known_to_have_are_no_reason(world: World) -> None:
    text = "services: {a: {image: i, environment: {TARGET_DEVICE: GPU}, deploy: {replicas: 30}}}"
    file = write_files(world.root, {"p/compose.yml": text})
    assert convert_file(file, world.root / "to")["files"] == ["profile.yml"]


@pytest.mark.parametrize("file", upstream_files(), ids=lambda file: "/".join(file.parts[-4:]))
def test_every_given_file_of_upstream_is_converted(world: World, file: Path) -> None:
    assert "profile.yml" in convert_file(file, world.root / "to", image="given:1")["files"]
