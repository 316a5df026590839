"""Random problems, each a function of its seed: solvable, legitimate, and of bounded cost for a truth.

What is drawn, independently unless said otherwise:

- dynamics: sgd with replacement 2/6; reshuffle, sme, gradient-flow and online 1/6 each
- family: link and squared loss, linear, logistic, biased logistic, robust, phase retrieval, saturating even features,
  committee, several indices, softmax, and, for sgd and online only, those whose gradient jumps (hinge, relu, a pair of
  relus). A Huber loss and a squared hinge, whose second derivative jumps, occur with all but sme.
- delta log-uniform on .3 to 30; horizon log-uniform on .5 to 50 (online: tau), reshuffle .5 to 20, because an epoch
  takes at least four steps of the coarsest grid
- eta: log-uniform on .05 to 2, at most `step_max` of the family, over the largest curvature of the loss; every tenth
  problem has a schedule with a jump, every twentieth a smooth one
- ridge: 0 in half of the problems, else log-uniform on .01 to 3
- label noise of .05 to .5 in two thirds of the regressions; labels that are signs, with noise inside the sign or
  without
- start: q on .2 to 2, or 0 in a tenth of the problems with one student and a family that leaves 0; rho 1 or .5 to 2;
  m/sqrt(q rho) on -.3 to .6; several students with small random overlaps
- one observable in a third of the problems; 11, 21 or 41 output times

Gradients grow at most linearly in r: with Poisson visits there is no limit otherwise. The stiffness
S = T (eta G (1 + sqrt(delta))^2 + lambda), with the largest curvature G, decides how many steps a solve needs. Where S
would exceed STIFFNESS / k, the horizon is reduced, and below a horizon of .5 delta, too.
"""

import dataclasses
import math

import numpy as np

GROUPS = ("sgd", "reshuffle", "sme", "gradient-flow", "online")
STIFFNESS = 150
STIFFNESS_EXACT = 600     # where the truth is exact
LINKS = {"tanh": "tanh({})", "erf": "erf({}/sqrt(2))", "sine": "sin({})", "softplus": "softplus({})",
         "arctan": "atan({})"}


@dataclasses.dataclass(frozen=True)
class Family:
    name: str
    label: object            # text or list
    loss: str
    predict: object = None
    students: int = 1
    teachers: int = 1
    curvature: float = 1.0   # about the largest eigenvalue of the Hessian in r
    step_max: float = 1.7    # largest eta in units of 1 / curvature
    kink: int = 0            # 1: the gradient jumps; 2: its derivative does
    even: bool = False       # theta = 0 is a fixed point
    linear: bool = False
    observable: str = "tanh(r)*sign(s)"


@dataclasses.dataclass(frozen=True)
class RandomProblem:
    seed: int
    group: str
    family: str
    students: int
    rho: list                # the diagonal
    kink: int
    exact: bool              # numerics.method: linear can solve it
    smooth: bool             # label and loss: online averages are quadratures
    stiffness: float
    samples: float           # per dimension; 1 for online
    text: str


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def number(x):
    return f"{x:.4g}"


def noise_of(rng):
    return "" if rng.random() < 1 / 3 else f" + {number(rng.uniform(.05, .5))}*eps"


def sign_label(rng):
    return "sign(s)" if rng.random() < .4 else f"sign(s + {number(rng.uniform(.1, .6))}*eps)"


def regression(rng):
    link = rng.choice(list(LINKS))
    teacher = link if rng.random() < .7 else rng.choice(list(LINKS))
    label = sign_label(rng) if rng.random() < .2 else LINKS[teacher].format("s") + noise_of(rng)
    return Family(f"{link} link", label, "(f - y)^2/2", LINKS[link].format("r"),
                  step_max=2.0 if link != "softplus" else 1.7)


def linear(rng):
    return Family("linear", "s" + noise_of(rng), "(r - y)^2/2", linear=True)


def logistic(rng):
    return Family("logistic", sign_label(rng), "softplus(-y*r)", curvature=.25, step_max=2.0)


def biased_logistic(rng):
    bias = number(rng.uniform(-1, 1))
    return Family("biased logistic", sign_label(rng).replace("(s", f"(s + {bias}"), f"softplus(-y*(r + {bias}))",
                  curvature=.25, step_max=2.0)


def robust(rng):
    width = number(rng.uniform(.3, 1.5))
    label = "s + 0.3*eps1*sqrt(1 + eps2^2)" if rng.random() < .4 else "s" + noise_of(rng)
    if rng.random() < .5:
        return Family("pseudo-Huber", label, f"{width}^2*(sqrt(1 + ((r - y)/{width})^2) - 1)")
    return Family("Huber", label, f"if(abs(r - y) < {width}, (r - y)^2/2, {width}*abs(r - y) - {width}^2/2)", kink=2)


def squared_hinge(rng):
    return Family("squared hinge", sign_label(rng), "relu(1 - y*r)^2/2", kink=2)


def phase_retrieval(rng):
    if rng.random() < .5:
        return Family("amplitude", f"abs(s){noise_of(rng)}", "(f - y)^2/2", "sqrt(r^2 + 0.1)", even=True, curvature=3,
                      observable="tanh(r*s)")
    return Family("normalised phase retrieval", "s", "(r^2 - y^2)^2/(2*(1 + r^2 + y^2))", even=True, curvature=3,
                  observable="tanh(r*s)")


def saturating(rng):
    feature = str(rng.choice(["tanh({0}^2)", "{0}^2/(1 + {0}^2)", "1 - exp(-{0}^2/2)", "cos({0})"]))
    return Family("saturating even feature", feature.format("s") + noise_of(rng), "(f - y)^2/2", feature.format("r"),
                  even=True, observable="tanh(r*s)")


def committee(rng):
    k, kstar = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    link = LINKS[rng.choice(["tanh", "erf", "sine", "softplus"])]
    weights = rng.choice([-1, 1], size=k) if rng.random() < .3 else np.ones(k)
    student = " + ".join(f"{number(w)}*" + link.format(f"r{a + 1}") for a, w in enumerate(weights / math.sqrt(k)))
    teacher = " + ".join(f"{number(1 / math.sqrt(kstar))}*" + link.format(f"s{b + 1}") for b in range(kstar))
    return Family("committee", teacher + noise_of(rng), "(f - y)^2/2", student, k, kstar,
                  observable="tanh(r1)*sign(s1)")


def several_indices(rng):
    kstar = int(rng.integers(2, 4))
    terms = ["tanh(s1)", "0.5*sin(s2)", "0.5*tanh(s1*s3)"][:kstar]
    return Family("several indices", " + ".join(terms) + noise_of(rng), "(f - y)^2/2", "tanh(r)", 1, kstar,
                  step_max=2.0, observable="tanh(r)*sign(s1)")


def softmax(rng):
    noise = number(rng.uniform(.1, .5))
    first = f"if(s1 + {noise}*eps1 > s2 + {noise}*eps2, 1, 0)"
    return Family("softmax", first, "logsumexp(r1, r2) - y*r1 - (1 - y)*r2", None, 2, 2, curvature=.5, step_max=2.0,
                  observable="if((2*y - 1)*(r1 - r2) < 0, 1, 0)")


def hinge(rng):
    return Family("hinge", sign_label(rng), "relu(1 - y*r)", kink=1)


def relu(rng):
    return Family("relu link", "relu(s)" + noise_of(rng), "(f - y)^2/2", "relu(r)", kink=1, even=True)


def relu_pair(rng):
    return Family("pair of relus", "relu(s1) - relu(s2)" + noise_of(rng), "(f - y)^2/2",
                  "0.7*relu(r1) - 0.7*relu(r2)", 2, 2, kink=1, even=True, observable="tanh(r1)*sign(s1)")


SMOOTH = ((regression, 5), (linear, 2), (logistic, 3), (biased_logistic, 1), (robust, 3), (phase_retrieval, 2),
          (saturating, 2), (committee, 4), (several_indices, 1), (softmax, 1))
SECOND = ((squared_hinge, 1),)
JUMPS = ((hinge, 1), (relu, 2), (relu_pair, 1))


def family_of(rng, group):
    """A family that is legitimate under these dynamics."""
    makers = SMOOTH + (SECOND if group != "sme" else ()) + (JUMPS if group in ("sgd", "reshuffle", "online") else ())
    weights = np.array([weight for _, weight in makers], dtype=float)
    while True:
        family = makers[rng.choice(len(makers), p=weights / weights.sum())][0](rng)
        if not (group == "sme" and family.kink):
            return family


def start_of(rng, family):
    """Second moments q, m, rho of the start, positive definite together."""
    k, kstar = family.students, family.teachers
    rho = np.ones(kstar) if rng.random() < .6 else rng.uniform(.5, 2, kstar)
    if k == 1 and not family.even and rng.random() < .1:
        return np.zeros((1, 1)), np.zeros((1, kstar)), np.diag(rho)
    q = np.diag(np.full(k, rng.uniform(.2, 2)))
    spread = .6 / max(k, kstar)
    m = rng.uniform(-.5 * spread, spread, (k, kstar)) * np.sqrt(q.diagonal()[:, None] * rho)
    for a in range(k):
        for b in range(a):
            q[a, b] = q[b, a] = rng.uniform(-.2, .2) * q[0, 0]
    return q, m, np.diag(rho)


def schedule_of(rng, eta, horizon):
    kind = rng.random()
    if kind < .1:
        return f'"if(t < {number(rng.uniform(.2, .8) * horizon)}, {number(eta)}, {number(eta * rng.uniform(.1, .5))})"'
    if kind < .15:
        return f'"{number(eta)}/(1 + t/{number(horizon / 2)})"'
    return number(eta)


def matrix(values):
    return "[" + ", ".join("[" + ", ".join(number(x) for x in row) + "]" for row in values) + "]"


def is_exact(group, family, eta, ridge):
    if not family.linear or group not in ("sgd", "sme", "gradient-flow"):
        return False
    return not eta.startswith('"') or (group == "gradient-flow" and ridge == 0)


def limited(horizon, delta, rate, ridge, most):
    """Horizon and delta whose stiffness is at most `most`, the larger of the two reduced first."""
    def stiffness():
        return horizon * (rate * (1 + math.sqrt(delta)) ** 2 + ridge)
    if stiffness() > most:
        horizon = max(.5, horizon * most / stiffness())
    while stiffness() > most and delta > .3:
        delta = max(.3, .9 * delta)
    return horizon, delta, stiffness()


def problem_of(seed):
    rng = np.random.default_rng([20260, seed])
    group = str(rng.choice(GROUPS, p=np.array([2, 1, 1, 1, 1]) / 6))
    family = family_of(rng, group)
    delta, horizon = log_uniform(rng, .3, 30), log_uniform(rng, .5, 20 if group == "reshuffle" else 50)
    rate = min(log_uniform(rng, .05, 2), family.step_max)
    ridge = 0.0 if rng.random() < .5 else log_uniform(rng, .01, 3)
    observed = rng.random() < 1 / 3
    stiffness = horizon * (rate + ridge)
    if group != "online":
        most = STIFFNESS_EXACT if family.linear else STIFFNESS / family.students
        horizon, delta, stiffness = limited(horizon, delta, rate, ridge, most)
    eta = schedule_of(rng, rate / family.curvature, horizon)
    q, m, rho = start_of(rng, family)
    exact = is_exact(group, family, eta, ridge)
    text = text_of(group, family, delta, horizon, eta, ridge, (q, m, rho), int(rng.choice([11, 21, 41])),
                   family.observable if observed and not exact else None)
    written = f"{family.label} {family.predict} {family.loss}"
    smooth = not any(word in written for word in ("sign", "relu", "if(", "abs", "min", "max"))
    return RandomProblem(seed, group, family.name, family.students, rho.diagonal().tolist(), family.kink, exact, smooth,
                         stiffness, 1.0 if group == "online" else delta, text)


def text_of(group, family, delta, horizon, eta, ridge, start, times, observable):
    q, m, rho = start
    lines = [f"dynamics: {'sgd' if group == 'reshuffle' else group}"]
    lines += ["sampling: reshuffle"] if group == "reshuffle" else []
    lines += [] if group == "online" else [f"delta: {number(delta)}"]
    lines += [f"eta: {eta}", f"lambda: {number(ridge)}", f"horizon: {number(horizon)}", "model:",
              f"  students: {family.students}", f"  teachers: {family.teachers}", f'  label: "{family.label}"']
    lines += [f'  predict: "{family.predict}"'] if family.predict else []
    lines += [f'  loss: "{family.loss}"', "initial:", f"  q: {matrix(q)}", f"  m: {matrix(m)}", f"  rho: {matrix(rho)}"]
    lines += ["observables:", f'  chosen: "{observable}"'] if observable else []
    return "\n".join(lines + ["output:", f"  times: {times}"]) + "\n"
