# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which models are served in which versions: loading, states, and following changes of files."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ovms_stand_in import contract, repository
from ovms_stand_in.configfile import ConfigFile
from ovms_stand_in.faults import Fault, RequestError, StartError
from ovms_stand_in.log import MANAGER, SERVING
from ovms_stand_in.metrics import Metrics
from ovms_stand_in.model import Servable
from ovms_stand_in.modelconfig import BEST_DEVICE, ModelConfig

Loader = Callable[[ModelConfig, Path], Servable]


@dataclass
class ServedVersion:
    """A version of a model. state: START, LOADING, AVAILABLE, UNLOADING or END; error: OK or UNKNOWN."""

    name: str
    version: int
    fingerprint: repository.Fingerprint = ()
    state: str = "START"
    error: str = "OK"
    instance: Servable | None = None

    def change(self, state: str, error: str = "OK") -> None:
        """Go to ``state``, with the log line that OVMS writes."""
        self.state, self.error = state, error
        SERVING.info(
            'STATUS CHANGE: Version %d of model %s status change. New status: ( "state": "%s", "error_code": "%s" )',
            *(self.version, self.name, state, error),
        )

    def available(self) -> Servable:
        """The instance. RequestError when the version is not available."""
        instance = self.instance
        if self.state == "AVAILABLE" and instance is not None:
            return instance
        if self.state in ("UNLOADING", "END"):
            raise RequestError(Fault.MODEL_VERSION_NOT_LOADED_ANYMORE)
        raise RequestError(Fault.MODEL_VERSION_NOT_LOADED_YET)


class ModelManager:
    """All models. One thread loads at a time; requests never wait for that."""

    def __init__(self, load: Loader, metrics: Metrics, version: contract.Version = contract.NEWEST) -> None:
        self._load = load
        self._folders_are_optional = version >= contract.VERSION_FOLDER_OPTIONAL
        self._metrics = metrics
        self._configs: dict[str, ModelConfig] = {}
        self._models: dict[str, dict[int, ServedVersion]] = {}
        self._problems: dict[str, str] = {}
        self._loading = threading.Lock()
        self.ready = False

    def apply(self, config: ConfigFile) -> bool:
        """Serve what ``config`` says; whether anything changed. Models that fail are logged, and not ready."""
        with self._loading:
            for warning in config.warnings:
                MANAGER.warning("%s", warning)
            for name, problem in config.problems.items():
                MANAGER.error("Parsing model: %s config failed due to error: %s", name, problem)
            wanted = {model.name: model for model in config.models}
            changed = False
            for name in [name for name in self._configs if name not in wanted and name not in config.problems]:
                self._retire(name, tuple(self._models[name]))
                del self._configs[name]
                changed = True
            for name, model in wanted.items():
                if name in self._configs and self._configs[name] != model:
                    self._retire(name, tuple(self._models[name]))
                self._configs[name] = model
                changed = self._update(model) or changed
            return changed

    def update_versions(self) -> bool:
        """Look at the repositories again; whether a version came, went or changed."""
        with self._loading:
            return sum(self._update(model) for model in self._configs.values()) > 0

    def find(self, name: str, version: int | None) -> ServedVersion:
        """A version of a model, the newest available one by default. RequestError when there is none."""
        versions = self._models.get(name)
        if versions is None:
            raise RequestError(Fault.MODEL_NAME_MISSING)
        if version is None:
            version = max((v for v, served in list(versions.items()) if served.state == "AVAILABLE"), default=0)
        served = versions.get(version)
        if served is None:
            raise RequestError(Fault.MODEL_VERSION_MISSING)
        return served

    def available_versions(self, name: str) -> tuple[int, ...]:
        """The versions of ``name`` that can be used, ascending."""
        return tuple(v for v, served in sorted(self._models[name].items()) if served.state == "AVAILABLE")

    def states(self) -> dict[str, list[ServedVersion]]:
        """Every model with its versions."""
        return {name: [versions[v] for v in sorted(versions)] for name, versions in dict(self._models).items()}

    def _update(self, model: ModelConfig) -> bool:
        versions = self._models.setdefault(model.name, {})
        try:
            available = repository.versions(model.base_path, self._folders_are_optional)
            wanted = repository.choose(available, model.version_policy)
        except RequestError as error:
            if self._problems.get(model.name) != str(error):  # once, not every second
                MANAGER.error("Error occurred while loading model: %s versions; error: %s", model.name, error)
            self._problems[model.name] = str(error)
            wanted = ()
        else:
            self._problems.pop(model.name, None)
        folders = {version: repository.version_folder(model.base_path, version) for version in wanted}
        prints = {version: repository.fingerprint(folder) for version, folder in folders.items()}
        running = {v: s for v, s in versions.items() if s.state != "END"}
        gone = tuple(v for v in running if v not in wanted)
        new = tuple(v for v in wanted if v not in running or running[v].fingerprint != prints[v])
        for version in new:
            self._add(model, version, folders[version], prints[version])
        # After the new ones are there, so that there is a version to answer with all the time.
        self._retire(model.name, gone)
        return bool(gone or new)

    def _add(self, model: ModelConfig, version: int, folder: Path, prints: repository.Fingerprint) -> None:
        SERVING.info("Will add model: %s; version: %d ...", model.name, version)
        served = ServedVersion(model.name, version, prints)
        self._models[model.name][version] = served
        served.change("START")
        served.change("LOADING")
        words = "Loading model: %s, version: %d, from path: %s, with target device: %s ..."
        SERVING.info(words, model.name, version, folder, model.target_device)
        if not model.target_device:
            words = "No target device specified for model: %s; version: %d; using recommended device: %s"
            MANAGER.info(words, model.name, version, BEST_DEVICE)
        try:
            file = repository.model_file(folder)
            served.instance = self._load(model, file)
        except RequestError as error:
            SERVING.error("Error occurred while loading model: %s; version: %d; error: %s", model.name, version, error)
            served.change("LOADING", "UNKNOWN")
            return
        self._metrics.add_model(model.name, version, served.instance.streams, served.instance.nireq)
        nireq = served.instance.nireq
        SERVING.info("Loaded model %s; version: %d; No of InferRequests: %d", model.name, version, nireq)
        served.change("AVAILABLE")

    def _retire(self, name: str, versions: tuple[int, ...]) -> None:
        for version in versions:
            served = self._models[name][version]
            if served.state == "END":
                continue
            SERVING.info("Will unload model: %s; version: %d ...", name, version)
            served.change("UNLOADING")
            served.instance = None
            self._metrics.remove_model(name, version)
            served.change("END")


class Watcher:
    """Applies changes of the configuration file and of the repositories.

    read: the configuration as it is now; path: the file that it comes from, None for a single model.
    """

    def __init__(self, manager: ModelManager, read: Callable[[], ConfigFile], path: Path | None) -> None:
        self._manager = manager
        self._read = read
        self._path = path
        self._digest = self._now()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def _now(self) -> str:
        if self._path is None:
            return ""
        try:
            return hashlib.sha256(self._path.read_bytes()).hexdigest()
        except OSError:
            return ""

    def reload(self) -> bool:
        """Follow what changed since the last time; whether anything did. StartError for a bad configuration file."""
        with self._lock:
            digest = self._now()
            if self._path is not None and not digest:
                raise StartError("Config file not found or cannot open.")
            changed = False
            if digest != self._digest:
                self._digest = digest  # also when it is bad: say so once, not every second
                MANAGER.info("Reading configuration file again: %s", self._path)
                changed = self._manager.apply(self._read())
            return self._manager.update_versions() or changed

    def start(self, seconds: float) -> None:
        """Look every ``seconds`` from now on; 0 is never."""
        if seconds > 0:
            self._thread = threading.Thread(target=self._run, args=(seconds,), name="watcher", daemon=True)
            self._thread.start()
            MANAGER.info("Started model manager thread")

    def stop(self) -> None:
        """End the watching thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                self.reload()
            except StartError as error:
                MANAGER.error("Couldn't apply the changed configuration: %s", error)
