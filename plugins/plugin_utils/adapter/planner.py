# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner: what Ansible knows of inventory, variables and hosts goes in, a plan or a stage of it comes out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.template import Templar
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import STATE_DIR, digest
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import deployment_name, planner_input, run_start
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    measured_plan,
    objectives,
    windows,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import FPS
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import repeat
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import shared_containers
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import PlanSettings, Streams
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import (
    plan,
    plan_text,
    prerequisites,
    secrets,
    shipped_files,
    stock_playbook,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import entry, load
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import PLAN
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share, leftover, wave_outcome
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import (
    field_types,
    fields,
    image,
    input_source,
    target_device,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.density import DENSITY
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.objectives import OBJECTIVES
from ansible_collections.retail.profiles.plugins.plugin_utils.text import listening, task_results, text_file
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import one_line

#: folder in the directory of a run, beside its plan, with the content of the plan's files
KEPT = "files"
CALLBACK = "retail.profiles.profile_metrics"
NO_HOSTS = (
    "the inventory has no hosts: give one with -i (the profile ovms asks for the groups ovms_servers "
    "and ovms_clients), or bring a lab up with make lab-up"
)
OPTIONS: dict[str, Any] = {
    "stage": {"type": "str", "choices": ["name", "select", "prepare", "plan"], "default": "plan"},
    "profile": {"type": "raw"},
    "plan": {"type": "path"},
    "from_run": {"type": "path"},
    "deployment": {"type": "str"},
    "search": {"type": "list", "elements": "path", "default": []},
    "env": {"type": "dict", "default": {}},
    "env_wins": {"type": "bool", "default": False},
    "variables": {"type": "dict", "default": {}},
    "replicas": {"type": "dict", "default": {}},
    "place": {"type": "dict", "default": {}},
    "images": {"type": "dict", "default": {}},
    "image": {"type": "raw"},
    "root": {"type": "path"},
    "target_device": {"type": "str"},
    "input_source": {"type": "str"},
    "render": {"type": "bool"},
    "pull": {"type": "str", "choices": ["missing", "always", "never"], "default": "missing"},
    "state_dir": {"type": "str", "default": STATE_DIR},
    "models_dir": {"type": "str", "default": f"{STATE_DIR}/models"},
    "results_dir": {"type": "path", "default": "results"},
    "objectives": {"type": "raw"},
    "streams": {"type": "raw"},
    "density": {"type": "dict"},
    "target_fps": {"type": "float"},
    "seek": {"type": "bool", "default": False},
    "resume": {"type": "path"},
    "run_dir": {"type": "path"},
    "run_id": {"type": "str"},
    "notes": {"type": "str", "default": ""},
    "run": {"type": "bool", "default": False},
    "live": {"type": "str"},
    "show": {"type": "bool", "default": True},
    "full": {"type": "bool", "default": False},
    "as_playbook": {"type": "path"},
    "asked": {"type": "dict", "default": {}},
    "left_on": {"type": "list", "elements": "str", "default": []},
    "from_variables": {"type": "bool", "default": False},
}
#: variables of the role retail.profiles.measure that are numbers
MEASURED = (*windows.DEFAULTS, "measure_contention_max", "measure_poll")
#: by option, the variable of the role retail.profiles.profile that says the same
VARIABLES = {
    "profile": "profile",
    "plan": "plan",
    "from_run": "from_run",
    "deployment": "profile_deployment",
    "search": "profile_path",
    "env": "profile_env",
    "env_wins": "profile_env_wins",
    "variables": "profile_variables",
    "replicas": "profile_replicas",
    "place": "profile_place",
    "images": "profile_images",
    "image": "profile_image",
    "root": "profile_root",
    "target_device": "profile_target_device",
    "input_source": "profile_input_source",
    "render": "profile_render",
    "pull": "profile_pull",
    "state_dir": "profile_state_dir",
    "models_dir": "models_dir",
    "results_dir": "profile_results_dir",
    "objectives": "profile_objectives",
    "streams": "profile_streams",
    "density": "profile_density",
    "target_fps": "target_fps",
    "seek": "profile_seeks_density",
    "resume": "resume",
    "notes": "profile_notes",
    "run": "profile_begins_run",
    "live": "measure_live",
    "full": "profile_plan_full",
    "as_playbook": "as_playbook",
    "left_on": "profile_left_on",
}
SET_UP = (
    *("deployment", "env", "replicas", "place", "images", "image", "root", "target_device", "input_source", "render"),
    *("env_wins", "variables", "pull", "objectives", "streams", "density"),
)
"""The options that shape what runs; the record of a run has the variables that give them."""


class Planner:
    """The use case of profile_plan: load, shape and plan, with the arguments of one task and what its play knows.

    ``args``: checked by OPTIONS. Raises ProfileError.
    """

    def __init__(self, args: dict[str, Any], task_vars: dict[str, Any], templar: Templar, check_mode: bool) -> None:
        self.args = untagged(args)
        self.task_vars = task_vars
        self.play = {"models_dir": self.args["models_dir"], **task_vars}
        self.check_mode = check_mode
        self.render = planner_input.renderer(templar)
        self.variables = planner_input.HostVariables(task_vars["hostvars"], {"models_dir": self.args["models_dir"]})
        self.inventory = planner_input.inventory(task_vars["groups"], task_vars.get("ansible_limit"))
        self._answered: dict[str, dict[str, Any]] = {}
        self.repeated = run_start.repeated(self.args)

    def result(self) -> dict[str, Any]:
        stage = self.args["stage"]
        if not self.inventory.hosts:
            raise ProfileError(NO_HOSTS)
        if stage == "name":
            search, given = self._search(), planner_input.given(self.args)
            return {"deployment": deployment_name.of(self.args["profile"], search, self.render, self.play, given)}
        if stage == "select" and self.args["run"]:
            require_callback()
            for name in MEASURED:
                self._number(name)
            if self.args["live"]:
                listening.parse(self.args["live"], "measure_live").bound("measure_live").close()
        if stage == "plan":
            self._refuse_batches()
        if self.repeated:
            self.args["plan"] = str(self.repeated.path / PLAN)
        if self.args["plan"]:
            stored = self._stored()
            if stage == "select":
                models = repeat.models(self.repeated) if self.repeated else {}
                return {**selected(stored, stored), "models": models}
            sources = shipped_files.kept(stored, Path(self.args["plan"]).absolute().parent / KEPT)
            return self._planned(plan.Planned(self._checked(stored), sources), self._profile_of(stored))
        loaded = self._load(self.args["profile"] or "")
        settings = self._settings(loaded)
        asked = plan.shape(loaded, self.inventory, settings, self.render, self.play)
        if stage == "select":
            hosts = sorted({*asked.hosts, *self._left_on()}, key=natural)
            found = {"hosts": hosts, "deployment": settings.deployment, "state_dir": settings.state_dir}
            return {**selected(found, self._expected(loaded, asked, settings)), "profile_file": _files(loaded)}
        if stage == "prepare":
            return {"prepare": prerequisites.needs(loaded, asked, settings, self.variables, self.render)}
        snapshots, silent = self._snapshots(asked.hosts)
        fleet = Fleet(self.variables, snapshots, self._dialled(asked), silent)
        shaped = plan.shape(loaded, self.inventory, settings, self.render, self.play, fleet)
        return self._planned(plan.make(loaded, shaped, settings, fleet, self.render), loaded)

    def _load(self, name: Any) -> entry.Profile:
        search = self._search()
        file, given = load.find(name, search, self.render, self.play, planner_input.given(self.args))
        return load.load(file, search, self.render, self.play, given)

    def _search(self) -> list[Path]:
        return planner_input.search_path(self.args["search"], self.task_vars["playbook_dir"])

    def _profile_of(self, stored: dict[str, Any]) -> entry.Profile | None:
        """The profile of a stored plan, where that is needed: it says what the plan's secrets stand for."""
        if not any(replica["secrets"] for replica in stored["replicas"].values()):
            return None
        try:
            return self._load(self.args["profile"] or stored["profile"])
        except ProfileError:
            if self.args["profile"]:
                raise
            return None  # profile_secrets may give them all

    def _settings(self, loaded: entry.Profile) -> PlanSettings:
        try:
            planner_input.check_variables({**self.play, "models_dir": self.args["models_dir"]}, self.render)
            return PlanSettings(
                deployment=self._named("deployment", shared_containers.deployment)
                or shared_containers.deployment(loaded.name),
                state_dir=planner_input.absolute(VARIABLES["state_dir"], self.args["state_dir"]),
                env=base.texts("profile_env", self.args["env"]),
                env_wins=self.args["env_wins"],
                variables=base.texts("profile_variables", self.args["variables"]),
                replicas=self._by_name("replicas", field_types.positive),
                place=self._by_name("place", fields.pattern),
                images=self._by_name("images", image.image),
                pull=self.args["pull"],
                target_device=self._named("target_device", target_device.name),
                input_source=self._named("input_source", input_source.source),
                render=self.args["render"],
                objectives=self._objectives(loaded),
                streams=self._streams(loaded),
            )
        except ValueError as error:
            raise ProfileError(f"a variable of the run is not valid: {error}") from error

    def _by_name(self, option: str, kind: field_types.Type) -> Any:
        return base.valid(VARIABLES[option], field_types.mapping_of(kind), self.args[option])

    def _named(self, option: str, kind: field_types.Parser) -> Any:
        return base.valid(VARIABLES[option], kind, self.args[option]) if self.args[option] else None

    def _objectives(self, loaded: entry.Profile) -> list[dict[str, Any]] | None:
        """Those of the run, instead of the profile's; None where it has none."""
        given, target = self.args["objectives"], self.args["target_fps"]
        if target is not None:
            if given:
                raise ValueError("target_fps: it is an objective of its own: give it, or profile_objectives")
            density = self._density(loaded, "target_fps")
            least = planner_input.number("target_fps", target)
            given = [{"metric": FPS.name, "container": name, "at_least": least} for name in density["container"]]
        if given is None or given == "":
            return None
        wanted: list[dict[str, Any]] = base.valid("profile_objectives", OBJECTIVES, given)
        return wanted

    def _density(self, loaded: entry.Profile, variable: str) -> Mapping[str, Any]:
        """What a stream is: that of the run, or the profile's."""
        given = self.args["density"]
        density = base.valid("profile_density", DENSITY, given) if given else loaded.density
        if density is None:
            raise ValueError(
                f"{variable}: the profile does not say what a stream is: add density: {{container: NAME}} to it,"
                ' or -e \'{"profile_density": {"container": "NAME"}}\''
            )
        return density

    def _streams(self, loaded: entry.Profile) -> Streams | None:
        """The number of streams that is asked for; None where none is. A search asks for some on all hosts first."""
        if self.args["density"]:
            base.valid("profile_density", DENSITY, self.args["density"])
        number, seek = self.args["streams"], self.args["seek"]
        if not seek and number in (None, ""):
            return None
        density = self._density(loaded, "stream_density.yml" if seek else "profile_streams")
        per_host = density["per"] == "host"
        hosts: Mapping[str, int] = {}
        if isinstance(number, Mapping) and per_host:
            hosts, number = self._counts_of_hosts(number), density["least"]
        elif number in (None, ""):
            least = density["least"]
            number = (
                least if per_host else min(max(least, len(self.inventory.allowed)), density.get("most") or math.inf)
            )
        return Streams(
            base.valid("profile_streams", field_types.positive, number),
            tuple(density["container"]),
            density.get("env"),
            hosts if per_host else None,
        )

    def _counts_of_hosts(self, number: Mapping[str, Any]) -> dict[str, int]:
        counts: dict[str, int] = base.valid("profile_streams", field_types.mapping_of(field_types.positive), number)
        if unknown := [host for host in counts if host not in self.inventory.hosts]:
            raise ValueError(f"profile_streams names {unknown[0]!r}, which is no host of the inventory")
        return counts

    def _check_objectives(self, planned: Mapping[str, Any]) -> None:
        """Raise ProfileError for an objective that the plan, or the windows of the run, cannot answer."""
        measured = measured_plan.of_plan(planned)
        found = objectives.of_plan(measured)
        if self.args["seek"] and not found:
            raise ProfileError(
                "nothing says what each stream must reach: give -e target_fps=14.95, or objectives in the profile"
                " or as profile_objectives"
            )
        if self.args["run"] and found and not self.args["seek"]:
            seconds = self._number("measure_duration") * self._number("measure_repeat")
            objectives.check_windows(found, measured, seconds, self._number("measure_interval"))

    def _number(self, name: str) -> float:
        """A variable of the role retail.profiles.measure, or its default; of a run made again, as it was measured."""
        given = self.play.get(name, windows.DEFAULTS.get(name, 0))
        try:
            number = planner_input.number(name, self.render(given, self.play))
        except ValueError as error:
            raise ProfileError(f"a variable of the run is not valid: {error}") from error
        if self.repeated and name in windows.DEFAULTS:
            return run_start.measured_as(self.repeated, name, number)
        return number

    def _variables(self) -> dict[str, Any]:
        """The variables of the run that shape it: those of the plan that are not as usual, and those of measuring."""
        args, usual = self.args, {option: OPTIONS[option].get("default") for option in SET_UP}
        given = {VARIABLES[option]: args[option] for option in SET_UP if args[option] not in ("", {}, usual[option])}
        before = self.repeated.record.get("variables") or {} if self.repeated else {}
        return {**given, **before, **{name: self._number(name) for name in windows.DEFAULTS}}

    def _expected(self, loaded: entry.Profile, shaped: plan.Shape, settings: PlanSettings) -> dict[str, Any] | None:
        """The plan as it comes out where no host has a surprise; None where that cannot be said yet."""
        if shaped.tentative:
            return None
        try:
            fleet = Fleet.unseen(self.variables, self._dialled(shaped))
            return plan.build(loaded, shaped, settings, fleet, self.render)
        except ProfileError:
            # Whether this is an error is known when the hosts have been asked; the stage plan tells it then.
            return None

    def _dialled(self, shaped: plan.Shape) -> planner_input.Dialled:
        return planner_input.Dialled(shaped.hosts, self.variables, self.render)

    def _left_on(self) -> list[str]:
        """The hosts that the run before has used, as far as this playbook may go there."""
        return [host for host in self.args["left_on"] if host in self.inventory.allowed]

    def _refuse_batches(self) -> None:
        if len(self.task_vars["ansible_play_batch"]) != len(self.task_vars["ansible_play_hosts"]):
            raise ProfileError(
                "the play runs with serial: waves are barriers over the whole fleet, so remove serial from the play"
            )

    def _answers(self, hosts: Collection[str]) -> dict[str, dict[str, Any]]:
        """What each host has answered when it was asked. An answer is large: it is taken over from Ansible once."""
        for host in hosts:
            if host not in self._answered:
                self._answered[host] = untagged(self.variables[host].get("profile_checked", {}))
        return {host: self._answered[host] for host in hosts}

    def _snapshots(self, hosts: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """The snapshots of the hosts that have answered, and why the others have not.

        Raises ProfileError where another playbook works on the deployment: then no host serves instead.
        """
        snapshots, silent, held = {}, {}, []
        for host, answer in self._answers(hosts).items():
            if "snapshot" in answer:
                snapshots[host] = answer["snapshot"]
            else:
                silent[host] = one_line(task_results.message(answer))
            if any(problem["field"] == "lease" for problem in answer.get("problems", ())):
                held.append(str(ProfileError(silent[host], host=host)))
        if held:
            raise ProfileError("; ".join(held))
        return snapshots, silent

    def _stored(self) -> dict[str, Any]:
        file = Path(self.args["plan"])
        stored = plan.stored(text_file.text(file, plan.LARGEST), str(file))
        missing = [host for host in stored["hosts"] if host not in self.inventory.hosts]
        if missing:
            raise ProfileError(f"the plan uses {', '.join(missing)}, which the inventory does not have", file=str(file))
        return stored

    def _checked(self, stored: dict[str, Any]) -> dict[str, Any]:
        """The stored plan with today's snapshot; ProfileError where an image is not the planned one."""
        snapshots, silent = self._snapshots(list(stored["hosts"]))
        if silent:
            raise plan.unanswered(silent)
        fleet = Fleet({}, snapshots, {})
        for name, replica in stored["replicas"].items():
            image, now = replica["task"]["image"], fleet.image_id(replica["host"], replica["task"]["image"])
            where = {"host": replica["host"], "container": replica["container"]}
            if self.repeated:
                run_start.check_image(self.repeated, name, image, now, **where)
            elif replica["image_id"] and now and now != replica["image_id"]:
                raise ProfileError(
                    f"image {image} is {now} now, but {name} was planned with {replica['image_id']}: "
                    "put that image back on the host, or plan again",
                    **where,
                )
        if self.repeated:
            Display().display(f"\n{run_start.against_record(self.repeated, snapshots)}")
        return {**stored, "snapshot": snapshots}

    def _planned(self, made: plan.Planned, loaded: entry.Profile | None) -> dict[str, Any]:
        planned, sources = made.plan, made.sources
        self._check_objectives(planned)
        secrets.check(planned, secrets.Secrets(loaded, self.variables, self.render))
        summary = plan_text.text(planned, full=self.args["full"] or Display().verbosity > 0)
        if self.args["show"]:
            Display().display(f"\n{summary}\n")
        if self.args["as_playbook"]:
            write_playbook(Path(self.args["as_playbook"]), made)
        run_id, run_dir = self.args["run_id"], self.args["run_dir"]
        if self.args["run"] and not self.check_mode and not run_dir:
            run_id, run_dir = run_start.begin(self.args, planned)
        if run_dir:
            sources = shipped_files.keep(sources, Path(run_dir) / KEPT)
        return {
            "plan": planned,
            "summary": summary,
            "run_id": run_id,
            "run_dir": run_dir,
            "live": self.args["live"] if run_dir else None,
            "density": self._density(loaded, "stream_density.yml") if self.args["seek"] and loaded else None,
            "notes": self.args["notes"] or (f"repeats {self.repeated.run_id}" if self.repeated else ""),
            "variables": self._variables() if run_dir else {},
            "repeats": str(self.repeated.path) if self.repeated else None,
            "measuring": {name: self._number(name) for name in windows.DEFAULTS} if self.repeated else {},
            "deployment": planned["deployment"],
            "sources": shipped_files.as_data(sources),
            "profile_file": _files(loaded) if loaded else None,
            "has_secrets": any(replica["secrets"] for replica in planned["replicas"].values()),
            **self._to_do(planned),
        }

    def _to_do(self, planned: dict[str, Any]) -> dict[str, Any]:
        """What is left to do after the hosts were asked: whom to ask again, and what each host has to apply."""
        answers = self._answers(planned["hosts"])
        again = [host for host in answers if host_share.share_id(planned, host) != self.args["asked"].get(host)]
        problems = [
            line for host in answers if host not in again for line in wave_outcome.failures(host, answers[host])
        ]
        leaving = leftover.leaving(planned, self._left_on())
        whole = set(answers) == set(self.task_vars["ansible_play_hosts"])
        sound = not (again or problems or leaving) and whole
        standing = [host for host in answers if host not in again and answers[host].get("converged")]
        to_do = {"unchecked": again, "problems": problems, "sound": sound, "converged": standing, "leaving": leaving}
        return {**to_do, **host_share.remaining(planned, standing)}


def _files(loaded: entry.Profile) -> str | list[str]:
    """The file of a profile; of several all of them, or the folder that says which they are."""
    if loaded.folder:
        return str(loaded.folder.absolute())
    return [loaded.file, *map(str, loaded.over)] if loaded.over else loaded.file


def selected(found: Mapping[str, Any], expected: Mapping[str, Any] | None) -> dict[str, Any]:
    """The answer of the stage ``select``: with what each host will probably have to run, and the digests of that."""
    hosts = list(found["hosts"])
    asked = {host: host_share.share(expected, host) for host in hosts} if expected else {}
    digests = {host: digest(share) for host, share in asked.items()}
    where = {"deployment": found["deployment"], "state_dir": found["state_dir"]}
    return {"hosts": hosts, **where, "shares": asked, "asked": digests}


def write_playbook(file: Path, made: plan.Planned) -> None:
    """The plan as a stock playbook, and its files in a folder beside it."""
    folder = file.with_name(f"{file.name}.files")
    for item in [item for host in made.plan["hosts"].values() for item in host["files"]]:
        shipped_files.copy(made.sources[item["sha256"]], folder / stock_playbook.place(item))
    write(file, stock_playbook.playbook(made.plan, folder.name))
    Display().display(f"The plan as a playbook of stock tasks: {file}, its files in {folder.name}/ beside it")


def write(file: Path, content: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ProfileError(f"cannot be written: {error}", file=str(file)) from error


def require_callback() -> None:
    """Raise ProfileError when the callback that writes the results is not enabled: nothing of the run would be kept."""
    if CALLBACK not in constants.CALLBACKS_ENABLED:
        raise ProfileError(
            f"the callback {CALLBACK} is not enabled, so no result would be written. Add this line to the section "
            f"[defaults] of ansible.cfg: callbacks_enabled = {CALLBACK} (or set ANSIBLE_CALLBACKS_ENABLED={CALLBACK})"
        )
