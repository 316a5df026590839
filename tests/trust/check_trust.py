"""check_trust.py SGDMFT CASE

Solves CASE.yaml of this folder as a user would, on one thread, and checks exit code, status and messages, and every
value of right.csv: it is at most 4 standard errors away, those of the program and of the right value together, plus the
rounding of the right value. Standard errors must be below 2 % of natural scales (docs/output.md), so that a huge one
cannot pass. The rows of CASES say what differs from this."""

import csv
import math
import os
import subprocess
import sys
import tempfile

SIGMA = 4
BAR = 0.02  # The largest standard error, relative to the natural scale.
HERE = os.path.dirname(os.path.abspath(__file__))

MARCH = ["--set", "numerics.method=march", "--accuracy", "2e-2"]

# file: CASE.yaml if it is named otherwise. more: arguments of solve. exit: the codes that are right, each with its
# status. says: words of the message. rtol: for curves that are deterministic up to a step error. bars: columns whose
# standard errors are bounded, beside losses and overlaps. bar: the bound in place of BAR. cut: may end early, with the
# bars that it has. lost: columns that are not finite. curves: solve with these arguments, too, and compare every curve
# and time.
CASES = {
    "critical-linear": {},
    "unstable-linear": {},
    "many-samples-linear": {},
    "strong-ridge-linear": {},
    "gf-linear-cancelling-error": {},
    "gf-linear-refused": {},
    "gf-long": {},
    "gf-huber": {},
    "squared-hinge": {},
    "identical-students": {},
    "identical-students-more-paths": {"file": "identical-students", "more": ["--set", "numerics.paths=30000"]},
    "response-without-noise": {},
    # The response is 10 times its natural scale, so that 2 % of this scale are 2e-3 of it.
    "response-without-noise-controlled": {
        "file": "response-without-noise",
        "more": ["--set", "numerics.control=R11", "--accuracy", "2e-2"],
        "bars": ["R11"],
    },
    # A loss of degree 4 in r, averaged over paths that differ much: noisy, whatever the accuracy asked for.
    "gf-phase-retrieval": {
        "more": ["--accuracy", "5e-2", "--set", "numerics.paths=4096", "--set", "numerics.replicas=8"],
        "exit": {0: "ok", 3: "accuracy not reached"},
        "bar": 0.15,
    },
    "zero-by-symmetry": {"silent": True},
    # The file asks for steps and paths that are of no use here: averages are deterministic, and steps are added.
    "online-plateau": {"more": ["--set", "numerics.steps=10", "--set", "output.times=101"], "rtol": 1e-4},
    "nan-observable": {
        "exit": {3: "not finite"},
        "says": ["observables.lr", "log(r)"],
        "lost": ["train_lr", "test_lr"],
    },
    "no-limit-quartic": {"exit": {3: None}, "says": ["grows like |r|^3", "what helps", "gradient-flow"]},
    "separable-long": {"exit": {0: "ok", 3: ("not converged", "accuracy not reached")}, "cut": True},
    # The march, which the linear model does not need, against the exact solution of the same problem.
    "march-critical-linear": {"file": "critical-linear", "more": ["--set", "horizon=10"], "curves": MARCH},
    "march-many-samples-linear": {"file": "many-samples-linear", "more": ["--set", "horizon=2"], "curves": MARCH},
    "march-unstable-linear": {"file": "unstable-linear", "more": ["--set", "horizon=4"], "curves": MARCH},
    "march-strong-ridge-linear": {"file": "strong-ridge-linear", "more": ["--set", "horizon=5"], "curves": MARCH},
}

failures = []


def expect(truth, words):
    if not truth:
        failures.append(words)


def read_run(path):
    """Curves by column name, and the status."""
    with open(path) as file:
        lines = file.read().splitlines()
    status = next(line[len("# status: "):] for line in lines if line.startswith("# status: "))
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    return {name: [float(row[c]) for row in rows[1:]] for c, name in enumerate(rows[0])}, status


def solve(program, problem, folder, name, more):
    """Exit code, what is on stderr, and the run, or None if nothing was written."""
    curves = os.path.join(folder, name + ".csv")
    command = [program, "solve", problem, "--quiet", "--threads", "1", "-o", curves[:-4] + ".h5", "--csv", curves]
    done = subprocess.run(command + more, stderr=subprocess.PIPE, text=True)
    sys.stderr.write(done.stderr)
    return done.returncode, done.stderr, read_run(curves) if os.path.exists(curves) else None


def natural_scale(curves, column, i):
    """As in docs/output.md, with rho = 1: all signals of these cases with columns of m have this variance."""
    def positive(name):
        return max(abs(curves[name][i]), 0.01 * max(abs(x) for x in curves[name]))

    if column.endswith("_loss") or (column[0] == "q" and column[1] == column[2]):
        return positive(column)
    if column[0] == "q":
        return math.sqrt(positive(f"q{column[1]}{column[1]}") * positive(f"q{column[2]}{column[2]}"))
    if column[0] == "m":
        return math.sqrt(positive(f"q{column[1]}{column[1]}"))
    return 1.0 if column[0] == "R" else max(abs(x) for x in curves[column])


def check_possible(curves, lost):
    for column in curves:
        finite = all(math.isfinite(x) for x in curves[column])
        expect(finite or column.removesuffix("_se") in lost, f"{column} is not finite")
        if column.endswith("_loss") or column in ("q11", "q22") or column.endswith("_se"):
            expect(column.removesuffix("_se") in lost or min(curves[column]) >= 0, f"{column} is negative")
    for m, q, se in zip(curves["m11"], curves["q11"], curves["m11_se"]):
        if "q21" not in curves:
            expect(abs(m) <= math.sqrt(max(q, 0.0)) + SIGMA * se + 1e-12, f"m11 = {m} with q11 = {q}")


def check_bars(curves, bar, more):
    bounded = [name for name in curves if name + "_se" in curves and (name[0] != "R" or name in more)]
    for column in bounded:
        shares = [se / natural_scale(curves, column, i) for i, se in enumerate(curves[column + "_se"]) if se > 0]
        worst = max(shares, default=0.0)
        if worst > 0:
            print(f"{column}: standard errors up to {100 * worst:.2f} % of the natural scale")
        expect(worst <= bar, f"{column}: a standard error of {100 * worst:.2f} % of the natural scale")


def rounding(text):
    """Half a unit of the last digit."""
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


def check_values(name, curves, rtol, cut):
    """Compares with right.csv. What is cut may end before some of its rows, but not before all."""
    compared = 0
    with open(os.path.join(HERE, "right.csv")) as file:
        rows = [row for row in csv.DictReader(file) if row["case"] == name]
    times = curves["t"]
    for row in rows:
        t, column, right = float(row["t"]), row["column"], float(row["right"])
        if cut and t > times[-1]:
            continue
        near = [i for i, x in enumerate(times) if abs(x - t) <= 1e-9 * max(t, 1.0)]
        expect(near, f"no output time {t:g}")
        if not near:
            continue
        value, bar = curves[column][near[0]], curves[column + "_se"][near[0]]
        one = math.hypot(bar, float(row["se"]))
        allowed = SIGMA * one + rounding(row["right"]) + rtol * abs(right)
        words = f"{column}({t:g}) = {value:.8g} ({bar:.2g}), right is {row['right']} ({row['se']})"
        words += f", allowed {allowed:.2g}"
        print(words)
        expect(abs(value - right) <= allowed, words)
        compared += 1
    return compared


def check_curves(curves, exact):
    """Every curve and time of a run against the exact ones, for which the program claims no error."""
    compared = 0
    for column in (name for name in exact if name + "_se" in exact):
        worst, when = 0.0, 0.0
        for i, right in enumerate(exact[column]):
            bar = curves[column + "_se"][i]
            # Six digits are as many as quadrature and steps of both promise where nothing is sampled.
            away = max(0.0, abs(curves[column][i] - right) - 1e-6 * natural_scale(exact, column, i))
            z = away / bar if bar > 0 else (0.0 if away == 0 else math.inf)
            words = f"{column}({exact['t'][i]:g}) = {curves[column][i]:.8g} ({bar:.2g})"
            words += f", exact is {right:.8g}, z = {z:.1f}"
            expect(z <= SIGMA, words)
            if z > worst:
                worst, when = z, exact["t"][i]
            compared += 1
        print(f"{column}: largest |z| {worst:.1f}, at t = {when:g}")
    return compared


def main():
    program, name = sys.argv[1:3]
    case = CASES[name]
    file = case.get("file", name)
    problem = os.path.join(HERE, file + ".yaml")
    more = case.get("more", [])
    with tempfile.TemporaryDirectory() as folder:
        code, stderr, run = solve(program, problem, folder, "run", more)
        exits = case.get("exit", {0: "ok"})
        expect(code in exits, f"exit code {code}")
        for word in case.get("says", []):
            expect(word in stderr, f"the message does not say '{word}'")
        expect(not case.get("silent") or stderr == "", "there is something on stderr")
        expect((run is None) == (exits.get(code) is None), "curves written or not, against the exit code")
        if run is not None and code in exits:
            curves, status = run
            right_status = exits[code]
            expect(status in (right_status if isinstance(right_status, tuple) else [right_status]), f"status {status}")
            check_possible(curves, case.get("lost", []))
            if not case.get("cut"):
                kept = {name: x for name, x in curves.items() if name not in case.get("lost", [])}
                check_bars(kept, case.get("bar", BAR), case.get("bars", []))
            if "curves" in case:
                code, _, sampled = solve(program, problem, folder, "sampled", more + case["curves"])
                expect(code == 0 and sampled[1] == "ok" and sampled[0]["t"] == curves["t"], "the march does not finish")
                check_bars(sampled[0], BAR, [])
                compared = check_curves(sampled[0], curves)
                expect(compared >= 5 * len(curves["t"]), "too few curves compared")
            else:
                compared = check_values(file, curves, case.get("rtol", 0.0), code != 0 and case.get("cut"))
                expect(compared > 0, "no value of right.csv was compared")
    if failures:
        sys.exit("\n".join(["wrong:"] + failures))


main()
