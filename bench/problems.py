"""The problems that are timed: a file of validation/problems, changes of its keys, and the ranges to search."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Problem:
    name: str
    title: str
    file: str                # under validation/problems
    changes: dict            # key -> value
    grading: float           # numerics.grading of the solver, in the search and in the reference
    steps: dict              # estimator of the response -> values of numerics.steps to try
    reference_steps: int     # with the response stein
    pilot: int = 1           # factor of the number of paths in the small runs of the search
    tolerance: float = 0.25  # numerics.tolerance in units of the target; small where a curve is small


SHORT = {"pathwise": (8, 16, 32), "stein": (14, 16, 20, 24, 32)}
LONG = {"pathwise": (16, 24, 32), "stein": (24, 28, 32, 40, 48, 56)}

PROBLEMS = {problem.name: problem for problem in (
    Problem("tanh", "tanh, T = 5", "tanh_sgd_eta1.yaml", {}, 1.5, SHORT, 64),
    Problem("logistic10", "logistic, ridge, T = 10", "logistic_sgd_ridge.yaml", {}, 1.5, LONG, 96),
    Problem("erf2", "erf committee, k = k* = 2, T = 5", "erf2_sgd.yaml", {}, 1.5, SHORT, 64, 4, 0.03),
    Problem("logistic20", "logistic, ridge, T = 20", "logistic_sgd_ridge.yaml", {"horizon": 20}, 1.5, LONG, 96),
)}


def at_horizon(horizon):
    """The logistic problem with another horizon."""
    longer = max(1, horizon / 20) ** 0.9
    steps = {"pathwise": (12, 16, 24, 32), "stein": (16, 24, 32, 48, 64)}
    steps = {response: tuple(2 * round(longer * n / 2) for n in some) for response, some in steps.items()}
    return Problem(f"logistic{horizon:g}", f"logistic, ridge, T = {horizon:g}", "logistic_sgd_ridge.yaml",
                   {"horizon": horizon}, 1.5, steps, 96, 8 if horizon > 20 else 1)
