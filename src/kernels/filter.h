/* The filter: the linear operator that turns the force of the samples into theta, and whose impulse response is R. Here
   it is that of a ridge,

     d theta = - lambda theta dt - df,

   so that m, R(., s) and every other mean over theta obey dx/dt = - lambda x - f with a mean force f, as in (3) and
   (4). With the step rule of step_rule.h, a step is

     x_{i+1} = (keep x_i - [integral of f over cell i]) / divide,   keep = 1 - lambda h/2,   divide = 1 + lambda h/2,

   and the same with the weights of fitting.h where the rule is fitted.

   The force moves theta at once: R(s, s) = 1. Momentum and discrete time are in recursion.h. */
#ifndef SGDMFT_KERNELS_FILTER_H
#define SGDMFT_KERNELS_FILTER_H

#include "kernels/averages.h"
#include "kernels/kernels.h"
#include "kernels/step_rule.h"

typedef struct filter_step {
    double keep, divide;
} filter_step;

static inline filter_step filter_step_with(const filter *f, step_weights time)
{
    return (filter_step){1 - time.start * f->lambda, 1 + time.end * f->lambda};
}

static inline filter_step filter_step_of(const filter *f, const time_grid *grid, int cell)
{
    return filter_step_with(f, step_rule_time(grid, cell));
}

/* F at node i, F = (m - R(., 0) m(0)) rho^{-1}, from m and R there. */
void filter_teacher_row(kernels *kern, int i);

/* m and F at node i + 1 from the averages just after node i (`now`) and just before node i + 1 (`next`), by (3) and
   (5):

     m_{i+1} from the force delta eta E_A[g w*^T],   F as above.

   R at node i + 1 must be known. Returns the largest change relative to its scale, or NaN. */
double filter_overlap_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

/* Row i + 1 of V from the averages at both nodes: the coefficients of the normals xi_j of the innovations in theta, and
   so in the field. It discretises
   the integral of R dU in (5), dU_c = sum_{j <= c} L_cj xi_j:

     V_{i+1,j} = - sqrt(delta) sum_{c=j}^{i} [mean of R_{i+1,.} over cell c] L_cj.

   Where the step rule is fitted, V_{i+1,i} is then balanced (balance.h).

   R at node i + 1 and row i of L must be known. Returns the largest change relative to its scale, or NaN. */
double filter_field_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next);

#endif
