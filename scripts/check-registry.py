#!/usr/bin/env python3
"""check-registry.py REGISTRY SOURCE_DIR: documentation and Python know every column, array and fact of the library.

The program REGISTRY lists the tables. docs/output.md must have a row for each column with its description, for each
array with its shape and for each fact, and COLUMN_KINDS of python/sgdmft.py must have the patterns of the columns.
"""

import ast
import pathlib
import subprocess
import sys


def missing_rows(tables, page):
    lines = page.read_text(encoding="utf-8").splitlines()
    for kind, name, *rest in tables:
        if kind == "column":
            names, _, doc = rest
            row = f"| `{names}` | {doc} |"
            found = row in lines
        elif kind == "array":
            row = f"| `/{name}` | {rest[0]} |"
            found = any(line.startswith(row) for line in lines)
        else:
            row = f"`{name}`"
            found = any(line.startswith("| `") and row in line.split("|")[1] for line in lines)
        if not found:
            yield f"docs/output.md has no row {row}"


def column_kinds(module):
    """The value of COLUMN_KINDS, without running the module, which needs numpy."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "COLUMN_KINDS":
            return ast.literal_eval(node.value)
    return None


def main(registry, source):
    source = pathlib.Path(source)
    listed = subprocess.run([registry], capture_output=True, text=True, check=True).stdout
    tables = [line.split("\t") for line in listed.splitlines()]
    complaints = list(missing_rows(tables, source / "docs/output.md"))
    patterns = {name: tuple(rest[1].split()) for kind, name, *rest in tables if kind == "column"}
    if column_kinds(source / "python/sgdmft.py") != patterns:
        complaints.append(f"COLUMN_KINDS of python/sgdmft.py must be {patterns}")
    for complaint in complaints:
        print(complaint)
    return 1 if complaints or not tables else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
