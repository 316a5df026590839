#include "solvers/online/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/common/output_times.h"
#include "solvers/common/statistics.h"

double online_result_bytes(const online_plan *plan)
{
    double nodes = plan->grid->steps + 1, k = plan->shape.k, ks = plan->shape.kstar;
    return 8.0 * ((double)output_times_count(plan->problem) * (double)plan->columns.count + nodes * 2 * k * (k + ks));
}

sgdmft_status online_result_new(sgdmft_context *ctx, const online_plan *plan, online_result **out)
{
    size_t kk = (size_t)(plan->shape.k * plan->shape.k), overlap = (size_t)(plan->shape.k * plan->shape.kstar);
    size_t nodes = (size_t)plan->grid->steps + 1, rows = output_times_count(plan->problem);
    online_result *result = calloc(1, sizeof *result);
    if (!result)
        return context_out_of_memory(ctx, "the result of a march", sizeof *result);
    result->columns = plan->columns.count;
    result->curves = memory_doubles(rows * result->columns);
    result->m = memory_doubles(nodes * overlap);
    result->q = memory_doubles(nodes * kk);
    result->R = memory_doubles(nodes * kk);
    result->F = memory_doubles(nodes * overlap);
    result->stein = memory_doubles(kk);
    result->stein_scale = memory_doubles(kk);
    int failed = !result->curves || !result->m || !result->q || !result->R || !result->F || !result->stein ||
                 !result->stein_scale;
    if (plan->penalty) {
        result->step_error = memory_doubles(rows * result->columns);
        result->residual = memory_doubles(nodes);
        failed |= !result->step_error || !result->residual;
    }
    if (failed) {
        online_result_free(result);
        return context_out_of_memory(ctx, "the result of a march", online_result_bytes(plan));
    }
    *out = result;
    return SGDMFT_OK;
}

void online_result_free(online_result *result)
{
    if (!result)
        return;
    free(result->curves);
    free(result->m);
    free(result->q);
    free(result->R);
    free(result->F);
    free(result->step_error);
    free(result->pair_C);
    free(result->pair_R);
    free(result->residual);
    free(result->stein);
    free(result->stein_scale);
    free(result->message);
    free(result);
}

void online_result_stop(online_result *result, sgdmft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_replace(&result->message, format, args);
    va_end(args);
    result->status = status;
}

void online_result_moments(const online_plan *plan, const online_result *result, size_t row, double *m, double *q)
{
    const double *curves = result->curves + row * result->columns, *lower = curves + plan->columns.q;
    memcpy(m, curves + plan->columns.m, sizeof(double) * (size_t)(plan->shape.k * plan->shape.kstar));
    for (int a = 0; a < plan->shape.k; a++)
        for (int b = 0; b <= a; b++)
            q[a * plan->shape.k + b] = q[b * plan->shape.k + a] = *lower++;
}

void online_results_clear(online_results *all)
{
    for (size_t r = 0; all->result && r < all->count; r++)
        online_result_free(all->result[r]);
    for (size_t r = 0; all->observed && r < all->n_observed; r++)
        free(all->observed[r]);
    for (size_t r = 0; all->half && r < all->count; r++)
        online_result_free(all->half[r]);
    free(all->result);
    free(all->half);
    free(all->observed);
    free(all->sampled);
    online_result_free(all->check);
    memset(all, 0, sizeof *all);
}

/* What sampling noise does to the mean of a curve at one output time, and what of it is sure enough to count for all
   later times. */
typedef struct sampling_bias {
    double here, lasting;
} sampling_bias;

/* A bias falls as some power p of the number of points between 1/2 and 1, and is 1 / (2^p - 1) times the difference
   that half of the points make, 1 to 2.4. The difference has an error of its own, which is allowed for. sample[count]
   is work space. */
static sampling_bias bias_of(const online_results *all, size_t i, size_t c, double *sample)
{
    static const double TYPICAL = 1.6, MOST = 2.4, ALLOWED = 2, SURE = 4;
    sampling_bias out = {0, 0};
    double mean, se;
    for (size_t r = 0; r < all->count; r++) {
        const online_result *half = all->half[r];
        if (!half || i >= half->rows)
            return out;
        sample[r] = half->curves[i * half->columns + c] - all->result[r]->curves[i * half->columns + c];
    }
    mean_and_error(all->count, sample, &mean, &se);
    if (all->count > 1 && fabs(mean) > ALLOWED * se)
        out.here = TYPICAL * sqrt(mean * mean - ALLOWED * ALLOWED * se * se);
    if (all->count > 1 && fabs(mean) > SURE * se)
        out.lasting = MOST * fabs(mean);
    return out;
}

/* Adds to the standard errors what sampling noise does to the mean. An effect lasts: a plateau that ends too early
   leaves both curves, with all and with half of the points, on the same wrong side. */
static void add_bias(const online_results *all, size_t c, double *sample, sgdmft_solution *solution)
{
    sgdmft_curve *out = &solution->curves[c];
    double lasting = 0;
    for (size_t i = 0; i < solution->n_times; i++) {
        sampling_bias bias = bias_of(all, i, c, sample);
        lasting = fmax(lasting, bias.lasting);
        out->se[i] = hypot(out->se[i], fmax(lasting, bias.here));
    }
}

static void fill_curve(const online_results *all, size_t c, double *sample, sgdmft_solution *solution)
{
    sgdmft_curve *out = &solution->curves[c];
    int sampled = all->sampled && all->sampled[c];
    size_t n = sampled ? all->n_observed : all->count, columns = all->result[0]->columns;
    for (size_t i = 0; i < solution->n_times; i++) {
        for (size_t r = 0; r < n; r++)
            sample[r] = (sampled ? all->observed[r] : all->result[r]->curves)[i * columns + c];
        mean_and_error(n, sample, &out->value[i], &out->se[i]);
        for (size_t r = 0; r < n && all->result[0]->step_error; r++)
            out->step_error[i] += all->result[r]->step_error[i * columns + c] / (double)n;
        if (out->se[i] > 0)
            out->se[i] = hypot(out->se[i], out->step_error[i]);
        if (all->check && !sampled && i < all->check->rows)
            out->step_error[i] = all->check->curves[i * columns + c] - out->value[i];
    }
    if (all->half && !sampled)
        add_bias(all, c, sample, solution);
}

/* Adds R(t_i, t_j) and C(t_i, t_j) of one march for all i >= j. */
static void add_column(const online_plan *plan, const online_result *result, size_t j, double weight,
                       sgdmft_solution *solution)
{
    int k = plan->shape.k, ks = plan->shape.kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * ks), n = solution->n_grid;
    double R[MATRIX_MAX * MATRIX_MAX], F[MATRIX_MAX * MATRIX_MAX] = {0}, C[MATRIX_MAX * MATRIX_MAX];
    double next_R[MATRIX_MAX * MATRIX_MAX], next_F[MATRIX_MAX * MATRIX_MAX];
    for (size_t c = 0; c < kk; c++)
        R[c] = c % (size_t)(k + 1) == 0;
    for (size_t i = j; i < n; i++) {
        memset(C, 0, sizeof C);
        matrix_add_product(k, 1, R, result->q + j * kk, C);
        matrix_accumulate_t(k, ks, k, 1, F, result->m + j * overlap, C);
        for (size_t c = 0; c < kk; c++) {
            size_t transposed = c % (size_t)k * (size_t)k + c / (size_t)k;
            solution->R[(i * n + j) * kk + c] += weight * R[c];
            solution->C[(i * n + j) * kk + c] += weight * C[c];
            if (i > j)
                solution->C[(j * n + i) * kk + transposed] += weight * C[c];
        }
        if (i + 1 == n)
            break;
        memset(next_R, 0, sizeof next_R);
        matrix_add_product(k, 1, result->R + i * kk, R, next_R);
        memcpy(next_F, result->F + i * overlap, sizeof(double) * overlap);
        matrix_accumulate(k, k, ks, 1, result->R + i * kk, F, next_F);
        memcpy(F, next_F, sizeof F);
        memcpy(R, next_R, sizeof R);
    }
}

/* Adds R(t_i, t_j) and C(t_i, t_j) of one march with sampled coordinates for all j <= i. */
static void add_sampled_row(const online_plan *plan, const online_result *result, size_t i, double weight,
                            sgdmft_solution *solution)
{
    size_t k = (size_t)plan->shape.k, kk = k * k, n = solution->n_grid;
    for (size_t j = 0; j <= i; j++)
        for (size_t c = 0; c < kk; c++) {
            size_t from = (i * (i + 1) / 2 + j) * kk + c, transposed = c % k * k + c / k;
            solution->R[(i * n + j) * kk + c] += weight * result->pair_R[from];
            solution->C[(i * n + j) * kk + c] += weight * result->pair_C[from];
            if (j < i)
                solution->C[(j * n + i) * kk + transposed] += weight * result->pair_C[from];
        }
    solution->residual[i] = fmax(solution->residual[i], result->residual[i]);
}

static void fill_two_time(const online_plan *plan, const online_results *all, sgdmft_solution *solution)
{
    size_t overlap = (size_t)(plan->shape.k * plan->shape.kstar), n = solution->n_grid;
    double weight = 1 / (double)all->count;
    memcpy(solution->t, plan->grid->t, sizeof(double) * n);
    for (size_t r = 0; r < all->count; r++) {
        for (size_t j = 0; j < n; j++)
            (plan->penalty ? add_sampled_row : add_column)(plan, all->result[r], j, weight, solution);
        for (size_t i = 0; i < n * overlap; i++)
            solution->m[i] += weight * all->result[r]->m[i];
    }
}

/* Stein's identity at the end, which can be checked where Gamma is an average of Hessians. */
static sgdmft_status add_identities(sgdmft_context *ctx, const online_plan *plan, const online_results *all,
                                    double *sample, sgdmft_solution *solution)
{
    int k = plan->shape.k;
    for (int c = 0; c < k * k; c++) {
        sgdmft_identity identity = {.t = plan->problem->horizon};
        for (size_t r = 0; r < all->count; r++) {
            sample[r] = all->result[r]->stein[c];
            identity.scale += all->result[r]->stein_scale[c] / (double)all->count;
        }
        mean_and_error(all->count, sample, &identity.defect, &identity.se);
        sgdmft_status status = solution_add_identity(ctx, solution, &identity, "Stein %d%d", c / k + 1, c % k + 1);
        if (status)
            return status;
    }
    return SGDMFT_OK;
}

static void count_work(const online_plan *plan, const online_results *all, sgdmft_solve_info *info)
{
    double steps = 0;
    info->paths = all->points;
    info->replicas = all->count;
    for (size_t r = 0; r < all->count; r++) {
        const online_result *result = all->result[r];
        info->steps = result->steps > info->steps ? result->steps : info->steps;
        info->passes += (double)result->passes;
        steps += (double)result->steps;
    }
    info->passes /= steps > 0 ? steps : 1;
    info->passes_max = (size_t)ceil(info->passes);
    if (!plan->penalty)
        return;
    info->passes_max = 0;
    info->extrapolated = plan->problem->numerics.extrapolate;
    for (size_t r = 0; r < all->count; r++) {
        const online_result *result = all->result[r];
        info->passes_max = result->passes_max > info->passes_max ? result->passes_max : info->passes_max;
        for (size_t i = 0; i < result->nodes; i++)
            info->residual_max = fmax(info->residual_max, result->residual[i]);
    }
}

/* The first march that stopped early says why. */
static sgdmft_status take_status(sgdmft_context *ctx, const online_results *all, sgdmft_solution *solution)
{
    const online_result *why = NULL;
    for (size_t r = all->count; r-- > 0;)
        why = all->result[r]->status ? all->result[r] : why;
    if (!why && all->check && all->check->status)
        why = all->check;
    for (size_t r = 0; all->half && r < all->count && !why; r++)
        if (all->half[r] && all->half[r]->status == SGDMFT_ERR_INTERRUPTED)
            why = all->half[r];
    return why ? solution_set_status(ctx, solution, why->status, why->message ? why->message : "") : SGDMFT_OK;
}

static sgdmft_status fill_solution(sgdmft_context *ctx, const online_plan *plan, const online_results *all,
                                   sgdmft_solution *solution)
{
    size_t rows = solution->n_times, nodes = solution->n_grid,
           most = all->count > all->n_observed ? all->count : all->n_observed;
    double *sample = memory_doubles(most);
    if (!sample)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)most);
    for (size_t r = 0; r < all->count; r++) {
        rows = all->result[r]->rows < rows ? all->result[r]->rows : rows;
        nodes = all->result[r]->nodes < nodes ? all->result[r]->nodes : nodes;
    }
    int complete = nodes == solution->n_grid;
    for (size_t i = 0; i < solution->n_times; i++)
        solution->times[i] = output_time(plan->problem, i);
    solution_truncate(solution, rows, nodes);
    for (size_t c = 0; c < plan->columns.count; c++)
        fill_curve(all, c, sample, solution);
    fill_two_time(plan, all, solution);
    count_work(plan, all, &solution->info);
    sgdmft_status status = set_worst_errors(ctx, plan->problem, solution);
    if (!status)
        status = take_status(ctx, all, solution);
    if (!status && complete && !plan->shape.jumps)
        status = add_identities(ctx, plan, all, sample, solution);
    free(sample);
    return status;
}

sgdmft_status online_solution(sgdmft_context *ctx, const online_plan *plan, const online_results *all,
                              sgdmft_solution **out)
{
    const char **names = calloc((size_t)plan->shape.observables + 1, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the curves", 8.0 * plan->shape.observables);
    solution_shape want = online_plan_shape(plan, names);
    sgdmft_solution *solution = NULL;
    sgdmft_status status = solution_new(ctx, &want, &solution);
    free(names);
    if (!status)
        status = fill_solution(ctx, plan, all, solution);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}
