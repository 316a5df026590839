#include "model/law_moments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/sobol.h"
#include "model/law_parts.h"
#include "core/origin.h"

enum { SCRAMBLES = 16, BLOCK = 1024, MOST = 2 * LAW_MOST };
/* Points of a scramble: a tenth of a second in all. */
enum { POINTS_LOW = 1 << 18, POINTS_HIGH = 1 << 16, DIMS_LOW = 4 };

#define PURPOSE_MOMENTS 0x6d6f6d65u
static const double VALUE_LIMIT = 1e100;
static const double UNCERTAINTY_LIMIT = 0.01;

static uint64_t points_of(const coordinates_law *law)
{
    return law->dims <= DIMS_LOW ? POINTS_LOW : POINTS_HIGH;
}

/* The averages of one scramble, and the first value that is of no use. */
typedef struct average {
    double moment[MOST * MOST]; /* lower triangle */
    int bad;                    /* 1 + its coordinate, or 0 */
    double value, u[LAW_VARIABLES];
    int no_memory;
} average;

static void add_block(const double *theta, int n, size_t lanes, double *sum)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            const double *x = theta + (size_t)i * lanes, *y = theta + (size_t)j * lanes;
            double total = 0;
            for (size_t p = 0; p < lanes; p++)
                total += x[p] * y[p];
            sum[i * n + j] += total;
        }
}

static void find_bad(const coordinates_law *law, const double *theta, const double *u, average *out)
{
    for (int i = 0; i < law->k + law->kstar && !out->bad; i++)
        for (size_t p = 0; p < BLOCK && !out->bad; p++) {
            double x = theta[(size_t)i * BLOCK + p];
            if (fabs(x) <= VALUE_LIMIT)
                continue;
            out->bad = i + 1;
            out->value = x;
            for (int v = 0; v < law->dims; v++)
                out->u[v] = u[(size_t)v * BLOCK + p];
        }
}

static void run_scramble(const coordinates_law *law, uint32_t scramble, average *out)
{
    int n = law->k + law->kstar;
    size_t dims = (size_t)law->dims;
    double *u = memory_doubles(dims * BLOCK), *theta = memory_doubles((size_t)n * BLOCK);
    double *work = memory_doubles(coordinates_law_work(law));
    random_key key = {.seed = 0, .replica = scramble, .purpose = PURPOSE_MOMENTS};
    out->no_memory = !u || !theta || !work;
    for (uint64_t first = 0; !out->no_memory && !out->bad && first < points_of(law); first += BLOCK) {
        for (size_t v = 0; v < dims; v++)
            sobol_points(key, (unsigned)v, first, BLOCK, u + v * BLOCK);
        coordinates_law_map(law, work, BLOCK, u, theta, theta + (size_t)law->k * BLOCK);
        find_bad(law, theta, u, out);
        add_block(theta, n, BLOCK, out->moment);
    }
    for (int i = 0; i < n * n; i++)
        out->moment[i] /= (double)points_of(law);
    free(u);
    free(theta);
    free(work);
}

/* The text that coordinate i comes from. */
static const problem_text *text_of(const sgdmft_problem *problem, int i)
{
    int k = problem->model.students;
    const problem_texts *texts = i < k ? &problem->initial.student : &problem->initial.teacher;
    size_t item = (size_t)(i < k ? i : i - k);
    return item < texts->n ? &texts->item[item] : NULL;
}

/* A student without a law of its own has the teacher's place. */
static origin origin_of(const sgdmft_problem *problem, int i)
{
    const problem_text *text = text_of(problem, i);
    return text ? text->where : law_origin(problem);
}

origin law_origin(const sgdmft_problem *problem)
{
    if (problem->initial.samples)
        return problem->initial.samples_where;
    return problem->initial.teacher.n > 0 ? problem->initial.teacher.item[0].where
                                          : problem->initial.student.item[0].where;
}

static sgdmft_status fail_value(sgdmft_context *ctx, const sgdmft_problem *problem, const coordinates_law *law,
                                const average *found)
{
    char at[400] = "";
    size_t used = 0;
    for (int i = 0; i < law->dims; i++) {
        int v = law->variable[i];
        if (v >= LAW_TEACHERS && v < LAW_U)
            continue; /* has no name */
        used += (size_t)snprintf(at + used, sizeof at - used, "%s%s = %.6g", used ? ", " : " at ",
                                 law_variable_name(v).text, v < LAW_U ? normal_quantile(found->u[i]) : found->u[i]);
        if (used > sizeof at - 40)
            break;
    }
    origin where = origin_of(problem, found->bad - 1);
    return origin_fail(ctx, SGDMFT_ERR_RANGE, &where, "gives %g%s; values must be finite, at most 1e100",
                        isnan(found->value) ? NAN : found->value, at);
}

static sgdmft_status fail_uncertain(sgdmft_context *ctx, const sgdmft_problem *problem, const coordinates_law *law,
                                    int i, double uncertainty)
{
    origin where = origin_of(problem, i);
    return origin_fail(ctx, SGDMFT_ERR_RANGE, &where,
                        "second moments come out with a standard error of %.2g after %.0f points; allowed: 0.01, "
                        "relative to the squares of the coordinates; the tails are too heavy, or values other than 0 "
                        "too rare",
                        uncertainty, SCRAMBLES * (double)points_of(law));
}

static double mean_of(const average *list, int entry)
{
    double sum = 0;
    for (int s = 0; s < SCRAMBLES; s++)
        sum += list[s].moment[entry];
    return sum / SCRAMBLES;
}

static double error_of(const average *list, int entry, double mean)
{
    double sum = 0;
    for (int s = 0; s < SCRAMBLES; s++)
        sum += (list[s].moment[entry] - mean) * (list[s].moment[entry] - mean);
    return sqrt(sum / (SCRAMBLES * (SCRAMBLES - 1.0)));
}

static void store(sgdmft_problem *problem, int i, int j, double moment)
{
    int k = problem->model.students, kstar = problem->model.teachers;
    if (i < k)
        problem->initial.q[i * k + j] = problem->initial.q[j * k + i] = moment;
    else if (j < k)
        problem->initial.m[j * kstar + i - k] = moment;
    else
        problem->initial.rho[(i - k) * kstar + j - k] = problem->initial.rho[(j - k) * kstar + i - k] = moment;
}

/* Means over scrambles into the problem. */
static sgdmft_status conclude(sgdmft_context *ctx, const coordinates_law *law, const average *list,
                              sgdmft_problem *problem)
{
    int n = law->k + law->kstar, worst = 0;
    double largest = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double mean = mean_of(list, i * n + j);
            double scale = sqrt(mean_of(list, i * n + i) * mean_of(list, j * n + j));
            double error = scale > 0 ? error_of(list, i * n + j, mean) / scale : 0;
            store(problem, i, j, mean);
            if (error > largest) {
                largest = error;
                worst = i;
            }
        }
    problem->initial.moments_se = largest;
    return largest <= UNCERTAINTY_LIMIT ? SGDMFT_OK : fail_uncertain(ctx, problem, law, worst, largest);
}

static sgdmft_status average_expressions(sgdmft_context *ctx, const coordinates_law *law, sgdmft_problem *problem)
{
    average *list = calloc(SCRAMBLES, sizeof *list);
    if (!list)
        return context_out_of_memory(ctx, "moments of the coordinates", (double)(SCRAMBLES * sizeof *list));
#pragma omp parallel for schedule(dynamic) num_threads(ctx->threads)
    for (int s = 0; s < SCRAMBLES; s++)
        run_scramble(law, (uint32_t)s, &list[s]);
    sgdmft_status status = SGDMFT_OK;
    for (int s = 0; s < SCRAMBLES && !status; s++)
        if (list[s].no_memory)
            status = context_out_of_memory(ctx, "moments of the coordinates", 0);
        else if (list[s].bad)
            status = fail_value(ctx, problem, law, &list[s]);
    if (!status)
        status = conclude(ctx, law, list, problem);
    free(list);
    return status;
}

static void average_samples(const coordinates_law *law, sgdmft_problem *problem)
{
    double sum[MOST * MOST] = {0};
    int n = law->k + law->kstar;
    add_block(law->sample, n, law->rows, sum);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            store(problem, i, j, sum[i * n + j] / (double)law->rows);
}

sgdmft_status law_fill_moments(sgdmft_context *ctx, sgdmft_problem *problem)
{
    coordinates_law *law = NULL;
    sgdmft_status status = coordinates_law_new(ctx, problem, &law);
    if (status)
        return status;
    if (law->kind == LAW_SAMPLES)
        average_samples(law, problem);
    else
        status = average_expressions(ctx, law, problem);
    coordinates_law_free(law);
    return status;
}
