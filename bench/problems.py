"""The problems that are timed: a file, changes of its keys, and the ranges to search.

KEPT are problems that no choice in the program was made for.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Problem:
    name: str
    title: str
    file: str                # in the repository
    changes: dict            # key -> value
    grading: float           # numerics.grading of the solver, in the search and in the reference
    steps: dict              # estimator of the response -> values of numerics.steps to try
    reference_steps: int     # with the response stein
    pilot: int = 1           # factor of the number of paths in the small runs of the search
    tolerance: float = 0.25  # numerics.tolerance in units of the target; small where a curve is small


LOGISTIC = "validation/problems/logistic_sgd_ridge.yaml"
SHORT = {"pathwise": (8, 16, 32), "stein": (14, 16, 20, 24, 32)}
LONG = {"pathwise": (16, 24, 32), "stein": (24, 28, 32, 40, 48, 56)}
MIDDLE = {"pathwise": (12, 16, 24, 32), "stein": (16, 24, 32, 48, 64)}
JUMPING = {"stein": (24, 32, 48, 64, 96)}

PROBLEMS = {problem.name: problem for problem in (
    Problem("tanh", "tanh, T = 5", "validation/problems/tanh_sgd_eta1.yaml", {}, 1.5, SHORT, 64),
    Problem("logistic10", "logistic, ridge, T = 10", LOGISTIC, {}, 1.5, LONG, 96),
    Problem("erf2", "erf committee, k = k* = 2, T = 5", "validation/problems/erf2_sgd.yaml", {}, 1.5, SHORT, 64, 4,
            0.03),
    Problem("logistic20", "logistic, ridge, T = 20", LOGISTIC, {"horizon": 20}, 1.5, LONG, 96),
)}


KEPT = {problem.name: problem for problem in (
    Problem("huber", "pseudo-Huber, odd link, T = 6", "bench/kept/huber.yaml", {}, 1.5, MIDDLE, 96),
    Problem("sine", "sine, T = 6", "bench/kept/sine.yaml", {}, 1.5, MIDDLE, 96),
    Problem("biased", "biased logistic, ridge, T = 20", "bench/kept/biased.yaml", {}, 1.5, LONG, 96),
    Problem("arctan", "arctan committee, k = k* = 2, T = 4", "bench/kept/arctan.yaml", {}, 1.5, MIDDLE, 96, 4, 0.03),
    Problem("hinge", "hinge, ridge, T = 5", "bench/kept/hinge.yaml", {}, 1.5, JUMPING, 192),
    Problem("jump", "tanh, eta jumps, T = 6", "bench/kept/jump.yaml", {}, 1.5, MIDDLE, 96),
)}


def at_horizon(horizon):
    """The logistic problem with another horizon."""
    longer = max(1, horizon / 20) ** 0.9
    steps = {"pathwise": (12, 16, 24, 32), "stein": (16, 24, 32, 48, 64)}
    steps = {response: tuple(2 * round(longer * n / 2) for n in some) for response, some in steps.items()}
    return Problem(f"logistic{horizon:g}", f"logistic, ridge, T = {horizon:g}", LOGISTIC,
                   {"horizon": horizon}, 1.5, steps, 96, 8 if horizon > 20 else 1)
