# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what declarations say: of a profile's fields docs/profile.schema.json and the tables of docs/profile.md, of the
catalogue of metrics the tables of docs/results.md.

A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; all other text of these is written by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (  # noqa: E402
    CONTAINER_METRICS,
    TOLD_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (  # noqa: E402
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS  # noqa: E402
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Metric  # noqa: E402
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ovms_metrics import OVMS_METRICS  # noqa: E402
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import (  # noqa: E402
    build,
    density,
    environment,
    fields,
    metrics,
    networks,
    objectives,
    placement,
    readiness,
    volumes,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import Field, property_of  # noqa: E402
from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources  # noqa: E402

REFERENCE = ROOT / "docs" / "profile.md"
RESULTS = ROOT / "docs" / "results.md"
SCHEMA = ROOT / "docs" / "profile.schema.json"
_TABLE = re.compile(r"(<!-- table ([a-z_ ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TEMPLATE = {"$ref": "#/$defs/template"}


def schema() -> dict[str, Any]:
    """The JSON Schema of profile.yml."""
    properties = {field.name: property_of(field) for field in fields.PROFILE_FIELDS}
    entry = properties["containers"]["items"]
    properties["containers"]["items"] = {"$ref": "#/$defs/container"}
    container = {**entry, "properties": {name: _templated(item) for name, item in entry["properties"].items()}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A profile of retail.profiles",
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields.PROFILE_FIELDS if field.required],
        "additionalProperties": False,
        "$defs": {
            "container": container,
            "template": {
                "description": "A Jinja template, rendered before the value is checked.",
                "type": "string",
                "pattern": r"\{\{|\{%",
            },
        },
    }


def _templated(written: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of what may hold templates: anywhere inside, and in place of the whole."""
    inner = dict(written)
    outer = {key: inner.pop(key) for key in ("description", "default") if key in inner}
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), Mapping):
            inner[key] = _templated(inner[key])
    if "properties" in inner:
        inner["properties"] = {name: _templated(item) for name, item in inner["properties"].items()}
    if "propertyNames" in inner:
        inner["propertyNames"] = _or_template(inner["propertyNames"])
    if "anyOf" in inner and all(set(item) != {"required"} for item in inner["anyOf"]):
        inner["anyOf"] = [_templated(item) for item in inner["anyOf"]]
    return {**outer, **_or_template(inner)}


def _or_template(inner: Mapping[str, Any]) -> dict[str, Any]:
    if inner.get("type") == "string" and not {"pattern", "format"} & set(inner):
        return dict(inner)  # takes a template as it is
    if set(inner) == {"anyOf"}:
        return {"anyOf": [item for item in inner["anyOf"] if item != _TEMPLATE] + [_TEMPLATE]}
    return {"anyOf": [dict(inner), _TEMPLATE]}


def tables() -> dict[str, str]:
    """The tables of docs/profile.md, by name."""
    made = {
        "profile": _table(fields.PROFILE_FIELDS),
        "models": _table(fields.MODELS_FIELDS),
        "build": _table(build.BUILD_FIELDS),
        "env_file": _table(environment.ENV_FILE_FIELDS),
        "require": _table(placement.REQUIRE_FIELDS),
        "volume": _table(volumes.VOLUME_FIELDS),
        "named volume": _table(volumes.NAMED_VOLUME_FIELDS),
        "attachment": _table(networks.ATTACHMENT_FIELDS),
        "network": _table(networks.NETWORK_FIELDS),
        "ready": _table(readiness.READY_FIELDS),
        "probe": "\n".join(
            f"`{probe.name}` in full:\n\n{_table(probe.fields)}" for probe in readiness.PROBE_FIELDS if probe.fields
        ),
        "metric": _table(metrics.METRIC_FIELDS),
        "objective": _table(objectives.OBJECTIVE_FIELDS),
        "density": _table(density.DENSITY_FIELDS),
    }
    for group in fields.CONTAINER_GROUPS:
        members = [field for field in fields.CONTAINER_FIELDS if field.group == group]
        made[f"container {group}"] = _table(members, options=True)
    return made


def _table(rows: Iterable[Field], options: bool = False) -> str:
    head = ["field", "default", "what it is", "example", *(["docker_container"] if options else [])]
    lines = []
    for field in rows:
        default = "**needed**" if field.required else field.unset or _written(field.default)
        becomes = [" ".join(f"`{option}`" for option in field.options)] if options else []
        lines.append([f"`{field.name}`", default, field.doc, f"`{field.example}`", *becomes])
    return _markdown(head, lines)


def metric_tables() -> dict[str, str]:
    """The tables of docs/results.md, by name."""
    others = [
        [f"other rules, `kind: {kind.name}`", kind.unit, kind.name, kind.formula, kind.absent_when, ""]
        for kind in metric_sources.KINDS
    ]
    replicas = [
        *([*_metric(metric), ""] for metric in TOLD_METRICS),
        *others,
        *([*_metric(metric), _without(metric)] for metric in CONTAINER_METRICS),
        *([*_metric(metric, " (OVMS)"), _without(metric)] for metric in OVMS_METRICS),
    ]
    head = ["metric", "unit", "kind", "formula", "absent when"]
    return {
        "replica metrics": _markdown([*head, "a run without it"], replicas),
        "host metrics": _markdown(head, [_metric(metric) for metric in HOST_METRICS]),
        "device metrics": _markdown(
            head,
            [
                *(_metric(metric) for metric in DEVICE_METRICS),
                *(_metric(metric, " (of a container)") for metric in CONTAINER_DEVICE_METRICS),
            ],
        ),
    }


def _metric(metric: Metric, of: str = "") -> list[str]:
    unit = f"{metric.unit}/s; `total`" if metric.kind == "counter" else metric.unit
    return [f"`{metric.name}`{of}", unit, metric.kind, metric.formula, metric.absent_when]


def _without(metric: Metric) -> str:
    return "is degraded" if metric.essential else ""


def _markdown(head: list[str], lines: Iterable[list[str]]) -> str:
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n"
        for line in [head, ["---"] * len(head), *lines]
    )


def _written(default: Any) -> str:
    if default is None:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def filled_in(file: Path, tables: Mapping[str, str]) -> str:
    """A document with its tables written anew. KeyError for a table that there is not, or is not shown."""
    made = dict(tables)

    def filled(match: re.Match[str]) -> str:
        return match[1] + "\n" + made.pop(match[2]) + "\n" + match[3]

    result = _TABLE.sub(filled, file.read_text(encoding="utf-8"))
    if made:
        raise KeyError(f"{file.name} has no table {', '.join(made)}")
    return result


def written() -> dict[Path, str]:
    """Every generated file with what it should hold."""
    return {
        SCHEMA: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        REFERENCE: filled_in(REFERENCE, tables()),
        RESULTS: filled_in(RESULTS, metric_tables()),
    }


def main() -> None:
    for file, content in written().items():
        file.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
