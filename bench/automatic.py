#!/usr/bin/env python3
"""automatic.py: what automatic accuracy costs, beside the best pinned setting and beside a simulation.

For each problem (problems.py, the four that are timed and the six that are kept back) and each accuracy A, in one run
and in turns:

- the automatic run, numerics.accuracy: A, over several seeds: CPU seconds and true errors, as the root mean square of
  measure.py and as the largest at any point, relative to natural scales, which is what A bounds one standard error of;
- the best pinned setting whose root mean square error is A, from solver_search.py: CPU seconds at error A, scaled from
  timed runs with error^2 = bias^2 + variance/(paths replicas);
- `simulate` at its own best for that error, from simulator_search.py: CPU seconds of a few repetitions, timed here,
  times the number that the error takes.

A bounds the largest standard error, so the root mean square error of an automatic run is a good deal smaller than A.
Ratios are therefore given twice: with the other sides at error A, and at the error that the automatic runs had (pinned:
scaled with 1/error^2 from a setting for a similar error, if there is one; simulate: its best for that error).

Seconds include the start of the program, about 0.02 s. References and searches are kept in the cache; the first time
they take a few minutes for a problem, then a minute or less. This is not a test.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import pathlib
import re
import statistics
import sys
import tempfile

import numpy as np

import measure
import problems
import reference as references
import simulator_search
import solver_search
import truths
from time_to_accuracy import ROOT, Bench, markdown_table, number, say

PINS = ("steps", "paths", "replicas", "tolerance", "grading", "response")
REPETITIONS_CPU = 1      # seconds of the timed repetitions of the simulator
EVERY = {**problems.PROBLEMS, **problems.KEPT}


@dataclasses.dataclass
class Automatic:
    """The automatic runs of a problem at one accuracy."""
    cpu: list
    error: list          # root mean square, as measure.error
    largest: list        # of any point, relative to natural scales
    claimed: list        # the largest standard error of any point
    chosen: str
    reached: bool


def unpinned(bench, problem):
    """Settings that remove what the file pins."""
    text = bench.file(problem).read_text(encoding="utf-8")
    return {**problem.changes, **{f"numerics.{key}": "null" for key in PINS if re.search(rf"^  {key}:", text, re.M)}}


def rho_of(bench, problem):
    """The diagonal of initial.rho, which is 1 unless the file says otherwise."""
    found = re.search(r"^  rho: *(.*?)(#.*)?$", bench.file(problem).read_text(encoding="utf-8"), re.M)
    matrix = np.atleast_2d(np.array(json.loads(found.group(1)) if found else np.eye(8)))
    return matrix.diagonal().tolist()


def automatic_run(bench, problem, accuracy, seed, reference, into):
    """One automatic run, added to `into`."""
    with tempfile.TemporaryDirectory() as place:
        curves = pathlib.Path(place) / "run.csv"
        settings = {**unpinned(bench, problem), "numerics.accuracy": accuracy, "numerics.seed": seed}
        ended = measure.execute(bench.program, "solve", bench.file(problem), settings, curves)
        into.cpu.append(ended.cpu)
        if ended.code:
            into.reached = False
        if not curves.exists():
            return
        comments, _ = measure.read_table(curves)
        found = measure.read_curves(curves)
    if found.values.shape != reference.curves.values.shape:
        into.reached = False
        return
    scale = truths.natural_scales(found.names, reference.curves.values, rho_of(bench, problem))
    into.error.append(measure.error(found, reference.curves))
    into.largest.append(float((np.abs(found.values - reference.curves.values) / scale).max()))
    into.claimed.append(float((found.errors / scale).max()))
    into.chosen = ", ".join(f"{key} {comments.get(key, '-')}" for key in ("steps", "paths", "replicas"))


def cached(bench, problem, kind, extra, make):
    """What `make` returns, kept under the problem, the version and `extra`."""
    text = json.dumps([bench.version, bench.file(problem).read_text(encoding="utf-8"), problem.changes, extra])
    path = bench.cache / "automatic" / f"{problem.name}-{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    if not path.exists() or bench.search_again:
        truths.keep(path, make())
    return json.loads(path.read_text(encoding="utf-8"))


def pinned_setting(bench, problem, accuracy, reference):
    """The best pinned setting for the error, or None."""
    def search():
        found = solver_search.measured(bench, problem, accuracy, list(problem.steps), reference)
        best = solver_search.best(found, accuracy)
        return dataclasses.asdict(solver_search.fitted(best, accuracy)) if best else None
    kept = cached(bench, problem, "pinned", accuracy, search)
    return solver_search.Setting(**kept) if kept else None


def simulator_model(bench, problem, reference):
    kept = cached(bench, problem, "simulate", "model",
                  lambda: dataclasses.asdict(simulator_search.model(bench, problem, reference, bench.pilot_cpu)))
    return simulator_search.Model(**{**kept, "costs": {int(d): cost for d, cost in kept["costs"].items()}})


class Sides:
    """The seconds of all three sides of a problem at one accuracy, run in turns."""

    def __init__(self, bench, problem, accuracy, reference):
        self.bench, self.problem, self.accuracy, self.reference = bench, problem, accuracy, reference
        self.automatic = Automatic([], [], [], [], "-", True)
        self.setting = pinned_setting(bench, problem, accuracy, reference)
        self.pinned, self.simulated = [], []
        self.simulator = simulator_model(bench, problem, reference) if bench.simulates else None

    def turn(self, seed):
        automatic_run(self.bench, self.problem, self.accuracy, 1000 + seed, self.reference, self.automatic)
        if self.setting:
            settings = {**self.setting.settings(self.problem), "numerics.seed": 3000 + seed}
            run = self.bench.run("solve", self.problem, settings)
            self.pinned.append((run.cpu, measure.error(run.curves, self.reference.curves)))
        if self.simulator:
            d, repetitions = self.simulator.best(self.accuracy)
            few = max(2, min(repetitions, round(REPETITIONS_CPU / self.simulator.cost(d))))
            settings = {**simulator_search.settings_of(self.problem, d, few), "numerics.seed": 4000 + seed}
            self.simulated.append(self.bench.run("simulate", self.problem, settings).cpu * repetitions / few)

    def true_error(self, errors):
        """The root mean square over seeds, without the noise of the reference; nan if that noise is most of it."""
        square = statistics.fmean(e ** 2 for e in errors) if errors else math.nan
        left = square - self.reference.noise ** 2
        return math.sqrt(left) if left > square / 3 else math.nan

    def pinned_seconds(self, error):
        """CPU seconds at that error, nan without a setting that is good for half of it."""
        if not self.pinned or not error > 0:
            return math.nan
        has, bias = self.true_error([e for _, e in self.pinned]), min(self.setting.bias, .8 * error)
        if not .5 * has < error:
            return math.nan
        factor = max(has ** 2 - bias ** 2, 0) / (error ** 2 - bias ** 2)
        return statistics.median(cpu for cpu, _ in self.pinned) * max(factor, 1 / 8)

    def simulated_seconds(self, error):
        if not self.simulated or not error > 0:
            return math.nan
        model = self.simulator
        ratio = model.seconds(model.best(error)[0], error) / model.seconds(model.best(self.accuracy)[0], self.accuracy)
        return statistics.median(self.simulated) * ratio

    def row(self, every):
        """The row of the table; `every`: the sides at all accuracies, whose settings may serve for the equal error."""
        auto, error = self.automatic, self.true_error(self.automatic.error)
        cpu = statistics.median(auto.cpu)
        setting = f"{self.setting.response}, {self.setting.steps}, {self.setting.paths} x 2" if self.setting else "-"
        pinned, simulated = self.pinned_seconds(self.accuracy), self.simulated_seconds(self.accuracy)
        return [self.problem.title, f"{self.accuracy:g}", number(cpu, 3), auto.chosen if auto.reached else
                f"not reached; {auto.chosen}", number(max(auto.claimed, default=math.nan)), number(error),
                number(max(auto.largest, default=math.nan)), number(pinned, 3), setting,
                number(self.true_error([e for _, e in self.pinned])), number(simulated, 3), number(cpu / pinned),
                number(cpu / min((seconds for seconds in (side.pinned_seconds(error) for side in every)
                                  if math.isfinite(seconds)), default=math.nan)), number(simulated / cpu),
                number(self.simulated_seconds(error) / cpu)]


HEADER = ["problem", "A", "automatic, CPU s", "chosen", "largest claimed error", "rms error", "largest error",
          "pinned at A, CPU s", "setting", "its rms error", "simulate at A, CPU s", "automatic / pinned at A",
          "at equal error", "simulate at A / automatic", "at equal error"]


class AutomaticBench(Bench):
    """Bench with the options of this script."""

    def __init__(self, options):
        super().__init__(options)
        self.pilot_cpu, self.search_again = options.pilot_cpu, options.search_again
        self.simulates = not options.no_simulate


def rows_of(bench, problem, options):
    noise = options.reference * min(options.accuracy)
    reference = references.reference(bench, problem, noise, options.reference_cpu)
    say(f"{problem.name}: reference noise {reference.noise:.1e} (wanted {noise:.1e}), {reference.cpu:.0f} CPU s")
    every = [Sides(bench, problem, accuracy, reference) for accuracy in options.accuracy]
    for seed in range(options.seeds):
        for sides in every:
            sides.turn(seed)
    for sides in every:
        yield sides.row(every)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/src/cli/sgdmft")
    parser.add_argument("--problems", nargs="+", choices=EVERY, default=list(EVERY))
    parser.add_argument("--accuracy", nargs="+", type=float, default=[1e-3, 5e-3], help="(default: 1e-3 5e-3)")
    parser.add_argument("--seeds", type=int, default=5, help="runs of every side (default: 5)")
    parser.add_argument("--reference", type=float, default=.2, metavar="F",
                        help="noise of the reference, in units of the smallest accuracy (default: 0.2)")
    parser.add_argument("--reference-cpu", type=float, default=300, metavar="S",
                        help="CPU seconds after which a reference is used with the noise it has (default: 300)")
    parser.add_argument("--search-cpu", type=float, default=3, metavar="S",
                        help="CPU seconds of the runs at one setting of the search (default: 3)")
    parser.add_argument("--pilot-cpu", type=float, default=30, metavar="S",
                        help="CPU seconds to find the bias of the simulator (default: 30)")
    parser.add_argument("--no-simulate", action="store_true", help="leave out simulations")
    parser.add_argument("--search-again", action="store_true", help="search anew, for a program that has changed")
    parser.add_argument("--threads", type=int, default=1, help="threads of the reference (default: 1)")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "build/bench",
                        help="directory of references and searches (default: build/bench)")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE", help="write the table as markdown")
    return parser.parse_args()


def main():
    options = arguments()
    solver_search.SEEDS_CPU = options.search_cpu
    bench, rows = AutomaticBench(options), []
    for name in options.problems:
        for row in rows_of(bench, EVERY[name], options):
            rows.append(row)
            say("| " + " | ".join(row) + " |")
            if options.output:
                options.output.write_text(markdown_table(HEADER, rows), encoding="utf-8")
    print(markdown_table(HEADER, rows), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
