#!/bin/sh
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes .venv/ (pinned packages) and .collections/ (this checkout and community.docker) ready. Quick when they are.
#   .ci/setup.sh run    what a run needs
#   .ci/setup.sh dev    what the tests need, too; Prometheus is unpacked from Debian's package into the user's cache,
#                       and as root a browser for the report's tests and h2load are installed where there are none
set -eu

kind=${1:-run}
cd "$(dirname "$0")/.."
root=$(pwd -P)
venv=$root/.venv
python=${PYTHON:-}

say() { printf '==> %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

find_python() {
    for candidate in $python python3.11 python3 python3.12 python3.13; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    die "no Python 3.11 or newer found (on Debian 12: apt-get install python3). Or name one: make setup PYTHON=/path/to/python3.11"
}

# Debian keeps ensurepip, without which no virtual environment gets a pip, in a package of its own.
need_ensurepip() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        die "$1 cannot make virtual environments: install Debian's $package (as root: apt-get install $package)"
    fi
    say "installing Debian's $package"
    apt-get update -qq
    apt_install "$package" || die "Debian's $package could not be installed: try apt-get install $package"
}

# Scripts in a virtual environment hold its absolute path, so a moved checkout needs a new one.
works() {
    [ -x "$venv/bin/python" ] && [ -x "$venv/bin/pip" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null &&
        [ "$(head -c 2048 "$venv/bin/pip" | sed -n '1s/^#!//p')" -ef "$venv/bin/python" ]
}

install() { # FILE STAMP
    wanted="$root $(cat requirements.txt "$1" | sha256sum | cut -c1-64)"
    if [ -f "$2" ] && [ "$(cat "$2")" = "$wanted" ]; then
        return
    fi
    say "installing the packages of $1 into .venv"
    "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-compile -r "$1" ||
        die "pip could not install $1 (see above). Is a package index reachable?"
    # pip compiles on one processor, which takes as long as all else. Some packages have files for other Pythons.
    "$venv/bin/python" -m compileall -qq -j 0 "$venv/lib" || true
    printf '%s' "$wanted" >"$2"
}

# The tests of exports ask promtool and Prometheus. Debian's package is unpacked, not installed: no service comes with it.
fetch_prometheus() {
    tools=${XDG_CACHE_HOME:-$HOME/.cache}/retail-profiles/prometheus
    if [ -x "$tools/usr/bin/promtool" ] || { command -v promtool && command -v prometheus; } >/dev/null 2>&1; then
        return
    fi
    if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
        say "no promtool and no apt-get to fetch it with: the tests that ask Prometheus are skipped"
        return
    fi
    say "unpacking Debian's prometheus into $tools (no service is installed)"
    mkdir -p "${tools%/*}"
    work=$(mktemp -d "${tools%/*}/prometheus.XXXXXX")
    if ! (cd "$work" && download prometheus) || ! dpkg -x "$work"/prometheus_*.deb "$work/tree"; then
        rm -rf "$work"
        [ "$(id -u)" != 0 ] || die "Debian's package prometheus could not be fetched (see above)"
        say "it could not be fetched: the tests that ask Prometheus are skipped (as root: apt-get update)"
        return
    fi
    # Where somebody else was quicker, theirs is as good.
    mv -T "$work/tree" "$tools" 2>/dev/null || [ -x "$tools/usr/bin/promtool" ]
    rm -rf "$work"
}

# The report is tested in a browser. Debian's smallest one takes 64 MB, and libraries that cannot be unpacked beside it.
install_chromium() {
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        ! command -v "$name" >/dev/null 2>&1 || return 0
    done
    may_install && say "installing Debian's chromium-headless-shell, in which the report is tested" &&
        { install_now chromium-headless-shell fonts-dejavu-core || apt_install chromium; } && return
    say "no chromium, and none could be installed: the report's tests in a browser are skipped"
}

# The request rate is held against h2load's.
install_h2load() {
    ! command -v h2load >/dev/null 2>&1 || return 0
    may_install && say "installing Debian's nghttp2-client, whose h2load is a test's oracle" &&
        install_now nghttp2-client && return
    say "no h2load, and it could not be installed: the test that asks it is skipped"
}

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

# apt's lists are brought up to date where they do not know a package, or know it no more.
install_now() { # PACKAGES
    apt_install "$@" || { apt-get update -qq && apt_install "$@"; }
}

apt_install() { # PACKAGES
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# Debian's package into this folder; apt's lists are brought up to date where they do not know it, or know it no more.
download() { # PACKAGE
    apt-get download -qq -o APT::Sandbox::User=root "$1" 2>/dev/null && return
    [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get download -qq -o APT::Sandbox::User=root "$1"
}

if ! works; then
    python=$(find_python)
    need_ensurepip "$python"
    say "making the virtual environment .venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv" || die "$python could not make a virtual environment in $venv"
fi
install requirements.txt "$venv/.stamp-run"
if [ "$kind" = dev ]; then
    install requirements-dev.txt "$venv/.stamp-dev"
    fetch_prometheus
    install_chromium
    install_h2load
fi
"$venv/bin/python" .ci/fetch_collections.py
