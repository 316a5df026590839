/* SGD, its diffusion approximation (SME) and gradient flow. */
#include <math.h>
#include <stdio.h>

#include "columns/solution.h"
#include "validation/claims/claims.h"
#include "validation/claims/claims_parts.h"

static const char *const dynamics[] = {"sgd", "sme", "gradient-flow"};
static const char *const names[] = {"SGD", "SME", "gradient flow"};

/* The tanh problem at eta = 2 is there for SME; what makes another dynamics of it. */
static const char tanh_problem[] = "tanh_sme_eta2";
static const char *const tanh_changes[] = {"dynamics=sgd", "", "dynamics=gradient-flow"};

static const run *tanh_limit(runs *all, int i)
{
    return runs_solve(all, tanh_problem, "%s", tanh_changes[i]);
}

static const run *tanh_finite(runs *all, int i)
{
    return runs_simulate(all, tanh_problem, "%s%soutput.times=7", tanh_changes[i], tanh_changes[i][0] ? " " : "");
}

typedef const run *run_source(runs *all, int i);

/* Every two of the three differ by more than ten standard errors somewhere, at the same eta and t. */
static void all_different(claim *c, const char *what, run_source *source)
{
    const run *r[3];
    char statistic[128];
    for (int i = 0; i < 3; i++)
        r[i] = source(c->runs, i);
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++) {
            const run *const needed[] = {r[i], r[j], NULL};
            gap g;
            snprintf(statistic, sizeof statistic, "max |z|, %s - %s, %s", names[i], names[j], what);
            if (!claim_have(c, tanh_problem, statistic, needed))
                continue;
            if (gap_between(r[i]->solution, r[j]->solution, NULL, &g))
                g.z = NAN;
            claim_row_value(c, tanh_problem, statistic, g.z, 10, INFINITY,
                            "%s at t = %.3g; up to %.2g%% of scale apart", g.column, g.t, 100 * g.largest);
        }
}

static void draw_three(claim *c)
{
    static const char *const curves[] = {"train_loss", "test_loss", "q11"};
    static const char *const titles[] = {"train loss", "test loss", "$q$"};
    for (int p = 0; p < 3; p++) {
        size_t panel = claim_add_panel(c, titles[p], "$t$ (epochs)", "", 0, p < 2);
        for (int i = 0; i < 3; i++) {
            const run *limit = tanh_limit(c->runs, i), *finite = tanh_finite(c->runs, i);
            claim_add_curve(c, panel, names[i], i, limit, curves[p], 1);
            claim_add_curve(c, panel, limit->solution ? "" : names[i], i, finite, curves[p], 1);
        }
    }
}

static void linear_is_the_same(claim *c)
{
    const run *exact[3];
    for (int i = 0; i < 3; i++)
        exact[i] = runs_solve(c->runs, "linear", "dynamics=%s numerics.method=linear", dynamics[i]);
    const run *const needed[] = {exact[0], exact[1], exact[2], NULL};
    if (claim_have(c, "linear", "exact solutions", needed)) {
        gap same = {.largest = NAN}, flow = {.largest = NAN};
        gap_between(exact[0]->solution, exact[1]->solution, NULL, &same);
        gap_between(exact[0]->solution, exact[2]->solution, NULL, &flow);
        claim_row_value(c, "linear", "largest difference / scale, exact SGD - exact SME", same.largest, 0, 1e-10,
                        "%zu columns, %zu times", same.columns, same.times);
        claim_row_value(c, "linear", "largest difference / scale, exact SGD - exact gradient flow", flow.largest, 0.05,
                        INFINITY, "%zu columns, %zu times", flow.columns, flow.times);
    }
    const run *sme = runs_simulate(c->runs, "linear", "dynamics=sme");
    claim_row_agree(c, sme->label, "max |z|, exact SGD - simulation of SME", exact[0], sme, NULL, CLAIM_SIGMA);
}

static void check_sme(claim *c)
{
    const run *limit = tanh_limit(c->runs, 1), *finite = tanh_finite(c->runs, 1);
    claim_row_agree(c, limit->label, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
    limit = runs_solve(c->runs, "erf2_sgd", "dynamics=sme horizon=2");
    finite = runs_simulate(c->runs, "erf2_sgd", "dynamics=sme horizon=2");
    claim_row_agree(c, limit->label, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
    all_different(c, "limits", tanh_limit);
    all_different(c, "simulations", tanh_finite);
    linear_is_the_same(c);
    draw_three(c);
}

const claim_spec claim_sme = {
    .name = "sme",
    .title = "SGD, SME and gradient flow have different limits, except for the linear model",
    .text = "The limit of the diffusion approximation (SME) agrees with its simulation. For a tanh model at eta = 2 "
            "every two of SGD, SME and gradient flow differ by more than ten standard errors, in the limit and in "
            "simulations. For the linear model SGD and SME have the same curves, and gradient flow has not.",
    .check = check_sme,
};
