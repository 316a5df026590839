#!/bin/sh
# check-symbols.sh LIBRARY.so: every symbol that the shared library exports must start with sgdmft_.
set -eu

symbols=$(nm -D --defined-only "$1" | awk '{print $NF}')
# The sanitizers export symbols of their own.
foreign=$(printf '%s\n' "$symbols" | grep -v -e '^sgdmft_' -e '^__asan_' -e '^__odr_asan' || true)

if [ -n "$foreign" ]; then
    echo "exported without the prefix sgdmft_:" $foreign
    exit 1
fi
if [ -z "$symbols" ]; then
    echo "$1 exports nothing"
    exit 1
fi
echo "$(printf '%s\n' "$symbols" | wc -l) exported symbols, all start with sgdmft_"
