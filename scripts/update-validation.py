#!/usr/bin/env python3
"""update-validation.py DIR SOURCE_DIR: puts the results of `sgdmft validate -o DIR` into docs/validation.md.

The tables between the comments <!-- CLAIM --> and <!-- end --> are written anew, and so are the figures
docs/validation/CLAIM.png.
"""

import csv
import math
import pathlib
import re
import shutil
import subprocess
import sys


def bound(low, high):
    if math.isinf(low) and math.isinf(high):
        return "-"
    if math.isinf(low) or (low == 0 and not math.isinf(high)):
        return f"≤ {high:g}"
    return f"≥ {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


def plain(text):
    """Bars would end a cell of the table."""
    return re.sub(r"\|(\w+)\|", r"\1", text)


def table(rows):
    lines = ["| problem | statistic | value | bound | verdict |", "|---|---|---|---|---|"]
    for row in rows:
        statistic = f"{plain(row['statistic'])} ({plain(row['detail'])})"
        limits = bound(float(row["low"]), float(row["high"]))
        lines.append(f"| {row['problem']} | {statistic} | {float(row['value']):.3g} | {limits} | {row['verdict']} |")
    return "\n".join(lines)


def main(results, source):
    results, source = pathlib.Path(results), pathlib.Path(source)
    with open(results / "validation.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    page = source / "docs/validation.md"
    text = page.read_text(encoding="utf-8")
    for claim in dict.fromkeys(row["claim"] for row in rows):
        mine = table([row for row in rows if row["claim"] == claim])
        place = re.compile(rf"(<!-- {claim} -->\n).*?(<!-- end -->)", flags=re.S)
        text, n = place.subn(lambda m: m[1] + mine + "\n" + m[2], text)
        if n != 1:
            sys.exit(f"docs/validation.md has {n} places for the claim {claim}")
        data = results / f"{claim}.csv"
        subprocess.run([sys.executable, source / "python/sgdmft_validation.py", "--png", data], check=True)
        (source / "docs/validation").mkdir(exist_ok=True)
        shutil.move(results / f"{claim}.png", source / f"docs/validation/{claim}.png")
    page.write_text(text, encoding="utf-8")


main(*sys.argv[1:])
