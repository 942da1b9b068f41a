# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and ending: interfaces first, then the models, with OpenVINO Model Server's exit codes and log lines."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovms_stand_in import NAME, configfile, log, settings
from ovms_stand_in.configfile import ConfigFile
from ovms_stand_in.faults import RequestError, StartError, UsageError
from ovms_stand_in.generation import Generative
from ovms_stand_in.log import MANAGER, SERVING
from ovms_stand_in.metrics import Metrics
from ovms_stand_in.modelconfig import model_config

if TYPE_CHECKING:
    from ovms_stand_in.inference import Inference

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 64

_GRACE = 5.0  # seconds that requests have to finish at the end


def _reader(given: settings.Settings) -> Callable[[], ConfigFile]:
    """What reads the configuration: the file, or the options of the single model. It raises StartError."""
    if given.generated is not None:
        return ConfigFile
    if given.config_path is not None:
        path = given.config_path
        return lambda: configfile.read(path, given.cache_dir, given.version)
    options = given.model or {}
    try:
        single = ConfigFile(models=(model_config(options, Path.cwd(), given.cache_dir, given.version),))
    except RequestError as error:
        raise StartError(str(error)) from None
    return lambda: single


def _families(given: settings.Settings, config: ConfigFile) -> frozenset[str]:
    """The metric families to serve. Raises StartError when file and command line contradict each other."""
    if config.metrics is None:
        return given.metrics or frozenset()
    if given.metrics is not None:
        raise StartError("Metrics configuration duplicated in configuration file and CLI parameters")
    if config.metrics and not given.rest_port:
        raise StartError(
            "CLI parameter rest_port is not defined. It must be set to enable metrics on the REST interface"
        )
    return config.metrics


def _make(generated: settings.Generated) -> None:
    """Make the decoder where a model is asked for that its folder lacks. StartError where it cannot be written."""
    from ovms_stand_in import decoder_model

    if not generated.source or (generated.folder / decoder_model.FILE).exists():
        return
    words = "The stand-in downloads nothing: it makes its own decoder in place of %s in %s"
    SERVING.warning(words, generated.source, generated.folder)
    try:
        decoder_model.write(generated.folder)
    except OSError as error:
        raise StartError(f"Model {generated.source} cannot be written to {generated.folder}: {error}") from None


def _load(core: Any, generated: settings.Generated, inference: Inference) -> None:
    """Load a generative model. One that fails is logged, and not ready."""
    from ovms_stand_in import decoder, decoder_model

    name = generated.name
    try:
        decoders = decoder.load(core, generated.folder, generated.device, generated.at_once)
    except RequestError as error:
        MANAGER.error("Mediapipe: %s state changed to: LOADING_PRECONDITION_FAILED; error: %s", name, error)
        return
    inference.metrics.add_graph(name)
    inference.graphs[name] = Generative(name, generated.task, decoders, decoder_model.CONTEXT)
    MANAGER.info("Mediapipe: %s state changed to: AVAILABLE after handling: ValidationPassedEvent", name)


def serve(given: settings.Settings, stop: threading.Event) -> None:
    """Serve until ``stop``. Raises StartError when that cannot be."""
    # Not at the top: --help, --version and wrong options should not wait for OpenVINO.
    import openvino

    from ovms_stand_in import grpc_service, rest_service
    from ovms_stand_in.generative_api import GenerativeRoutes
    from ovms_stand_in.inference import Inference
    from ovms_stand_in.instance import Instance
    from ovms_stand_in.manager import ModelManager, Watcher

    name = settings.name_of(given.version)
    SERVING.info("%s %s", NAME, name)
    SERVING.info("OpenVINO backend %s", openvino.get_version())
    if given.generated is not None:
        _make(given.generated)
        if not given.generated.serve:
            return
    read = _reader(given)
    metrics = Metrics()
    core = openvino.Core()
    manager = ModelManager(lambda config, file: Instance(core, config, file), metrics, given.version)
    watcher = Watcher(manager, read, given.config_path)
    inference = Inference(manager, metrics, name)
    stops: list[Callable[[], None]] = []
    try:
        SERVING.info("GRPCServerModule starting")
        if given.port:
            end = grpc_service.start(
                inference, given.grpc_bind_addresses, given.port, given.grpc_workers, lambda: not stop.is_set()
            )
            stops.append(lambda: end(_GRACE))
            SERVING.info("GRPCServerModule started")
            SERVING.info("Started gRPC server on port %d", given.port)
        else:
            SERVING.info("GRPCServerModule started")
            SERVING.info("Port was not set. GRPC server will not be started.")
        if given.rest_port:
            SERVING.info("HTTPServerModule starting")
            generative = GenerativeRoutes(inference.graphs, metrics, given.api_key, given.version)
            routes = rest_service.Routes(inference, lambda: not stop.is_set(), watcher.reload, generative)
            stops.append(rest_service.start(routes, given.rest_bind_addresses, given.rest_port))
            SERVING.info("HTTPServerModule started")
        SERVING.info("ServableManagerModule starting")
        MANAGER.info("Available devices for Open VINO: %s", ", ".join(core.available_devices))
        config = read()
        metrics.enabled = _families(given, config)
        manager.apply(config)
        if given.generated is not None:
            _load(core, given.generated, inference)
        manager.ready = True
        watcher.start(given.poll_seconds)
        SERVING.info("ServableManagerModule started")
        stop.wait()
        watcher.stop()
    finally:
        for end_service in stops:
            end_service()
    SERVING.info("ServableManagerModule shutdown")


def main(arguments: Sequence[str]) -> int:
    """Run ``ovms`` with ``arguments``; the exit code."""
    try:
        given = settings.parse(arguments)
    except settings.Printed as text:
        sys.stdout.write(str(text))
        return EXIT_OK
    except UsageError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except StartError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILURE
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: stop.set())
    try:
        log.configure(given.log_level, given.log_path)
        serve(given, stop)
    except StartError as error:
        SERVING.error("%s", error)
        return EXIT_FAILURE
    except OSError as error:  # the log file
        print(f"Cannot log to {given.log_path}: {error}", file=sys.stderr)
        return EXIT_FAILURE
    return EXIT_OK
