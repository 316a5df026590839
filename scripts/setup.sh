#!/usr/bin/env bash
# Installs the missing Debian packages of packages.txt, then configures and builds into build/.
# Safe to run again at any time: with everything in place it takes a fraction of a second.
set -euo pipefail

if [ $# -gt 0 ]; then
    echo "usage: scripts/setup.sh    (no arguments: installs missing packages, builds into build/)"
    case $1 in -h | --help) exit 0 ;; *) exit 2 ;; esac
fi

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
install_missing_packages
build_into build --buildtype=release
