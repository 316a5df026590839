#!/usr/bin/env python3
"""time_to_accuracy.py: the CPU seconds that `solve` and `simulate` need for the same error.

For each problem and target, both sides get their own best setting (solver_search.py, simulator_search.py) and run with
it for several seeds, on 1 thread and on 2. The error of each run is measured against a reference (reference.py,
measure.py). No run hits the target exactly. The paths of the solver are doubled or halved until the target lies between
two runs, and the seconds are interpolated in log error; those of the simulator, whose variance is proportional to
1/repetitions, are scaled. Where a run of the simulator would take too long, its seconds follow from its model, and the
table says so. At the end both sides run in turns, so that their ratio does not depend on the speed of the machine in
one minute or another.

This is not a test; it takes minutes to hours. The table is printed, and with -o written to DIR as markdown and CSV.
"""

import argparse
import csv
import dataclasses
import math
import pathlib
import statistics
import subprocess
import sys

import measure
import problems
import reference as references
import simulator_search
import solver_search

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOLVER_ONLY = 1e-3       # below this target the simulator does not run
SEEDS_MAX = 64           # of cheap runs, which are repeated more often because the error of one run is noisy
SEEDS_CPU = 30           # seconds of all these runs
TURNS = 15               # runs of either side at the end, on each number of threads


class Bench:
    """The program and the options it is run with."""

    def __init__(self, options):
        self.program = options.program.resolve()
        self.cache = options.cache
        self.threads = options.threads
        self.version = subprocess.run([self.program, "--version"], capture_output=True, text=True,
                                      check=True).stdout.strip()

    def file(self, problem):
        return ROOT / problem.file

    def run(self, command, problem, settings, threads=1):
        return measure.run(self.program, command, self.file(problem), settings, threads)


@dataclasses.dataclass
class Timing:
    """The runs of one side at one setting."""
    setting: str
    wall: dict              # threads -> median seconds of a run
    error: float            # root mean square over seeds; nan if the seconds follow from the model
    seconds: dict           # threads -> CPU seconds at the target
    seeds: int              # 0 if the seconds follow from the model
    command: str            # of a run whose seconds are a known fraction of these
    settings: dict          # of that run
    factor: float           # seconds at the target over those of that run


def root_mean_square(errors, reference):
    """The error over seeds, without the noise of the reference."""
    return math.sqrt(max(statistics.fmean(e * e for e in errors) - reference.noise ** 2, 0))


def seeds_for(cpu, least):
    """The number of seeds for runs of `cpu` seconds."""
    return max(least, min(SEEDS_MAX, int(SEEDS_CPU / cpu)))


def repeated(bench, command, problem, settings, threads, seeds):
    return [bench.run(command, problem, {**settings, "numerics.seed": 1000 + seed}, threads) for seed in range(seeds)]


def error_of(runs, reference):
    return root_mean_square([measure.error(run.curves, reference.curves) for run in runs], reference)


def cpu_of(runs):
    return statistics.median(run.cpu for run in runs)


def timing(title, runs, error, factor, command, settings):
    """`runs` maps threads to runs with these settings; `factor` is the seconds at the target over those of a run."""
    wall = {threads: statistics.median(run.wall for run in some) for threads, some in runs.items()}
    seconds = {threads: cpu_of(some) * factor for threads, some in runs.items()}
    return Timing(title, wall, error, seconds, len(runs[1]), command, settings, factor)


def take_turns(bench, problem, sides):
    """Times both sides again, run by run in turns."""
    for threads in (1, 2):
        cpu = [[] for _ in sides]
        for turn in range(TURNS):
            for side, times in zip(sides, cpu):
                settings = {**side.settings, "numerics.seed": 2000 + turn}
                times.append(bench.run(side.command, problem, settings, threads).cpu)
        for side, times in zip(sides, cpu):
            side.seconds[threads] = statistics.median(times) * side.factor


def bracket(bench, problem, found, reference, target, seeds):
    """The setting with the fewest paths that meets the target and the one with the most that does not, each with its
    runs and its error. The first is None if no setting meets the target, the second if all do."""
    tried = {}
    setting = solver_search.fitted(found, target)
    for _ in range(6):
        if setting.paths not in tried:
            some = seeds_for(setting.cpu_replica * setting.replicas, seeds)
            runs = repeated(bench, "solve", problem, setting.settings(problem), 1, some)
            tried[setting.paths] = (setting, runs, error_of(runs, reference))
        meets = [entry for entry in tried.values() if entry[2] <= target]
        misses = [entry for entry in tried.values() if entry[2] > target]
        least = min(meets, key=lambda entry: entry[0].paths, default=None)
        most = max((m for m in misses if not least or m[0].paths < least[0].paths), key=lambda m: m[0].paths,
                   default=None)
        if least and (most or least[0].paths <= 2 ** solver_search.LOG_PATHS_MIN):
            break
        setting = solver_search.with_paths(setting, least[0].paths // 2 if least else most[0].paths * 2)
    return least, most


def time_solver(bench, problem, found, reference, target, seeds):
    """The timing of the solver, or None if it does not meet the target."""
    least, most = bracket(bench, problem, found, reference, target, seeds)
    if not least:
        return None
    setting, runs, error = least
    factor = 1.0
    if most:
        part = math.log(error / target) / math.log(error / most[2])
        factor = (cpu_of(most[1]) / cpu_of(runs)) ** part
    title = f"{setting.response}, {setting.steps} steps, {setting.paths} x {setting.replicas} paths"
    settings = setting.settings(problem)
    both = {1: runs, 2: repeated(bench, "solve", problem, settings, 2, len(runs))}
    return timing(title, both, error, factor, "solve", settings)


def time_simulator(bench, problem, model, reference, target, seeds, cpu_max):
    d, repetitions = model.best(target)
    bias = model.c / d
    title = f"d = {d}, {repetitions} repetitions"
    if 2 * seeds * repetitions * model.cost(d) <= cpu_max:
        settings = simulator_search.settings_of(problem, d, repetitions)
        seeds = seeds_for(repetitions * model.cost(d), seeds)
        runs = {threads: repeated(bench, "simulate", problem, settings, threads, seeds) for threads in (1, 2)}
        error = error_of(runs[1], reference)
        factor = max(error ** 2 - bias ** 2, 0) / (target ** 2 - bias ** 2)
        return timing(title, runs, error, factor, "simulate", settings)
    few = max(2, min(repetitions, round(1 / model.cost(d))))  # about a second, so that the start counts little
    settings = simulator_search.settings_of(problem, d, few)
    runs = {threads: repeated(bench, "simulate", problem, settings, threads, 3) for threads in (1, 2)}
    modelled = timing(title, runs, math.nan, model.repetitions(d, target) / few, "simulate", settings)
    return dataclasses.replace(modelled, seeds=0)


HEADER = ["problem", "target", "reference noise", "solve", "error", "CPU s to target", "2 threads", "wall 1 / 2",
          "search: stein", "search: pathwise", "simulate", "error", "CPU s to target", "2 threads", "ratio",
          "ratio, 2 threads"]


def number(value, digits=2):
    return "-" if value is None or not math.isfinite(value) else f"{value:.{digits}g}" if abs(value) < 100 else \
        f"{value:.0f}"


def row_of(problem, target, reference, settings, solver, simulator):
    best = {response: solver_search.best(settings, target, response) for response in ("stein", "pathwise")}
    cells = [problem.title, f"{target:g}", number(reference.noise)]
    if solver is None:
        cells += ["no setting meets the target"] + ["-"] * 4
    else:
        cells += [solver.setting, number(solver.error), number(solver.seconds[1]), number(solver.seconds[2]),
                  number(solver.wall[1] / solver.wall[2])]
    cells += [f"{number(s.cost(target))} ({s.steps})" if s else "-" for s in best.values()]
    if simulator is None:
        return cells + ["-"] * 6
    cells += [simulator.setting, number(simulator.error) if simulator.seeds else "model",
              number(simulator.seconds[1]), number(simulator.seconds[2])]
    if solver is None:
        return cells + ["-"] * 2
    return cells + [number(simulator.seconds[n] / solver.seconds[n]) for n in (1, 2)]


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure_problem(bench, problem, options):
    """Yields one row for each target."""
    model = None
    noise = min(options.targets) * options.reference
    reference = references.reference(bench, problem, noise, options.reference_cpu)
    say(f"{problem.name}: reference noise {reference.noise:.2e} (wanted {noise:.1e}), {reference.cpu:.0f} CPU s")
    for target in sorted(options.targets, reverse=True):
        settings = solver_search.measured(bench, problem, target, options.responses, reference)
        for s in settings:
            say(f"{problem.name} {target:g} solve: {s.response} {s.steps} steps: bias {s.bias:.1e}, noise of one "
                f"replica of {s.paths} paths {math.sqrt(s.variance):.1e}, {s.cpu_replica:.3f} CPU s each")
        setting = solver_search.best(settings, target)
        solver = time_solver(bench, problem, setting, reference, target, options.seeds) if setting else None
        simulator = None
        if target >= SOLVER_ONLY:
            if model is None:
                model = simulator_search.model(bench, problem, reference, options.pilot_cpu)
                costs = ", ".join(f"{d}: {c:.2g}" for d, c in sorted(model.costs.items()))
                say(f"{problem.name} simulate: bias {model.c:.2g}/d (noise {model.c_noise:.2g}), noise "
                    f"{math.sqrt(model.v):.2g}/sqrt(d repetitions), CPU s of a repetition by d: {costs}")
            simulator = time_simulator(bench, problem, model, reference, target, options.seeds, options.simulate_cpu)
            if solver:
                take_turns(bench, problem, [solver, simulator])
        yield row_of(problem, target, reference, settings, solver, simulator)


def markdown_table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def write(place, rows):
    place.mkdir(parents=True, exist_ok=True)
    (place / "time_to_accuracy.md").write_text(markdown_table(HEADER, rows), encoding="utf-8")
    with open(place / "time_to_accuracy.csv", "w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([HEADER] + rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/src/cli/sgdmft",
                        help="the program to time (default: build/src/cli/sgdmft)")
    parser.add_argument("--problems", nargs="+", choices=problems.PROBLEMS, default=list(problems.PROBLEMS))
    parser.add_argument("--targets", nargs="+", type=float, default=[1e-2, 1e-3],
                        help="root mean square relative errors (default: 1e-2 1e-3); below 1e-3 without simulations")
    parser.add_argument("--seeds", type=int, default=8,
                        help="least number of runs at the best setting, on each number of threads (default: 8)")
    parser.add_argument("--reference", type=float, default=0.2, metavar="F",
                        help="noise of the reference, in units of the smallest target (default: 0.2)")
    parser.add_argument("--reference-cpu", type=float, default=1500, metavar="S",
                        help="CPU seconds after which a reference is used with the noise it has (default: 1500)")
    parser.add_argument("--pilot-cpu", type=float, default=60, metavar="S",
                        help="CPU seconds to find the bias of the simulator, for each problem (default: 60)")
    parser.add_argument("--simulate-cpu", type=float, default=200, metavar="S",
                        help="CPU seconds for the simulator at its best setting; if it needs more, its model is used "
                             "(default: 200)")
    parser.add_argument("--responses", nargs="+", choices=("stein", "pathwise"), default=["stein", "pathwise"],
                        help="estimators of the response to try (default: both)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the reference (default: 2)")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "build/bench",
                        help="directory of the references (default: build/bench)")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="DIR",
                        help="write the table to DIR as markdown and CSV")
    return parser.parse_args()


def main():
    options = arguments()
    bench = Bench(options)
    rows = []
    for name in options.problems:
        for row in measure_problem(bench, problems.PROBLEMS[name], options):
            rows.append(row)
            say("| " + " | ".join(row) + " |")
            if options.output:
                write(options.output, rows)
    print(markdown_table(HEADER, rows), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
