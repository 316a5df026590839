#!/usr/bin/env python3
"""growth.py: how the CPU seconds that `solve` needs for a given error grow with the horizon T.

The logistic problem is given its own best setting at each T (solver_search.py). The bias is measured against a finer
grid, so that no reference is needed. The seconds follow from the model error^2 = bias^2 + variance/(paths replicas).
"""

import argparse
import math
import pathlib
import sys

import numpy as np

import problems
import solver_search
from time_to_accuracy import ROOT, Bench, say


def bests_of(bench, horizon, target, responses):
    """The cheapest setting for each estimator of the response; None where no setting meets the target."""
    found = solver_search.measured(bench, problems.at_horizon(horizon), target, responses)
    for s in found:
        say(f"T = {horizon:g}: {s.response} {s.steps} steps: bias {s.bias:.1e}, noise of one replica of {s.paths} "
            f"paths {math.sqrt(s.variance):.1e}, {s.cpu_replica:.3f} CPU s each")
    return [solver_search.best(found, target, response) for response in responses]


def slope(horizons, seconds):
    """The slope in logarithms, nan with fewer than two points."""
    known = [(math.log(T), math.log(s)) for T, s in zip(horizons, seconds) if math.isfinite(s)]
    return float(np.polyfit(*zip(*known), 1)[0]) if len(known) > 1 else math.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/src/cli/sgdmft")
    parser.add_argument("--horizons", nargs="+", type=float, default=[5, 10, 20, 40, 100])
    parser.add_argument("--target", type=float, default=1e-2, help="root mean square relative error (default: 1e-2)")
    parser.add_argument("--responses", nargs="+", choices=("stein", "pathwise"), default=["stein"],
                        help="estimators of the response (default: stein)")
    options = parser.parse_args()
    options.cache, options.threads = None, 1
    bench = Bench(options)
    print("| T |" + "".join(f" {response}, CPU s | steps |" for response in options.responses))
    print("|---|" + "---|---|" * len(options.responses))
    seconds = {response: [] for response in options.responses}
    for horizon in options.horizons:
        cells = [f"{horizon:g}"]
        for response, best in zip(seconds, bests_of(bench, horizon, options.target, options.responses)):
            cost = best.cost(options.target) if best else math.inf
            seconds[response].append(cost)
            cells += [f"{cost:.2g}", str(best.steps)] if best else ["not reached", "-"]
        print("| " + " | ".join(cells) + " |", flush=True)
    slopes = [f"{response} {slope(options.horizons, some):.2f}" for response, some in seconds.items()]
    print("\nslope: " + ", ".join(slopes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
