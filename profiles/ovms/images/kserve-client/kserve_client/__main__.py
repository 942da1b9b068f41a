# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m kserve_client``: the entry point of the image."""

from __future__ import annotations

import sys

from kserve_client.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
