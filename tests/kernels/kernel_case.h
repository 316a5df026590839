/* Two-time kernels on a grid, with averages made by hand. */
#ifndef SGDMFT_TESTS_KERNELS_KERNEL_CASE_H
#define SGDMFT_TESTS_KERNELS_KERNEL_CASE_H

#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "core/random.h"
#include "kernels/response_pathwise.h"
#include "kernels/response_stein.h"
#include "kernels/rows.h"
#include "support/check.h"
#include "support/schedule.h"

typedef struct kernel_case {
    sgdmft_context *ctx;
    schedule *eta;
    time_grid *grid;
    kernels *kern;
    averages_layout at;
    double *now, *next;
} kernel_case;

/* q0, m0 and rho NULL mean zero, zero and the identity. `drift`: a process without white noise. */
typedef struct kernel_case_plan {
    int k, kstar, steps, drift, fitted;
    int coarsened; /* how often the grid of `steps` steps is coarsened */
    double delta, lambda, horizon, grading, epoch;
    const char *eta;
    const double *m0, *rho, *q0;
    const response_estimator *response;
} kernel_case_plan;

static inline kernel_case kernel_case_new(kernel_case_plan p)
{
    static const double zero[MATRIX_MAX * MATRIX_MAX] = {0};
    double identity[MATRIX_MAX * MATRIX_MAX] = {0};
    for (int a = 0; a < p.kstar; a++)
        identity[a * p.kstar + a] = 1;
    const response_estimator *response = p.response ? p.response : &response_pathwise;
    kernel_case c = {.ctx = check_context(1), .at = averages_layout_of(p.k, p.kstar, p.steps >> p.coarsened, response)};
    check_ok(c.ctx, schedule_of(c.ctx, p.eta, p.horizon, &c.eta));
    check_ok(c.ctx, time_grid_new(c.ctx, p.steps, p.horizon, p.grading > 0 ? p.grading : 1, c.eta, p.epoch, &c.grid));
    for (int i = 0; i < p.coarsened; i++) {
        time_grid *fine = c.grid;
        check_ok(c.ctx, time_grid_coarsen(c.ctx, fine, c.eta, &c.grid));
        time_grid_free(fine);
    }
    kernels_plan plan = {.k = p.k,
                         .kstar = p.kstar,
                         .delta = p.delta,
                         .filter = {p.lambda},
                         .white_noise = !p.drift,
                         .fitted = p.fitted,
                         .grid = c.grid,
                         .q0 = p.q0 ? p.q0 : zero,
                         .m0 = p.m0 ? p.m0 : zero,
                         .rho = p.rho ? p.rho : identity};
    check_ok(c.ctx, kernels_new(c.ctx, &plan, &c.kern));
    c.now = memory_doubles(c.at.size);
    c.next = memory_doubles(c.at.size);
    assert_non_null(c.now);
    assert_non_null(c.next);
    return c;
}

static inline void kernel_case_clear(kernel_case *c)
{
    kernels_free(c->kern);
    time_grid_free(c->grid);
    schedule_free(c->eta);
    sgdmft_context_free(c->ctx);
    free(c->now);
    free(c->next);
}

/* The row of a cell, to be written. */
static inline double *kernel_case_row(const kernel_case *c, double *averages, int cell, int kind)
{
    return averages + averages_used(&c->at, cell) + (size_t)(kind * c->at.k * c->at.k);
}

static inline void kernel_case_normals(uint64_t item, size_t count, double *out)
{
    random_normals((random_key){90210, 1, 79}, item, 0, count, out);
}

#endif
