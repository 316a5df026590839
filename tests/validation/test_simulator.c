/* Whole simulations: against exact limits, across batch sizes, laws of the entries and threads; and everything that can
   stop one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "repetition_test.h"
#include "sgdmft/simulate.h"
#include "support/linear_exact.h"

#define LINEAR "model: {label: 's + 0.1*eps', loss: '(r - y)^2/2'}\n"

static sgdmft_solution *run(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_simulation_report *report)
{
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_simulate(ctx, problem, report, &solution));
    assert_non_null(solution);
    sgdmft_problem_free(problem);
    return solution;
}

static const sgdmft_curve *curve(const sgdmft_solution *solution, const char *name)
{
    const sgdmft_curve *c = sgdmft_solution_curve(solution, name);
    assert_non_null(c);
    return c;
}

static int repetitions(int full)
{
    return (int)test_scaled((size_t)full, 6);
}

/* Within its error bars and a finite-size shift of `shift`. */
static void check_curve(const sgdmft_solution *solution, const char *name, size_t i, double want, double shift)
{
    const sgdmft_curve *c = curve(solution, name);
    assert_true(i == 0 || c->se[i] > 0);
    check_near(c->value[i], want, 4.9 * c->se[i] + shift, "%s at t = %g (se %g)", name, solution->times[i], c->se[i]);
}

/* q and m at t = 0 are exact up to single precision, and have no error bar. */
static void check_start(const sgdmft_solution *solution, double q, double m)
{
    assert_true(solution->times[0] == 0);
    check_near(curve(solution, "q11")->value[0], q, 1e-7, "q at 0");
    check_near(curve(solution, "m11")->value[0], m, 1e-7, "m at 0");
    assert_true(curve(solution, "q11")->se[0] == 0 && curve(solution, "m11")->se[0] == 0);
    assert_true(curve(solution, "train_loss")->se[0] > 0);
}

/* The linear model, by SGD with batches of 1, 2, sqrt n and 0.2 n, by SME, with entries of every law: one limit, but
   for what a batch of a given share of the samples and a long step of SME add. */
static void test_linear(void **state)
{
    static const struct {
        const char *constants, *simulate;
        double shift;
    } cases[] = {
        {"", "entries: gaussian", 2e-3},   {"", "batch: 47", 1e-2},
        {"", "entries: rademacher", 2e-3}, {"", "entries: uniform, batch: 2", 2e-3},
        {"", "batch: 450", 0.15},          {"dynamics: sme\n", "step: 0.1, d: 700", 6e-3},
    };
    linear_exact *e = linear_exact_new(
        &(linear_problem){.eta = 1, .delta = 1.5, .lambda = 0.1, .q0 = 1, .m0 = 0.1, .rho = 1, .sigma = 0.1}, 2, 1e-3);
    assert_non_null(e);
    sgdmft_context *ctx = check_context(2);
    for (size_t p = 0; p < sizeof cases / sizeof *cases; p++) {
        const char *d = strstr(cases[p].simulate, "d: ") ? "" : "d: 1500, ";
        sgdmft_problem *problem = test_problem(ctx,
                                               "%sdelta: 1.5\nlambda: 0.1\nhorizon: 2\ninitial: {m: 0.1}\n" LINEAR
                                               "output: {times: 5}\nnumerics: {seed: %zu}\n"
                                               "simulate: {%s%s, repetitions: %d}\n",
                                               cases[p].constants, 100 + p, d, cases[p].simulate, repetitions(40));
        sgdmft_solution *solution = run(ctx, problem, NULL);
        check_start(solution, 1, 0.1);
        assert_int_equal(solution->n_times, 5);
        for (size_t i = 0; i < 5; i++) {
            double t = solution->times[i], shift = i > 0 ? cases[p].shift : 0;
            check_near(t, 0.5 * (double)i, 0, "output time");
            check_curve(solution, "train_loss", i, linear_exact_train(e, t), shift);
            check_curve(solution, "test_loss", i, linear_exact_test(e, t), shift);
            check_curve(solution, "q11", i, linear_exact_q(e, t), shift + 1e-7);
            check_curve(solution, "m11", i, linear_exact_m(e, t), shift + 1e-7);
        }
        sgdmft_solution_free(solution);
    }
    sgdmft_context_free(ctx);
    linear_exact_free(e);
}

/* A law of the coordinates: the linear model knows only its moments, so a sparse teacher gives the curves of the
   Gaussian one. Starts differ from repetition to repetition, but much less than those of independent draws would. */
static void test_law(void **state)
{
    linear_exact *e = linear_exact_new(
        &(linear_problem){.eta = 1, .delta = 1.5, .lambda = 0.1, .q0 = 1, .m0 = 0.2, .rho = 1, .sigma = 0.1}, 2, 1e-3);
    assert_non_null(e);
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem =
        test_problem(ctx,
                     "delta: 1.5\nlambda: 0.1\nhorizon: 2\n"
                     "initial: {teacher: 'if(u < 0.1, z/sqrt(0.1), 0)', student: '0.2*ths + sqrt(0.96)*z2'}\n" LINEAR
                     "output: {times: 5}\nsimulate: {d: 1500, repetitions: %d}\n",
                     repetitions(40));
    sgdmft_solution *solution = run(ctx, problem, NULL);
    check_between(curve(solution, "q11")->se[0], 1e-5, 0.2 * sqrt(2.0 / 1500 / repetitions(40)), "se of q at 0");
    check_curve(solution, "q11", 0, 1, 1e-3);
    for (size_t i = 1; i < 5; i++) {
        double t = solution->times[i];
        check_curve(solution, "q11", i, linear_exact_q(e, t), 2e-3);
        check_curve(solution, "m11", i, linear_exact_m(e, t), 2e-3);
        check_curve(solution, "train_loss", i, linear_exact_train(e, t), 2e-3);
        check_curve(solution, "test_loss", i, linear_exact_test(e, t), 2e-3);
    }
    sgdmft_solution_free(solution);
    linear_exact_free(e);
    sgdmft_context_free(ctx);
}

/* m of the linear model is the same for SGD and for gradient flow; the loss is not. */
static void test_flow(void **state)
{
    linear_exact *e = linear_exact_new(
        &(linear_problem){.eta = 1, .delta = 2.5, .lambda = 0.2, .q0 = 1.5, .m0 = 0.3, .rho = 0.8, .sigma = 0.1}, 1.5,
        1e-3);
    assert_non_null(e);
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *solution =
        run(ctx,
            test_problem(ctx,
                         "dynamics: gradient-flow\ndelta: 2.5\nlambda: 0.2\nhorizon: 1.5\n"
                         "initial: {q: 1.5, m: 0.3, rho: 0.8}\n" LINEAR "output: {times: 4}\nnumerics: {seed: 201}\n"
                         "simulate: {d: 400, repetitions: %d}\n",
                         repetitions(40)),
            NULL);
    check_start(solution, 1.5, 0.3);
    for (size_t i = 1; i < 4; i++) {
        check_curve(solution, "m11", i, linear_exact_m(e, solution->times[i]), 2e-3);
        double loss = curve(solution, "train_loss")->value[i];
        assert_true(loss < 0.9 * linear_exact_train(e, solution->times[i]));
    }
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
    linear_exact_free(e);
}

/* Online, linear: dm = -lambda m - eta (m - rho), dq = -2 lambda q - 2 eta (q - m) + eta^2 (q - 2m + rho + sigma^2). */
static void test_online(void **state)
{
    const double eta = 0.7, lambda = 0.25, rho = 1, noise = 0.01;
    sgdmft_context *ctx = check_context(2);
    sgdmft_simulation_report report;
    sgdmft_solution *solution =
        run(ctx,
            test_problem(ctx,
                         "dynamics: online\nhorizon: 3\neta: 0.7\nlambda: 0.25\ninitial: {q: 0.5, m: -0.2}\n" LINEAR
                         "output: {times: 4}\nnumerics: {seed: 202}\nsimulate: {d: 1000, repetitions: %d}\n",
                         repetitions(40)),
            &report);
    check_start(solution, 0.5, -0.2);
    double m = -0.2, q = 0.5, h = 1e-4;
    for (size_t i = 1; i < 4; i++) {
        for (int step = 0; step < 10000; step++) {
            double middle = m - h / 2 * (lambda * m + eta * (m - rho));
            q += h * (-2 * lambda * q - 2 * eta * (q - middle) + eta * eta * (q - 2 * middle + rho + noise));
            m -= h * (lambda * middle + eta * (middle - rho));
        }
        check_curve(solution, "m11", i, m, 2e-3);
        check_curve(solution, "q11", i, q, 3e-3);
        check_curve(solution, "test_loss", i, (q - 2 * m + rho + noise) / 2, 3e-3);
        assert_true(curve(solution, "train_loss")->value[i] == curve(solution, "test_loss")->value[i]);
    }
    assert_true(report.n == 0 && report.visits == 3000.0 * repetitions(40));
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
}

/* Full-batch gradient descent of the linear model with momentum. With x the eigenvalues of X^T X, whose averages are
   delta and delta^2 + delta, and e_k the factor by which theta - theta* has shrunk after k steps,
   e_1 = 1 - eta x and e_2 = (1 + beta - eta x) e_1 - beta. */
static void test_descent(void **state)
{
    const double eta = 0.2, delta = 1.5, beta = 0.7, first = delta, second = delta * delta + delta;
    const double shrunk[] = {1, 1 - eta * first, 1 - eta * (2 + beta) * first + eta * eta * second};
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *solution =
        run(ctx,
            test_problem(ctx,
                         "batch_fraction: 1\ndelta: 1.5\nhorizon: 2.4\neta: 0.2\nmomentum: {beta: 0.7}\n"
                         "initial: {m: -0.5}\n" LINEAR "numerics: {seed: 206}\nsimulate: {d: 1000, repetitions: %d}\n",
                         repetitions(40)),
            NULL);
    check_start(solution, 1, -0.5);
    assert_int_equal(solution->n_times, 3);
    assert_true(solution->info.steps == 2 && solution->info.visits == 2 * 1500.0 * repetitions(40));
    for (size_t i = 1; i < 3; i++) {
        assert_true(solution->times[i] == (double)i);
        check_curve(solution, "m11", i, 1 - 1.5 * shrunk[i], 2e-3);
    }
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
}

/* Curves of batches that are a fraction of the data are at steps, with the time of the step. */
static void test_steps(void **state)
{
    static const double t[] = {0, 0.6, 1.2, 1.8};
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *solution =
        run(ctx,
            test_problem(ctx, "batch_fraction: 0.2\nsampling: cyclic\ndelta: 2\nhorizon: 1.9\n" LINEAR
                              "observables: {clock: t}\noutput: {times: 4}\nsimulate: {d: 101, repetitions: 3}\n"),
            NULL);
    assert_int_equal(solution->n_times, 4);
    for (size_t i = 0; i < 4; i++) {
        check_near(solution->times[i], t[i], 1e-15, "output time");
        check_near(curve(solution, "train_clock")->value[i], t[i], 1e-12, "clock");
        assert_true(curve(solution, "train_clock")->se[i] < 1e-12); /* at one step, not between two */
    }
    assert_true(curve(solution, "train_loss")->value[3] < curve(solution, "train_loss")->value[0]);
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
}

/* Gradients may jump: a simulation needs no Hessian. */
static void test_kink(void **state)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *solution = run(ctx,
                                    test_problem(ctx, "delta: 2\nhorizon: 1\n"
                                                      "model: {label: 'sign(s)', loss: 'relu(1 - y*r)'}\n"
                                                      "output: {times: 3}\nsimulate: {d: 200, repetitions: 6}\n"),
                                    NULL);
    const double *loss = curve(solution, "train_loss")->value;
    assert_true(loss[2] < loss[1] && loss[1] < loss[0]);
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
}

/* Observables with known averages; times between two steps, where the clock must still be right. */
static void test_observables(void **state)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *solution =
        run(ctx,
            test_problem(ctx,
                         "delta: 2\nhorizon: 1\nmodel: {label: 's + 0.5*eps', loss: '(r - y)^2/2'}\n"
                         "observables: {clock: t, teacher: s^2, noise: 'eps2*eps2', twice: '(r - y)^2'}\n"
                         "output: {times: 11}\nnumerics: {seed: 203}\nsimulate: {d: 300, batch: 37, repetitions: %d}\n",
                         repetitions(20)),
            NULL);
    assert_int_equal(solution->n_curves, 4 + 8);
    assert_string_equal(solution->curves[4].name, "train_clock");
    assert_string_equal(solution->curves[5].name, "test_clock");
    assert_true(solution->info.simulated == 1 && solution->n_grid == 0 && !solution->C && !solution->R);
    for (size_t i = 0; i < 11; i++) {
        check_near(curve(solution, "train_clock")->value[i], 0.1 * (double)i, 1e-12, "clock");
        check_near(curve(solution, "test_clock")->value[i], 0.1 * (double)i, 1e-12, "clock");
        check_curve(solution, "train_teacher", i, 1, 0);
        check_curve(solution, "test_teacher", i, 1, 0);
        check_curve(solution, "train_noise", i, 1, 0);
        check_curve(solution, "test_noise", i, 1, 0);
        check_near(curve(solution, "train_twice")->value[i], 2 * curve(solution, "train_loss")->value[i], 1e-12,
                   "loss");
        check_near(curve(solution, "test_twice")->value[i], 2 * curve(solution, "test_loss")->value[i], 1e-12, "loss");
    }
    sgdmft_solution_free(solution);
    sgdmft_context_free(ctx);
}

static void check_same(const sgdmft_solution *a, const sgdmft_solution *b)
{
    assert_true(a->n_times == b->n_times && a->n_curves == b->n_curves && a->status == b->status);
    assert_string_equal(a->message, b->message);
    for (size_t c = 0; c < a->n_curves; c++) {
        assert_memory_equal(a->curves[c].value, b->curves[c].value, a->n_times * sizeof(double));
        assert_memory_equal(a->curves[c].se, b->curves[c].se, a->n_times * sizeof(double));
    }
}

/* Same bytes at any number of threads. */
static void test_threads(void **state)
{
    static const char *const cases[] = {"delta: 2\nlambda: 0.1\n",
                                        "delta: 2\ndynamics: sme\n",
                                        "delta: 2\ndynamics: gradient-flow\n",
                                        "dynamics: online\n",
                                        "delta: 2\npenalty: 'log(cosh(th1))'\n",
                                        "delta: 2\nsampling: cyclic\nmomentum: {rate: 3}\n",
                                        "delta: 2\nbatch_fraction: 0.2\nmomentum: {beta: 0.5}\n"};
    for (size_t p = 0; p < sizeof cases / sizeof *cases; p++) {
        sgdmft_solution *solution[3];
        static const int threads[3] = {1, 2, 5};
        for (int i = 0; i < 3; i++) {
            sgdmft_context *ctx = check_context(threads[i]);
            solution[i] =
                run(ctx,
                    test_problem(ctx,
                                 "%shorizon: 0.6\nmodel: {label: 'tanh(s) + 0.3*eps', loss: '(tanh(r) - y)^2'}\n"
                                 "output: {times: 4}\nnumerics: {seed: 204}\nsimulate: {d: 90, repetitions: 7}\n",
                                 cases[p]),
                    NULL);
            sgdmft_context_free(ctx);
        }
        check_same(solution[0], solution[1]);
        check_same(solution[0], solution[2]);
        for (int i = 0; i < 3; i++)
            sgdmft_solution_free(solution[i]);
    }
}

/* A ridge acts as a factor, and the same penalty as an expression in impulses. Their curves differ by the size of an
   impulse. */
static void test_penalty(void **state)
{
    static const char *const cases[] = {"lambda: 0.8\n", "penalty: '0.4*th1^2'\n"};
    sgdmft_solution *solution[2];
    sgdmft_context *ctx = check_context(2);
    for (int i = 0; i < 2; i++)
        solution[i] = run(ctx,
                          test_problem(ctx,
                                       "%sdelta: 2\nhorizon: 1\n" LINEAR "output: {times: 6}\nnumerics: {seed: 205}\n"
                                       "simulate: {d: 3000, repetitions: 2}\n",
                                       cases[i]),
                          NULL);
    for (size_t i = 0; i < 6; i++)
        for (size_t c = 0; c < solution[0]->n_curves; c++)
            check_near(solution[1]->curves[c].value[i], solution[0]->curves[c].value[i], 1e-3, "%s",
                       solution[0]->curves[c].name);
    assert_true(solution[1]->curves[2].value[5] != solution[0]->curves[2].value[5]); /* there were impulses */
    sgdmft_solution_free(solution[0]);
    sgdmft_solution_free(solution[1]);
    sgdmft_context_free(ctx);
}

/* Snapshots that are averaged in several passes, in the middle of the run. */
static void test_passes(void **state)
{
    static const char *const cases[] = {"delta: 2\n", "dynamics: online\n"};
    for (int p = 0; p < 2; p++) {
        double *curves[2] = {NULL, NULL};
        size_t size = 0;
        for (int i = 0; i < 2; i++) {
            repetition_test x;
            sgdmft_context *ctx = check_context(1);
            sgdmft_problem *problem =
                test_problem(ctx, "%shorizon: 2\n" LINEAR "output: {times: 23}\nsimulate: {d: 130}\n", cases[p]);
            repetition_test_init(&x, problem);
            if (i == 1) {
                repetition_clear(&x.rep);
                x.plan.snapshots = 5;
                check_ok(ctx, repetition_init(ctx, &x.plan, &x.shared, &x.rep));
            }
            repetition_do(&x.rep, 1);
            assert_true(x.rep.observer.reached == 23 && x.system->status == SGDMFT_OK);
            size = 23 * x.plan.columns.count;
            curves[i] = calloc(size, sizeof(double));
            assert_non_null(curves[i]);
            memcpy(curves[i], x.rep.observer.curves, size * sizeof(double));
            sgdmft_context_free(ctx);
            repetition_test_clear(&x);
        }
        for (size_t j = 0; j < size; j++)
            check_near(curves[1][j], curves[0][j], 1e-6 * fabs(curves[0][j]), "%s: curves, number %zu", cases[p], j);
        free(curves[0]);
        free(curves[1]);
    }
}

/* eta > 2 is unstable. What all repetitions reached is kept, whoever came first; a repetition whose theta overflowed
   before anyone looked leaves nothing behind in the memory that the next one uses. */
static void test_divergence(void **state)
{
    static const struct {
        const char *dynamics, *delta;
        int times, least, most;
    } cases[] = {{"sgd", "delta: 2\n", 61, 2, 50},
                 {"sme", "delta: 2\n", 61, 2, 50},
                 {"online", "", 61, 2, 50},
                 {"sgd", "delta: 2\n", 2, 1, 1},
                 {"sgd", "delta: 2\nmomentum: {rate: 20}\n", 2, 1, 1},
                 {"sgd", "delta: 2\nmomentum: {beta: 0.5}\nbatch_fraction: 1\n", 61, 2, 50}};
    for (int p = 0; p < 6; p++) {
        sgdmft_solution *solution[2] = {NULL, NULL};
        for (int i = 0; i < 2; i++) {
            sgdmft_context *ctx = check_context(i ? 4 : 1);
            sgdmft_problem *problem = test_problem(ctx,
                                                   "dynamics: %s\n%shorizon: 60\neta: 3.7\n" LINEAR
                                                   "output: {times: %d}\nsimulate: {d: 70, repetitions: 8}\n",
                                                   cases[p].dynamics, cases[p].delta, cases[p].times);
            check_failure(ctx, sgdmft_simulate(ctx, problem, NULL, &solution[i]), SGDMFT_ERR_DIVERGED,
                          "hint: lower eta");
            assert_non_null(solution[i]);
            assert_true(solution[i]->status == SGDMFT_ERR_DIVERGED && strstr(solution[i]->message, "diverge"));
            check_between((double)solution[i]->n_times, cases[p].least, cases[p].most,
                          "output times before divergence");
            for (size_t c = 0; c < solution[i]->n_curves; c++)
                for (size_t t = 0; t < solution[i]->n_times; t++)
                    assert_true(isfinite(solution[i]->curves[c].value[t]) && isfinite(solution[i]->curves[c].se[t]));
            sgdmft_problem_free(problem);
            sgdmft_context_free(ctx);
        }
        check_same(solution[0], solution[1]);
        sgdmft_solution_free(solution[0]);
        sgdmft_solution_free(solution[1]);
    }
}

/* Gradient flow that blows up in finite time, and a loss that is not finite although theta is. */
static void test_not_finite(void **state)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_solution *solution = NULL;
    sgdmft_problem *problem =
        test_problem(ctx, "dynamics: gradient-flow\ndelta: 2\nhorizon: 5\nmodel: {label: s, loss: '-r^4/4'}\n"
                          "output: {times: 101}\nsimulate: {d: 50, repetitions: 3}\n");
    check_failure(ctx, sgdmft_simulate(ctx, problem, NULL, &solution), SGDMFT_ERR_DIVERGED, "not finite");
    assert_non_null(solution);
    check_between((double)solution->n_times, 1, 60, "output times before the end");
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
    problem = test_problem(ctx, "delta: 2\nhorizon: 1\nmodel: {label: s, loss: 'exp(r^8)'}\n"
                                "simulate: {d: 500, repetitions: 3}\n");
    check_failure(ctx, sgdmft_simulate(ctx, problem, NULL, &solution), SGDMFT_ERR_NON_FINITE, "the loss is not finite");
    assert_non_null(solution);
    assert_int_equal(solution->n_times, 0);
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static int stop_at(void *user, double fraction, double t)
{
    return fraction > *(const double *)user;
}

/* Finished repetitions are kept if they are at least two; otherwise there would be no standard error. */
static void test_interrupt(void **state)
{
    static const struct {
        double at;
        size_t least, most, times;
    } cases[] = {{0.55, 5, 6, 7}, {0.05, 1, 1, 0}};
    for (size_t p = 0; p < 2; p++) {
        sgdmft_context *ctx = check_context(1);
        double at = cases[p].at;
        sgdmft_solution *solution = NULL;
        sgdmft_problem *problem = test_problem(ctx, "delta: 2\nhorizon: 2\n" LINEAR "output: {times: 7}\n"
                                                    "simulate: {d: 150, repetitions: 10}\n");
        sgdmft_context_set_progress(ctx, stop_at, &at);
        check_failure(ctx, sgdmft_simulate(ctx, problem, NULL, &solution), SGDMFT_ERR_INTERRUPTED, "of 10 repetitions");
        assert_non_null(solution);
        check_between((double)solution->info.replicas, (double)cases[p].least, (double)cases[p].most, "repetitions");
        assert_int_equal(solution->n_times, cases[p].times);
        sgdmft_solution_free(solution);
        sgdmft_problem_free(problem);
        sgdmft_context_free(ctx);
    }
}

/* Several threads that are all interrupted midway: the times that all of them reached. */
static void test_interrupt_midway(void **state)
{
    sgdmft_context *ctx = check_context(4);
    double at = 0.5;
    sgdmft_solution *solution = NULL;
    sgdmft_problem *problem = test_problem(ctx, "delta: 2\nhorizon: 40\n" LINEAR "output: {times: 201}\n"
                                                "simulate: {d: 700, repetitions: 4}\n");
    sgdmft_context_set_progress(ctx, stop_at, &at);
    check_failure(ctx, sgdmft_simulate(ctx, problem, NULL, &solution), SGDMFT_ERR_INTERRUPTED, "interrupted");
    assert_non_null(solution);
    check_between((double)solution->n_times, 0, 201, "output times");
    for (size_t c = 0; c < solution->n_curves; c++)
        for (size_t t = 0; t < solution->n_times; t++)
            assert_true(isfinite(solution->curves[c].value[t]) && isfinite(solution->curves[c].se[t]));
    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        sgdmft_status status;
        const char *message;
    } cases[] = {
        {"delta: 2\n" LINEAR "simulate: {d: 20, batch: 41}\n", SGDMFT_ERR_CONFLICT, "simulate.batch: value 41"},
        {"delta: 2\nbatch_fraction: 0.01\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_CONFLICT,
         "simulate.d: a batch of batch_fraction * delta * d = 0.4 samples would be empty; allowed: simulate.d: 50 or"},
        {"delta: 2\nbatch_fraction: 0.02\nsampling: cyclic\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_CONFLICT,
         "= 0.8 samples would be empty; allowed: simulate.d: 25 or more"},
        {"delta: 2\nmomentum: {rate: 40}\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_CONFLICT,
         "allowed: a rate below 40, or simulate.d above 20"},
        {"delta: 2\nmomentum: {rate: 4}\n" LINEAR "simulate: {d: 20, batch: 11}\n", SGDMFT_ERR_CONFLICT,
         "momentum.rate: a step keeps 1 - rate * batch / n of the velocity"},
        {"delta: 0.02\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_CONFLICT, "0.4 samples"},
        {"delta: 1e9\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_CONFLICT, "simulate.d"},
        {"delta: 2\nmodel: {students: 2, label: s, loss: r1^2 + r2^2}\nsimulate: {d: 2}\n", SGDMFT_ERR_CONFLICT,
         "at least 3"},
        {"delta: 4\n" LINEAR "simulate: {d: 100000000}\n", SGDMFT_ERR_MEMORY, "simulate.d: one repetition"},
        {"delta: 2\npenalty: 'th1^2 + th2^2'\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_UNKNOWN_NAME, "th2"},
        {"delta: 2\npenalty: 'th1^'\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_SYNTAX, "penalty"},
        {"delta: 2\neta: '1 - 3*t'\n" LINEAR "simulate: {d: 20}\n", SGDMFT_ERR_RANGE, "eta"},
    };
    sgdmft_context *ctx = check_context(1);
    for (size_t p = 0; p < sizeof cases / sizeof *cases; p++) {
        sgdmft_problem *problem = test_problem(ctx, "horizon: 1\n%s", cases[p].text);
        sgdmft_solution *solution = NULL;
        sgdmft_cost cost;
        check_failure(ctx, sgdmft_simulate_cost(ctx, problem, &cost), cases[p].status, cases[p].message);
        check_failure(ctx, sgdmft_simulate(ctx, problem, NULL, &solution), cases[p].status, cases[p].message);
        assert_null(solution);
        sgdmft_problem_free(problem);
    }
    sgdmft_context_free(ctx);
}

/* The memory estimate counts the data, once for each repetition that runs at the same time. */
static void test_cost(void **state)
{
    sgdmft_context *ctx = check_context(3);
    sgdmft_problem *problem =
        test_problem(ctx, "delta: 3\nhorizon: 1\n" LINEAR "simulate: {d: 1000, repetitions: 2}\n");
    sgdmft_cost cost;
    check_ok(ctx, sgdmft_simulate_cost(ctx, problem, &cost));
    check_between(cost.memory_bytes, 2 * 3000 * 1000 * 4.0, 2.5 * 3000 * 1000 * 4.0, "memory");
    check_between(cost.cpu_seconds, 1e-4, 10, "time");
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_law),        cmocka_unit_test(test_linear),      cmocka_unit_test(test_flow),
        cmocka_unit_test(test_online),     cmocka_unit_test(test_descent),     cmocka_unit_test(test_steps),
        cmocka_unit_test(test_kink),       cmocka_unit_test(test_observables), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_penalty),    cmocka_unit_test(test_passes),      cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_not_finite), cmocka_unit_test(test_interrupt),   cmocka_unit_test(test_interrupt_midway),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests_name("simulator", tests, NULL, NULL);
}
