/* SGD against direct simulation: agreement, how deviations fall with d, batches, laws of the entries. */
#include <math.h>
#include <stdio.h>

#include "problem/problem.h"
#include "validation/claims.h"
#include "validation/claims_parts.h"

/* ---- sgd-simulation ---- */

enum { SMALL_SIZES = 4 };
static const double small_d[SMALL_SIZES] = {50, 100, 200, 400};

static void agree_with_simulation(claim *c, const char *name, const char *changes)
{
    const run *limit = runs_solve(c->runs, name, "%s", changes);
    const run *finite = runs_simulate(c->runs, name, "%s", changes);
    claim_row_agree(c, limit->label, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
    char title[128];
    snprintf(title, sizeof title, "%s", limit->label);
    part_draw_curves(c, title, limit, finite);
}

/* Spread and bias of small systems, as powers of d. */
static void deviations(claim *c, size_t panel, const char *name, const char *changes, const run *limit, int colour)
{
    double spread[SMALL_SIZES], spread_se[SMALL_SIZES], bias[SMALL_SIZES], bias_se[SMALL_SIZES];
    for (int i = 0; i < SMALL_SIZES; i++) {
        const run *r = runs_simulate(c->runs, name, "%s simulate.d=%g simulate.repetitions=%d output.times=5", changes,
                                     small_d[i], c->runs->sizes.small_repetitions);
        const run *const needed[] = {limit, r, NULL};
        gap g;
        if (!claim_have(c, limit->label, "powers of d", needed))
            return;
        spread[i] = spread_of(r->solution, &spread_se[i]);
        if (gap_between(r->solution, limit->solution, NULL, &g))
            g.distance = g.distance_se = NAN;
        bias[i] = g.distance;
        bias_se[i] = g.distance_se;
    }
    power_law s = power_law_fit(SMALL_SIZES, small_d, spread, spread_se);
    power_law b = power_law_fit(SMALL_SIZES, small_d, bias, bias_se);
    claim_row_value(c, limit->label, "spread of repetitions ~ d^p: p", s.slope, -0.55, -0.45,
                    "p = %.3f +- %.3f; d = 50 to 400: %.2g to %.2g of scale", s.slope, s.se, spread[0],
                    spread[SMALL_SIZES - 1]);
    claim_row_value(c, limit->label, "bias of the mean ~ d^p: p", b.slope, -1.3, -0.7,
                    "p = %.3f +- %.3f from %zu values of d; d = 50: %.2g of scale", b.slope, b.se, b.points, bias[0]);
    claim_row_value(c, limit->label, "bias falls faster than spread: p + 3 standard errors", b.slope + 3 * b.se,
                    -INFINITY, -0.5, "p = %.3f +- %.3f", b.slope, b.se);
    char label[64];
    snprintf(label, sizeof label, "spread, %s", name);
    claim_add_series(c, panel, label, SERIES_POINTS, colour, SMALL_SIZES, small_d, spread, spread_se);
    part_draw_power(c, panel, -0.5, SMALL_SIZES, small_d, spread);
    snprintf(label, sizeof label, "bias, %s", name);
    claim_add_series(c, panel, label, SERIES_POINTS, colour + 2, SMALL_SIZES, small_d, bias, bias_se);
    part_draw_power(c, panel, -1, SMALL_SIZES, small_d, bias);
}

static void check_sgd_simulation(claim *c)
{
    agree_with_simulation(c, "tanh_sgd_eta2", "");
    agree_with_simulation(c, "tanh_sgd_eta2", "lambda=0.3");
    agree_with_simulation(c, "erf2_sgd", "");
    agree_with_simulation(c, "erf2_sgd", "lambda=0.2");
    size_t panel = claim_add_panel(c, "deviations at finite d", "$d$", "relative to scale", 1, 1);
    deviations(c, panel, "linear", "", runs_solve(c->runs, "linear", "numerics.method=linear"), 0);
    deviations(c, panel, "tanh_sgd_eta2", "horizon=2",
               runs_solve(c->runs, "tanh_sgd_eta2", "horizon=2 output.times=21"), 1);
}

const claim_spec claim_sgd_simulation = {
    .name = "sgd-simulation",
    .title = "The SGD limit is what large simulations converge to",
    .text = "Curves of the limiting equations and means over finite simulations agree within combined standard errors in "
            "every column at every time: one student and two, with and without ridge. In small systems the spread of "
            "single repetitions falls like d^(-1/2) and the bias of their mean like 1/d.",
    .check = check_sgd_simulation,
};

/* ---- batch ---- */

enum { BATCH_SIZES = 3 };

static double samples(const run *r)
{
    return r->solution ? (double)r->solution->info.paths : NAN; /* of a simulation */
}

/* Batches of n^0.8: their share of the samples falls slowly, and the distance to the limit with it. */
static void large_batches(claim *c, const char *name, const run *limit)
{
    double share[BATCH_SIZES], distance[BATCH_SIZES], se[BATCH_SIZES];
    char label[128];
    snprintf(label, sizeof label, "%s, batch n^0.8", name);
    for (int i = 0; i < BATCH_SIZES; i++) {
        int d = c->runs->sizes.d >> (2 * (BATCH_SIZES - 1 - i));
        double n = limit->problem ? round(limit->problem->delta * d) : NAN, batch = round(pow(n, 0.8));
        const run *r = runs_simulate(c->runs, name, "simulate.d=%d simulate.repetitions=%d simulate.batch=%.0f", d,
                                     200000 / d, isnan(batch) ? 1 : batch);
        const run *const needed[] = {limit, r, NULL};
        gap g;
        if (!claim_have(c, label, "distance to the limit", needed))
            return;
        if (gap_between(r->solution, limit->solution, NULL, &g))
            g.distance = g.distance_se = NAN;
        share[i] = batch / samples(r);
        distance[i] = g.distance;
        se[i] = g.distance_se;
    }
    power_law p = power_law_fit(BATCH_SIZES, share, distance, se);
    int last = BATCH_SIZES - 1;
    claim_row_value(c, label, "distance to the limit ~ (batch/n)^p: p", p.slope, 0.6, 1.5,
                    "p = %.2f +- %.2f; batch/n = %.2f to %.2f: distance %.2g to %.2g of scale", p.slope, p.se, share[0],
                    share[last], distance[0], distance[last]);
    claim_row_value(c, label, "distance falls as d grows 16-fold: ratio + 3 standard errors",
                    (distance[last] + 3 * hypot(se[last], se[0] * distance[last] / distance[0])) / distance[0], 0, 1,
                    "(batch/n)^1 would give %.2f", share[last] / share[0]);
    size_t panel = claim_add_panel(c, "batches of $n^{0.8}$", "batch$/n$", "distance to the limit", 1, 1);
    claim_add_series(c, panel, name, SERIES_POINTS, 0, BATCH_SIZES, share, distance, se);
    part_draw_power(c, panel, 1, BATCH_SIZES, share, distance);
}

static void check_batch(claim *c)
{
    static const char name[] = "tanh_sgd_eta2";
    const run *limit = runs_solve(c->runs, name, "%s", "");
    const run *one = runs_simulate(c->runs, name, "simulate.batch=1");
    double n = limit->problem ? round(limit->problem->delta * c->runs->sizes.d) : 1;
    const run *root = runs_simulate(c->runs, name, "simulate.batch=%.0f", sqrt(n));
    claim_row_agree(c, one->label, "max |z|, limit - simulation", limit, one, NULL, CLAIM_SIGMA);
    claim_row_agree(c, root->label, "max |z|, limit - simulation", limit, root, NULL, CLAIM_SIGMA);
    claim_row_agree(c, "batch 1 and n^0.5", "max |z|, simulation - simulation", one, root, NULL, CLAIM_SIGMA);
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
    large_batches(c, name, limit);
}

const claim_spec claim_batch = {
    .name = "batch",
    .title = "Sub-linear batches have the same limit",
    .text = "Batches of 1 and of n^0.5 samples agree with the limit and with each other within standard errors. Batches of "
            "n^0.8 are still 15 to 30% of the samples at these sizes; their distance to the limit is proportional to "
            "batch/n, and falls with d as that does.",
    .check = check_batch,
};

/* ---- universality ---- */

static void check_universality(claim *c)
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

const claim_spec claim_universality = {
    .name = "universality",
    .title = "The law of the entries of the data does not matter",
    .text = "Simulations with entries +-1/sqrt(d) and with uniform entries of the same variance give the curves of the "
            "limit, which is derived for Gaussian entries.",
    .check = check_universality,
};
