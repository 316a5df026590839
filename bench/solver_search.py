"""The cheapest setting of `sgdmft solve` for a given error.

    error^2 = bias(steps)^2 + variance / (paths * replicas)

For each estimator of the response and several numbers of steps, a few small runs give the variance and the CPU time of
one replica. The bias is the mean difference from the reference, or, without a reference, from a fine grid with the same
seeds and therefore nearly the same noise; with few paths that noise has a bias of its own if the steps are many. The
contribution of noise to the mean square is subtracted. The tolerance of a step is a fraction of the target, because it
changes curves by about its own value. The runs that are timed have two replicas, because the variance decreases faster
than 1/paths.
"""

import dataclasses
import math

import numpy as np

import measure

REPLICAS = 2         # replicas of a small run
SEEDS_MIN, SEEDS_MAX = 4, 128
SEEDS_CPU = 16       # seconds of all small runs at one setting
LOG_PATHS_MIN = 6    # numerics.paths is at least 64
TOLERANCE_MAX = 0.01 # of numerics.tolerance
BIAS = 0.8           # largest bias, in units of the target


@dataclasses.dataclass
class Setting:
    response: str
    steps: int
    paths: int
    replicas: int
    tolerance: float
    bias: float          # root mean square relative time-step error
    variance: float      # of one replica, mean square relative
    cpu_replica: float   # seconds

    def cost(self, target):
        """CPU seconds to the target; the number of replicas need not be whole."""
        left = target ** 2 - self.bias ** 2
        return self.cpu_replica * self.variance / left if left > 0 else math.inf

    def settings(self, problem):
        return {**problem.changes, "numerics.response": self.response, "numerics.steps": self.steps,
                "numerics.grading": problem.grading, "numerics.paths": self.paths,
                "numerics.replicas": self.replicas, "numerics.tolerance": self.tolerance}


def small_runs(bench, problem, response, steps, paths, tolerance):
    settings = Setting(response, steps, paths, REPLICAS, tolerance, 0, 0, 0).settings(problem)
    runs = [bench.run("solve", problem, {**settings, "numerics.seed": 100})]
    seeds = max(SEEDS_MIN, min(SEEDS_MAX, int(SEEDS_CPU / runs[0].cpu)))
    return runs + [bench.run("solve", problem, {**settings, "numerics.seed": 100 + seed}) for seed in range(1, seeds)]


def variance_of(runs, scale):
    """The mean square relative deviation of one replica. Printed standard errors would include the step error."""
    return float(REPLICAS * np.mean(np.var([run.curves.values / scale for run in runs], axis=0, ddof=1)))


@dataclasses.dataclass
class Yardstick:
    """The curves that the bias is measured against: one set for each seed, or one for all."""
    values: list         # of arrays, names x times
    scale: np.ndarray    # names x times
    noise: float         # root mean square relative error that is common to all

    @classmethod
    def of_reference(cls, reference):
        return cls([reference.curves.values], measure.scales(reference.curves), reference.noise)

    @classmethod
    def of_fine_grid(cls, runs):
        values = [run.curves.values for run in runs]
        mean = measure.Curves(runs[0].curves.names, np.mean(values, axis=0), None)
        return cls(values, measure.scales(mean), 0.0)

    def bias(self, runs):
        """The root mean square of the mean difference, without the part that is noise."""
        values = self.values if len(self.values) > 1 else self.values * len(runs)
        differences = np.array([(run.curves.values - value) / self.scale for run, value in zip(runs, values)])
        noise = np.mean(differences.var(axis=0, ddof=1)) / len(differences) + self.noise ** 2
        return math.sqrt(max(np.mean(differences.mean(axis=0) ** 2) - noise, 0))


def try_setting(bench, problem, response, steps, paths, tolerance, yardstick):
    """Measures one setting; its bias is infinite if a run has no solution."""
    try:
        runs = small_runs(bench, problem, response, steps, paths, tolerance)
    except measure.NoSolution:
        return Setting(response, steps, paths, 0, tolerance, math.inf, math.inf, math.inf)
    return Setting(response, steps, paths, 0, tolerance, yardstick.bias(runs), variance_of(runs, yardstick.scale),
                   float(np.median([run.cpu for run in runs])) / REPLICAS)


def measured(bench, problem, target, responses, reference=None):
    """Measures every setting to try; without a reference, against a fine grid with the first estimator."""
    paths, tolerance = paths_for(problem, target), min(problem.tolerance * target, TOLERANCE_MAX)
    if reference:
        yardstick = Yardstick.of_reference(reference)
    else:
        steps = 2 * problem.steps[responses[0]][-1]
        yardstick = Yardstick.of_fine_grid(small_runs(bench, problem, responses[0], steps, paths, 0.1 * tolerance))
    return [try_setting(bench, problem, response, steps, paths, tolerance, yardstick)
            for response in responses for steps in problem.steps[response]]


def with_paths(setting, paths):
    """The setting with two replicas and this number of paths."""
    factor = paths / setting.paths
    return dataclasses.replace(setting, paths=paths, replicas=REPLICAS, variance=setting.variance / factor,
                               cpu_replica=setting.cpu_replica * factor)


def fitted(setting, target):
    """The setting with two replicas and the power of two of paths that comes nearest to the target in the model."""
    needed = setting.paths * setting.variance / (target ** 2 - setting.bias ** 2) / REPLICAS
    return with_paths(setting, 2 ** max(LOG_PATHS_MIN, round(math.log2(needed))))


def best(settings, target, response=None):
    """The cheapest setting for the target, with one estimator or with any; None if no setting meets it."""
    able = [s for s in settings if s.bias < BIAS * target and response in (None, s.response)]
    return min(able, key=lambda s: s.cost(target)) if able else None


def paths_for(problem, target):
    """The number of paths of a small run. The bias also has a part of order 1/paths, which must not decide about runs
    with more paths."""
    return problem.pilot * (4096 if target > 3e-3 else 16384)
