# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """The option that all modules of the collection share."""

    DOCUMENTATION = r"""
options:
  state_dir:
    description:
      - Directory of the host in which the collection keeps its records, shipped files and samples.
      - C(prepare_hosts.yml) makes it.
    type: path
    default: /var/lib/retail-profiles
"""
