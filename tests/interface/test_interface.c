/* The library as a C program sees it: public headers, the shared library, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <sgdmft/sgdmft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK_OK(call)                                                                                                 \
    do {                                                                                                               \
        sgdmft_status status_ = (call);                                                                                \
        if (status_ != SGDMFT_OK)                                                                                      \
            fail_msg("%s: %d %s", #call, (int)status_, sgdmft_context_message(ctx));                                   \
    } while (0)

static sgdmft_context *ctx;

static void check_failure(sgdmft_status status, sgdmft_status want, const char *part)
{
    if (status != want || !strstr(sgdmft_context_message(ctx), part))
        fail_msg("status %d, wanted %d with '%s': %s", (int)status, (int)want, part, sgdmft_context_message(ctx));
}

static const char text[] = "delta: 1.5\n"
                           "horizon: 1\n"
                           "eta: \"1/(1 + 0.2*t)\"\n"
                           "lambda: 0.1\n"
                           "model: {label: \"tanh(s) + 0.3*eps\", predict: \"tanh(r)\", loss: \"(f - y)^2/2\"}\n"
                           "initial: {q: 0.8, m: 0.2}\n"
                           "observables: {margin: \"y*r\"}\n"
                           "numerics: {paths: 400, replicas: 2, steps: 16, seed: 5}\n"
                           "output: {times: 6}\n";

/* All of the problem above but the model. */
static sgdmft_problem *without_model(void)
{
    static const char *const settings[][2] = {
        {"delta", "1.5"},
        {"horizon", "1"},
        {"eta", "\"1/(1 + 0.2*t)\""},
        {"lambda", "0.1"},
        {"initial.q", "0.8"},
        {"initial.m", "[[0.2]]"},
        {"observables.margin", "\"y*r\""},
        {"numerics.paths", "400"},
        {"numerics.replicas", "2"},
        {"numerics.steps", "16"},
        {"numerics.seed", "5"},
        {"output.times", "6"},
    };
    sgdmft_problem *problem = NULL;
    CHECK_OK(sgdmft_problem_new(ctx, &problem));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        CHECK_OK(sgdmft_problem_set(ctx, problem, settings[i][0], settings[i][1]));
    return problem;
}

static sgdmft_solution *solve(sgdmft_problem *problem)
{
    sgdmft_solution *solution = NULL;
    CHECK_OK(sgdmft_solve(ctx, problem, &solution));
    return solution;
}

/* Values and errors of all curves agree to `tolerance` of the scale. */
static void check_same_curves(const sgdmft_solution *a, const sgdmft_solution *b, double tolerance)
{
    size_t n = sgdmft_solution_n_times(a);
    assert_int_equal(sgdmft_solution_n_times(b), n);
    assert_int_equal(sgdmft_solution_n_curves(b), sgdmft_solution_n_curves(a));
    for (size_t c = 0; c < sgdmft_solution_n_curves(a); c++) {
        const sgdmft_curve *x = sgdmft_solution_curve_at(a, c), *y = sgdmft_solution_curve_at(b, c);
        assert_string_equal(sgdmft_curve_name(x), sgdmft_curve_name(y));
        double scale = 0;
        for (size_t i = 0; i < n; i++)
            scale = fmax(scale, fabs(sgdmft_curve_value(x)[i]));
        for (size_t i = 0; i < n; i++)
            if (!(fabs(sgdmft_curve_value(x)[i] - sgdmft_curve_value(y)[i]) <= tolerance * scale) ||
                !(fabs(sgdmft_curve_se(x)[i] - sgdmft_curve_se(y)[i]) <= tolerance * scale))
                fail_msg("%s at time %zu: %.17g and %.17g", sgdmft_curve_name(x), i, sgdmft_curve_value(x)[i],
                         sgdmft_curve_value(y)[i]);
    }
}

static void built_in_memory(void **state)
{
    (void)state;
    sgdmft_problem *read = NULL, *built = without_model();
    char *a = NULL, *b = NULL;
    CHECK_OK(sgdmft_problem_set(ctx, built, "model.label", "tanh(s) + 0.3*eps"));
    CHECK_OK(sgdmft_problem_set(ctx, built, "model.predict", "tanh(r)"));
    check_failure(sgdmft_problem_check(ctx, built), SGDMFT_ERR_MISSING, "model.loss");
    CHECK_OK(sgdmft_problem_set(ctx, built, "model.loss", "(f - y)^2/2"));
    CHECK_OK(sgdmft_problem_parse(ctx, "text", text, NULL, 0, &read));
    CHECK_OK(sgdmft_problem_to_yaml(ctx, read, &a));
    CHECK_OK(sgdmft_problem_to_yaml(ctx, built, &b));
    assert_string_equal(a, b);
    sgdmft_solution *x = solve(read), *y = solve(built);
    check_same_curves(x, y, 0);
    assert_string_equal(sgdmft_solution_problem(y), a);
    sgdmft_solution_free(x);
    sgdmft_solution_free(y);

    /* a setting changed after a solve is obeyed by the next */
    CHECK_OK(sgdmft_problem_set(ctx, built, "eta", "1e-9"));
    CHECK_OK(sgdmft_problem_set(ctx, built, "lambda", "0"));
    x = solve(built);
    const double *q = sgdmft_curve_value(sgdmft_solution_curve(x, "q11"));
    assert_true(fabs(q[5] - q[0]) < 1e-7);
    sgdmft_solution_free(x);
    sgdmft_problem_free(read);
    sgdmft_problem_free(built);
    free(a);
    free(b);
}

/* The model of the text above by call-backs. */
typedef struct regression {
    double noise;
    double wrong;   /* added to the gradient */
    size_t fail_at; /* size of a block at which the call-back aborts; 0: never */
} regression;

static int label(void *user, size_t n, const double *s, const double *eps, double *y)
{
    const regression *model = user;
    for (size_t p = 0; p < n; p++)
        y[p] = tanh(s[p]) + model->noise * eps[p];
    return 0;
}

static int loss(void *user, size_t n, const double *t, const double *r, const double *y, double *value, double *g,
                double *G)
{
    const regression *model = user;
    (void)t;
    if (model->fail_at && n >= model->fail_at)
        return 7;
    for (size_t p = 0; p < n; p++) {
        double f = tanh(r[p]), d = 1 - f * f;
        if (value)
            value[p] = (f - y[p]) * (f - y[p]) / 2;
        if (g)
            g[p] = (f - y[p]) * d + model->wrong;
        if (G)
            G[p] = d * d - 2 * (f - y[p]) * f * d;
    }
    return 0;
}

static sgdmft_model table_of(regression *user)
{
    return (sgdmft_model){.abi = SGDMFT_MODEL_ABI,
                          .name = "tanh regression",
                          .students = 1,
                          .teachers = 1,
                          .noises = 1,
                          .labels = 1,
                          .user = user,
                          .label = label,
                          .loss = loss};
}

static void model_by_callbacks(void **state)
{
    (void)state;
    regression user = {.noise = 0.3};
    sgdmft_model table = table_of(&user);
    sgdmft_problem *expressions = NULL, *problem = without_model();
    CHECK_OK(sgdmft_problem_set_model(ctx, problem, &table));
    table = (sgdmft_model){.abi = 0}; /* it was copied */
    CHECK_OK(sgdmft_problem_parse(ctx, "text", text, NULL, 0, &expressions));
    sgdmft_solution *x = solve(expressions), *y = solve(problem);
    check_same_curves(x, y, 1e-9);
    sgdmft_solution_free(x);
    sgdmft_solution_free(y);
    sgdmft_problem_free(expressions);
    sgdmft_problem_free(problem);
}

/* A file knows the name of the model alone. */
static void model_in_files(void **state)
{
    static const char *const names[] = {"interface.h5", "interface.csv"};
    regression user = {.noise = 0.3};
    sgdmft_model table = table_of(&user);
    sgdmft_problem *problem = without_model();
    (void)state;
    CHECK_OK(sgdmft_problem_set_model(ctx, problem, &table));
    sgdmft_solution *solution = solve(problem);
    assert_non_null(strstr(sgdmft_solution_problem(solution), "  callbacks: \"tanh regression\"\n"));
    CHECK_OK(sgdmft_write_hdf5(ctx, solution, "test", names[0], 1));
    CHECK_OK(sgdmft_write_csv(ctx, solution, "test", names[1], 1));
    for (int i = 0; i < 2; i++) {
        sgdmft_problem *again = NULL;
        sgdmft_solution *read = NULL, *solved = NULL;
        sgdmft_cost cost;
        char *value = NULL;
        CHECK_OK(sgdmft_solution_read(ctx, names[i], &again, &read));
        check_same_curves(solution, read, i ? 1e-11 : 0);
        CHECK_OK(sgdmft_problem_get(ctx, again, "model.callbacks", &value));
        assert_string_equal(value, "\"tanh regression\"");
        free(value);
        check_failure(sgdmft_solve(ctx, again, &solved), SGDMFT_ERR_MISSING, "sgdmft_problem_set_model");
        assert_null(solved);
        check_failure(sgdmft_estimate_cost(ctx, again, &cost), SGDMFT_ERR_MISSING, "'tanh regression'");
        CHECK_OK(sgdmft_problem_set_model(ctx, again, &table));
        solved = solve(again);
        check_same_curves(solution, solved, 0);
        sgdmft_solution_free(solved);
        sgdmft_solution_free(read);
        sgdmft_problem_free(again);
        unlink(names[i]);
    }
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
}

/* Coordinates are sampled from a run that was read; labels and losses need the model again. */
static void sampling_a_run(void **state)
{
    regression user = {.noise = 0.3};
    sgdmft_model table = table_of(&user);
    sgdmft_problem *problem = without_model(), *again = NULL;
    sgdmft_solution *read = NULL;
    sgdmft_sampler *sampler = NULL, *of_read = NULL;
    sgdmft_paths *paths = NULL, *of_read_paths = NULL;
    (void)state;
    CHECK_OK(sgdmft_problem_set_model(ctx, problem, &table));
    sgdmft_solution *solution = solve(problem);
    CHECK_OK(sgdmft_write_hdf5(ctx, solution, NULL, "sampling.h5", 1));
    CHECK_OK(sgdmft_solution_read(ctx, "sampling.h5", &again, &read));
    unlink("sampling.h5");
    CHECK_OK(sgdmft_sampler_new(ctx, again, read, SGDMFT_SAMPLE_COORDINATES, NULL, 0, &of_read));
    sgdmft_sampler_free(of_read);
    check_failure(sgdmft_sampler_new(ctx, again, read, SGDMFT_SAMPLE_BOTH, NULL, 0, &of_read), SGDMFT_ERR_MISSING,
                  "sgdmft_problem_set_model");
    assert_null(of_read);
    CHECK_OK(sgdmft_problem_set_model(ctx, again, &table));
    CHECK_OK(sgdmft_sampler_new(ctx, again, read, SGDMFT_SAMPLE_BOTH, NULL, 0, &of_read));
    CHECK_OK(sgdmft_sampler_new(ctx, problem, solution, SGDMFT_SAMPLE_BOTH, NULL, 0, &sampler));
    CHECK_OK(sgdmft_paths_new(ctx, sampler, &paths));
    CHECK_OK(sgdmft_paths_new(ctx, of_read, &of_read_paths));
    CHECK_OK(sgdmft_paths_draw(ctx, paths, 3, 0));
    CHECK_OK(sgdmft_paths_draw(ctx, of_read_paths, 3, 0));
    const double *a = sgdmft_paths_at(paths, SGDMFT_PATH_PREACTIVATION, 5),
                 *b = sgdmft_paths_at(of_read_paths, SGDMFT_PATH_PREACTIVATION, 5);
    assert_memory_equal(a, b, SGDMFT_SAMPLE_LANES * sizeof *a);
    sgdmft_paths_free(paths);
    sgdmft_paths_free(of_read_paths);
    sgdmft_sampler_free(sampler);
    sgdmft_sampler_free(of_read);
    sgdmft_solution_free(solution);
    sgdmft_solution_free(read);
    sgdmft_problem_free(problem);
    sgdmft_problem_free(again);
}

static void bad_models(void **state)
{
    regression user = {.noise = 0.3};
    sgdmft_model good = table_of(&user), table = good;
    sgdmft_problem *problem = without_model();
    sgdmft_solution *solution = NULL;
    (void)state;
    table.abi = 9;
    check_failure(sgdmft_problem_set_model(ctx, problem, &table), SGDMFT_ERR_ARGUMENT, "field abi is 9");
    table = good;
    table.labels = 9;
    check_failure(sgdmft_problem_set_model(ctx, problem, &table), SGDMFT_ERR_ARGUMENT, "field labels is 9");
    table = good;
    table.loss = NULL;
    check_failure(sgdmft_problem_set_model(ctx, problem, &table), SGDMFT_ERR_ARGUMENT, "call-back loss is NULL");
    table = good;
    table.name = "two\nlines";
    check_failure(sgdmft_problem_set_model(ctx, problem, &table), SGDMFT_ERR_ARGUMENT, "line breaks");
    check_failure(sgdmft_problem_check(ctx, problem), SGDMFT_ERR_MISSING, "model.label"); /* none of them was taken */

    user.wrong = 0.1;
    CHECK_OK(sgdmft_problem_set_model(ctx, problem, &good));
    check_failure(sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_PLUGIN, "problem: model 'tanh regression': g1 is ");
    user = (regression){.noise = 0.3, .fail_at = 65}; /* more samples than the check has */
    check_failure(sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_PLUGIN, "asked to stop");
    sgdmft_solution_free(solution);

    CHECK_OK(sgdmft_problem_set(ctx, problem, "model.label", "s"));
    check_failure(sgdmft_problem_check(ctx, problem), SGDMFT_ERR_CONFLICT, "model.callbacks");
    CHECK_OK(sgdmft_problem_set_model(ctx, problem, NULL));
    CHECK_OK(sgdmft_problem_set(ctx, problem, "model.loss", "(r - y)^2/2"));
    CHECK_OK(sgdmft_problem_check(ctx, problem));
    CHECK_OK(sgdmft_problem_set(ctx, problem, "model.callbacks", "elsewhere"));
    CHECK_OK(sgdmft_problem_set(ctx, problem, "model.label", "null"));
    CHECK_OK(sgdmft_problem_set(ctx, problem, "model.loss", "null"));
    check_failure(sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_MISSING, "'elsewhere'");
    sgdmft_problem_free(problem);
}

static void arrays(void **state)
{
    sgdmft_problem *problem = NULL;
    (void)state;
    CHECK_OK(sgdmft_problem_parse(ctx, "text", text, NULL, 0, &problem));
    sgdmft_solution *solution = solve(problem);
    size_t n = sgdmft_solution_n_grid(solution), extent[SGDMFT_RANK_MAX];
    int rank = 0;
    assert_int_equal(n, 17);
    assert_int_equal(sgdmft_solution_students(solution), 1);
    assert_true(sgdmft_solution_grid(solution)[0] == 0 && sgdmft_solution_grid(solution)[n - 1] == 1);
    const double *C = sgdmft_solution_C(solution), *R = sgdmft_solution_R(solution);
    for (size_t i = 0; i < n; i++) {
        assert_true(R[i * n + i] == 1);
        for (size_t j = 0; j < i; j++)
            assert_true(C[i * n + j] == C[j * n + i] && R[j * n + i] == 0);
    }
    assert_ptr_equal(sgdmft_solution_array(solution, "C", &rank, extent), C);
    assert_true(rank == 4 && extent[0] == n && extent[1] == n && extent[2] == 1 && extent[3] == 1);
    assert_ptr_equal(sgdmft_solution_array(solution, "m", &rank, extent), sgdmft_solution_m(solution));
    assert_int_equal(rank, 3);
    assert_null(sgdmft_solution_array(solution, "coordinates/L", &rank, extent));
    assert_null(sgdmft_solution_array(solution, "elsewhere", &rank, extent));
    assert_string_equal(sgdmft_solution_array_name(solution, 4), "residual");
    assert_null(sgdmft_solution_array_name(solution, 5));
    assert_int_equal(sgdmft_solution_n_identities(solution), 2);
    assert_string_equal(sgdmft_solution_identity(solution, 0)->name, "dC(t,t)/dt 11");
    assert_null(sgdmft_solution_identity(solution, 2));
    assert_null(sgdmft_solution_curve(solution, "q21"));
    assert_null(sgdmft_solution_curve_at(solution, 99));
    assert_string_equal(sgdmft_solution_version(solution), sgdmft_version());
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
}

static int stop_half_way(void *user, double fraction, double t)
{
    (void)t;
    ++*(int *)user;
    return fraction > 0.5;
}

static void interrupted(void **state)
{
    sgdmft_problem *problem = NULL;
    sgdmft_solution *solution = NULL;
    int calls = 0;
    (void)state;
    CHECK_OK(sgdmft_problem_parse(ctx, "text", text, NULL, 0, &problem));
    sgdmft_context_set_progress(ctx, stop_half_way, &calls);
    assert_int_equal(sgdmft_solve(ctx, problem, &solution), SGDMFT_ERR_INTERRUPTED);
    sgdmft_context_set_progress(ctx, NULL, NULL);
    assert_true(calls > 1);
    assert_non_null(solution);
    assert_int_equal(sgdmft_solution_status(solution), SGDMFT_ERR_INTERRUPTED);
    assert_string_equal(sgdmft_solution_message(solution), sgdmft_context_message(ctx));
    assert_true(sgdmft_solution_n_times(solution) < 6);
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
}

static int make_context(void **state)
{
    (void)state;
    return sgdmft_context_new(&ctx) != SGDMFT_OK || sgdmft_context_set_threads(ctx, 1) != SGDMFT_OK;
}

static int free_context(void **state)
{
    (void)state;
    sgdmft_context_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_memory), cmocka_unit_test(model_by_callbacks), cmocka_unit_test(model_in_files),
        cmocka_unit_test(sampling_a_run),  cmocka_unit_test(bad_models),         cmocka_unit_test(arrays),
        cmocka_unit_test(interrupted),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
