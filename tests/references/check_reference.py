"""check_reference.py SGDMFT PROBLEM.yaml REFERENCE.csv [--rtol=X] [KEY=VALUE ...]

Solves the problem at a size fit for a test and compares every column at every time with an independent finite-d
simulation: at most 4 combined standard errors apart, and solver errors below 1 % of each curve's scale. The same curves
moved by 3 % of their scale must fail the comparison. X is a known bias of the reference, relative to the scale."""

import csv
import os
import subprocess
import sys
import tempfile

# 40 equal steps have an error at early times that is larger than the noise of these paths.
SIZE = ["numerics.paths=8000", "numerics.replicas=16", "numerics.steps=40", "numerics.grading=1.5"]


def read(path):
    with open(path) as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    return rows[0], [[float(x) for x in row] for row in rows[1:]]


def write_moved(header, rows, path):
    """Every value moved by 3 % of its column's largest size."""
    scale = [max(abs(row[c]) for row in rows) for c in range(len(header))]
    with open(path, "w") as file:
        file.write(",".join(header) + "\n")
        for row in rows:
            moved = [x if c == 0 or header[c].endswith("_se") else x + 0.03 * scale[c] for c, x in enumerate(row)]
            file.write(",".join(repr(x) for x in moved) + "\n")


def main():
    program, problem, reference, more = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    limits = ["--sigma", "4"]
    if more and more[0].startswith("--rtol="):
        limits += ["--rtol", more.pop(0)[7:]]
    with tempfile.TemporaryDirectory() as folder:
        curves, moved = os.path.join(folder, "curves.csv"), os.path.join(folder, "moved.csv")
        command = [program, "solve", problem, "--quiet", "-o", os.path.join(folder, "run.h5"), "--csv", curves]
        for setting in SIZE + more:
            command += ["--set", setting]
        subprocess.run(command, check=True)
        header, rows = read(curves)
        for c, name in enumerate(header):
            if name + "_se" in header:
                scale = max(abs(row[c]) for row in rows)
                worst = max(row[header.index(name + "_se")] for row in rows) / scale
                print(f"{name}: largest standard error {100 * worst:.2f} % of scale")
                if name in ("train_loss", "test_loss", "q11", "m11") and worst > 0.01:
                    sys.exit(f"{name}: standard error too large")
        subprocess.run([program, "compare", curves, reference, *limits], check=True)
        write_moved(header, rows, moved)
        compared = subprocess.run([program, "compare", moved, reference, *limits], stdout=subprocess.DEVNULL)
        if compared.returncode != 1:
            sys.exit(f"curves moved by 3 % passed as equal (exit code {compared.returncode})")


main()
