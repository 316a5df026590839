#!/bin/sh
# check-install.sh BUILD_DIR SOURCE_DIR: what `meson install` lays down is enough to compile and link the examples with
# nothing but pkg-config and to run one of them, and the installed program runs.
set -eu

build=$1
source=$2
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$stage" >"$stage/log" 2>&1 || { cat "$stage/log"; exit 1; }

pc=$(find "$stage" -name sgdmft.pc)
[ -n "$pc" ] || { echo "no sgdmft.pc was installed"; exit 1; }
export PKG_CONFIG_PATH="$(dirname "$pc")" PKG_CONFIG_SYSROOT_DIR="$stage"
export LD_LIBRARY_PATH="$(dirname "$(dirname "$pc")")"
for example in library callbacks read_run; do
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror -o "$stage/$example" "$source/examples/$example.c" \
        $(pkg-config --cflags --libs sgdmft) -lm
done
"$stage/library" "$source/examples/library.yaml"

program=$(find "$stage" -name sgdmft -type f -perm -u+x)
[ -n "$program" ] || { echo "no program sgdmft was installed"; exit 1; }
"$program" --version
