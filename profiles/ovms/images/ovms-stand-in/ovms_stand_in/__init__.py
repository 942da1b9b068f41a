# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for OpenVINO Model Server: the same command line, files, ports and interfaces.

Inference is by OpenVINO's Python runtime. It is for trying profiles where the real image cannot be pulled, and says
nothing about the speed of OpenVINO Model Server.
"""

from __future__ import annotations

NAME = "OpenVINO Model Server"
RELEASE = "stand-in.1"
