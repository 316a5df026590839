#include "problem/checks.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/origin.h"
#include "model/coordinates_law.h"

/* Eigenvalues this far below zero, relative to the largest, are rounding of the numbers in the file. */
static const double semidefinite_tolerance = 1e-10;
/* rho is inverted: below this relative size an eigenvalue counts as zero. */
static const double definite_tolerance = 1e-12;

static int given(const settings *s, option_id id)
{
    return s->value[id].node != NULL;
}

static int is_required(const settings *s, const sgdmft_problem *problem, option_id id)
{
    switch (id) {
    case OPT_DELTA: return problem->process->events != EVENTS_FRESH;
    case OPT_LABEL:
    case OPT_LOSS: return !given(s, OPT_PLUGIN) && !given(s, OPT_CALLBACKS);
    default: return option_get(id)->required != NULL;
    }
}

/* A missing key is reported where its section starts. */
static sgdmft_status fail_missing(sgdmft_context *ctx, const settings *s, option_id id)
{
    const option *o = option_get(id);
    int section = option_section_of(id);
    int present = s->line[section] > 0;
    origin where = {s->source, present ? s->line[section] : 1, present ? s->column[section] : 1, o->key};
    const char *quote = o->type == OPTION_EXPRESSIONS ? "\"" : "";
    if (section == 0 || present)
        return origin_fail(ctx, SGDMFT_ERR_MISSING, &where, "%s, but missing; add a line such as '%s: %s%s%s'",
                           o->required, option_leaf(id), quote, o->example, quote);
    return origin_fail(ctx, SGDMFT_ERR_MISSING, &where,
                       "%s, but missing; add the section '%s:' with an indented line such as '%s: %s%s%s'", o->required,
                       option_get_section(section)->name, option_leaf(id), quote, o->example, quote);
}

static sgdmft_status fail_conflict(sgdmft_context *ctx, const settings *s, option_id first, option_id second,
                                   const char *why)
{
    origin a = settings_origin(s, first), b = settings_origin(s, second);
    return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &a, "cannot be combined with %s (%s:%d:%d): %s; remove one of them",
                       b.key, b.source, b.line, b.column, why);
}

/* Moments, a law in expressions, and samples exclude each other. */
static sgdmft_status check_law(sgdmft_context *ctx, const settings *s)
{
    static const option_id laws[] = {OPT_TEACHER_LAW, OPT_STUDENT_LAW, OPT_SAMPLES},
                           moments[] = {OPT_Q, OPT_M, OPT_RHO};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3 && given(s, laws[i]); j++)
            if (given(s, moments[j]))
                return fail_conflict(ctx, s, laws[i], moments[j], "the law of the coordinates has moments of its own");
    for (int i = 0; i < 2 && given(s, OPT_SAMPLES); i++)
        if (given(s, laws[i]))
            return fail_conflict(ctx, s, OPT_SAMPLES, laws[i], "samples are the joint law of student and teacher");
    return SGDMFT_OK;
}

/* Expressions, a plug-in and call-backs exclude each other. */
static sgdmft_status check_model(sgdmft_context *ctx, const settings *s)
{
    static const option_id of_expressions[] = {OPT_LABEL, OPT_PREDICT, OPT_LOSS};
    if (given(s, OPT_PLUGIN) && given(s, OPT_CALLBACKS))
        return fail_conflict(ctx, s, OPT_PLUGIN, OPT_CALLBACKS, "there is one model");
    for (size_t i = 0; i < sizeof of_expressions / sizeof of_expressions[0]; i++) {
        if (given(s, OPT_PLUGIN) && given(s, of_expressions[i]))
            return fail_conflict(ctx, s, OPT_PLUGIN, of_expressions[i], "a plug-in has its own label and loss");
        if (given(s, OPT_CALLBACKS) && given(s, of_expressions[i]))
            return fail_conflict(ctx, s, OPT_CALLBACKS, of_expressions[i],
                                 "a model by call-backs has its own label and loss");
    }
    return SGDMFT_OK;
}

/* 1/b counts as whole if it is so to this relative accuracy. */
static const double whole_tolerance = 1e-9;

/* Batches that are a fraction of the data fill epochs, and there is a step. */
static sgdmft_status check_batches(sgdmft_context *ctx, const settings *s, const sgdmft_problem *problem)
{
    double b = problem->batch_fraction, number = round(1 / b);
    origin where = settings_origin(s, OPT_BATCH_FRACTION);
    if (problem->process->visits->epoch > 0 && fabs(number * b - 1) > whole_tolerance)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &where,
                           "value %g does not cut an epoch into whole batches, which sampling: %s needs; allowed: 1/1, "
                           "1/2, 1/3, ...; the nearest are %.12g and %.12g",
                           b, process_sampling(problem->sampling), 1 / ceil(1 / b), 1 / floor(1 / b));
    if (problem_discrete_steps(problem) < 1)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &where,
                           "the first step, at t = %g, is beyond horizon: %g; allowed: horizon: %g or more", b,
                           problem->horizon, b);
    if (problem_discrete_steps(problem) > (int64_t)option_get(OPT_STEPS)->max)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &where, "%g steps until horizon: %g; allowed: %g or fewer",
                           (double)problem_discrete_steps(problem), problem->horizon,
                           (double)option_get(OPT_STEPS)->max);
    return SGDMFT_OK;
}

/* Each kind of momentum belongs to a size of batches. */
static sgdmft_status check_momentum(sgdmft_context *ctx, const settings *s, const sgdmft_problem *problem)
{
    int discrete = problem_is_discrete(problem);
    double beta = problem->momentum.beta;
    origin rate_at = settings_origin(s, OPT_MOMENTUM_RATE), beta_at = settings_origin(s, OPT_MOMENTUM_BETA);
    if (given(s, OPT_MOMENTUM_RATE) && discrete)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &rate_at,
                           "belongs to sub-linear batches, but batch_fraction is %g; allowed: momentum.beta, or "
                           "batch_fraction: 0",
                           problem->batch_fraction);
    if (given(s, OPT_MOMENTUM_BETA) && !discrete)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &beta_at,
                           "with sub-linear batches a fixed beta only multiplies eta by 1/(1 - beta) = %g; allowed: "
                           "that eta and no momentum, momentum.rate = (1 - beta) n / kappa for a beta near 1, or "
                           "batch_fraction > 0",
                           1 / (1 - beta));
    if (problem_has_momentum(problem) && !problem->process->sampling)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, &rate_at, "cannot be combined with dynamics: %s; allowed: %s",
                           problem->process->dynamics, process_dynamics(0));
    return SGDMFT_OK;
}

/* Says that an option which was given is not used. */
static void warn_unused(sgdmft_context *ctx, const settings *s, option_id id, const char *why)
{
    origin where = settings_origin(s, id);
    if (given(s, id))
        context_log(ctx, SGDMFT_LOG_WARNING, "%s:%d:%d: %s: not used %s", where.source, where.line, where.column,
                    where.key, why);
}

sgdmft_status check_presence(sgdmft_context *ctx, const settings *s, const sgdmft_problem *problem)
{
    sgdmft_status status = check_model(ctx, s);
    if (status == SGDMFT_OK)
        status = check_law(ctx, s);
    if (status != SGDMFT_OK)
        return status;
    if (given(s, OPT_PENALTY) && problem->lambda > 0)
        return fail_conflict(ctx, s, OPT_PENALTY, OPT_LAMBDA, "the penalty replaces the ridge");
    for (option_id id = 0; id < OPTION_COUNT; id++)
        if (!given(s, id) && is_required(s, problem, id))
            return fail_missing(ctx, s, id);
    if (problem_is_discrete(problem))
        status = check_batches(ctx, s, problem);
    if (!status)
        status = check_momentum(ctx, s, problem);
    if (status)
        return status;
    const problem_reals *at = &problem->output.histograms;
    if (at->n > 0 && at->value[at->n - 1] > problem->horizon) {
        origin where = settings_origin(s, OPT_HISTOGRAMS);
        return origin_fail(ctx, SGDMFT_ERR_RANGE, &where, "time %g is beyond the horizon %g", at->value[at->n - 1],
                           problem->horizon);
    }
    if (problem->process->events == EVENTS_FRESH)
        warn_unused(ctx, s, OPT_DELTA, "by dynamics in which every sample is new");
    if (problem_is_discrete(problem)) {
        warn_unused(ctx, s, OPT_STEPS, "with batch_fraction, which determines the steps");
        warn_unused(ctx, s, OPT_BATCH, "with batch_fraction, which determines the batches");
    }
    return SGDMFT_OK;
}

/* Eigenvalues of the symmetric n x n matrix `a`, which is destroyed, in ascending order. */
static sgdmft_status eigenvalues(sgdmft_context *ctx, const origin *where, int n, double *a, double *out)
{
    lapack_int info = LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', n, a, n, out);
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return context_out_of_memory(ctx, "eigenvalues", 0);
    if (info != 0)
        return origin_fail(ctx, SGDMFT_ERR_RANGE, where, "the eigenvalues of this matrix cannot be computed");
    return SGDMFT_OK;
}

static void fill_joint(const sgdmft_problem *problem, double *joint)
{
    int k = problem->model.students, ks = problem->model.teachers, n = k + ks;
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            joint[i * n + j] = problem->initial.q[i * k + j];
    for (int i = 0; i < k; i++)
        for (int j = 0; j < ks; j++)
            joint[i * n + k + j] = joint[(k + j) * n + i] = problem->initial.m[i * ks + j];
    for (int i = 0; i < ks; i++)
        for (int j = 0; j < ks; j++)
            joint[(k + i) * n + k + j] = problem->initial.rho[i * ks + j];
}

static sgdmft_status check_rho(sgdmft_context *ctx, const settings *s, const sgdmft_problem *problem)
{
    enum { N = 8 };
    int n = problem->model.teachers;
    double copy[N * N], eigen[N] = {0};
    int law = coordinates_law_is_given(problem);
    origin where = law ? coordinates_law_origin(problem) : settings_origin(s, OPT_RHO);
    for (int i = 0; i < n * n; i++)
        copy[i] = problem->initial.rho[i];
    sgdmft_status status = eigenvalues(ctx, &where, n, copy, eigen);
    if (status != SGDMFT_OK)
        return status;
    if (eigen[n - 1] > 0 && eigen[0] > definite_tolerance * eigen[n - 1])
        return SGDMFT_OK;
    return origin_fail(ctx, SGDMFT_ERR_RANGE, &where,
                       "%smust be positive definite, but its smallest eigenvalue is %.6g; linearly dependent teachers "
                       "can be replaced by fewer",
                       law ? "rho = E theta* theta*^T " : "", eigen[0]);
}

/* Where the joint matrix departs from its default: the option to name in messages. */
static origin joint_origin(const settings *s, const sgdmft_problem *problem)
{
    static const option_id parts[] = {OPT_M, OPT_Q, OPT_RHO};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (given(s, parts[i]))
            return settings_origin(s, parts[i]);
    if (coordinates_law_is_given(problem))
        return coordinates_law_origin(problem);
    return (origin){s->source, 0, 0, "initial"};
}

sgdmft_status check_initial(sgdmft_context *ctx, const settings *s, const sgdmft_problem *problem)
{
    enum { N = 16 };
    int n = problem->model.students + problem->model.teachers;
    double joint[N * N], eigen[N] = {0};
    sgdmft_status status = check_rho(ctx, s, problem);
    if (status != SGDMFT_OK)
        return status;
    origin where = joint_origin(s, problem);
    fill_joint(problem, joint);
    status = eigenvalues(ctx, &where, n, joint, eigen);
    if (status != SGDMFT_OK)
        return status;
    if (eigen[0] >= -semidefinite_tolerance * eigen[n - 1])
        return SGDMFT_OK;
    return origin_fail(ctx, SGDMFT_ERR_RANGE, &where,
                       "[[q, m], [m^T, rho]], the second moments of theta0 and theta*, must be positive "
                       "semi-definite, but its smallest eigenvalue is %.6g%s",
                       eigen[0], n == 2 ? "; needed: q >= 0 and m^2 <= q rho" : "");
}
