#include "validation/claims/simulation_claims.h"

#include <math.h>
#include <stdio.h>

#include "columns/solution.h"
#include "problem/problem.h"

/* ---- sgd-simulation ---- */

enum { SMALL_SIZES = 4, COMPARED = 4 };
static const double small_d[SMALL_SIZES] = {24, 48, 96, 192};

/* Spread of single repetitions and bias of their mean in small dimensions. The number of repetitions grows like d, so
   that the bias, which falls like 1/d, keeps its relative accuracy. */
typedef struct deviations {
    double spread[SMALL_SIZES], spread_se[SMALL_SIZES], bias[SMALL_SIZES], bias_se[SMALL_SIZES];
} deviations;

/* Returns 0 after adding a row with the reason if runs failed. */
static int measure_deviations(claim *c, const char *name, const char *changes, const run *limit, int per_dimension,
                              deviations *out)
{
    for (int i = 0; i < SMALL_SIZES; i++) {
        const run *r = runs_simulate(c->runs, name, "%s simulate.d=%g simulate.repetitions=%.0f output.times=5",
                                     changes, small_d[i], per_dimension * small_d[i]);
        const run *const needed[] = {limit, r, NULL};
        gap g;
        if (!claim_have(c, limit->label, "powers of d", needed))
            return 0;
        out->spread[i] = spread_of(r->solution, &out->spread_se[i]);
        gap_between(r->solution, limit->solution, NULL, &g);
        out->bias[i] = g.distance;
        out->bias_se[i] = g.distance_se;
    }
    return 1;
}

static void spread_row(claim *c, size_t panel, const char *name, const deviations *x, int colour)
{
    power_law p = power_law_fit(SMALL_SIZES, small_d, x->spread, x->spread_se);
    claim_row_value(c, name, "spread of repetitions ~ d^p: p", p.slope, -0.55, -0.45,
                    "p = %.3f +- %.3f; d = %g to %g: %.2g to %.2g of scale", p.slope, p.se, small_d[0],
                    small_d[SMALL_SIZES - 1], x->spread[0], x->spread[SMALL_SIZES - 1]);
    char label[64];
    snprintf(label, sizeof label, "spread, %s", name);
    claim_add_series(c, panel, label, SERIES_POINTS, colour, SMALL_SIZES, small_d, x->spread, x->spread_se);
    claim_add_power(c, panel, -0.5, SMALL_SIZES, small_d, x->spread);
}

static void bias_rows(claim *c, size_t panel, const char *name, const deviations *x, double slack, int colour)
{
    power_law p = power_law_fit(SMALL_SIZES, small_d, x->bias, x->bias_se);
    claim_row_value(c, name, "bias of the mean ~ d^p: p", p.slope, -1 - slack, -1 + slack,
                    "p = %.3f +- %.3f from %zu values of d; d = %g: %.2g of scale", p.slope, p.se, p.points, small_d[0],
                    x->bias[0]);
    claim_row_value(c, name, "bias falls faster than the spread: p + 2 standard errors", p.slope + 2 * p.se, -INFINITY,
                    -0.5, "p = %.3f +- %.3f", p.slope, p.se);
    char label[64];
    snprintf(label, sizeof label, "bias, %s", name);
    claim_add_series(c, panel, label, SERIES_POINTS, colour, SMALL_SIZES, small_d, x->bias, x->bias_se);
    claim_add_power(c, panel, -1, SMALL_SIZES, small_d, x->bias);
}

static void check_deviations(claim *c)
{
    deviations x;
    size_t panel = claim_add_panel(c, "deviations at finite $d$", "$d$", "relative to scale", 1, 1);
    int per_dimension = c->runs->sizes.small_repetitions;
    const run *exact = runs_solve(c->runs, "linear", "numerics.method=linear");
    if (measure_deviations(c, "linear", "", exact, per_dimension, &x)) {
        spread_row(c, panel, "linear", &x, 0);
        bias_rows(c, panel, "linear", &x, 0.3, 2);
    }
    /* This limit has an error of its own, which must be small compared with the bias. */
    int accurate = c->runs->sizes.accurate;
    const run *limit =
        runs_solve(c->runs, "tanh_sgd_eta2", "horizon=2 output.times=5 numerics.steps=40 numerics.replicas=%d",
                   accurate ? 64 : 16);
    if (measure_deviations(c, "tanh_sgd_eta2", "horizon=2", limit, accurate ? per_dimension : 20, &x)) {
        spread_row(c, panel, "tanh_sgd_eta2", &x, 1);
        if (accurate)
            bias_rows(c, panel, "tanh_sgd_eta2", &x, 0.4, 3);
    }
}

void check_sgd_simulation(claim *c)
{
    static const char *const compared[COMPARED][2] = {
        {"tanh_sgd_eta2", ""},
        {"tanh_sgd_eta2", "lambda=0.3"},
        {"erf2_sgd", ""},
        {"erf2_sgd", "lambda=0.2 numerics.seed=204"},
    };
    const run *limit[COMPARED], *finite[COMPARED];
    for (int i = 0; i < COMPARED; i++) {
        limit[i] = runs_solve(c->runs, compared[i][0], "%s", compared[i][1]);
        finite[i] = runs_simulate(c->runs, compared[i][0], "%s", compared[i][1]);
        claim_row_agree(c, limit[i]->label, "max |z|, limit - simulation", limit[i], finite[i], NULL, CLAIM_SIGMA);
        claim_draw_curves(c, limit[i]->label, limit[i], finite[i], 1);
    }
    for (int i = 0; i < COMPARED; i++)
        claim_draw_differences(c, "simulation - limit", limit[i], finite[i]);
    check_deviations(c);
}

/* ---- batch ---- */

static const char batch_problem[] = "tanh_sgd_eta2", epoch_problem[] = "tanh_reshuffle";

static double samples(const run *limit, double d)
{
    return limit->problem ? round(limit->problem->delta * d) : 1;
}

static const run *root_batches(claim *c, const char *problem, const run *limit)
{
    return runs_simulate(c->runs, problem, "simulate.batch=%.0f", sqrt(samples(limit, c->runs->sizes.d)));
}

/* Batches of n^0.5 and of four times that: the curves, extrapolated to batch/n = 0 along the line through both. */
static void small_batches(claim *c, const char *problem, const run *limit, const run *root)
{
    double n = samples(limit, c->runs->sizes.d), batch = round(sqrt(n));
    char label[64];
    snprintf(label, sizeof label, "%s, batch n^0.5", problem);
    const run *four = runs_simulate(c->runs, problem, "simulate.batch=%.0f", 4 * batch);
    static const char statistic[] = "max |z|, limit - simulation, extrapolated to batch/n = 0";
    const run *const needed[] = {limit, root, four, NULL};
    if (!claim_have(c, label, statistic, needed))
        return;
    claim_row_agree(c, label, statistic, root, limit, &(gap_options){.coarse = four->solution, .weight = 1.0 / 3},
                    CLAIM_SIGMA);
    gap direct;
    gap_between(root->solution, limit->solution, NULL, &direct);
    claim_row_value(c, label, "distance to the limit / (batch/n), not extrapolated", direct.distance / (batch / n), 0,
                    1, "batch/n = %.3g: distance %.2g +- %.2g of scale, max |z| = %.2f", batch / n, direct.distance,
                    direct.distance_se, direct.z);
}

/* Batches of n^0.8: their share of the samples falls slowly, and so does the distance to the limit. */
static void large_batches(claim *c, const run *limit)
{
    enum { SIZES = 3, LAST = SIZES - 1 };
    static const char label[] = "tanh_sgd_eta2, batch n^0.8";
    distance_table t = {0}; /* x: batch/n */
    for (int i = 0; i < SIZES; i++) {
        int d = c->runs->sizes.d >> (2 * (LAST - i));
        double n = samples(limit, d), batch = round(pow(n, 0.8));
        const run *r = runs_simulate(c->runs, batch_problem,
                                     "simulate.d=%d simulate.repetitions=%d simulate.batch=%.0f", d, 200000 / d, batch);
        const run *const needed[] = {limit, r, NULL};
        if (!claim_have(c, label, "distance to the limit", needed))
            return;
        distance_table_add(&t, batch / n, r, limit, NULL);
    }
    power_law p = power_law_fit(t.n, t.x, t.distance, t.se);
    claim_row_value(c, label, "distance to the limit ~ (batch/n)^p: p", p.slope, 0.6, 1.5,
                    "p = %.2f +- %.2f; batch/n = %.2f to %.2f: distance %.2g to %.2g of scale", p.slope, p.se, t.x[0],
                    t.x[LAST], t.distance[0], t.distance[LAST]);
    double ratio = t.distance[LAST] / t.distance[0], error = hypot(t.se[LAST], t.se[0] * ratio) / t.distance[0];
    claim_row_value(c, label, "distance falls as d grows 16-fold: ratio + 3 standard errors", ratio + 3 * error, 0, 1,
                    "ratio %.3f +- %.3f; (batch/n)^1 would give %.2f", ratio, error, t.x[LAST] / t.x[0]);
    size_t panel = claim_add_panel(c, "batches of $n^{0.8}$", "batch$/n$", "distance to the limit", 1, 1);
    claim_add_series(c, panel, "", SERIES_POINTS, 0, t.n, t.x, t.distance, t.se);
    claim_add_power(c, panel, 1, t.n, t.x, t.distance);
}

static void draw_batches(claim *c, const run *limit, const run *one, const run *root)
{
    size_t losses = claim_add_panel(c, "losses", "$t$ (epochs)", "", 0, 1);
    size_t overlaps = claim_add_panel(c, "overlaps", "$t$ (epochs)", "", 0, 0);
    const run *const shown[] = {limit, one, root};
    static const char *const what[] = {"limit", "batch 1", "batch $n^{0.5}$"};
    for (int i = 0; i < 3; i++) {
        claim_add_curve(c, losses, what[i], i, shown[i], "train_loss", 1);
        claim_add_curve(c, losses, "", i, shown[i], "test_loss", 1);
        claim_add_curve(c, overlaps, what[i], i, shown[i], "q11", 1);
        claim_add_curve(c, overlaps, "", i, shown[i], "m11", 1);
    }
}

/* Single samples and batches of n^0.5. */
static void single_and_small(claim *c, const char *problem)
{
    const run *limit = runs_solve(c->runs, problem, "%s", ""), *root = root_batches(c, problem, limit);
    const run *one = runs_simulate(c->runs, problem, "simulate.batch=1");
    char label[64];
    snprintf(label, sizeof label, "%s, batch 1", problem);
    claim_row_agree(c, label, "max |z|, limit - simulation", limit, one, NULL, CLAIM_SIGMA);
    draw_batches(c, limit, one, root);
    small_batches(c, problem, limit, root);
}

void check_batch(claim *c)
{
    single_and_small(c, batch_problem);
    large_batches(c, runs_solve(c->runs, batch_problem, "%s", ""));
    single_and_small(c, epoch_problem);
}

/* ---- universality ---- */

void check_universality(claim *c)
{
    static const char *const names[] = {"tanh_sgd_eta2", "erf2_sgd"}, *const entries[] = {"rademacher", "uniform"};
    for (int i = 0; i < 2; i++) {
        const run *limit = runs_solve(c->runs, names[i], "%s", "");
        size_t losses = claim_add_panel(c, names[i], "$t$ (epochs)", "loss", 0, 1);
        claim_add_curve(c, losses, "limit", 0, limit, "train_loss", 1);
        claim_add_curve(c, losses, "", 0, limit, "test_loss", 1);
        for (int e = 0; e < 2; e++) {
            const run *finite = runs_simulate(c->runs, names[i], "simulate.entries=%s", entries[e]);
            claim_row_agree(c, finite->label, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
            claim_add_curve(c, losses, entries[e], 1 + e, finite, "train_loss", 1);
            claim_add_curve(c, losses, "", 1 + e, finite, "test_loss", 1);
        }
    }
}

/* ---- reference ---- */

static void against_solver(claim *c, const char *name, const char *problem, double allowance)
{
    const run *limit = runs_solve(c->runs, problem, "%s", "");
    const run *reference = runs_reference(c->runs, name);
    char statistic[128] = "max |z|, limit - reference";
    if (allowance > 0)
        snprintf(statistic, sizeof statistic, "max |z|, limit - reference, beyond its bias of %g%%", 100 * allowance);
    gap_options options = {.allowance = allowance};
    claim_row_agree(c, name, statistic, limit, reference, &options, CLAIM_SIGMA);
    claim_draw_curves(c, name, limit, reference, 1);
}

static void against_simulator(claim *c, const char *name, const char *problem, const char *changes, double allowance)
{
    const run *ours = runs_simulate(c->runs, problem, "%s", changes);
    const run *reference = runs_reference(c->runs, name);
    char statistic[128] = "max |z|, our simulator - reference";
    if (allowance > 0)
        snprintf(statistic, sizeof statistic, "max |z|, our simulator - reference, beyond its bias of %g%%",
                 100 * allowance);
    gap_options options = {.allowance = allowance};
    claim_row_agree(c, name, statistic, ours, reference, &options, CLAIM_SIGMA);
}

static void solver_against_simulator(claim *c, const char *problem, const char *changes)
{
    claim_row_agree(c, problem, "max |z|, limit - our simulator", runs_solve(c->runs, problem, "%s", ""),
                    runs_simulate(c->runs, problem, "%s", changes), NULL, CLAIM_SIGMA);
}

/* Documented biases of the references, from Euler steps (docs/simulate.md, validation/reference/README.md). */
static const double SME_BIAS = 0.015, FLOW_BIAS = 0.003;

void check_reference(claim *c)
{
    static const char *const plain[] = {
        "tanh_sgd_eta1", "tanh_sgd_eta2", "logistic_sgd_ridge",     "erf2_sgd",      "relu_sgd", "tanh_reshuffle",
        "tanh_cyclic",   "tanh_batch20",  "tanh_batch20_reshuffle", "tanh_momentum", "tanh_gd",  "tanh_gd_momentum"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        against_solver(c, plain[i], plain[i], 0);
    against_solver(c, "tanh_sgd_eta2_batch60", "tanh_sgd_eta2", 0);
    against_solver(c, "tanh_sme_eta2", "tanh_sme_eta2", SME_BIAS);
    against_simulator(c, "tanh_sme_eta2", "tanh_sme_eta2", "output.times=7", SME_BIAS);
    solver_against_simulator(c, "tanh_sme_eta2", "output.times=7");
    against_solver(c, "tanh_gf", "tanh_gf", FLOW_BIAS);
    against_simulator(c, "tanh_gf", "tanh_gf", "", FLOW_BIAS);
    solver_against_simulator(c, "tanh_gf", "");
    against_simulator(c, "relu_sgd", "relu_sgd", "", 0);
}
