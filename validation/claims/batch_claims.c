#include "validation/claims/batch_claims.h"

#include <math.h>
#include <stdio.h>

#include "columns/solution.h"

static void against_simulation(claim *c, const char *name, const char *changes)
{
    const run *limit = runs_solve(c->runs, name, "%s", changes), *finite = runs_simulate(c->runs, name, "%s", changes);
    claim_row_agree(c, limit->label, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
}

/* The distance of runs at values x of a parameter to a limit, as a power of x between low and high. */
typedef struct rate_row {
    const char *label, *statistic;
    const double *x;
    size_t n;
    double low, high;
    int colour;
} rate_row;

/* The run at x, whose times are multiplied by *unit before they are matched with those of the limit. */
typedef const run *run_at(runs *all, const char *name, const char *changes, double x, double *unit);

static void rate(claim *c, size_t panel, const rate_row *row, const run *limit, run_at *at, const char *name,
                 const char *changes)
{
    distance_table table = {0};
    for (size_t i = 0; i < row->n; i++) {
        double unit = 1;
        const run *r = at(c->runs, name, changes, row->x[i], &unit);
        const run *const needed[] = {limit, r, NULL};
        if (!claim_have(c, row->label, row->statistic, needed))
            return;
        distance_table_add(&table, row->x[i], r, limit, &(gap_options){.time_a = unit});
    }
    claim_row_power(c, panel, row->label, row->statistic, &table, row->low, row->high, row->colour);
}

/* ---- batch-fraction ---- */

static const char *const sampling[] = {"replacement", "reshuffle", "cyclic"};

static const run *fraction_run(runs *all, const char *name, const char *changes, double b, double *unit)
{
    (void)unit;
    return runs_solve(all, name, "batch_fraction=%.15g output.times=9%s", b, changes);
}

/* Batches of the fraction b under one sampling, b -> 0. The eight intervals between output times are whole numbers of
   steps at every b. */
static void fraction_rate(claim *c, size_t panel, const char *name, const char *order, const char *more,
                          const double *b, size_t n, double slack, int colour)
{
    char label[96], changes[96];
    snprintf(label, sizeof label, "%s, %s", name, order);
    snprintf(changes, sizeof changes, " horizon=2 sampling=%s%s", order, more);
    const run *limit = runs_solve(c->runs, name, "batch_fraction=0 output.times=9%s", changes);
    rate(c, panel, &(rate_row){label, "distance to sub-linear batches ~ b^p: p", b, n, 1 - slack, 1 + slack, colour},
         limit, fraction_run, name, changes);
}

void check_batch_fraction(claim *c)
{
    static const double coarse[] = {1.0 / 4, 1.0 / 8, 1.0 / 16}, fine[] = {1.0 / 32, 1.0 / 64, 1.0 / 128, 1.0 / 256};
    against_simulation(c, "tanh_batch20", "");
    against_simulation(c, "tanh_batch20_reshuffle", "");
    against_simulation(c, "tanh_batch20_reshuffle", "sampling=cyclic");
    against_simulation(c, "erf2_sgd", "batch_fraction=0.25 horizon=3 numerics.steps=null");
    size_t panel = claim_add_panel(c, "distance to sub-linear batches", "$b$", "relative to scale", 1, 1);
    for (int i = 0; i < 3; i++)
        fraction_rate(c, panel, "linear", sampling[i], " numerics.method=linear", fine, 4, 0.05, i);
    for (int i = 0; i < 2; i++)
        fraction_rate(c, panel, "tanh_batch20", sampling[i], "", coarse, 3, 0.2, 3 + i);
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "tanh_batch20" : "tanh_batch20_reshuffle";
        claim_draw_curves(c, name, runs_solve(c->runs, name, "%s", ""), runs_simulate(c->runs, name, "%s", ""), 1);
    }
}

/* ---- momentum ---- */

static const run *rate_run(runs *all, const char *name, const char *changes, double gamma, double *unit)
{
    (void)unit;
    return runs_solve(all, name, "momentum.rate=%g%s", gamma, changes);
}

static const run *kept_velocity_run(runs *all, const char *name, const char *changes, double b, double *unit)
{
    (void)unit;
    return runs_solve(all, name, "batch_fraction=%.15g%s", b, changes);
}

/* Momentum that remembers 1/gamma epochs, gamma -> infinity. Steps must be short compared with the memory. */
static void memory_rates(claim *c, size_t panel)
{
    static const double coarse[] = {8, 16, 32}, fine[] = {16, 32, 64};
    static const char statistic[] = "distance to plain SGD ~ gamma^p: p";
    const run *exact = runs_solve(c->runs, "linear", "output.times=11 numerics.method=linear");
    rate(c, panel, &(rate_row){"linear", statistic, fine, 3, -1.05, -0.95, 0}, exact, rate_run, "linear",
         " output.times=11 numerics.method=linear");
    const run *plain = runs_solve(c->runs, "tanh_momentum", "momentum.rate=null horizon=2 output.times=11");
    rate(c, panel, &(rate_row){"tanh_momentum", statistic, coarse, 3, -1.2, -0.8, 1}, plain, rate_run, "tanh_momentum",
         " horizon=2 output.times=11 numerics.steps=200");
}

/* beta that is kept as b -> 0: what remains is the step eta / (1 - beta). */
static void kept_velocity_rate(claim *c, size_t panel)
{
    static const double b[] = {1.0 / 32, 1.0 / 64, 1.0 / 128, 1.0 / 256};
    const run *plain = runs_solve(c->runs, "linear", "eta=0.8 output.times=9 numerics.method=linear");
    rate(c, panel,
         &(rate_row){"linear, beta=0.5 eta=0.4", "distance to sub-linear batches with eta=0.8 ~ b^p: p", b, 4, 0.9, 1.1,
                     0},
         plain, kept_velocity_run, "linear", " momentum.beta=0.5 eta=0.4 output.times=9 numerics.method=linear");
}

void check_momentum(claim *c)
{
    against_simulation(c, "tanh_momentum", "");
    against_simulation(c, "tanh_momentum", "sampling=reshuffle");
    against_simulation(c, "tanh_gd_momentum", "");
    against_simulation(c, "tanh_batch20", "momentum.beta=0.5 eta=0.5");
    against_simulation(c, "tanh_batch20_reshuffle", "momentum.beta=0.5 eta=0.5");
    memory_rates(c, claim_add_panel(c, "distance to plain SGD", "$\\gamma$", "relative to scale", 1, 1));
    kept_velocity_rate(c, claim_add_panel(c, "$\\beta$ that is kept", "$b$", "relative to scale", 1, 1));
    static const char *const shown[] = {"tanh_momentum", "tanh_gd_momentum"};
    for (int i = 0; i < 2; i++)
        claim_draw_curves(c, shown[i], runs_solve(c->runs, shown[i], "%s", ""),
                          runs_simulate(c->runs, shown[i], "%s", ""), 1);
}

/* ---- gradient-descent ---- */

static const double ETA_T = 2; /* at the end */

/* Gradient descent with step eta until eta t = 2; the ridge moves theta as far as in gradient flow with eta = 1 and
   lambda = 0.2. */
static const run *descent_run(runs *all, const char *name, const char *changes, double eta, double *unit)
{
    *unit = eta;
    return runs_solve(all, name, "batch_fraction=1 eta=%g lambda=%g horizon=%.15g%s", eta, 0.2 * eta, ETA_T / eta,
                      changes);
}

static void descent_rate(claim *c, size_t panel, const char *name, const char *more, const double *eta, size_t n,
                         double slack, int colour)
{
    const run *flow =
        runs_solve(c->runs, name, "dynamics=gradient-flow batch_fraction=0 eta=1 lambda=0.2 horizon=%g%s", ETA_T, more);
    rate(c, panel, &(rate_row){name, "distance to gradient flow ~ eta^p: p", eta, n, 1 - slack, 1 + slack, colour},
         flow, descent_run, name, more);
}

void check_gradient_descent(claim *c)
{
    static const double fine[] = {0.08, 0.04, 0.02, 0.01}, coarse[] = {0.2, 0.1, 0.05};
    against_simulation(c, "tanh_gd", "");
    against_simulation(c, "erf2_sgd", "batch_fraction=1 eta=0.3 horizon=10 numerics.steps=null");
    size_t panel = claim_add_panel(c, "distance to gradient flow", "$\\eta$", "relative to scale", 1, 1);
    descent_rate(c, panel, "linear", " numerics.method=linear output.times=6", fine, 4, 0.05, 0);
    descent_rate(c, panel, "tanh_gd", " output.times=6", coarse, 3, 0.2, 1);
    claim_draw_curves(c, "tanh_gd", runs_solve(c->runs, "tanh_gd", "%s", ""),
                      runs_simulate(c->runs, "tanh_gd", "%s", ""), 1);
}
