# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: profile_metrics
type: aggregate
short_description: Gathers the samples of a run, shows its progress, and writes its results
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Gathers what M(retail.profiles.profile_apply), M(retail.profiles.profile_measure), M(retail.profiles.profile_window)
    and M(retail.profiles.profile_verdict) answer, in the run directory that M(retail.profiles.profile_plan) names.
  - Shows live progress while a profile is measured - phase, time elapsed and left, windows, streams that live, frames
    per second, the worst stream. On a terminal that is one line at the bottom, which goes when all is measured;
    elsewhere plain lines, one for each phase and every ten seconds.
  - Where the plan says so (C(measure_live)), it serves the latest values on the controller for a Prometheus to scrape,
    from a thread of the playbook.
  - Writes C(run.json), C(plan.json), C(samples.jsonl.gz), C(events.jsonl) and C(logs/) while the run is on its way,
    and points the symlink C(latest) beside the run directory to it. The summary, the metrics and the report are written
    by M(retail.profiles.profile_verdict) at the end, or here where the play ends before it.
  - At the end of the playbook it prints the summary table, the verdict and the path of the report; of a run that was
    made again (C(from_run)) also what differs from the one that it repeats, which C(comparison.html) beside the report
    shows.
  - It does not fail a playbook. What goes wrong in it is shown as a warning, and the verdict of the run says so.
requirements:
  - to be enabled, see the example
  - jmespath and prometheus_client on the controller
"""

EXAMPLES = r"""
ansible.cfg: |
  # Enable it in ansible.cfg, or with ANSIBLE_CALLBACKS_ENABLED=retail.profiles.profile_metrics
  [defaults]
  callbacks_enabled = retail.profiles.profile_metrics
"""

import atexit
import sys
import time
import typing as t

from ansible.plugins.callback import CallbackBase

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain
from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown
from ansible_collections.retail.profiles.plugins.plugin_utils.text.status_line import StatusLine

if t.TYPE_CHECKING:
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.recorder import Recorder, TaskResult

_COLOURS = {"ok": "green", "degraded": "yellow", "missed": "red", "failed": "red", "aborted": "red", "progress": "cyan"}


def _action(result: t.Any) -> str:
    """The last part of the action's name."""
    return str(plain(result.task.action)).rsplit(".", 1)[-1]


def _begins_run(result: t.Any) -> bool:
    """Whether a run can begin with this result: a plan with a run directory, or one that no_log hides."""
    return _action(result) == "profile_plan" and any(result.result.get(key) for key in ("run_dir", "censored"))


def _safely(recorder: Recorder, work: t.Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:  # a callback that raises would be switched off, and the rest of the run lost
        recorder.trouble(error)


class _Display:
    """The recorder's screen over Ansible's display."""

    def __init__(self, display: t.Any) -> None:
        self._display = display
        self.terminal = sys.stdout.isatty()
        self._status: StatusLine | None = None
        self._text: t.Callable[[int], str] = str

    def show(self, text: str, kind: str = "plain") -> None:
        self._display.display(shown.table(text), color=_COLOURS.get(kind))

    def warn(self, text: str) -> None:
        self._display.warning(shown.lines(text))

    def status(self, text: t.Callable[[int], str] | None) -> None:
        if text is not None:
            self._text = text
            self._status = self._status or StatusLine(self._current)
        elif self._status is not None:
            self._status.close()
            self._status = None

    def _current(self, columns: int) -> str:
        # Asked from a thread of its own, by which time there may be another text.
        return shown.neutral(self._text(columns))


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no types
    """Turns Ansible's events into the recorder's; nothing is decided here."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "retail.profiles.profile_metrics"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display: t.Any = None, options: t.Any = None) -> None:
        super().__init__(display=display, options=options)
        self._recorder: Recorder | None = None
        self._repeats: tuple[str, str] | None = None
        self._started: dict[tuple[str, str], float] = {}

    def _recording(self, result: t.Any) -> Recorder | None:
        """The recorder; made when a run begins, as most playbooks record none and need not import what it needs."""
        if self._recorder is None and _begins_run(result):
            with cached_bytecode():
                from ansible_collections.retail.profiles.plugins.plugin_utils.results.recorder import Recorder

            self._recorder = Recorder(_Display(self._display))
            # Ansible tells no callback of Ctrl-C; its workers do not come here.
            atexit.register(self._recorder.interrupted)
        return self._recorder

    def _take(self, result: t.Any, status: str) -> None:
        recorder = self._recording(result)
        if _begins_run(result) and result.result.get("repeats"):
            self._repeats = str(plain(result.result["repeats"])), str(plain(result.result["run_dir"]))
        # Making plain data of a result costs time that every other host waits for.
        if recorder is not None and recorder.wants(_action(result), status):
            _safely(recorder, lambda: recorder.take(self._outcome(result, status)))

    def _outcome(self, result: t.Any, status: str) -> TaskResult:
        from ansible_collections.retail.profiles.plugins.plugin_utils.results.recorder import TaskResult

        host = str(plain(result.host.get_name()))
        now = time.time()
        return TaskResult(
            action=_action(result),
            host=host,
            task=str(plain(result.task_name)),
            status=status,
            # Without the start of the task nothing is known of when the host looked at its clock.
            start=self._started.get((host, str(result.task._uuid)), 0.0),
            end=now,
            result=plain(result.result),
        )

    def _whole(self, result: t.Any, status: str) -> None:
        # The items of a loop have come one by one already.
        if not result.task.loop:
            self._take(result, status)

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        if self._recorder is not None:
            self._started[str(plain(host.get_name())), str(task._uuid)] = time.time()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._whole(result, "ok")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._whole(result, "failed")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._take(result, "unreachable")

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._take(result, "ok")

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._take(result, "failed")

    def v2_runner_retry(self, result: t.Any) -> None:
        self._take(result, "retry")

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if self._recorder is not None:
            _safely(self._recorder, self._recorder.close)
        if self._repeats is not None:
            self._compare(*self._repeats)

    def _compare(self, before: str, now: str) -> None:
        """Hold a run that was made again against the one that it repeats; it is judged by now, so no event is kept."""
        from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
        from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import run_comparison

        try:
            self._display.display(f"\n{shown.table(run_comparison.repeated(before, now))}")
        except ProfileError as error:
            told = f"retail.profiles.profile_metrics: no comparison with the run before: {error}"
            self._display.warning(shown.lines(told))
