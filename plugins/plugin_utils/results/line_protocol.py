# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""InfluxDB line protocol, ``metrics.lp``: the time series of a run, times in nanoseconds.

A line has all that was told of a container (measurement ``retail_profiles``) or host (``retail_profiles_host``), or of
one of its devices (tag ``device``), at one time, a field a metric; a percentile of a sketch is a field whose name ends
with it.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ansible_collections.retail.profiles.plugins.plugin_utils.results.exported_series import Exported, Subject

CONTAINERS = "retail_profiles"
HOSTS = "retail_profiles_host"
_SPECIAL = re.compile(r"([,= ])")
_LOOSE = re.compile(r"\\+(?=[,= ]|\Z)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def escaped(text: str) -> str:
    """A tag's value, or the key of a tag or field.

    The format cannot hold a line break, nor a backslash that would escape what follows: control characters become
    spaces, and backslashes before a special character or at the end are left out.
    """
    return _SPECIAL.sub(r"\\\1", _LOOSE.sub("", _CONTROL.sub(" ", text)))


def _series_key(subject: Subject, run_id: str) -> str:
    """Measurement and tags; tags in the order of their keys, as the server sorts them, and none that is empty."""
    named = (
        ("container", subject.container),
        ("device", subject.device),
        ("host", subject.host),
        ("replica", subject.replica),
        ("run", run_id),
    )
    tags = [f"{key}={value}" for key, text in named if text and (value := escaped(text))]
    return ",".join([HOSTS if subject.replica is None else CONTAINERS, *tags])


def _lines(key: str, members: Sequence[Exported]) -> Iterator[str]:
    fields: defaultdict[int, list[str]] = defaultdict(list)
    for series in members:
        name = escaped(f"{series.metric}_{series.percentile}" if series.percentile else series.metric)
        for stamp, value in zip(series.times, series.values, strict=True):
            # The format has no infinity and no NaN.
            if math.isfinite(value):
                fields[stamp].append(f"{name}={value!r}")
    for stamp in sorted(fields):
        yield f"{key} {','.join(fields[stamp])} {stamp}000000\n"


def text(run_id: str, exported: Sequence[Exported]) -> str:
    """The whole file."""
    by_subject: dict[Subject, list[Exported]] = {}
    for series in exported:
        by_subject.setdefault(series.subject, []).append(series)
    return "".join(
        line for subject, members in by_subject.items() for line in _lines(_series_key(subject, run_id), members)
    )
