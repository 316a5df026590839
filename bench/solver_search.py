"""The cheapest setting of `sgdmft solve` for a given error.

    error^2 = bias(steps)^2 + variance / (paths * replicas)

For both estimators of the response and several numbers of steps, a few small runs give the variance of one replica (the
spread within and between runs) and the CPU time of one replica. The bias is the mean difference from a fine grid with the
same seeds, hence nearly the same noise; what noise is left in the mean square is subtracted.
"""

import dataclasses
import math

import numpy as np

import measure

SEEDS = 8            # small runs of each setting
REPLICAS = 2         # replicas of a small run


@dataclasses.dataclass
class Setting:
    response: str
    steps: int
    paths: int
    replicas: int
    bias: float          # root mean square relative time-step error
    variance: float      # of one replica, mean square relative
    cpu_replica: float   # seconds

    def cost(self, target):
        """CPU seconds to the target, with a number of replicas that need not be whole."""
        left = target ** 2 - self.bias ** 2
        return self.cpu_replica * self.variance / left if left > 0 else math.inf

    def settings(self, problem):
        return {**problem.changes, "numerics.response": self.response, "numerics.steps": self.steps,
                "numerics.grading": problem.grading, "numerics.paths": self.paths,
                "numerics.replicas": self.replicas}


def small_runs(bench, problem, response, steps, paths):
    settings = Setting(response, steps, paths, REPLICAS, 0, 0, 0).settings(problem)
    return [bench.run("solve", problem, {**settings, "numerics.seed": 100 + seed}) for seed in range(SEEDS)]


def variance_of(runs, scale):
    """Mean square relative deviation of one replica."""
    within = np.mean([(run.curves.errors / scale) ** 2 for run in runs])
    between = np.mean(np.var([run.curves.values / scale for run in runs], axis=0, ddof=1))
    return float(REPLICAS * (within + between) / 2)


def bias_of(runs, fine, scale):
    """Root mean square of the mean difference, less its noise."""
    differences = np.array([(a.curves.values - b.curves.values) / scale for a, b in zip(runs, fine)])
    noise = np.mean(differences.var(axis=0, ddof=1)) / len(runs)
    return math.sqrt(max(np.mean(differences.mean(axis=0) ** 2) - noise, 0))


def measured(bench, problem, paths):
    """Every setting that is tried, measured."""
    found = []
    for response, choices in problem.steps.items():
        fine = small_runs(bench, problem, response, 2 * choices[-1], paths)
        mean = measure.Curves(fine[0].curves.names, np.mean([run.curves.values for run in fine], axis=0), None)
        scale = measure.scales(mean)
        for steps in choices:
            runs = small_runs(bench, problem, response, steps, paths)
            found.append(Setting(response, steps, paths, 0, bias_of(runs, fine, scale), variance_of(runs, scale),
                                 float(np.median([run.cpu for run in runs])) / REPLICAS))
    return found


def fitted(setting, target):
    """Replicas for the target; fewer paths each if two would be too many."""
    needed = setting.variance / (target ** 2 - setting.bias ** 2)
    paths = setting.paths
    while needed < 2 and paths > 128:
        paths //= 2
        needed *= 2
    halvings = setting.paths // paths
    return dataclasses.replace(setting, paths=paths, replicas=max(2, math.ceil(needed)),
                               variance=setting.variance * halvings, cpu_replica=setting.cpu_replica / halvings)


def best(settings, target, response=None):
    """The cheapest setting for the target, of one estimator or of both, or None."""
    able = [s for s in settings if s.cost(target) < math.inf and response in (None, s.response)]
    return fitted(min(able, key=lambda s: s.cost(target)), target) if able else None


def paths_for(target):
    """Paths of a small run: enough for its noise to show a bias of the size of the target."""
    return 1024 if target > 3e-3 else 4096
