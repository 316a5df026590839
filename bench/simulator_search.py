"""The cheapest setting of `sgdmft simulate` for a given error.

    error^2 = (c/d)^2 + v/(d repetitions),        seconds = repetitions cost(d)

c, v and cost are measured at a few dimensions: c from the mean deviation from the reference, after subtracting its
noise, and v from the standard errors. cost(d) is a power law between two dimensions at which it was measured. The
number of repetitions follows from d, and d minimises the seconds. With cost ~ d^2 that is d = sqrt(3) c/target.
"""

import dataclasses
import math

import numpy as np

import measure

DIMENSIONS = (32, 64, 128)               # where bias and variance are measured: the bias is largest at small d
COST_DIMENSIONS = (256, 512, 1024, 2048) # where only the time is measured
NOISE = 0.25                             # repetitions double until the noise of the mean is this part of the bias


@dataclasses.dataclass
class Model:
    c: float
    c_noise: float
    v: float
    costs: dict          # d -> CPU seconds of one repetition

    def cost(self, d):
        known = sorted(self.costs)
        high = min(max(np.searchsorted(known, d), 1), len(known) - 1)
        a, b = known[high - 1], known[high]
        power = math.log(self.costs[b] / self.costs[a]) / math.log(b / a)
        return self.costs[a] * (d / a) ** power

    def repetitions(self, d, target):
        left = target ** 2 - (self.c / d) ** 2
        return self.v / d / left if left > 0 else math.inf

    def seconds(self, d, target):
        return self.cost(d) * self.repetitions(d, target)

    def best(self, target):
        """The cheapest d and its number of repetitions, at least two."""
        low = max(min(DIMENSIONS), 1.05 * self.c / target)
        candidates = [int(d) for d in np.geomspace(low, 64 * low, 400)]
        d = min(candidates, key=lambda d: self.cost(d) * max(2, self.repetitions(d, target)))
        return d, max(2, math.ceil(self.repetitions(d, target)))


def settings_of(problem, d, repetitions):
    return {**problem.changes, "simulate.d": d, "simulate.repetitions": repetitions}


def pilot(bench, problem, d, reference, cpu_max):
    """The deviation of the mean, its squared standard error, and the variance and the seconds of one repetition."""
    repetitions, runs, total = 256, [], 0.0
    scale = measure.scales(reference.curves)
    while True:
        runs.append(bench.run("simulate", problem, {**settings_of(problem, d, repetitions),
                                                    "numerics.seed": 200 + len(runs)}))
        total += runs[-1].cpu
        weights = np.array([256.0 * 2 ** max(i - 1, 0) for i in range(len(runs))])
        weights /= weights.sum()
        mean = sum(w * run.curves.values for w, run in zip(weights, runs))
        square = sum(w ** 2 * run.curves.errors ** 2 for w, run in zip(weights, runs))
        deviation = (mean - reference.curves.values) / scale
        noise2 = float(np.mean(square / scale ** 2)) + reference.noise ** 2
        bias2 = float(np.mean(deviation ** 2)) - noise2
        count = 256 * 2 ** (len(runs) - 1)
        if noise2 < NOISE ** 2 * bias2 or 2 * total > cpu_max:
            return deviation, noise2, float(np.mean(square / scale ** 2)) * count, total / count
        repetitions = count


def model(bench, problem, reference, cpu_max):
    """Measures c, v and the costs in about cpu_max seconds."""
    costs, products, noises, variances = {}, [], [], []
    for d in DIMENSIONS:
        deviation, noise2, variance, costs[d] = pilot(bench, problem, d, reference, cpu_max / len(DIMENSIONS))
        products.append(d * deviation)
        noises.append(d ** 2 * noise2)
        variances.append(d * variance)
    for d in COST_DIMENSIONS:
        repetitions = max(2, 16384 // d)
        costs[d] = bench.run("simulate", problem, {**settings_of(problem, d, repetitions),
                                                   "numerics.seed": 300}).cpu / repetitions
    weights = 1 / np.array(noises)
    weights /= weights.sum()
    c = sum(w * product for w, product in zip(weights, products))
    c_noise2 = float(np.sum(weights ** 2 * noises))
    c2 = max(float(np.mean(c ** 2)) - c_noise2, c_noise2)
    return Model(math.sqrt(c2), math.sqrt(c_noise2), float(np.median(variances)), costs)
