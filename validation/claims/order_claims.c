#include "validation/claims/order_claims.h"

#include <math.h>
#include <stdio.h>

#include "columns/solution.h"
#include "problem/problem.h"

enum { ORDERS = 3 };
static const char *const sampling[ORDERS] = {"replacement", "reshuffle", "cyclic"};
static const char *const names[ORDERS] = {"with replacement", "reshuffled", "cyclic"};

/* ---- orders ---- */

/* Reshuffled and cyclic orders differ by a few per cent. With many replicas and repetitions that is ten standard errors,
   and Student's t is close to a Gaussian. Small systems have smaller error bars at the same cost, and their bias is
   nearly the same for all orders. */
static const char tanh_problem[] = "tanh_cyclic", tanh_changes[] = " horizon=2";

static const run *tanh_limit(runs *all, int i)
{
    return runs_solve(all, tanh_problem, "sampling=%s%s output.times=11 numerics.replicas=64", sampling[i],
                      tanh_changes);
}

static const run *many_small_systems(runs *all, const char *name, int i, const char *changes)
{
    int d = all->sizes.d / 8, repetitions = 40 * all->sizes.repetitions;
    return runs_simulate(all, name, "sampling=%s%s simulate.d=%d simulate.repetitions=%d", sampling[i], changes, d,
                         repetitions);
}

static const run *linear_exact(runs *all, int i)
{
    return runs_solve(all, "linear", "sampling=%s numerics.method=linear", sampling[i]);
}

static void draw_orders(claim *c, const char *title, const run *const *limit, const run *const *finite)
{
    static const char *const curves[] = {"train_loss", "q11"}, *const labels[] = {"train loss", "$q$"};
    for (int p = 0; p < 2; p++) {
        char text[64];
        snprintf(text, sizeof text, "%s, %s", title, labels[p]);
        size_t panel = claim_add_panel(c, text, "$t$ (epochs)", "", 0, p == 0);
        for (int i = 0; i < ORDERS; i++) {
            claim_add_curve(c, panel, names[i], i, limit[i], curves[p], 1);
            claim_add_curve(c, panel, "", i, finite[i], curves[p], 1);
        }
    }
}

static void orders_of(claim *c, const char *problem, const char *what, const run *const *limit,
                      const run *const *finite)
{
    claim_rows_differ(c, problem, what, names, limit, ORDERS);
    claim_rows_differ(c, problem, "simulations", names, finite, ORDERS);
    draw_orders(c, problem, limit, finite);
}

/* Limits of both orders without replacement are those of large simulations. */
static void orders_of_simulations(claim *c, const char *name, const char *changes)
{
    for (int i = 1; i < ORDERS; i++) {
        const run *limit = runs_solve(c->runs, name, "sampling=%s%s", sampling[i], changes);
        const run *finite = runs_simulate(c->runs, name, "sampling=%s%s", sampling[i], changes);
        claim_row_agree(c, limit->label, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
    }
}

void check_orders(claim *c)
{
    const run *limit[ORDERS], *finite[ORDERS];
    orders_of_simulations(c, "tanh_cyclic", "");
    orders_of_simulations(c, "erf2_sgd", " horizon=2 numerics.steps=100");
    for (int i = 0; i < ORDERS; i++) {
        limit[i] = tanh_limit(c->runs, i);
        finite[i] = many_small_systems(c->runs, tanh_problem, i, tanh_changes);
    }
    orders_of(c, tanh_problem, "limits", limit, finite);
    for (int i = 0; i < ORDERS; i++) {
        limit[i] = linear_exact(c->runs, i);
        finite[i] = many_small_systems(c->runs, "linear", i, "");
    }
    orders_of(c, "linear", "exact", limit, finite);
}

/* ---- first-epoch ---- */

/* One-pass SGD has fresh samples, of which none is in a training set: its train loss is another quantity. */
static const char not_compared[] = "train";

static double delta_of(const run *r)
{
    return r->problem ? r->problem->delta : 1;
}

/* One-pass SGD in the units of a problem, until the time `horizon` of the problem. */
static const run *one_pass(runs *all, const char *name, double delta, double lambda, double horizon)
{
    return runs_solve(all, name,
                      "dynamics=online sampling=replacement delta=null horizon=%.15g lambda=%.15g output.times=11",
                      delta * horizon, lambda / delta);
}

static const gap_options *against_one_pass(const run *r, gap_options *out)
{
    *out = (gap_options){.time_a = delta_of(r), .without = not_compared};
    return out;
}

/* How a run is compared with one-pass SGD. */
typedef void compare_with(claim *c, const char *label, const run *r, const run *online);

static void sampled_agrees(claim *c, const char *label, const run *r, const run *online)
{
    gap_options options;
    claim_row_agree(c, label, "max |z|, limit - one-pass SGD until t = 1", r, online, against_one_pass(r, &options),
                    CLAIM_SIGMA);
}

/* The ordinary differential equations of one-pass SGD are solved to about nine digits. */
static void exact_agrees(claim *c, const char *label, const run *r, const run *online)
{
    static const char statistic[] = "largest difference / scale, exact - one-pass SGD until t = 1";
    const run *const needed[] = {r, online, NULL};
    gap_options options;
    gap g;
    if (!claim_have(c, label, statistic, needed))
        return;
    gap_between(r->solution, online->solution, against_one_pass(r, &options), &g);
    claim_row_value(c, label, statistic, g.largest, 0, 1e-7, "%zu columns, %zu times", g.columns, g.times);
}

static void one_epoch(claim *c, const char *name, double lambda, const char *more, compare_with *compare)
{
    const run *orders[ORDERS] = {NULL};
    size_t panel = claim_add_panel(c, name, "$t$ (epochs)", "test loss", 0, 0);
    for (int i = 1; i < ORDERS; i++) {
        const run *r =
            runs_solve(c->runs, name, "sampling=%s horizon=1 lambda=%g output.times=11%s", sampling[i], lambda, more);
        const run *online = one_pass(c->runs, name, delta_of(r), lambda, 1);
        char label[96];
        snprintf(label, sizeof label, "%s, %s", name, names[i]);
        compare(c, label, r, online);
        claim_add_curve(c, panel, names[i], i, r, "test_loss", 1);
        if (i == 1)
            claim_add_curve(c, panel, "one pass", 0, online, "test_loss", 1 / delta_of(r));
        orders[i] = r;
    }
    claim_row_agree(c, name, "max |z|, reshuffled - cyclic until t = 1, with the train loss", orders[1], orders[2],
                    NULL, CLAIM_SIGMA);
}

/* Samples come back in the second epoch. */
static void second_epoch(claim *c)
{
    static const char statistic[] = "max |z|, limit - one-pass SGD until t = 2";
    for (int i = 1; i < ORDERS; i++) {
        const run *r = tanh_limit(c->runs, i), *online = one_pass(c->runs, tanh_problem, delta_of(r), 0, 2);
        const run *const needed[] = {r, online, NULL};
        char label[96];
        gap_options options;
        gap g;
        snprintf(label, sizeof label, "%s, %s", tanh_problem, names[i]);
        if (!claim_have(c, label, statistic, needed))
            continue;
        gap_between(r->solution, online->solution, against_one_pass(r, &options), &g);
        claim_row_value(c, label, statistic, g.z, CLAIM_DIFFERENCE, INFINITY,
                        "%s at t = %.3g; up to %.2g%% of scale apart", g.column, g.t / delta_of(r), 100 * g.largest);
    }
}

static void simulated_epoch(claim *c, const char *name)
{
    for (int i = 1; i < ORDERS; i++) {
        const run *r = runs_simulate(c->runs, name, "sampling=%s horizon=1", sampling[i]);
        char label[96];
        gap_options options;
        snprintf(label, sizeof label, "%s, %s", name, names[i]);
        claim_row_agree(c, label, "max |z|, simulation - one-pass SGD until t = 1", r,
                        one_pass(c->runs, name, delta_of(r), 0, 1), against_one_pass(r, &options), CLAIM_SIGMA);
    }
}

void check_first_epoch(claim *c)
{
    one_epoch(c, "tanh_sgd_eta2", 0, "", sampled_agrees);
    one_epoch(c, "erf2_sgd", 0.3, "", sampled_agrees);
    one_epoch(c, "linear", 0, " numerics.method=linear", exact_agrees);
    simulated_epoch(c, "tanh_sgd_eta2");
    second_epoch(c);
}
