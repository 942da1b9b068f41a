# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback phases under ansible-playbook itself: what it shows, and what it must not hide."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLAY = """
- name: A play
  hosts: all
  gather_facts: false
  tasks:
    - name: Look
      ansible.builtin.command: "true"
      changed_when: false
    - name: Change
      ansible.builtin.command: "true"
    - name: Never
      ansible.builtin.command: "true"
      when: false
    - name: More
      ansible.builtin.include_tasks: more.yml
    - name: Say something
      ansible.builtin.debug:
        msg: This is said {{ 'twice' | upper }}.
      run_once: true
    - name: Say several things
      ansible.builtin.debug:
        msg: [One line., Another.]
      run_once: true
    - name: Show a number
      ansible.builtin.debug:
        var: groups['all'] | length
      run_once: true
    - name: Try again
      ansible.builtin.command: test -e {{ playbook_dir }}/tried
      register: tried
      until: tried is succeeded or tried.attempts > 1
      retries: 2
      delay: 0
      failed_when: false
      changed_when: false
"""
MORE = """
- name: One
  ansible.builtin.command: "true"
  changed_when: false
- name: Two
  ansible.builtin.command: "true"
"""
FAILING = """
- name: A play
  hosts: all
  gather_facts: false
  tasks:
    - name: Break
      ansible.builtin.command: sh -c 'echo the reason >&2; exit 3'
      when: inventory_hostname == 'h1'
    - name: Reach
      ansible.builtin.ping:
      when: inventory_hostname == 'h2'
      vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}
"""


class Played:
    """A playbook that has ended, with the callback phases."""

    def __init__(self, folder: Path, collections: Path, text: str, *options: str) -> None:
        (folder / "play.yml").write_text(text, encoding="utf-8")
        (folder / "more.yml").write_text(MORE, encoding="utf-8")
        ended = subprocess.run(
            [
                str(Path(sys.executable).parent / "ansible-playbook"),
                "-i",
                "h1,h2,",
                "-c",
                "local",
                "play.yml",
                *options,
            ],
            cwd=folder,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(collections),
                "ANSIBLE_CONFIG": str(folder / "none.cfg"),
                "ANSIBLE_STDOUT_CALLBACK": "retail.profiles.phases",
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.status, self.output, self.errors = ended.returncode, ended.stdout, ended.stderr


def lines(output: str) -> list[str]:
    """Its lines, without the figures of the times."""
    return [re.sub(r"^ *[\d.]+ s ", "S s ", line) for line in output.splitlines()]


def test_what_goes_well_is_one_line_a_phase(tmp_path: Path, collections: Path) -> None:
    done = Played(tmp_path, collections, PLAY)
    assert done.status == 0, done.output + done.errors
    assert lines(done.output) == [
        "S s  Look",
        "S s  Change; changed on 2 hosts",
        "S s  More; changed on 2 hosts",
        "This is said TWICE.",
        "S s  Say something",
        *["One line.", "Another."],
        "S s  Say several things",
        *["{", "    \"groups['all'] | length\": 2", "}"],
        "S s  Show a number",
        "S s  Try again",
        "S s  in all, 2 hosts; changed on 2 hosts",
    ]


@pytest.mark.parametrize("option", ["-v", "--check", "--diff"])
def test_with_these_it_is_the_default_callback(option: str, tmp_path: Path, collections: Path) -> None:
    output = Played(tmp_path, collections, PLAY, option).output
    for text in ("PLAY [A play]", "TASK [Never]", "skipping: [h1]", "included: ", "PLAY RECAP"):
        assert text in output


def test_failures_are_shown_in_full_with_the_recap(tmp_path: Path, collections: Path) -> None:
    done = Played(tmp_path, collections, FAILING)
    assert done.status != 0
    both = done.output + done.errors
    for text in ("TASK [Break] ***", "fatal: [h1]: FAILED! => ", "the reason", "TASK [Reach] ***", "UNREACHABLE!"):
        assert text in both
    assert re.search(r"h1 +: ok=0 .* failed=1", done.output)
    assert re.search(r"h2 +: ok=0 .* unreachable=1", done.output)


def test_a_message_that_says_all_is_told_once(tmp_path: Path, collections: Path) -> None:
    play = """
- name: A play
  hosts: all
  gather_facts: false
  tasks:
    - name: Refuse
      ansible.builtin.fail:
        msg: "h1: it has {{ 'a tail:' }}\\n  the first line\\n  \\e[31mthe last"
      run_once: true
      ignore_errors: true
    - name: Reach
      ansible.builtin.ping:
      when: inventory_hostname == 'h2'
      vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}
      ignore_unreachable: true
"""
    done = Played(tmp_path, collections, play)
    assert done.status == 0
    both = done.output + done.errors
    assert "fatal: [h1]: FAILED! => h1: it has a tail:\n  the first line\n  \\x1b[31mthe last\n...ignoring\n" in both
    assert re.search(r"^fatal: \[h2\]: UNREACHABLE! => (?!Task failed|{).*\n\.\.\.ignoring$", both, re.MULTILINE)
    for noise in ("[ERROR]", "Origin:", '"msg"'):
        assert noise not in both


def test_warnings_are_shown(tmp_path: Path, collections: Path) -> None:
    play = """
- name: A play
  hosts: h1
  gather_facts: false
  tasks:
    - name: Warn
      ansible.builtin.find:
        paths: [/nowhere/at/all]
"""
    done = Played(tmp_path, collections, play)
    assert done.status == 0
    assert "/nowhere/at/all" in done.output + done.errors
