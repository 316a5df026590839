#include "model/coordinates_law.h"

#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "model/law_parts.h"

int problem_has_law(const sgdmft_problem *problem)
{
    return problem->initial.teacher.n > 0 || problem->initial.student.n > 0 || problem->initial.samples != NULL;
}

static sgdmft_status build(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law *law)
{
    if (problem->initial.samples)
        law->kind = LAW_SAMPLES;
    else
        law->kind = problem_has_law(problem) ? LAW_EXPRESSIONS : LAW_GAUSSIAN;
    switch (law->kind) {
    case LAW_SAMPLES: return law_read_samples(ctx, problem, law);
    case LAW_EXPRESSIONS: return law_read_expressions(ctx, problem, law);
    default: law->dims = law->k + law->kstar; return initial_law_init(ctx, problem, &law->gaussian);
    }
}

sgdmft_status coordinates_law_new(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law **out)
{
    *out = NULL;
    coordinates_law *law = calloc(1, sizeof *law);
    if (!law)
        return context_out_of_memory(ctx, "the law of the coordinates", sizeof *law);
    law->k = problem->model.students;
    law->kstar = problem->model.teachers;
    sgdmft_status status = build(ctx, problem, law);
    if (status) {
        coordinates_law_free(law);
        return status;
    }
    *out = law;
    return SGDMFT_OK;
}

void coordinates_law_free(coordinates_law *law)
{
    if (!law)
        return;
    expr_program_free(law->program);
    free(law->sample);
    free(law);
}

int coordinates_law_dims(const coordinates_law *law)
{
    return law->dims;
}

size_t coordinates_law_work(const coordinates_law *law)
{
    size_t program = law->program ? expr_program_work(law->program) : 0;
    return program + (size_t)law->dims * LAW_LANES + 1;
}

/* theta* = L z*, theta0 = A theta* + B z, for `n` lanes of arrays with rows of `stride`; z*, z in rows of LAW_LANES. */
static void map_gaussian(const initial_law *law, size_t n, size_t stride, const double *z, double *theta0,
                         double *thetastar)
{
    int k = law->k, kstar = law->kstar;
    for (int a = 0; a < kstar; a++)
        for (size_t p = 0; p < n; p++) {
            double sum = 0;
            for (int b = 0; b <= a; b++)
                sum += law->chol_rho[a * kstar + b] * z[(size_t)b * LAW_LANES + p];
            thetastar[(size_t)a * stride + p] = sum;
        }
    for (int a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++) {
            double sum = 0;
            for (int b = 0; b < kstar; b++)
                sum += law->a[a * kstar + b] * thetastar[(size_t)b * stride + p];
            for (int b = 0; b <= a; b++)
                sum += law->b[a * k + b] * z[(size_t)(kstar + b) * LAW_LANES + p];
            theta0[(size_t)a * stride + p] = sum;
        }
}

static void map_samples(const coordinates_law *law, size_t n, size_t stride, const double *u, double *theta0,
                        double *thetastar)
{
    for (size_t p = 0; p < n; p++) {
        size_t row = (size_t)(u[p] * (double)law->rows);
        if (row >= law->rows)
            row = law->rows - 1;
        for (int a = 0; a < law->k; a++)
            theta0[(size_t)a * stride + p] = law->sample[(size_t)a * law->rows + row];
        for (int a = 0; a < law->kstar; a++)
            thetastar[(size_t)a * stride + p] = law->sample[(size_t)(law->k + a) * law->rows + row];
    }
}

static void map_expressions(const coordinates_law *law, double *scratch, size_t n, size_t stride,
                            const double *variables, double *theta0, double *thetastar)
{
    const double *in[LAW_VARIABLES] = {NULL};
    double *out[2 * LAW_MOST];
    for (int i = 0; i < law->dims; i++)
        in[law->variable[i]] = variables + (size_t)i * LAW_LANES;
    for (int a = 0; a < law->k; a++)
        out[a] = theta0 + (size_t)a * stride;
    for (int a = 0; a < law->kstar; a++)
        out[law->k + a] = thetastar + (size_t)a * stride;
    expr_eval(law->program, scratch, n, in, out);
}

static int is_normal(const coordinates_law *law, int dim)
{
    return law->kind == LAW_GAUSSIAN || (law->kind == LAW_EXPRESSIONS && law->variable[dim] < LAW_U);
}

void coordinates_law_map(const coordinates_law *law, double *work, size_t n, const double *u, double *theta0,
                         double *thetastar)
{
    double *variables = work, *scratch = work + (size_t)law->dims * LAW_LANES;
    for (size_t from = 0; from < n; from += LAW_LANES) {
        size_t count = n - from < LAW_LANES ? n - from : LAW_LANES;
        for (int i = 0; i < law->dims; i++) {
            const double *uniform = u + (size_t)i * n + from;
            double *variable = variables + (size_t)i * LAW_LANES;
            if (is_normal(law, i))
                normal_quantiles(count, uniform, variable);
            else
                memcpy(variable, uniform, count * sizeof *variable);
        }
        switch (law->kind) {
        case LAW_GAUSSIAN: map_gaussian(&law->gaussian, count, n, variables, theta0 + from, thetastar + from); break;
        case LAW_SAMPLES: map_samples(law, count, n, variables, theta0 + from, thetastar + from); break;
        default: map_expressions(law, scratch, count, n, variables, theta0 + from, thetastar + from);
        }
    }
}
