#include "solvers/online/setting.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "coordinates/ensemble.h"

/* Eigenvectors are the rows of vectors. */
static int eigen(int k, const double *a, double *vectors, double *values)
{
    double work[34 * MATRIX_MAX];
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            vectors[i * k + j] = 0.5 * (a[i * k + j] + a[j * k + i]);
            if (!isfinite(vectors[i * k + j]))
                return -1;
        }
    if (k > 1)
        return LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'U', k, vectors, k, values, work, 34 * MATRIX_MAX) ? -1 : 0;
    values[0] = vectors[0];
    vectors[0] = 1;
    return 0;
}

int online_root(int k, const double *a, double least, double *root, double *inverse, double *lowest)
{
    double vectors[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX];
    if (eigen(k, a, vectors, values))
        return -1;
    memset(root, 0, sizeof(double) * (size_t)(k * k));
    if (inverse)
        memset(inverse, 0, sizeof(double) * (size_t)(k * k));
    for (int v = 0; v < k; v++) {
        double size = sqrt(fmax(values[v], least));
        for (int i = 0; i < k && size > 0; i++)
            for (int j = 0; j < k; j++) {
                double outer = vectors[v * k + i] * vectors[v * k + j];
                root[i * k + j] += size * outer;
                if (inverse)
                    inverse[i * k + j] += outer / size;
            }
    }
    *lowest = values[0];
    return 0;
}

static sgdmft_status factor_rho(sgdmft_context *ctx, online_setting *s)
{
    int n = s->shape.kstar;
    double inverse[MATRIX_MAX * MATRIX_MAX], lowest;
    if (online_root(n, s->problem->initial.rho, 0, s->rho_root, inverse, &lowest))
        return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: initial.rho: its eigenvalues cannot be computed (LAPACK)",
                            s->problem->source);
    memset(s->rho_inverse, 0, sizeof s->rho_inverse);
    matrix_add_product(n, 1, inverse, inverse, s->rho_inverse);
    return SGDMFT_OK;
}

static void set_scale(online_setting *s)
{
    int k = s->shape.k, ks = s->shape.kstar;
    double sum = 0;
    for (int a = 0; a < k; a++)
        sum += s->problem->initial.q[a * k + a];
    for (int a = 0; a < ks; a++)
        sum += s->problem->initial.rho[a * ks + a];
    s->moment_scale = sum / (k + ks);
}

/* The number of steps is even if there is a coarser grid. */
static sgdmft_status make_grids(sgdmft_context *ctx, online_setting *s)
{
    const sgdmft_problem *problem = s->problem;
    int steps = problem->numerics.steps + (s->pen ? problem->numerics.steps % 2 : 0);
    sgdmft_status status = time_grid_new(ctx, steps, problem->horizon, problem->numerics.grading, s->eta, &s->grid);
    return status || !s->pen ? status : time_grid_coarsen(ctx, s->grid, s->eta, &s->coarse);
}

/* What coordinates are drawn from. */
static sgdmft_status set_source(sgdmft_context *ctx, online_setting *s)
{
    path_source source = {.problem = s->problem, .m = s->m, .shape = s->shape, .law = &s->law, .eta = s->eta};
    s->source = coordinate_source(&source);
    return initial_law_init(ctx, s->problem, &s->law);
}

static sgdmft_status fill(sgdmft_context *ctx, online_setting *s)
{
    const sgdmft_problem *problem = s->problem;
    sgdmft_status status = model_new(ctx, problem, &s->m);
    if (status)
        return status;
    s->shape = model_get_shape(s->m);
    set_scale(s);
    status = factor_rho(ctx, s);
    if (!status)
        status = schedule_new(ctx, problem, &s->eta);
    if (!status)
        status = schedule_jumps(ctx, s->eta, problem->horizon, &s->jump, &s->n_jumps);
    if (!status)
        status = penalty_new(ctx, problem, &s->pen);
    if (!status && s->pen)
        status = set_source(ctx, s);
    if (!status)
        status = make_grids(ctx, s);
    if (status)
        return status;
    solution_shape shape = online_setting_shape(s, NULL);
    s->columns = solution_columns_of(&shape);
    return SGDMFT_OK;
}

sgdmft_status online_setting_new(sgdmft_context *ctx, const sgdmft_problem *problem, online_setting **out)
{
    online_setting *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "the solver", sizeof *s);
    s->problem = problem;
    sgdmft_status status = fill(ctx, s);
    if (status)
        online_setting_free(s);
    else
        *out = s;
    return status;
}

void online_setting_free(online_setting *s)
{
    if (!s)
        return;
    time_grid_free(s->coarse);
    time_grid_free(s->grid);
    penalty_free(s->pen);
    free(s->jump);
    schedule_free(s->eta);
    model_free(s->m);
    free(s);
}

double online_setting_time(const online_setting *s, int i)
{
    int last = s->problem->output.times - 1;
    return i == last ? s->problem->horizon : s->problem->horizon * i / last;
}

solution_shape online_setting_shape(const online_setting *s, const char **names)
{
    for (int i = 0; names && i < s->shape.observables; i++)
        names[i] = s->problem->observables.item[i].name;
    return (solution_shape){.k = s->shape.k,
                            .kstar = s->shape.kstar,
                            .n_times = (size_t)s->problem->output.times,
                            .n_grid = (size_t)s->grid->steps + 1,
                            .n_observables = (size_t)s->shape.observables,
                            .observables = names,
                            .response = !s->pen || !penalty_jumps(s->pen)};
}
