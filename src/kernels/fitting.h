/* The step rule fitted to the decay of the response, for processes of visits.

   Over a lag t - s of the order of 1 / (delta eta E_A[G]), R(t, s) falls from 1 like an exponential towards a part that
   varies slowly. Steps are often as long as that. The trapezoid rule and straight lines between nodes are then wrong by
   x^2 / 12 or x^2 / 8 of the part that decays, where x is the decay in one cell, while weights that are exact for
   constants and for one exponential cost nothing more. The rate is that with which R(t, s), 1 - a (t - s) + b (t - s)^2
   for small t - s, begins to decay if G hardly varies:

     x_i = h (lambda + (1 + delta) [mean of eta tr E_A[G] / k at both ends of cell i]).

   With u the place in a cell, from 0 to 1, and omega(x) = 1 / x - 1 / (e^x - 1),

     R(t, s) in the cell of s = (1 - psi) R_c + psi R_{c+1},             psi(u) = (e^{x u} - 1) / (e^x - 1),
     mean of it over the cell = (1 - omega) R_c + omega R_{c+1},
     int over the cell of f(t) dt = h (omega f_i + (1 - omega) f_{i+1}),  exact for f = 1 and f = e^{-x t / h}.

   At x = 0 these are the line and the trapezoid rule. Reversing time changes the sign of x, and omega(-x) = 1 -
   omega(x): the rule is as symmetric as the trapezoid rule, and its error is of second order in h. */
#ifndef SGDMFT_KERNELS_FITTING_H
#define SGDMFT_KERNELS_FITTING_H

#include <math.h>

#include "kernels/averages.h"
#include "kernels/kernels.h"
#include "kernels/step_rule.h"

/* A decay below this one is none: formulas with differences of exponentials would lose digits. */
#define FITTING_LEAST 1e-6

static inline double fitting_omega(double x)
{
    if (fabs(x) < 0.01)
        return 0.5 - x / 12 * (1 - x * x / 60);
    return 1 / x - 1 / expm1(x);
}

/* Sets x_i from the averages just after node i and just before node i + 1. Does nothing if the kernels are not
   fitted. */
void fitting_set(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

/* The weights of an integral over cell i. */
static inline step_weights fitting_time(const kernels *kern, int i)
{
    double h = kern->grid->h[i], omega = kern->fit_end[i];
    return (step_weights){h * omega, h * (1 - omega)};
}

/* The weights of the integral of the force over cell i, with the factor delta eta. */
static inline step_weights fitting_force(const kernels *kern, int i)
{
    step_weights time = fitting_time(kern, i), rate = step_rule_rates(kern->grid, kern->delta, i);
    return (step_weights){time.start * rate.start, time.end * rate.end};
}

/* The mean over cell c of a row of a kernel. */
static inline double fitting_mean(const kernels *kern, const double *row, int c)
{
    double omega = kern->fit_end[c];
    return (1 - omega) * row[c] + omega * row[c + 1];
}

#endif
