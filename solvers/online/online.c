/* The limit of many samples per dimension, n/d -> infinity at fixed tau = n/d times the number of passes: every sample is
   met once, so nothing that a path did before matters, and

     dm/dtau = - lambda m - E[eta g w*^T]
     dq/dtau = - 2 lambda q - E[eta (g w^T + w g^T)] + E[eta^2 g g^T]

   with (w, w*) Gaussian of covariance [[q, m], [m^T, rho]]. The averages come from Gauss-Hermite quadrature where the
   problem is smooth enough for it, otherwise from randomised quasi-Monte Carlo; see online_quadrature.c and
   online_sampling.c, online_field.h for the response and the two-time correlation.

   With a penalty other than the ridge the moments do not close: coordinates are sampled, see online_coordinates.h. */
#include "solvers/online/online.h"

#include <math.h>

#include "core/memory.h"
#include "solvers/online/penalty.h"

static sgdmft_status prepare(sgdmft_context *ctx, const sgdmft_problem *problem, void **setup)
{
    online_setting *s = NULL;
    sgdmft_status status = online_setting_new(ctx, problem, &s);
    *setup = s;
    return status;
}

static void release(void *setup)
{
    online_setting_free(setup);
}

/* What the rates measured on one 2.3 GHz core suggest; the number of steps depends on the problem and is a guess. */
static void cost(const void *setup, int threads, int ranks, sgdmft_cost *out)
{
    (void)ranks;
    static const double PER_POINT = 15e-9, STEPS = 400, STEPS_PER_TIME = 5;
    const online_setting *s = setup;
    model_shape shape = s->shape;
    double replicas = s->problem->numerics.replicas, nodes = s->grid->steps + 1.0, kk = shape.k * shape.k;
    int at_once = threads > replicas ? 1 : threads;
    double quadrature =
        shape.jumps ? 0 : fmin(pow(20, shape.k + shape.kstar) * pow(3, shape.noises), ONLINE_RULE_POINTS);
    double sampling = (double)s->problem->numerics.paths * replicas;
    double points = fmax(quadrature, sampling);
    out->memory_bytes = fmax(2 * online_law_bytes(shape, (size_t)quadrature),
                             online_law_bytes(shape, (size_t)s->problem->numerics.paths) * at_once) +
                        (replicas + 1) * online_run_bytes(s) + 16 * nodes * nodes * kk;
    out->available_bytes = memory_available();
    out->cpu_seconds = PER_POINT * (shape.k + shape.kstar) * points * (STEPS + STEPS_PER_TIME * s->problem->horizon);
    out->wall_seconds = out->cpu_seconds / threads;
    if (s->pen)
        online_penalty_cost(s, points, threads, out);
}

static sgdmft_status run(sgdmft_context *ctx, const void *setup, sgdmft_solution **out)
{
    const online_setting *s = setup;
    online_progress progress = {.ctx = ctx};
    online_outcome outcome = {.points = 0};
    int found = 0;
    sgdmft_status status = online_by_quadrature(ctx, s, &progress, &found, &outcome);
    if (!status && !found)
        status = online_by_sampling(ctx, s, &progress, &outcome);
    if (!status)
        status = online_solution(ctx, s, &outcome, out);
    online_outcome_clear(&outcome);
    return status;
}

const solver online_solver = {.prepare = prepare, .release = release, .cost = cost, .run = run};
