# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What limited a run: candidates by the rules, in order, and the one that stands out; or that none does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import bottleneck_rules as rules
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.bottleneck_rules import (
    CLEAR,
    LIKELY,
    WEAK,
    Candidate,
    Cause,
    Evidence,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.bottleneck_scene import Scene
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed

NOT_CLEAR = "not clear"
_CERTAINTY = (CLEAR, LIKELY, WEAK)
_NEAREST_FIRST: tuple[Cause, ...] = (
    "cpu_quota",
    "cpu",
    "device",
    "infer_requests",
    "memory",
    "disk",
    "network",
    "load",
    "thread",
)
"""Of equally sure candidates, the one that is told by what was measured of it itself goes before what is inferred."""


@dataclass(frozen=True)
class Bottleneck:
    """The conclusion in one sentence, the candidate that it names, if any, and the others in order.

    ``caveats``: what else took part, that is no limit of the set-up.
    """

    conclusion: str
    confidence: str
    found: Candidate | None
    evidence: tuple[Evidence, ...]
    others: tuple[Candidate, ...] = ()
    caveats: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As ``run.json`` holds it."""
        found = self.found
        return {
            "conclusion": self.conclusion,
            "cause": found.cause if found is not None else None,
            "side": found.side if found is not None else None,
            "where": _where(found) if found is not None else None,
            "confidence": self.confidence,
            "evidence": [asdict(one) for one in self.evidence],
            "others": [_as_dict(one) for one in self.others],
            "caveats": list(self.caveats),
        }


def _where(candidate: Candidate) -> dict[str, str | None] | None:
    if candidate.host is None:
        return None
    return {"host": candidate.host, "container": candidate.container}


def _as_dict(candidate: Candidate) -> dict[str, Any]:
    return {
        "what": candidate.what,
        "cause": candidate.cause,
        "side": candidate.side,
        "where": _where(candidate),
        "confidence": candidate.confidence,
        "evidence": [asdict(one) for one in candidate.evidence],
    }


def _rank(candidate: Candidate) -> tuple[int, int, float]:
    certainty = _CERTAINTY.index(candidate.confidence)
    return certainty, _NEAREST_FIRST.index(candidate.cause), -candidate.used


def _folded(found: Sequence[Candidate]) -> Iterator[Candidate]:
    """Of the same cause at several hosts, or at several replicas of a container, the first, which tells how many more
    there are."""
    groups: dict[tuple[str, str, str], list[Candidate]] = {}
    for candidate in found:
        groups.setdefault((candidate.cause, candidate.side, candidate.group), []).append(candidate)
    for first, *more in groups.values():
        yield replace(first, what=f"{first.what} and {len(more)} more like it") if more else first


def _alike(said: Mapping[str, str]) -> tuple[str, ...]:
    """Of hosts of which the same is said, but for figures, what is said of the first, with the names of the others."""
    groups: dict[str, list[str]] = {}
    for host, text in said.items():
        groups.setdefault(re.sub(r"[\d.]+", "", text.replace(host, "")), []).append(host)
    return tuple(said[first] + (f"; {listed(more)} likewise" if more else "") for first, *more in groups.values())


def candidates(scene: Scene, contended: Sequence[str]) -> list[Candidate]:
    """All that may limit the run, the surest first; ``contended``: hosts whose processors others took."""
    found = [
        *rules.quotas(scene),
        *rules.cpu_sets(scene),
        *rules.host_cpus(scene),
        *rules.devices(scene),
        *rules.memory(scene),
        *rules.disks(scene),
        *rules.links(scene),
        *rules.threads(scene),
    ]
    found += rules.infer_requests(scene, found, contended)
    found += [*rules.elsewhere(scene, found, contended), *rules.load(scene, found, contended)]
    return list(_folded(sorted(found, key=_rank)))


def find(scene: Scene) -> Bottleneck:
    """What limited the run. Where all that was asked was done, that is the load, whatever else was busy."""
    contended = rules.contention(scene)
    found, crowded = candidates(scene, tuple(contended)), _alike(contended)
    caveats = (*crowded, *rules.heat(scene))
    first = next((one for one in found if one.cause == "load"), next((one for one in found if one.counts), None))
    others = tuple(one for one in found if one is not first)
    if first is None:
        evidence = rules.busiest(scene)
        return Bottleneck(f"{NOT_CLEAR}: {_why(scene, others, crowded)}", NOT_CLEAR, None, (evidence,), others, caveats)
    rivals = [one for one in others if one.confidence == CLEAR and one.side != first.side]
    confidence = LIKELY if rivals else first.confidence
    says = ", ".join(one.says for one in first.evidence)
    conclusion = f"limited by: {first.what} ({says}; {confidence})"
    return Bottleneck(conclusion, confidence, first, first.evidence, others, caveats)


def _why(scene: Scene, weak: Sequence[Candidate], crowded: Sequence[str]) -> str:
    """Why nothing can be named."""
    if not scene.clients:
        return "no client tells what was done"
    if crowded:
        return f"{crowded[0]}, which may explain the rest"
    if weak:
        signs = "; ".join(f"{one.what}: {', '.join(e.says for e in one.evidence)}" for one in weak[:2])
        return f"there are only weak signs ({signs})"
    lacking = [client.name for client in scene.clients if client.demand is not None and client.demand.offered is None]
    told = f", and {lacking[0]} tells no rate that it asks for" if lacking else ""
    return f"nothing is near its limit ({rules.busiest(scene).says}){told}"
