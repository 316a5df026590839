#!/usr/bin/env python3
"""embed-files.py OUT.c FILE...: a C table of the names and texts of files, for a program that needs no source tree."""

import os
import sys


def literal(text):
    """One string literal a line; octal escapes end after three digits, so that nothing can run into them."""
    lines = []
    for line in text.splitlines(keepends=True):
        escaped = "".join(c if 32 <= ord(c) < 127 and c not in '"\\?' else "".join(f"\\{b:03o}" for b in c.encode())
                          for c in line)
        lines.append(f'    "{escaped}"')
    return "\n".join(lines) or '    ""'


def main(out, *paths):
    with open(out, "w", encoding="utf-8") as to:
        to.write('#include "validation/claims/runs.h"\n\nconst embedded_file embedded_files[] = {\n')
        for path in paths:
            with open(path, encoding="utf-8") as file:
                to.write(f'{{"{os.path.basename(path)}",\n{literal(file.read())}}},\n')
        to.write("{NULL, NULL},\n};\n")


main(*sys.argv[1:])
