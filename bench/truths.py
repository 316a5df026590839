"""Curves of random problems that are right to a small fraction of the accuracy that is asked for.

- A linear problem that `numerics.method: linear` can solve: that solution, which is exact.
- Online dynamics with smooth label and loss: one solve, whose averages are deterministic quadratures.
- All others: pairs of solves, one on a fine and one on a coarse side. The fine sides have N steps (online: P random
  points), their seeds differ, and the differences between them give the noise; the coarse sides have N/2 (P/4). The
  truth is the mean of the fine sides, each extrapolated by the program. Its standard error counts the noise and a
  share of the difference of the two sides: a third of it, the error of a second-order scheme, or all of it where the
  gradient or its derivative jumps and for sme, which can be of first order.

The error bars that the program reports are not used. Pairs are kept in a cache, under a key made of the problem, so
that a run of the script continues where another one stopped. Gradient flow that is not linear is solved by a program of
its own (--flow-program), for where the scheme of the other one is not trusted.
"""

import dataclasses
import hashlib
import json
import math
import pathlib
import tempfile

import numpy as np

import measure

VERSION = 1              # of the way in which truths are computed; part of the key
SEED = 7_000_000
PAIRS_MIN = 5
PAIRS_MAX = 48
PATHS_MAX = 131072
STEPS_MAX = 256
PART = 1 / 10            # of the budget that a pair takes, if more paths help
BOTH = 5                 # about the time of both sides over that of the coarse one
WINDOW = .2              # part of the times over which squares are averaged
SHARE = 1 / 5            # of the asked accuracy that the truth may have as standard error
PART_KNOWN = .9          # of the points, curves at output times, that must be known so well


@dataclasses.dataclass
class Truth:
    method: str          # exact, quadrature, pairs
    names: list
    times: np.ndarray
    values: np.ndarray   # names x times
    errors: np.ndarray   # standard errors
    scale: np.ndarray    # natural scales
    cpu: float
    trouble: str = ""    # why there is none, or why it is no better

    @property
    def quality(self):
        """The standard error relative to the natural scale that PART_KNOWN of the points do not exceed."""
        return float(np.quantile(self.errors / self.scale, PART_KNOWN)) if len(self.names) else math.inf

    def serves(self, accuracy):
        return self.quality <= SHARE * accuracy

    def known(self, accuracy):
        """The points (names x times) at which the truth is good enough."""
        return self.errors <= SHARE * accuracy * self.scale


def none(trouble, cpu=0.0):
    empty = np.zeros((0, 0))
    return Truth("none", [], np.zeros(0), empty, empty, empty, cpu, trouble)


def is_curve(name):
    """Losses, overlaps and observables; the response drives nothing and has no accuracy."""
    return name != "t" and not name.endswith("_se") and not (name[0] == "R" and name[1:].isdigit())


def natural_scales(names, values, rho):
    """What the accuracy is relative to. Losses and q_aa: their value, at least a hundredth of the largest; m_ab:
    sqrt(q_aa rho_bb); q_ab: sqrt(q_aa q_bb); observables: the largest absolute value."""
    row = {name: value for name, value in zip(names, values)}
    scales = []
    for name, value in zip(names, values):
        largest = np.abs(value).max()
        a, b = (name[1:2], name[2:3]) if name[1:].isdigit() else ("", "")
        if name[0] == "m" and a:
            scale = np.sqrt(np.maximum(row[f"q{a}{a}"], row[f"q{a}{a}"].max() / 100) * rho[int(b) - 1])
        elif name[0] == "q" and a and a != b:
            scale = np.sqrt(np.maximum(row[f"q{a}{a}"], row[f"q{a}{a}"].max() / 100) *
                            np.maximum(row[f"q{b}{b}"], row[f"q{b}{b}"].max() / 100))
        elif a or name in ("train_loss", "test_loss"):
            scale = np.maximum(np.abs(value), largest / 100)
        else:
            scale = np.full_like(value, largest)
        scales.append(np.maximum(scale, 1e-300))
    return np.array(scales)


def read_result(path):
    """Times, names, values, standard errors and comments of a CSV file."""
    comments, table = measure.read_table(path)
    names = [name for name in table if is_curve(name)]
    return table["t"], names, np.array([table[n] for n in names]), np.array([table[n + "_se"] for n in names]), comments


class Source:
    """The truths of one directory."""

    def __init__(self, program, flow_program, cache):
        self.program = pathlib.Path(program).resolve()
        self.flow_program = pathlib.Path(flow_program).resolve() if flow_program else None
        self.cache = pathlib.Path(cache)

    def place(self, problem):
        key = hashlib.sha256(f"{VERSION} {problem.text}".encode()).hexdigest()[:12]
        return self.cache / "truth" / f"{problem.seed}-{key}"

    def program_for(self, problem):
        return self.flow_program if problem.group == "gradient-flow" and not problem.exact else self.program

    def solved(self, problem, name, settings, limit):
        """The kept result of a solve, made if there is none: a dictionary, with "trouble" if it has no curves."""
        kept = self.place(problem) / f"{name}.json"
        if kept.exists():
            return json.loads(kept.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as place:
            file, curves = pathlib.Path(place) / "problem.yaml", pathlib.Path(place) / "run.csv"
            file.write_text(problem.text, encoding="utf-8")
            ended = measure.execute(self.program_for(problem), "solve", file, settings, curves, cpu_limit=limit)
            result = {"cpu": ended.cpu, "settings": settings}
            if ended.code:
                message = ended.messages.strip().splitlines()
                result["trouble"] = f"exit {ended.code}: {message[-1] if message else ''}"
            else:
                times, names, values, errors, _ = read_result(curves)
                result.update(times=times.tolist(), names=names, values=values.tolist(), errors=errors.tolist())
        if result.get("trouble", "").startswith("exit -"):     # ended by the limit: a larger budget may do it
            return result
        return keep(kept, result)

    def truth(self, problem, budget, wanted):
        """The truth that is wanted, or what about `budget` CPU seconds give. A larger budget has more paths, too, and
        then starts anew."""
        best = self.kept(problem)
        if best.serves(wanted):
            return best
        if problem.exact:
            return self.single(problem, "exact", {"numerics.method": "linear"}, budget)
        if problem.group == "online" and problem.smooth:
            found = self.single(problem, "quadrature", {"numerics.tolerance": 1e-9}, budget)
            if not found.errors.any():      # else the program took random points instead
                return found
        if not self.program_for(problem):
            return none("gradient flow needs --flow-program")
        return self.pairs(problem, budget, wanted)

    def single(self, problem, method, settings, limit):
        result = self.solved(problem, method, settings, limit)
        if "trouble" in result:
            return none(result["trouble"], result["cpu"])
        values = np.array(result["values"])
        return Truth(method, result["names"], np.array(result["times"]), values, np.array(result["errors"]),
                     natural_scales(result["names"], values, problem.rho), result["cpu"])

    def paths_for(self, problem, budget):
        """The paths of a side, from the time of a first coarse side, and the seconds of that; or the trouble."""
        least = least_paths(problem)
        first = self.solved(problem, "first-coarse", sides(problem, least)["coarse"], budget / 2)
        if "trouble" in first:
            return least, first["cpu"], first["trouble"]
        most = PATHS_MAX * (8 if problem.group == "online" else 1)
        factor = budget * PART / (BOTH * first["cpu"])
        return min(most, least * 2 ** max(0, int(math.log2(factor)))), first["cpu"], ""

    def pairs(self, problem, budget, wanted):
        paths, cpu, trouble = self.paths_for(problem, budget)
        if trouble:
            return none(trouble, cpu)
        made, found = [], none("")
        while len(made) < PAIRS_MAX and not (len(made) >= PAIRS_MIN and found.serves(wanted)):
            if made and (cpu * (1 + 1 / len(made)) > budget and len(made) >= PAIRS_MIN or
                         cpu * PAIRS_MIN / len(made) > 2 * budget):      # it will not do
                break
            settings = sides(problem, paths)
            pair = {side: self.solved(problem, f"{paths}-{len(made)}-{side}",
                                      {**settings[side], "numerics.seed": SEED + len(made)}, None) for side in settings}
            cpu += sum(result["cpu"] for result in pair.values())
            trouble = [result["trouble"] for result in pair.values() if "trouble" in result]
            if trouble:
                return none(trouble[0], cpu)
            made.append(pair)
            found = mean_of(problem, made, cpu) if len(made) >= PAIRS_MIN else found
        found.trouble = "" if found.serves(wanted) else f"standard error {found.quality:.1e} after {cpu:.0f} s"
        return found

    def kept(self, problem):
        """The best truth in the cache, without computing any."""
        place, best = self.place(problem), none("not computed in the time given")
        for method in ("exact", "quadrature"):
            if (place / f"{method}.json").exists():
                found = self.single(problem, method, {}, None)
                if not found.errors.any():
                    return found
        for paths in sorted({file.name.split("-")[0] for file in place.glob("[0-9]*-fine.json")}):
            made = []
            while all((place / f"{paths}-{len(made)}-{side}.json").exists() for side in ("fine", "coarse")):
                made.append({side: json.loads((place / f"{paths}-{len(made)}-{side}.json").read_text(encoding="utf-8"))
                             for side in ("fine", "coarse")})
            trouble = [result["trouble"] for pair in made for result in pair.values() if "trouble" in result]
            if trouble:
                best = none(trouble[0]) if best.method == "none" else best
            elif len(made) >= PAIRS_MIN:
                found = mean_of(problem, made, sum(result["cpu"] for pair in made for result in pair.values()))
                best = min(best, found, key=lambda truth: truth.quality)
        return best


def keep(path, result):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = pathlib.Path(f"{path}.part")
    part.write_text(json.dumps(result), encoding="utf-8")
    part.rename(path)
    return result


def steps_of(problem):
    """Steps of the fine side: the largest cell has a stiffness of about 1.2, or 1 where g or its derivative jumps.
    Gradient flow is solved implicitly and needs fewer."""
    if problem.group == "gradient-flow":
        return 8 * math.ceil(min(max(32, .5 * problem.stiffness), STEPS_MAX / 2) / 8)
    least = 96 if problem.kink else 64
    steps = max(least, (1.5 if problem.kink else 1.2) * problem.stiffness)
    horizon = float(problem.text.split("horizon: ")[1].split()[0])
    if problem.group == "reshuffle":       # four steps of the coarse side in every epoch and between jumps of eta
        steps = max(steps, 8 * (math.ceil(horizon) + 2))
    return 8 * math.ceil(min(steps, STEPS_MAX) / 8)


def least_paths(problem):
    """The noise of the response by Stein's lemma becomes bias in proportion to (steps students)^2 / paths."""
    if problem.group == "gradient-flow":
        return 4096
    if problem.group == "online":
        return 65536
    wanted = (steps_of(problem) * problem.students) ** 2
    return 2 ** math.ceil(math.log2(max(4096, min(PATHS_MAX, wanted))))


def effort(problem):
    """About proportional to the time that a truth takes."""
    if problem.exact or (problem.group == "online" and problem.smooth):
        return 0
    per_path = 1000 if problem.group == "online" else (steps_of(problem) * problem.students) ** 2
    return least_paths(problem) * per_path


def sides(problem, paths):
    steps = steps_of(problem)
    common = {"numerics.replicas": 2, "numerics.tolerance": 1e-5}
    if problem.group == "online":
        return {"fine": {**common, "numerics.paths": paths}, "coarse": {**common, "numerics.paths": paths // 4}}
    return {"fine": {**common, "numerics.paths": paths, "numerics.steps": steps},
            "coarse": {**common, "numerics.paths": paths, "numerics.steps": steps // 2}}


def smoothed(squares):
    """Means over a window of times."""
    half = max(1, round(WINDOW * squares.shape[1] / 2))
    return np.array([[row[max(0, i - half):i + half + 1].mean() for i in range(len(row))] for row in squares])


def mean_of(problem, pairs, cpu):
    """The truth from pairs of solves."""
    names, times = pairs[0]["fine"]["names"], np.array(pairs[0]["fine"]["times"])
    fine, coarse = (np.array([pair[side]["values"] for pair in pairs]) for side in ("fine", "coarse"))
    n = len(pairs)
    student = (n - 1) / (n - 3)            # the variance of Student's t with n - 1 degrees of freedom
    variance = fine.var(axis=0, ddof=1) / n
    noise2 = student * np.maximum(smoothed(variance) * (variance > 0), variance)
    difference2 = (fine - coarse).mean(axis=0) ** 2 - (fine - coarse).var(axis=0, ddof=1) / n
    share = 1.0 if problem.kink or problem.group == "sme" else 1 / 3
    step2 = share ** 2 * np.maximum(smoothed(difference2), 0)
    values = fine.mean(axis=0)
    return Truth("pairs", names, times, values, np.sqrt(noise2 + step2), natural_scales(names, values, problem.rho),
                 cpu)
