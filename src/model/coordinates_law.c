#include "model/coordinates_law.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/origin.h"
#include "core/sobol.h"
#include "expr/expr.h"
#include "model/initial.h"
#include "model/samples_file.h"
#include "problem/problem.h"

/* z1 .. z16, u1 .. u16; lanes that are mapped at a time. */
enum { LAW_NAMED = 16, LAW_LANES = 256 };

/* Variables of the program, in this order: z1 .. z16, normals that stand for coordinates without a law of their own
   (teachers, students), u1 .. u16. */
enum {
    LAW_Z = 0,
    LAW_TEACHERS = LAW_Z + LAW_NAMED,
    LAW_STUDENTS = LAW_TEACHERS + MATRIX_MAX,
    LAW_U = LAW_STUDENTS + MATRIX_MAX,
    LAW_VARIABLES = LAW_U + LAW_NAMED
};

typedef enum law_kind { LAW_GAUSSIAN, LAW_EXPRESSIONS, LAW_SAMPLES } law_kind;

struct coordinates_law {
    law_kind kind;
    int k, kstar;
    int dims; /* uniforms that a draw consumes, 0 .. 48; 0 if the coordinates are constants */

    initial_law gaussian; /* LAW_GAUSSIAN */

    expr_program *program;       /* LAW_EXPRESSIONS: theta0 [k], then theta* [k*] */
    int variable[LAW_VARIABLES]; /* [dims]: the variable that each uniform feeds, ascending */

    size_t rows;    /* LAW_SAMPLES */
    double *sample; /* [k + k*][rows]: theta0, then theta* */
};

int coordinates_law_is_given(const sgdmft_problem *problem)
{
    return problem->initial.teacher.n > 0 || problem->initial.student.n > 0 || problem->initial.samples != NULL;
}

/* A law stated by expressions, compiled to one program. */
typedef struct builder {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    expr_graph *graph;
    expr_node variable[LAW_VARIABLES];
    expr_node value[2 * MATRIX_MAX]; /* theta0, then theta* */
} builder;

static const char no_teacher[] = "coordinates of the teacher depend on z and u alone; ths belongs in initial.student";

/* The name by which expressions call a variable of the program, if it has one. */
typedef struct law_name {
    char text[16];
} law_name;

static law_name name_of(int v)
{
    law_name name;
    int uniform = v >= LAW_U;
    snprintf(name.text, sizeof name.text, "%c%d", uniform ? 'u' : 'z', (uniform ? v - LAW_U : v - LAW_Z) + 1);
    return name;
}

static int is_named(int v)
{
    return v < LAW_TEACHERS || v >= LAW_U;
}

/* The bare letters z and u stand for z1 and u1: their number is not known before all expressions are parsed. */
static sgdmft_status declare(builder *b)
{
    sgdmft_status status = SGDMFT_OK;
    for (int v = 0; !status && v < LAW_VARIABLES; v++)
        status = expr_variable(b->ctx, b->graph, is_named(v) ? name_of(v).text : "#", &b->variable[v]);
    expr_unbind(b->graph, "#"); /* no expression can contain this name */
    if (!status)
        status = expr_bind(b->ctx, b->graph, "z", b->variable[LAW_Z]);
    if (!status)
        status = expr_bind(b->ctx, b->graph, "u", b->variable[LAW_U]);
    return status;
}

/* Binds ths, ths1, ... to the coordinates of theta*. Expressions that use them are refused if there is a reason
   `why`. */
static sgdmft_status bind_teachers(builder *b, const expr_node *value, const char *why)
{
    int kstar = b->problem->model.teachers;
    sgdmft_status status = SGDMFT_OK;
    for (int a = -1; !status && a < kstar; a++) {
        char name[16] = "ths";
        if (a < 0 && kstar > 1)
            continue;
        if (a >= 0)
            snprintf(name, sizeof name, "ths%d", a + 1);
        status = expr_bind(b->ctx, b->graph, name, value[a < 0 ? 0 : a]);
        if (!status)
            status = expr_forbid(b->ctx, b->graph, name, why);
    }
    return status;
}

static sgdmft_status parse(builder *b, const problem_texts *texts, int wanted, const char *side, expr_node *out)
{
    sgdmft_status status = SGDMFT_OK;
    if (texts->n != (size_t)wanted)
        return origin_fail(b->ctx, SGDMFT_ERR_SHAPE, &texts->item[0].where,
                           "%zu expression%s for %s = %d; needed: one for each", texts->n, texts->n == 1 ? "" : "s",
                           side, wanted);
    for (int i = 0; !status && i < wanted; i++)
        status = expr_parse(b->ctx, b->graph, texts->item[i].text, &texts->item[i].where, &out[i]);
    return status;
}

static sgdmft_status parse_laws(builder *b)
{
    const sgdmft_problem *problem = b->problem;
    int k = problem->model.students, kstar = problem->model.teachers;
    expr_node *student = b->value, *teacher = b->value + k;
    for (int a = 0; a < k; a++)
        student[a] = b->variable[LAW_STUDENTS + a];
    for (int a = 0; a < kstar; a++)
        teacher[a] = b->variable[LAW_TEACHERS + a];
    sgdmft_status status = bind_teachers(b, teacher, no_teacher);
    if (!status && problem->initial.teacher.n > 0)
        status = parse(b, &problem->initial.teacher, kstar, "model.teachers", teacher);
    if (!status)
        status = bind_teachers(b, teacher, NULL);
    if (!status && problem->initial.student.n > 0)
        status = parse(b, &problem->initial.student, k, "model.students", student);
    return status;
}

static sgdmft_status read_expressions(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law *law)
{
    builder b = {.ctx = ctx, .problem = problem};
    sgdmft_status status = expr_graph_new(ctx, &b.graph);
    if (!status)
        status = declare(&b);
    if (!status)
        status = parse_laws(&b);
    if (!status)
        status = expr_compile(ctx, b.graph, b.value, (size_t)(law->k + law->kstar), &law->program);
    for (int v = 0; !status && v < LAW_VARIABLES; v++)
        if (expr_program_reads(law->program, (size_t)v))
            law->variable[law->dims++] = v;
    expr_graph_free(b.graph);
    return status;
}

static sgdmft_status build(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law *law)
{
    if (problem->initial.samples)
        law->kind = LAW_SAMPLES;
    else
        law->kind = coordinates_law_is_given(problem) ? LAW_EXPRESSIONS : LAW_GAUSSIAN;
    switch (law->kind) {
    case LAW_SAMPLES: law->dims = 1; return samples_file_read(ctx, problem, &law->sample, &law->rows);
    case LAW_EXPRESSIONS: return read_expressions(ctx, problem, law);
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
    double *out[2 * MATRIX_MAX];
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

/* Second moments. */

enum { SCRAMBLES = 16, BLOCK = 1024, MOST = 2 * MATRIX_MAX };
/* Points of a scramble, for a tenth of a second in all. */
enum { POINTS_LOW = 1 << 18, POINTS_HIGH = 1 << 16, DIMS_LOW = 4 };

#define PURPOSE_MOMENTS 0x6d6f6d65u
static const double VALUE_LIMIT = 1e100;
static const double UNCERTAINTY_LIMIT = 0.01;

static uint64_t points_of(const coordinates_law *law)
{
    return law->dims <= DIMS_LOW ? POINTS_LOW : POINTS_HIGH;
}

/* The averages of one scramble, and the first value that is not finite or too large. */
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

/* A student without an expression of its own has the place of the teacher's. */
static origin origin_of(const sgdmft_problem *problem, int i)
{
    const problem_text *text = text_of(problem, i);
    return text ? text->where : coordinates_law_origin(problem);
}

origin coordinates_law_origin(const sgdmft_problem *problem)
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
            continue; /* no expression can use it */
        used += (size_t)snprintf(at + used, sizeof at - used, "%s%s = %.6g", used ? ", " : " at ", name_of(v).text,
                                 v < LAW_U ? normal_quantile(found->u[i]) : found->u[i]);
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
                       "the second moments have a standard error of %.2g after %.0f points; allowed: 0.01, "
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

sgdmft_status coordinates_law_fill_moments(sgdmft_context *ctx, sgdmft_problem *problem)
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
