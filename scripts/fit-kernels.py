#!/usr/bin/env python3
"""Prints the polynomials of src/expr/loops_elementary.h: minimax fits, found by exchanging alternating extrema
(Remez) in 60 digits, their coefficients rounded to doubles one by one. Needs mpmath."""

from mpmath import cos, erf, erfc, expm1, linspace, log1p, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sqrt

mp.dps = 60


def extrema(error, count):
    """Positions of `count` alternating extrema of a list, the largest ones."""
    found = []
    for i, e in enumerate(error):
        if not found or (e > 0) != (error[found[-1]] > 0):
            found.append(i)
        elif abs(e) > abs(error[found[-1]]):
            found[-1] = i

    def size(i):
        return abs(error[found[i]])

    while len(found) > count + 1:
        weakest = min(range(len(found) - 1), key=lambda i: max(size(i), size(i + 1)))
        del found[weakest:weakest + 2]
    if len(found) > count:
        found.pop(0 if size(0) < size(-1) else -1)
    return found


def fit(f, weight, low, high, degree, start_high=None, grid=800):
    """Coefficients, constant first, of the polynomial P with the smallest maximum of weight(x) |P(x) - f(x)| on
    [low, high], and that maximum. The first extrema are guessed to lie below start_high."""
    points = [low + (high - low) * (1 - cos(pi * u)) / 2 for u in linspace(0, 1, grid)]
    values, weights = [f(x) for x in points], [weight(x) for x in points]
    top = start_high or high
    guess = [low + (top - low) * (1 - cos(pi * u)) / 2 for u in linspace(0, 1, degree + 2)]
    chosen = [min(range(grid), key=lambda i: abs(points[i] - x)) for x in guess]
    for _ in range(30):
        system = matrix([[points[i]**k for k in range(degree + 1)] + [(-1)**row / weights[i]]
                         for row, i in enumerate(chosen)])
        *p, level = lu_solve(system, matrix([values[i] for i in chosen]))
        error = [w * (polyval(p[::-1], x) - y) for x, y, w in zip(points, values, weights)]
        worst = max(map(abs, error))
        if worst < 1.01 * abs(level):
            break
        chosen = extrema(error, degree + 2)
    return p, worst


def show(name, p, worst):
    print(f"/* {name}: error {nstr(worst, 2)} */")
    print(", ".join(repr(float(c)) for c in p))


def fourth_root(x):
    return 1 - erfc(x)**(mpf(1) / 4)


tiny, half = mpf("1e-8"), mpf("0.5")
show("expm1(r) = r + r^2 P(r), |r| <= log(2)/2 = 0.3466; relative to r",
     *fit(lambda r: (expm1(r) - r) / r**2, lambda r: abs(r), mpf("-0.3466"), mpf("0.3466"), 9))
show("log1p(e) = e + e^2 P(e - 1/2), 0 <= e <= 1; relative",
     *fit(lambda t: (log1p(t + half) - t - half) / (t + half)**2, lambda t: (t + half)**2 / log1p(t + half),
          tiny - half, half, 19))
edge = mpf(17) / 16
show("erf(x) = x + x P(x^2), 0 <= x <= 17/16; relative",
     *fit(lambda s: erf(sqrt(s)) / sqrt(s) - 1, lambda s: sqrt(s) / erf(sqrt(s)), tiny, edge**2, 12))
show("erf(x) = 1 - (1 - P(x))^4, 17/16 <= x <= 6; relative",
     *fit(fourth_root, lambda x: 4 * (1 - fourth_root(x))**3 / erf(x), edge, mpf(6), 20, mpf("4.8")))
