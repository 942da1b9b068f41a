# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines in OpenVINO Model Server's format: ``[time][pid][logger][level][file:line] text``, to standard output."""

from __future__ import annotations

import logging
import sys

SERVING = logging.getLogger("serving")
MANAGER = logging.getLogger("modelmanager")

_LEVELS = {"TRACE": 5, "DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING, "ERROR": logging.ERROR}


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = self.formatTime(record, "%Y-%m-%d %H:%M:%S") + f".{int(record.msecs):03d}"
        level = record.levelname.lower()
        text = record.getMessage()
        return f"[{time}][{record.process}][{record.name}][{level}][{record.filename}:{record.lineno}] {text}"


def configure(level: str, path: str) -> None:
    """Log from ``level`` (TRACE … ERROR) on: to standard output, and to the file ``path`` if it is not empty."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if path:
        handlers.append(logging.FileHandler(path))
    for handler in handlers:
        handler.setFormatter(_Formatter())
    for logger in (SERVING, MANAGER):
        logger.handlers = handlers
        logger.setLevel(_LEVELS[level])
        logger.propagate = False
