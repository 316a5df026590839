/* From trajectories to a solution: means and standard errors over replicas, the error of quadrature and integration from
   the second trajectory, and the two-time arrays from products of the responses over single cells:

     R(t_{i+1}, s) = R_i R(t_i, s),   F(t_{i+1}, s) = R_i F(t_i, s) + F_i,   C(t, s) = R(t,s) q(s) + F(t,s) m(s)^T

   or from averages over sampled coordinates. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/online/outcome.h"

/* Mean and standard error of the mean; exactly 0 where replicas agree to rounding. */
static void mean_and_error(const double *x, size_t n, double *mean, double *se)
{
    double sum = 0, squares = 0, count = (double)n;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / count;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *se = n > 1 ? sqrt(squares / (count * (count - 1))) : 0;
    if (*se < 1e-13 * fabs(*mean))
        *se = 0;
}

static void fill_curve(const online_outcome *o, size_t c, double *sample, sgdmft_solution *solution)
{
    sgdmft_curve *out = &solution->curves[c];
    int sampled = o->sampled && o->sampled[c];
    size_t n = sampled ? o->n_seen : o->n_runs, columns = o->run[0]->columns;
    for (size_t i = 0; i < solution->n_times; i++) {
        for (size_t r = 0; r < n; r++)
            sample[r] = (sampled ? o->seen[r] : o->run[r]->curve)[i * columns + c];
        mean_and_error(sample, n, &out->value[i], &out->se[i]);
        for (size_t r = 0; r < n && o->run[0]->step; r++)
            out->step_error[i] += o->run[r]->step[i * columns + c] / (double)n;
        if (out->se[i] > 0)
            out->se[i] = hypot(out->se[i], out->step_error[i]);
        if (o->check && !sampled && i < o->check->rows)
            out->step_error[i] = o->check->curve[i * columns + c] - out->value[i];
    }
}

static void worst_errors(sgdmft_solution *solution)
{
    sgdmft_solve_info *info = &solution->info;
    for (size_t c = 0; c < solution->n_curves; c++) {
        const sgdmft_curve *curve = &solution->curves[c];
        double scale = solution_curve_scale(solution, curve);
        for (size_t i = 0; i < solution->n_times && scale > 0; i++) {
            info->se_max = fmax(info->se_max, curve->se[i] / scale);
            info->step_error_max = fmax(info->step_error_max, fabs(curve->step_error[i]) / scale);
        }
    }
}

/* out = a x (+ add), a[k][k], x[k][columns] */
static void multiply(int k, int columns, const double *a, const double *x, const double *add, double *out)
{
    for (int i = 0; i < k; i++)
        for (int c = 0; c < columns; c++) {
            double sum = add ? add[i * columns + c] : 0;
            for (int j = 0; j < k; j++)
                sum += a[i * k + j] * x[j * columns + c];
            out[i * columns + c] = sum;
        }
}

/* C = R q + F m^T */
static void correlate(int k, int ks, const double *R, const double *F, const double *q, const double *m, double *C)
{
    multiply(k, k, R, q, NULL, C);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            for (int c = 0; c < ks; c++)
                C[i * k + j] += F[i * ks + c] * m[j * ks + c];
}

/* Adds R(t_i, t_j) and C(t_i, t_j) of one trajectory for all i >= j. */
static void add_column(const online_setting *s, const online_run *run, size_t j, double weight,
                       sgdmft_solution *solution)
{
    int k = s->shape.k, ks = s->shape.kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * ks), n = solution->n_grid;
    double R[MATRIX_MAX * MATRIX_MAX], F[MATRIX_MAX * MATRIX_MAX] = {0}, C[MATRIX_MAX * MATRIX_MAX];
    double next_R[MATRIX_MAX * MATRIX_MAX], next_F[MATRIX_MAX * MATRIX_MAX];
    for (size_t c = 0; c < kk; c++)
        R[c] = c % (size_t)(k + 1) == 0;
    for (size_t i = j; i < n; i++) {
        correlate(k, ks, R, F, run->q + j * kk, run->m + j * overlap, C);
        for (size_t c = 0; c < kk; c++) {
            size_t transposed = c % (size_t)k * (size_t)k + c / (size_t)k;
            solution->R[(i * n + j) * kk + c] += weight * R[c];
            solution->C[(i * n + j) * kk + c] += weight * C[c];
            if (i > j)
                solution->C[(j * n + i) * kk + transposed] += weight * C[c];
        }
        if (i + 1 == n)
            break;
        multiply(k, ks, run->R + i * kk, F, run->F + i * overlap, next_F);
        multiply(k, k, run->R + i * kk, R, NULL, next_R);
        memcpy(F, next_F, sizeof F);
        memcpy(R, next_R, sizeof R);
    }
}

/* The same from sampled coordinates, for t_i alone. */
static void add_sampled_row(const online_setting *s, const online_run *run, size_t i, double weight,
                            sgdmft_solution *solution)
{
    size_t k = (size_t)s->shape.k, kk = k * k, n = solution->n_grid;
    for (size_t j = 0; j <= i; j++)
        for (size_t c = 0; c < kk; c++) {
            size_t from = (i * (i + 1) / 2 + j) * kk + c, transposed = c % k * k + c / k;
            solution->R[(i * n + j) * kk + c] += weight * run->pair_R[from];
            solution->C[(i * n + j) * kk + c] += weight * run->pair_C[from];
            if (j < i)
                solution->C[(j * n + i) * kk + transposed] += weight * run->pair_C[from];
        }
    solution->residual[i] = fmax(solution->residual[i], run->residual[i]);
}

static void fill_two_time(const online_setting *s, const online_outcome *o, sgdmft_solution *solution)
{
    size_t overlap = (size_t)(s->shape.k * s->shape.kstar), n = solution->n_grid;
    double weight = 1 / (double)o->n_runs;
    memcpy(solution->t, s->grid->t, sizeof(double) * n);
    for (size_t r = 0; r < o->n_runs; r++) {
        for (size_t j = 0; j < n; j++)
            (s->pen ? add_sampled_row : add_column)(s, o->run[r], j, weight, solution);
        for (size_t i = 0; i < n * overlap; i++)
            solution->m[i] += weight * o->run[r]->m[i];
    }
}

/* Stein's identity at the end, where Gamma is an average of Hessians. */
static sgdmft_status add_identities(sgdmft_context *ctx, const online_setting *s, const online_outcome *o,
                                    double *sample, sgdmft_solution *solution)
{
    int k = s->shape.k;
    for (int c = 0; c < k * k; c++) {
        sgdmft_identity identity = {.t = s->problem->horizon};
        for (size_t r = 0; r < o->n_runs; r++) {
            sample[r] = o->run[r]->stein[c];
            identity.scale += o->run[r]->stein_scale[c] / (double)o->n_runs;
        }
        mean_and_error(sample, o->n_runs, &identity.defect, &identity.se);
        if (asprintf(&identity.name, "Stein %d%d", c / k + 1, c % k + 1) < 0)
            return context_out_of_memory(ctx, "the identities", 64);
        sgdmft_status status = solution_add_identity(ctx, solution, &identity);
        free(identity.name);
        if (status)
            return status;
    }
    return SGDMFT_OK;
}

static void count_work(const online_setting *s, const online_outcome *o, sgdmft_solve_info *info)
{
    double steps = 0;
    info->paths = o->points;
    info->replicas = o->n_runs;
    for (size_t r = 0; r < o->n_runs; r++) {
        const online_run *run = o->run[r];
        info->steps = run->steps > info->steps ? run->steps : info->steps;
        info->passes += (double)run->evaluations;
        steps += (double)run->steps;
    }
    info->passes /= steps > 0 ? steps : 1;
    info->passes_max = (size_t)ceil(info->passes);
    if (!s->pen)
        return;
    info->passes_max = 0;
    info->extrapolated = s->problem->numerics.extrapolate;
    for (size_t r = 0; r < o->n_runs; r++) {
        const online_run *run = o->run[r];
        info->passes_max = run->passes_max > info->passes_max ? run->passes_max : info->passes_max;
        for (size_t i = 0; i < run->nodes; i++)
            info->residual_max = fmax(info->residual_max, run->residual[i]);
    }
}

/* The first trajectory that stopped early says why. */
static sgdmft_status take_status(sgdmft_context *ctx, const online_outcome *o, sgdmft_solution *solution)
{
    const online_run *why = NULL;
    for (size_t r = o->n_runs; r-- > 0;)
        why = o->run[r]->status ? o->run[r] : why;
    if (!why && o->check && o->check->status)
        why = o->check;
    return why ? solution_set_status(ctx, solution, why->status, why->message ? why->message : "") : SGDMFT_OK;
}

static sgdmft_status fill_solution(sgdmft_context *ctx, const online_setting *s, const online_outcome *o,
                                   sgdmft_solution *solution)
{
    size_t rows = solution->n_times, nodes = solution->n_grid, most = o->n_runs > o->n_seen ? o->n_runs : o->n_seen;
    double *sample = memory_doubles(most);
    if (!sample)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)most);
    for (size_t r = 0; r < o->n_runs; r++) {
        rows = o->run[r]->rows < rows ? o->run[r]->rows : rows;
        nodes = o->run[r]->nodes < nodes ? o->run[r]->nodes : nodes;
    }
    int complete = nodes == solution->n_grid;
    for (size_t i = 0; i < solution->n_times; i++)
        solution->times[i] = online_setting_time(s, (int)i);
    solution_truncate(solution, rows, nodes);
    for (size_t c = 0; c < s->columns.count; c++)
        fill_curve(o, c, sample, solution);
    worst_errors(solution);
    fill_two_time(s, o, solution);
    count_work(s, o, &solution->info);
    sgdmft_status status = take_status(ctx, o, solution);
    if (!status && complete && !s->shape.jumps)
        status = add_identities(ctx, s, o, sample, solution);
    free(sample);
    return status;
}

sgdmft_status online_solution(sgdmft_context *ctx, const online_setting *s, const online_outcome *o,
                              sgdmft_solution **out)
{
    const char **names = calloc((size_t)s->shape.observables + 1, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the curves", 8.0 * s->shape.observables);
    solution_shape want = online_setting_shape(s, names);
    sgdmft_solution *solution = NULL;
    sgdmft_status status = solution_new(ctx, &want, &solution);
    free(names);
    if (!status)
        status = fill_solution(ctx, s, o, solution);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}
