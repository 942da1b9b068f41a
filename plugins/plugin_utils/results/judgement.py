# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement on a run, made once: its samples are read, its verdict is found, and all of its files are written.

What cannot be written counts: the verdict that is answered is the one that the files tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import run_events
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.run_events import Event
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.verdict import Verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import unix
from ansible_collections.retail.profiles.plugins.plugin_utils.results import exports, run_directory, run_record
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run

UNJUDGED = "the play ended before the run was judged"


@dataclass(frozen=True)
class Judgement:
    """A verdict, the record of the run under it, and what could not be written."""

    verdict: Verdict
    record: Mapping[str, Any]
    troubles: tuple[str, ...] = ()


def conclude(directory: RunDirectory, now: float, asked: Event | None = None) -> Judgement:
    """Judge the run in a directory at ``now`` (unix seconds), and write its files.

    ``asked``: the event of the task that asks for a verdict, which is kept with it; without one the run was broken off.
    Raises ProfileError where there is no run.
    """
    plan, begun = directory.read_json(run_directory.PLAN), directory.read_json(run_directory.RECORD)
    run = run_record.of_directory(directory, plan)
    judged = _judged(plan, begun, run, now, asked)
    troubles = _written(directory, run, judged, asked)
    if not troubles:
        return judged
    more = [_trouble(text, now) for text in troubles]
    run = replace(run, events=[*run.events, *more])
    judged = _judged(plan, begun, run, now, asked)
    return replace(judged, troubles=(*troubles, *_written_again(directory, run, judged, more, asked)))


def _judged(plan: Mapping[str, Any], begun: Mapping[str, Any], run: Run, now: float, asked: Event | None) -> Judgement:
    verdict = run_record.judge(run)
    if asked is None:
        refused = run_events.refusal(run.events)
        verdict = Verdict("aborted", (UNJUDGED, *([refused] if refused else []), *verdict.reasons))
    record = run_record.build(
        plan,
        run,
        verdict,
        run_id=str(begun["run_id"]),
        started=unix(str(begun["started"])),
        now=now,
        controller=begun["controller"],
        variables=begun.get("variables"),
        notes=str(begun.get("notes") or ""),
    )
    return Judgement(verdict, record)


def _written(directory: RunDirectory, run: Run, judged: Judgement, asked: Event | None) -> list[str]:
    """Write everything, the record after all that it stands for; why that ended early."""
    errors = _exported(directory, run, judged)
    if not errors:
        errors = _tried(partial(directory.write_record, judged.record))
    if not errors and asked is not None:
        errors = _tried(partial(directory.append_event, _answered(asked, judged.verdict)))
    return errors


def _written_again(
    directory: RunDirectory, run: Run, judged: Judgement, troubles: list[Event], asked: Event | None
) -> list[str]:
    """Write what can be written, the record first; what could not."""
    errors = _tried(partial(directory.write_record, judged.record))
    _exported(directory, run, judged)  # what fails has been told
    for event in (*troubles, *([_answered(asked, judged.verdict)] if asked is not None else [])):
        errors += _tried(partial(directory.append_event, event))
    return list(dict.fromkeys(errors))


def _exported(directory: RunDirectory, run: Run, judged: Judgement) -> list[str]:
    """Write the files that are made from the record; none is left that tells of another one."""
    errors = []
    for name, make in exports.makers(judged.record, run).items():
        failed = _tried(partial(_export, directory, name, make))
        errors += failed and [*failed, *_tried(partial(directory.remove, name))]
    return list(dict.fromkeys(errors))


def _export(directory: RunDirectory, name: str, make: Callable[[], str | bytes]) -> None:
    directory.write(name, make())


def _tried(work: Callable[[], None]) -> list[str]:
    """Do something; what went wrong, if it did."""
    try:
        work()
    except Exception as error:  # whatever it is, the verdict tells it
        return [told(error)]
    return []


def told(error: Exception) -> str:
    """An error in words."""
    return str(error) if isinstance(error, ProfileError) else f"{type(error).__name__}: {error}"


def _trouble(text: str, now: float) -> Event:
    return {"t": now, "action": run_events.RECORDER, "status": "failed", "result": {"msg": text}}


def _answered(asked: Event, verdict: Verdict) -> Event:
    status = "failed" if verdict.not_reached else "ok"
    return {**asked, "status": status, "result": {"verdict": verdict.verdict, "reasons": list(verdict.reasons)}}
