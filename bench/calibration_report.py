"""Judges runs of random problems against truths, and writes the tables.

At a point, a curve at an output time, z = (value - truth) / hypot(claimed, truth's standard error). Points count where
the truth is known to a fifth of the asked accuracy.
"""

import dataclasses

import numpy as np

import random_problems
from time_to_accuracy import markdown_table

BEYOND = {2: .06, 3: .01, 6: 0}      # standard errors -> largest part of the points beyond, for each dynamics
SLACK = 1.02                         # of the claim: the program knows its own scales, not those of the truth
EXACT = 1e-6                         # difference, in scales, that counts as none


@dataclasses.dataclass
class Judged:
    problem: object
    result: dict
    z: np.ndarray            # of the points that count
    error: np.ndarray        # |value - truth| / scale
    claimed: np.ndarray      # standard error / scale
    label: list              # "curve at time" of the points
    value: np.ndarray
    truth: np.ndarray
    unknown: int             # points that do not count because the truth is not good enough

    @property
    def reached(self):
        return self.result["code"] == 0

    @property
    def meets(self):
        """Whether the claim is what was asked for, or the run says that it is not, or the limit ended it."""
        return not self.reached or bool((self.claimed <= SLACK * self.result["asked"]).all())


def judge(problem, truth, result):
    if "values" not in result or not len(result["times"]):
        empty = np.zeros(0)
        return Judged(problem, result, empty, empty, empty, [], empty, empty, 0)
    rows = [result["names"].index(name) for name in truth.names]
    n = min(len(result["times"]), len(truth.times))
    if not np.allclose(result["times"][:n], truth.times[:n], atol=1e-9 * truth.times[-1]):
        raise RuntimeError(f"problem {problem.seed}: the times of the run are not those of the truth")
    value, claimed = (np.array(result[key])[rows, :n] for key in ("values", "errors"))
    expected, scale, errors = truth.values[:, :n], truth.scale[:, :n], truth.errors[:, :n]
    known = truth.known(result["asked"])[:, :n]
    spread = np.hypot(np.hypot(claimed, errors), EXACT * scale)
    z = np.where(np.isfinite(value), (value - expected) / spread, np.inf)
    trivial = (claimed == 0) & (errors == 0) & (np.abs(value - expected) <= EXACT * scale)
    counts = known & ~trivial
    label = [f"{truth.names[i]}({truth.times[j]:g})" for i, j in zip(*np.nonzero(counts))]
    return Judged(problem, result, z[counts], (np.abs(value - expected) / scale)[counts], (claimed / scale)[counts],
                  label, value[counts], expected[counts], int((~known).sum()))


def line_of(judged):
    """One line about a run."""
    result, problem = judged.result, judged.problem
    chosen = " ".join(f"{key} {value}" for key, value in result.get("chosen", {}).items())
    head = f"{problem.seed} {problem.group}, {problem.family}, asked {result['asked']:g}: {result['status']}, " \
           f"{result['cpu']:.2f} s, {chosen}"
    if "values" not in result:
        return f"{head}; exit {result['code']}: {result['message']}"
    if not len(judged.z):
        return f"{head}; exactly the truth"
    worst = int(np.argmax(np.abs(judged.z)))
    return f"{head}; claimed at most {judged.claimed.max():.1e}, off by at most {judged.error.max():.1e}; worst " \
           f"{judged.label[worst]}: z = {judged.z[worst]:.1f}"


def beyond(some, sigma):
    z = np.concatenate([judged.z for judged in some]) if some else np.zeros(0)
    return float(np.mean(np.abs(z) > sigma)) if len(z) else 0.0


def scatter(some, sigma):
    """One standard error of that part, as the points of a run are not independent but runs are."""
    points = np.array([len(judged.z) for judged in some])
    over = np.array([np.sum(np.abs(judged.z) > sigma) for judged in some])
    part = over.sum() / max(points.sum(), 1)
    return float(np.sqrt(np.sum((over - part * points) ** 2)) / max(points.sum(), 1))


def percent(part):
    return f"{100 * part:.2g}"


def quantiles(values, points):
    return " / ".join(f"{x:.2g}" for x in np.quantile(values, points)) if len(values) else "-"


HEADER = ["dynamics", "runs", "points", "beyond 2, %", "beyond 3, %", "beyond 6, %", "runs with a point beyond 3, %",
          "meets what was asked or says not", "says not", "ended by the limit", "error / asked, largest",
          "size of z, 50 / 90 / 99 / 100 %",
          "CPU s, 50 / 90 / 100 %"]


def row_of(name, some):
    pinned = bool(some) and some[0].result["pinned"]
    z = np.abs(np.concatenate([judged.z for judged in some])) if some else np.zeros(0)
    reached = [judged for judged in some if judged.reached and len(judged.error)]
    largest = max((judged.error.max() / judged.result["asked"] for judged in reached), default=0)
    return [name, str(len(some)), str(len(z)), *(percent(beyond(some, sigma)) for sigma in BEYOND),
            percent(np.mean([np.any(np.abs(judged.z) > 3) for judged in some])) if some else "-",
            "-" if pinned else f"{sum(judged.meets for judged in some)} of {len(some)}",
            str(sum(judged.result["code"] > 0 for judged in some)),
            str(sum(judged.result["code"] < 0 for judged in some)),
            f"{largest:.2g}", quantiles(z, (.5, .9, .99, 1)),
            quantiles([judged.result["cpu"] for judged in some], (.5, .9, 1))]


def groups(judged):
    """Runs by dynamics, those without any left out."""
    split = {group: [j for j in judged if j.problem.group == group] for group in random_problems.GROUPS}
    return {group: some for group, some in split.items() if some}


def criteria(judged):
    """Pairs of a criterion, and whether it holds."""
    found = []
    for group, some in groups(judged).items():
        for sigma, most in BEYOND.items():
            part = beyond(some, sigma)
            found.append((f"{group}: {percent(part)} % (standard error {percent(scatter(some, sigma))}) beyond {sigma} "
                          f"standard errors, at most {percent(most)} %", part <= most))
        if not some[0].result["pinned"]:
            misses = [str(j.problem.seed) for j in some if not j.meets]
            found.append((f"{group}: what was asked is claimed, or the run says that it is not; seeds that do neither: "
                          f"{', '.join(misses) or 'none'}", not misses))
    return found


def holds(judged):
    return bool(judged) and all(ok for _, ok in criteria(judged))


OFFENDER = ["seed", "problem", "asked", "worst point", "value", "claimed error", "truth", "z",
            "steps, paths x replicas"]


def offenders(judged, most=25):
    """The points that are furthest off, one for each run, and runs without curves."""
    rows = []
    for j in sorted((j for j in judged if len(j.z)), key=lambda j: -np.abs(j.z).max())[:most]:
        worst = int(np.argmax(np.abs(j.z)))
        if abs(j.z[worst]) < 3:
            break
        scale = np.abs(j.value[worst] - j.truth[worst]) / max(j.error[worst], 1e-300)
        chosen = j.result.get("chosen", {})
        rows.append([str(j.problem.seed), f"{j.problem.group}, {j.problem.family}", f"{j.result['asked']:g}",
                     j.label[worst], f"{j.value[worst]:.5g}", f"{j.claimed[worst] * scale:.2g}",
                     f"{j.truth[worst]:.5g}", f"{j.z[worst]:.1f}",
                     f"{chosen.get('steps', '-')}, {chosen.get('paths', '-')} x {chosen.get('replicas', '-')}"])
    return rows


def unknown_lines(missing):
    """The seeds of every accuracy and dynamics, with what is known of their truths."""
    lines = {}
    for problem, accuracy, why in missing:
        lines.setdefault((accuracy, problem.group), []).append(f"{problem.seed} ({problem.family}; {why})")
    for (accuracy, group), some in sorted(lines.items(), reverse=True):
        yield f"- {accuracy:g}, {group}, {len(some)}: " + ", ".join(some)


INTRODUCTION = """Random problems, one for each seed (`bench/random_problems.py`), solved and compared with truths
(`bench/truths.py`): are standard errors what they claim to be, and is the accuracy that was asked reached? A *point* is
a curve at an output time, and z its difference from the truth over the standard errors of run and truth together. A
claim is the largest standard error of a run, relative to the natural scale of its curve. `bench/calibrate.py run --only
SEED` repeats one problem, and `bench/calibrate.py show --only SEED` prints it.
"""


def page(judged, missing, pinned):
    """The whole report as markdown."""
    asked = sorted({j.result["asked"] for j in judged}, reverse=True)
    parts = ["# Calibration of error bars\n", "<!-- Written by bench/calibrate.py report --write. -->\n",
             INTRODUCTION]
    parts += [f"Settings: {' '.join(pinned)}.\n"] if pinned else []
    for accuracy in asked:
        some = [j for j in judged if j.result["asked"] == accuracy]
        parts.append(f"## {'Truth known for' if pinned else 'Asked'} {accuracy:g}\n")
        parts.append(markdown_table(HEADER, [row_of(*entry) for entry in groups(some).items()] + [row_of("all", some)]))
        unknown = sum(j.unknown for j in some)
        parts.append(f"{unknown} further points of these runs have no truth to a fifth of the asked accuracy.\n")
    parts += ["## Criteria\n", *(f"- {'holds' if ok else 'FAILS'}: {text}" for text, ok in criteria(judged)), ""]
    rows = offenders(judged)
    parts += ["## Worst points, one for each run\n", markdown_table(OFFENDER, rows) if rows else "None beyond 3.\n"]
    empty = [line_of(j) for j in judged if "values" not in j.result]
    parts += ["## Runs without curves\n", *(f"- {line}" for line in empty), ""] if empty else []
    if missing:
        parts.append("## Problems without a truth to a fifth of the asked accuracy\n")
        parts += [*unknown_lines(missing), ""]
    return "\n".join(parts)
