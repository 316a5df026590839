#!/usr/bin/env python3
"""long_horizons.py: what an accuracy costs at long horizons, beside a simulation, and how that grows with the horizon.

For each problem, horizon T and accuracy A, in one run: the automatic solve, numerics.accuracy: A, its CPU seconds, its
root mean square error and the largest standard error that it claims; and the CPU seconds of `simulate` at its own best
(simulator_search.py) for the same error, and for an error of A. The reference is a solve to a part of the smallest
accuracy, with another seed; the noise that it claims is taken off. This is not a test.
"""

import argparse
import dataclasses
import math
import pathlib
import sys
import tempfile
import types

import numpy as np

import measure
import problems
import simulator_search
from growth import slope
from time_to_accuracy import ROOT, Bench, markdown_table, number, say

PROBLEMS = {
    "tanh": ("tanh", "validation/problems/tanh_sgd_eta1.yaml"),
    "logistic": ("logistic, ridge", "validation/problems/logistic_sgd_ridge.yaml"),
    "erf2": ("erf committee, k = k* = 2", "validation/problems/erf2_sgd.yaml"),
    "reshuffle": ("tanh, reshuffled", "validation/problems/tanh_reshuffle.yaml"),
}
HEADER = ["problem", "T", "A", "solve, CPU s", "steps, paths, replicas", "claimed", "rms error",
          "simulate at this error, CPU s", "solve / simulate", "at error A"]
TIMES = 21


@dataclasses.dataclass
class Solve:
    cpu: float
    curves: measure.Curves
    claimed: float
    chosen: str
    code: int


def solve(bench, problem, accuracy, seed):
    """One automatic solve."""
    with tempfile.TemporaryDirectory() as place:
        curves = pathlib.Path(place) / "run.csv"
        ended = measure.execute(bench.program, "solve", bench.file(problem),
                                {**problem.changes, "numerics.accuracy": accuracy, "numerics.seed": seed}, curves)
        comments, _ = measure.read_table(curves)
        found = measure.read_curves(curves)
    claimed = float(np.max(found.errors / measure.scales(found)))
    chosen = ", ".join(str(comments.get(key, "-")) for key in ("steps", "paths", "replicas"))
    return Solve(ended.cpu, found, claimed, chosen + (" (not reached)" if ended.code else ""), ended.code)


def row(title, horizon, accuracy, found, reference, model):
    square = measure.error(found.curves, reference.curves) ** 2 - reference.noise ** 2
    error = math.sqrt(square) if square > 0 else math.nan
    same = model.seconds(model.best(error)[0], error) if error > 0 else math.nan
    at_accuracy = model.seconds(model.best(accuracy)[0], accuracy)
    return [title, f"{horizon:g}", f"{accuracy:g}", number(found.cpu, 3), found.chosen, number(found.claimed),
            number(error), number(same, 3), number(found.cpu / same), number(found.cpu / at_accuracy)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/src/cli/sgdmft")
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=["tanh", "logistic"])
    parser.add_argument("--horizons", nargs="+", type=float, default=[50, 100, 200, 400])
    parser.add_argument("--accuracy", nargs="+", type=float, default=[1e-2, 3e-3])
    parser.add_argument("--reference", type=float, default=0.5,
                        help="accuracy of the reference in units of the smallest accuracy (default: 0.5)")
    parser.add_argument("--pilot-cpu", type=float, default=60,
                        help="CPU seconds to measure the simulator (default: 60)")
    options = parser.parse_args()
    options.cache, options.threads = None, 1
    bench, rows = Bench(options), []
    for name in options.problems:
        title, file = PROBLEMS[name]
        seconds = {accuracy: [] for accuracy in options.accuracy}
        for horizon in options.horizons:
            changes = {"horizon": horizon, "output.times": TIMES, "numerics.time_limit": 1000}
            problem = problems.Problem(name, title, file, changes, 1.5, {}, 0)
            truth = solve(bench, problem, options.reference * min(options.accuracy), 99)
            reference = types.SimpleNamespace(curves=truth.curves, noise=measure.noise(truth.curves, truth.curves))
            say(f"{title}, T = {horizon:g}: reference {truth.cpu:.0f} CPU s, noise {reference.noise:.1e}")
            model = simulator_search.model(bench, problem, reference, options.pilot_cpu)
            for accuracy in options.accuracy:
                found = solve(bench, problem, accuracy, 7)
                seconds[accuracy].append(found.cpu)
                rows.append(row(title, horizon, accuracy, found, reference, model))
                say(" | ".join(rows[-1]))
        for accuracy, some in seconds.items():
            say(f"{title}: seconds grow like T^{slope(options.horizons, some):.2f} at accuracy {accuracy:g}")
    print(markdown_table(HEADER, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
