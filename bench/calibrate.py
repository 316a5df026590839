#!/usr/bin/env python3
"""calibrate.py: are the standard errors of `solve` what they claim to be, and is the accuracy that was asked reached?

Random problems (random_problems.py, one for each seed) are solved, and every curve is compared with a truth
(truths.py). Three commands, which all may be stopped and continued:

    calibrate.py truths                                 computes truths, kept under build/bench/calibrate
    calibrate.py run --accuracy 5e-3 1e-3               solves, with --program; a program is told apart by its bytes
    calibrate.py report                                 prints the tables, and with --write docs/calibration.md

`calibrate.py show` prints problems, and `calibrate.py check` compares truths with simulations of finite systems. With
`--set KEY=VALUE`, `run` and `report` are about pinned settings instead of an asked accuracy. `--only SEED...` restricts
any command to some problems. Takes minutes to hours.
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import sys
import tempfile

import numpy as np

import calibration_report
import measure
import random_problems
import truths

ROOT = pathlib.Path(__file__).resolve().parent.parent


def say(text):
    print(text, file=sys.stderr, flush=True)


def seeds_of(options):
    low, _, high = options.seeds.partition(":")
    return options.only or range(int(low), int(high))


def problems_of(options):
    """The chosen problems, of the chosen dynamics."""
    problems = (random_problems.problem_of(seed) for seed in seeds_of(options))
    return [p for p in problems if (not options.dynamics or p.group in options.dynamics) and
            (p.exact or not options.exact)]


def source_of(options):
    return truths.Source(options.program, options.flow_program, options.cache)


def compute_truths(options):
    """All problems with a small budget and for the largest accuracy, then for the smallest with larger budgets; in
    each round the cheap ones first."""
    source, problems = source_of(options), sorted(problems_of(options), key=truths.effort)
    for turn, budget in enumerate(options.budget):
        wanted = min(options.accuracy) if turn else max(options.accuracy)
        for problem in problems:
            truth = source.truth(problem, budget, wanted)
            say(f"{problem.seed} {problem.group}, {problem.family}: {truth.method} {truth.quality:.1e}, "
                f"{truth.cpu:.1f} s {truth.trouble}")
    return 0


def tag_of(options):
    """A name for a program with its settings."""
    if options.tag:
        return options.tag
    code = hashlib.sha256(options.program.resolve().read_bytes())
    code.update(json.dumps(options.set).encode())
    return code.hexdigest()[:10]


def solved(options, problem, accuracy, repeat):
    """What a run claims: a dictionary, with the curves if there are any."""
    settings = dict(word.partition("=")[::2] for word in options.set)
    settings["numerics.seed"] = 1000 + problem.seed + 1_000_000 * repeat
    if not options.set:
        settings["numerics.accuracy"] = accuracy
    with tempfile.TemporaryDirectory() as place:
        file, curves = pathlib.Path(place) / "problem.yaml", pathlib.Path(place) / "run.csv"
        file.write_text(problem.text, encoding="utf-8")
        ended = measure.execute(options.program.resolve(), "solve", file, settings, curves,
                                cpu_limit=options.limit)
        result = {"seed": problem.seed, "asked": accuracy, "pinned": bool(options.set), "code": ended.code,
                  "cpu": ended.cpu, "message": " ".join(ended.messages.split())[:400], "status": "no curves"}
        if curves.exists():
            times, names, values, errors, comments = truths.read_result(curves)
            result.update(times=times.tolist(), names=names, values=values.tolist(), errors=errors.tolist(),
                          status=comments.get("status", ""),
                          chosen={key: comments[key] for key in ("paths", "replicas", "steps", "accuracy_reached")
                                  if key in comments})
    return result


def run(options):
    """Solves the problems whose truth is there, unless their result is."""
    source, place = source_of(options), options.cache / "results" / tag_of(options)
    for problem in problems_of(options):
        truth = source.kept(problem)
        for accuracy, repeat in itertools.product(options.accuracy, range(options.repeats)):
            kept = place / f"{problem.seed}-{accuracy:g}-{repeat}.json"
            if not truth.serves(accuracy) or (kept.exists() and not options.again):
                continue
            result = truths.keep(kept, solved(options, problem, accuracy, repeat))
            judged = calibration_report.judge(problem, truth, result)
            say(calibration_report.line_of(judged))
    return 0


def report(options):
    source, place = source_of(options), options.cache / "results" / tag_of(options)
    judged, missing = [], []
    for problem in problems_of(options):
        truth = source.kept(problem)
        for accuracy in options.accuracy:
            if not truth.serves(accuracy):
                missing.append((problem, accuracy, truth.trouble or f"standard error {truth.quality:.1e}"))
                continue
            for kept in sorted(place.glob(f"{problem.seed}-{accuracy:g}-*.json")):
                judged.append(calibration_report.judge(problem, truth, json.loads(kept.read_text(encoding="utf-8"))))
    text = calibration_report.page(judged, missing, options.set)
    print(text, end="")
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 0 if calibration_report.holds(judged) else 1


def simulated(options, problem, d):
    """Curves of `simulate` at dimension d that take about half of the budget: values and variances by name."""
    with tempfile.TemporaryDirectory() as place:
        file, curves = pathlib.Path(place) / "problem.yaml", pathlib.Path(place) / "run.csv"
        file.write_text(problem.text, encoding="utf-8")
        repetitions, cpu = 64, 0.0
        while True:
            settings = {"simulate.d": d, "simulate.repetitions": repetitions, "numerics.seed": 5000 + problem.seed}
            ended = measure.execute(options.program.resolve(), "simulate", file, settings, curves)
            if ended.code:
                raise RuntimeError(f"{ended.line}: exit code {ended.code}\n{ended.messages}")
            if ended.cpu > options.budget[0] / 4 or cpu:
                break
            cpu, repetitions = ended.cpu, max(65, int(64 * options.budget[0] / 2 / ended.cpu))
            curves.unlink()
            curves.with_suffix(".h5").unlink()
        _, names, values, errors, _ = truths.read_result(curves)
    return {name: (value, error ** 2) for name, value, error in zip(names, values, errors)}


def check(options):
    """Compares truths with simulations, extrapolated from d and 2 d in 1/d: another program in all but the model. They
    move output times, and jumps of eta, to the nearest step, which counts as an error for output times only."""
    source = source_of(options)
    for problem in problems_of(options):
        truth = source.kept(problem)
        if not truth.serves(max(options.accuracy)):
            continue
        small, large = (simulated(options, problem, d) for d in (options.d, 2 * options.d))
        z, off = [], []
        for i, name in enumerate(truth.names):
            value = 2 * large[name][0] - small[name][0]
            difference = value - truth.values[i]
            moved = np.gradient(truth.values[i], truth.times) / (problem.samples * options.d)
            spread = np.sqrt(4 * large[name][1] + small[name][1] + truth.errors[i] ** 2 + moved ** 2 +
                             (1e-5 * truth.scale[i]) ** 2)
            z.append(difference / spread)
            off.append(spread / truth.scale[i])
        z, off = np.array(z), np.array(off)
        say(f"{problem.seed} {problem.group}, {problem.family}: rms z {np.sqrt(np.mean(z ** 2)):.2f}, largest "
            f"{np.abs(z).max():.1f}, standard error of the simulation {np.sqrt(np.mean(off ** 2)):.1e}")
    return 0


def show(options):
    for problem in problems_of(options):
        print(f"# seed {problem.seed}: {problem.group}, {problem.family}, stiffness {problem.stiffness:.0f}")
        print(problem.text)
    return 0


COMMANDS = {"truths": compute_truths, "run": run, "report": report, "check": check,
            "show": show}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/src/cli/sgdmft",
                        help="the program to judge, and to compute truths with (default: build/src/cli/sgdmft)")
    parser.add_argument("--flow-program", type=pathlib.Path, metavar="PROGRAM",
                        help="the program for truths of gradient flow that is not linear (default: none)")
    parser.add_argument("--accuracy", nargs="+", type=float, default=[5e-3, 1e-3], help="(default: 5e-3 1e-3)")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="pinned settings, no accuracy")
    parser.add_argument("--seeds", default="0:200", metavar="LOW:HIGH", help="(default: 0:200)")
    parser.add_argument("--only", nargs="+", type=int, metavar="SEED")
    parser.add_argument("--dynamics", nargs="+", choices=random_problems.GROUPS)
    parser.add_argument("--exact", action="store_true", help="only problems with an exact solution, one in 30")
    parser.add_argument("--budget", nargs="+", type=float, default=[6, 25, 100], metavar="S",
                        help="CPU seconds for the truth of a problem, in rounds (default: 6 25 100)")
    parser.add_argument("--limit", type=float, default=300, metavar="S", help="CPU seconds of a run (default: 300)")
    parser.add_argument("--d", type=int, default=128, help="`check`: dimension of the smaller system (default: 128)")
    parser.add_argument("--repeats", type=int, default=1, metavar="N",
                        help="`run`: runs of a problem, with different numerics.seed (default: 1)")
    parser.add_argument("--again", action="store_true", help="run also what has a result")
    parser.add_argument("--tag", help="name of the results (default: a hash of program and settings)")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "build/bench/calibrate",
                        help="directory of truths and results (default: build/bench/calibrate)")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE", help="write the report, too")
    return parser.parse_args()


def main():
    options = arguments()
    return COMMANDS[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
