#!/usr/bin/python3
"""compare-versions.py BEFORE_PROGRAM AFTER_PROGRAM: do two versions of sgdmft give the same numbers?

Both run the problems of tests/regression, at fixed seeds and on one thread. Curves, two-time arrays, paths, histograms
and tables of sweeps are compared, and exit codes. A change counts relative to the largest value of its column or array
in BEFORE, but at least 1e-6: all problems are of order one, and what is smaller is rounding. One program alone saves
its results with --save, or is compared with saved ones by --against.

    scripts/compare-versions.py old/src/program/sgdmft build/src/program/sgdmft --plugin build/examples/counts.so

The exit code is 0 if every change is within the tolerance, else 1. Two runs of one program are the same to the last
bit. Where only the order of additions has changed, changes up to about 1e-5 of a standard error are rounding: a step
ends at a residual of 1e-8.
"""

import argparse
import csv
import math
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

PROBLEMS = pathlib.Path(__file__).resolve().parent.parent / "tests/regression"

# What each problem is run with, one after the other; `sample` draws from the run of the `solve` before it.
SAMPLE = "sample --paths 20"
RUNS = {
    "batch": ["simulate", "simulate --set dynamics=online --set simulate.entries=uniform"],
    "diverging": ["solve", "solve --set numerics.method=linear", "simulate"],
    "even-grid": ["solve", "solve --set numerics.extrapolate=true"],
    "flow": ["solve", SAMPLE, "simulate"],
    "flow-two": ["solve", SAMPLE],
    "linear": ["solve", SAMPLE + " --visits"],
    "linear-flow": ["solve", SAMPLE + " --what preactivations"],
    "linear-march": ["sweep --over dynamics=sgd,sme,gradient-flow"],
    "linear-ridge": ["sweep --over delta=0.1,0.8,1,4 --over lambda=0,0.3", "sweep --over dynamics=sme,gradient-flow"],
    "linear-sme": ["solve", SAMPLE],
    "online": ["solve", SAMPLE, "simulate"],
    "online-hinge": ["solve", SAMPLE, "simulate"],
    "penalty": ["solve", SAMPLE + " --visits", "simulate"],
    "penalty-flow": ["solve", SAMPLE, "simulate"],
    "penalty-online": ["solve", SAMPLE + " --what preactivations", "simulate"],
    "penalty-sme": ["solve", SAMPLE, "simulate"],
    "penalty-two": ["solve", SAMPLE + " --what coordinates"],
    "picard": ["sweep --over dynamics=sgd,sme,gradient-flow"],
    "plugin": ["solve", SAMPLE, "simulate"],
    "relu": ["solve", SAMPLE + " --times 0.5,2 --visits", "simulate"],
    "samples": ["solve", SAMPLE, "simulate"],
    "samples-penalty": ["solve", SAMPLE],
    "schedule": ["solve", "simulate"],
    "sgd": ["solve", SAMPLE + " --visits", SAMPLE + " --what coordinates --times 0,1,2 --seed 3", "simulate"],
    "sgd-two": ["solve", SAMPLE, "simulate"],
    "sme": ["solve", SAMPLE, "simulate"],
    "sweep": ["sweep --over eta=0.5,1/(1+t) --over delta=1:3:2"],
    "three-teachers": ["solve", SAMPLE, "simulate"],
}

LEAST_SCALE = 1e-6


def run_case(program, name, options, place):
    """Runs one problem in a directory of its own; what it writes is put into place, with the exit codes."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    codes, run = [], None
    with tempfile.TemporaryDirectory(prefix="sgdmft-compare-") as room:
        for file in [*PROBLEMS.iterdir(), *options.plugin]:
            shutil.copy(file, room)
        for number, line in enumerate(RUNS.get(name, ["solve"]), 1):
            command, *given = line.split()
            out = f"{number}-{command}"
            if command == "sample":
                given = [run, *given, "--csv", f"{out}.csv"]
            elif command == "sweep":
                given = [f"{name}.yaml", *given, "-o", out]
            else:
                run = f"{out}.h5"
                given = [f"{name}.yaml", *given, "-o", run, "--csv", f"{out}.csv"]
            done = subprocess.run([program, command, *given, "--threads", "1", "--quiet"], cwd=room, text=True,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            codes.append(f"{command} {done.returncode}")
            if done.returncode not in (0, 3):
                print(f"{name}: {program} {line}: exit code {done.returncode}\n{done.stderr}", file=sys.stderr)
        for path in pathlib.Path(room).glob("[0-9]*-*"):
            shutil.move(path, place)
    (place / "exit-codes").write_text(", ".join(codes) + "\n")


def columns(path):
    """The columns of a CSV file; text where one of its values is no number. An empty field is not a number."""
    with open(path, encoding="utf-8") as file:
        names, *rows = csv.reader(line for line in file if not line.startswith("#"))
    found = {}
    for name, values in zip(names, zip(*rows)):
        try:
            found[name] = np.array([float(value or "nan") for value in values])
        except ValueError:
            found[name] = np.array(values)
    return found


def renamed(name):
    """The present name of an HDF5 dataset: version 0.1.0 had other names for the process of the coordinates."""
    if name.startswith("parameters/"):
        name = "coordinates/" + name[len("parameters/"):]
        name = {"coordinates/answer": "coordinates/memory_kernel"}.get(name, name.replace("/answer_", "/drift_"))
    return name


def arrays(path):
    """The arrays of an HDF5 file, but for residuals: how far a step is from its tolerance is no result."""
    found = {}

    def take(name, item):
        name = renamed(name)
        if isinstance(item, h5py.Dataset) and name != "residual":
            found[name] = item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]

    with h5py.File(path) as file:
        file.visititems(take)
    return found


def results(place):
    """(file, quantity) -> array, of everything that a case has left."""
    found = {("", "exit codes"): np.array((place / "exit-codes").read_text().strip())}
    for path in sorted(place.rglob("*")):
        if path.suffix in (".csv", ".h5"):
            for name, values in (columns if path.suffix == ".csv" else arrays)(path).items():
                found[str(path.relative_to(place)), name] = np.asarray(values)
    return found


def scale_of(name):
    """The quantity whose size counts: of differences that all but cancel, that of their terms."""
    if name in ("identities/defect", "identities/se"):
        return "identities/scale"
    return name.removesuffix("_step_error")


def change(before, after, scale):
    """Largest change relative to the scale; infinite if there is no saying."""
    if before.shape != after.shape or before.dtype.kind != after.dtype.kind:
        return math.inf
    if before.dtype.kind not in "fiu":
        return 0.0 if np.array_equal(before, after) else math.inf
    if np.array_equal(before, after, equal_nan=True):
        return 0.0
    finite = np.isfinite(before)
    if not np.array_equal(before[~finite], after[~finite], equal_nan=True) or not np.isfinite(after[finite]).all():
        return math.inf
    return float(np.abs(after[finite] - before[finite]).max() / size(scale))


def size(values):
    finite = np.abs(values[np.isfinite(values)])
    return max(finite.max(initial=0.0), LEAST_SCALE)


def compare_case(before, after):
    """The worst quantity with its change, and how many quantities there are."""
    worst, by = "-", 0.0
    for key in [*before, *(key for key in after if key not in before)]:
        file, name = key
        if key in before and key in after:
            what, found = name, change(before[key], after[key], before.get((file, scale_of(name))))
            if name == "exit codes" and found:
                what = f"exit codes: {before[key]}, then {after[key]}"
        else:
            what, found = f"{name} (only {'before' if key in before else 'after'})", math.inf
        if found > by:
            worst, by = f"{file} {what}".strip(), found
    return worst, by


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", type=pathlib.Path, metavar="PROGRAM",
                        help="BEFORE and AFTER, or only one")
    parser.add_argument("--tolerance", type=float, default=1e-9, help="largest relative change (default: 1e-9)")
    parser.add_argument("--only", action="append", metavar="NAME", help="a problem of tests/regression; repeatable")
    parser.add_argument("--plugin", type=pathlib.Path, metavar="FILE", nargs=1, default=[],
                        help="examples/counts.so of a build, for the problem with a plug-in")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR",
                        help="keep the results, in DIR/before and DIR/after")
    saved = parser.add_mutually_exclusive_group()
    saved.add_argument("--save", type=pathlib.Path, metavar="DIR", help="only save the results of one program")
    saved.add_argument("--against", type=pathlib.Path, metavar="DIR",
                       help="compare with saved results instead of BEFORE")
    options = parser.parse_args()
    if len(options.programs) != (1 if options.save or options.against else 2):
        parser.error("two programs, or one with --save or --against")
    names = sorted(path.stem for path in PROBLEMS.glob("*.yaml"))
    unknown = set(options.only or []) - set(names)
    if unknown:
        parser.error(f"no problem in tests/regression: {', '.join(sorted(unknown))}")
    options.names = options.only or names
    if not options.plugin and "plugin" in options.names:
        print("plugin: left out without --plugin")
        options.names = [name for name in options.names if name != "plugin"]
    return options


def main():
    options = read_arguments()
    worst, failed, cpu = ("-", "-", 0.0), 0, {}
    with tempfile.TemporaryDirectory(prefix="sgdmft-compare-") as scratch:
        keep = (options.keep or pathlib.Path(scratch)).resolve()
        place = {"before": (options.save or options.against or keep / "before").resolve(), "after": keep / "after"}
        sides = ["before"] if options.save else ["after"] if options.against else ["before", "after"]
        for name in options.names:
            for side, program in zip(sides, options.programs):
                start = cpu_seconds()
                run_case(program.resolve(), name, options, place[side] / name)
                cpu[side] = cpu.get(side, 0.0) + cpu_seconds() - start
            if options.save:
                print(f"{name:20} {(place['before'] / name / 'exit-codes').read_text()}", end="", flush=True)
                continue
            if not (place["before"] / name).exists():
                print(f"{name:20} FAIL: no saved results", flush=True)
                failed += 1
                continue
            before, after = results(place["before"] / name), results(place["after"] / name)
            what, by = compare_case(before, after)
            refused = set(re.findall(r"-?\d+", str(before["", "exit codes"]))) - {"0", "3"}
            bad = by > options.tolerance or refused  # what both refuse is no comparison
            failed += bool(bad)
            print(f"{name:20} {len(before):5} quantities  {by:8.1e}  {'FAIL ' if bad else ''}{what}", flush=True)
            worst = max(worst, (name, what, by), key=lambda w: w[2])
    print(", ".join(f"{side}: {seconds:.0f} s of CPU" for side, seconds in cpu.items()))
    if not options.save:
        print(f"largest change: {worst[2]:.1e} ({worst[0]}: {worst[1]}); "
              f"{failed} of {len(options.names)} problems differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
