#!/bin/sh
# check-headers.sh INCLUDE_DIR... HEADER...: every public header compiles alone, as C11 and, where there is a C++
# compiler, as C++17. The headers are named as a user includes them, e.g. sgdmft/solve.h.
set -eu

includes=
headers=
for argument in "$@"; do
    if [ -d "$argument" ]; then
        includes="$includes -I$argument"
    else
        headers="$headers $argument"
    fi
done
[ -n "$headers" ] || { echo "no header named"; exit 1; }

warnings="-Wall -Wextra -Wpedantic -Wshadow -Werror"
failed=0
for header in $headers; do
    # Twice: the include guard must hold. The typedef is there as a source file may not be empty.
    source=$(printf '#include <%s>\n#include <%s>\ntypedef int not_empty;\n' "$header" "$header")
    printf '%s\n' "$source" | ${CC:-cc} -std=c11 $warnings -Wstrict-prototypes $includes -fsyntax-only -x c - ||
        { echo "$header does not compile alone as C11"; failed=1; }
    if command -v "${CXX:-c++}" >/dev/null; then
        printf '%s\n' "$source" | ${CXX:-c++} -std=c++17 $warnings $includes -fsyntax-only -x c++ - ||
            { echo "$header does not compile alone as C++17"; failed=1; }
    fi
done
exit $failed
