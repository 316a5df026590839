"""linear_model.py: prints the rows of right.csv for the linear cases.

Squared loss, label s + sigma eps, prediction r, rho = 1. The curves are means over the Marchenko-Pastur law of the
eigenvalues mu of X^T X. Gradient descent of eigenvalue mu has the rate a = eta mu + lambda; visits at Poisson times add
noise with variance 2 eta^2 mu L(t) per unit of time, where L is the training loss. This closes on L (a Volterra
equation), which is integrated here by Runge-Kutta's method of order 4, one variance per eigenvalue. No code is shared
with the program, and no other module is needed.
"""

import math

# name, delta, eta (None for gradient flow), lambda, sigma, q(0), m(0), times
CASES = [
    ("critical-linear", 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, (10.0, 50.0)),
    ("unstable-linear", 2.0, 2.1, 0.0, 0.3, 1.0, 0.0, (5.0, 10.0)),
    ("strong-ridge-linear", 2.0, 1.0, 10.0, 1.0, 0.0, 0.0, (0.5, 10.0)),
    ("many-samples-linear", 30.0, 1.0, 0.0, 0.3, 0.3, 0.0, (0.25, 5.0)),
    ("gf-linear-cancelling-error", 0.306, None, 0.127, 0.0, 1.0, 0.5, (1.18, 11.8)),
    ("gf-linear-refused", 5.0, None, 0.0, 0.3, 0.0, 0.0, (1.0, 20.0)),
]
NODES = 160
STEP = 0.0025


def eigenvalues(delta):
    """Eigenvalues and weights: the midpoint rule in phi, with mu = 1 + delta - 2 sqrt(delta) cos(phi)."""
    points = []
    for k in range(NODES):
        phi = math.pi * (k + 0.5) / NODES
        mu = 1.0 + delta - 2.0 * math.sqrt(delta) * math.cos(phi)
        points.append((mu, 2.0 * delta * math.sin(phi) ** 2 / (NODES * mu)))
    if delta < 1.0:
        points.append((0.0, 1.0 - delta))
    return points


class Model:
    def __init__(self, delta, eta, ridge, sigma, q0, m0):
        self.delta, self.noisy, self.sigma, self.q0, self.m0 = delta, eta is not None, sigma, q0, m0
        self.eta, self.points = 1.0 if eta is None else eta, eigenvalues(delta)
        self.rates = [self.eta * mu + ridge for mu, _ in self.points]
        self.variance = [0.0] * len(self.points)

    def mean(self, t):
        """Training loss, q, m and response of the flow without the noise of the visits."""
        loss, q, m, response = 0.5 * (1.0 + self.sigma**2), 0.0, 0.0, 0.0
        for (mu, weight), a in zip(self.points, self.rates):
            decay = math.exp(-a * t)
            gain = self.eta * (-math.expm1(-a * t) / a if a > 0.0 else t)
            force = mu * mu + self.sigma**2 * mu
            second = decay**2 * self.q0 + 2.0 * decay * gain * mu * self.m0 + gain**2 * force
            loss += weight * (0.5 * mu * second - decay * mu * self.m0 - gain * force) / self.delta
            q += weight * second
            m += weight * (decay * self.m0 + gain * mu)
            response += weight * decay
        return loss, q, m, response

    def train_loss(self, loss, variance):
        return loss + sum(w * mu * v for (mu, w), v in zip(self.points, variance)) / (2.0 * self.delta)

    def slope(self, loss, variance):
        kick = 2.0 * self.eta**2 * self.train_loss(loss, variance)
        return [kick * mu - 2.0 * a * v for (mu, _), a, v in zip(self.points, self.rates, variance)]

    def advance(self, t, h):
        v, (start, half, end) = self.variance, [self.mean(t + c * h)[0] for c in (0.0, 0.5, 1.0)]
        k1 = self.slope(start, v)
        k2 = self.slope(half, [x + 0.5 * h * k for x, k in zip(v, k1)])
        k3 = self.slope(half, [x + 0.5 * h * k for x, k in zip(v, k2)])
        k4 = self.slope(end, [x + h * k for x, k in zip(v, k3)])
        self.variance = [x + h * (a + 2.0 * b + 2.0 * c + d) / 6.0 for x, a, b, c, d in zip(v, k1, k2, k3, k4)]

    def curves(self, t):
        loss, q, m, response = self.mean(t)
        q += sum(w * v for (_, w), v in zip(self.points, self.variance))
        return {
            "train_loss": self.train_loss(loss, self.variance),
            "test_loss": 0.5 * (q - 2.0 * m + 1.0 + self.sigma**2),
            "q11": q,
            "m11": m,
            "R11": response,
        }


def main():
    for name, *constants, times in CASES:
        model, t = Model(*constants), 0.0
        for target in times:
            steps = math.ceil((target - t) / STEP) if model.noisy else 0
            for k in range(steps):
                model.advance(t + k * (target - t) / steps, (target - t) / steps)
            t = target
            for column, value in model.curves(t).items():
                places = 6 - len(str(int(abs(value)))) + 1
                print(f"{name},{t:g},{column},{value:.{places}f},0")


main()
