#include "solvers/dmft/identity.h"

#include <math.h>

#include "core/matrix.h"
#include "kernels/fitting.h"
#include "kernels/step_rule.h"

/* The decay by the penalty (kernels_decay): by a ridge, if the history is merged. */
static void decay_terms(const replica *rep, int node, int single, const double *C, double *out)
{
    int k = rep->plan->shape.k;
    if (!rep->merged) {
        kernels_decay(rep->kern, node, single, C, out);
        return;
    }
    for (int c = 0; c < k * k; c++)
        out[c] = (single ? 1 : 2) * rep->lambda * C[c];
}

/* Adds the right-hand sides of the identities at one end of a cell: `weight` times that of (9) for dC(t,t)/dt, and
   `weight_single` times that of (8) for dC(t,0)/dt. */
static void add_identity_terms(replica *rep, int node, double eta, double weight, double weight_single,
                               const double *averages)
{
    const path_plan *plan = rep->plan;
    int k = plan->shape.k;
    size_t kk = (size_t)(k * k);
    double C[MATRIX_MAX * MATRIX_MAX], decay[MATRIX_MAX * MATRIX_MAX], decay_single[MATRIX_MAX * MATRIX_MAX];
    double delta = rep->delta, *identity = rep->out->identity, *scale = rep->out->identity_scale;
    replica_correlation(rep, node, 0, C);
    decay_terms(rep, node, 0, C, decay);
    replica_correlation(rep, node, 1, C);
    decay_terms(rep, node, 1, C, decay_single);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            size_t c = (size_t)(a * k + b), transposed = (size_t)(b * k + a);
            double drift = delta * eta * (averages[plan->at.gr + c] + averages[plan->at.gr + transposed]);
            double noise = rep->white_noise ? delta * eta * eta * averages[plan->at.outer + c] : 0;
            double single = delta * eta * averages[plan->at.gw0 + c];
            identity[c] += weight * (-decay[c] - drift + noise);
            identity[kk + c] += weight_single * (-decay_single[c] - single);
            scale[c] += weight * (fabs(decay[c]) + fabs(drift) + noise);
            scale[kk + c] += weight_single * (fabs(decay_single[c]) + fabs(single));
        }
}

/* The same for the implicit midpoint rule, whose cells obey the identities as they are: with theta_mid the mean of
   theta at both ends, the change of theta theta^T is that of theta times theta_mid^T, plus its transpose. In a long
   cell a small error of C changes the right-hand side by many times that, and C adapts to it. The defect of a cell is
   therefore divided by its stiffness, so that it is in units of the error of C that it stands for. */
static void add_midpoint_terms(replica *rep, int cell, const double *averages)
{
    const path_plan *plan = rep->plan;
    int k = plan->shape.k, nodes[3][2] = {{cell, cell}, {cell + 1, cell}, {cell + 1, cell + 1}};
    size_t kk = (size_t)(k * k);
    double C[3][MATRIX_MAX * MATRIX_MAX], start[2][MATRIX_MAX * MATRIX_MAX], h = rep->grid->h[cell];
    const double *own = averages_row(&plan->at, averages, cell, RESPONSE_CELL);
    double rate = rep->delta * step_rule_eta(rep->grid, cell), place = rep->grid->event[cell];
    for (int x = 0; x < 3; x++)
        kernels_correlation(rep->kern, plan->q0, plan->rho, nodes[x][0], nodes[x][1], C[x]);
    for (int end = 0; end < 2; end++)
        kernels_correlation(rep->kern, plan->q0, plan->rho, cell + end, 0, start[end]);
    double stiff[MATRIX_MAX];
    for (int a = 0; a < k; a++)
        stiff[a] = 1 + place * (h * rep->kern->filter.lambda + fmax(rep->kern->delta * own[a * k + a], 0));
    double *identity = rep->out->identity, *scale = rep->out->identity_scale;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            size_t c = (size_t)(a * k + b), transposed = (size_t)(b * k + a);
            double cross = C[1][c] + C[1][transposed], change = C[0][c] - cross + C[2][c];
            double middle = (1 - place) * (1 - place) * C[0][c] + place * (1 - place) * cross + place * place * C[2][c];
            double decay = 2 * rep->lambda * middle;
            double decay_single = rep->lambda * ((1 - place) * start[0][c] + place * start[1][c]);
            double drift = rate * (averages[plan->at.gr + c] + averages[plan->at.gr + transposed]);
            double single = rate * averages[plan->at.gw0 + c];
            double change_single = start[1][c] - start[0][c];
            double step = C[2][c] - C[0][c], defect = step + h * (decay + drift) + (2 * place - 1) * change;
            double defect_single = change_single + h * (decay_single + single);
            identity[c] += step - defect / (stiff[a] + stiff[b] - 1);
            identity[kk + c] += change_single - defect_single / stiff[a];
            scale[c] += h * (fabs(decay) + fabs(drift));
            scale[kk + c] += h * (fabs(decay_single) + fabs(single));
        }
}

/* The integral over a cell: of (9) by the trapezoid rule, of (8) by the rule by which R and m are advanced. */
void identity_cell(replica *rep, int cell, const double *now, const double *next)
{
    if (rep->plan->at.response->midpoint) {
        add_midpoint_terms(rep, cell, next);
        return;
    }
    step_weights time = step_rule_time(rep->grid, cell), single = rep->merged ? time : fitting_time(rep->kern, cell);
    add_identity_terms(rep, cell, rep->grid->eta_start[cell], time.start, single.start, now);
    add_identity_terms(rep, cell + 1, rep->grid->eta_end[cell], time.end, single.end, next);
}

void identity_finish(replica *rep, int node)
{
    const path_plan *plan = rep->plan;
    size_t kk = (size_t)(plan->shape.k * plan->shape.k);
    double C[MATRIX_MAX * MATRIX_MAX];
    for (int which = 0; which < 2; which++) {
        replica_correlation(rep, node, which, C);
        for (size_t c = 0; c < kk; c++) {
            double *defect = &rep->out->identity[(size_t)which * kk + c];
            *defect = C[c] - plan->q0[c] - *defect;
            rep->out->identity_scale[(size_t)which * kk + c] += fabs(C[c]);
        }
    }
}
