/* Limits of the limit: small steps, many samples. Distances in tables, with the power by which they fall. */
#include <math.h>
#include <stdio.h>

#include "validation/claims/claims.h"
#include "validation/claims/claims_parts.h"

/* ---- eta-to-zero ---- */

static const double UNITS = 2; /* eta t at the end */

/* Distance of `dynamics` at step eta to gradient flow at eta t, for each eta. `more` follows all settings. */
static void eta_rates(claim *c, size_t panel, const char *name, const char *dynamics, const char *more,
                      const double *eta, size_t n, double slack, int colour)
{
    rate_table table = {0};
    char label[128];
    snprintf(label, sizeof label, "%s, %s", name, dynamics);
    static const char statistic[] = "distance to gradient flow ~ eta^p: p";
    const run *flow =
        runs_solve(c->runs, name, "dynamics=gradient-flow eta=1 horizon=%g output.times=11 %s", UNITS, more);
    for (size_t i = 0; i < n; i++) {
        const run *r = runs_solve(c->runs, name, "dynamics=%s eta=%g horizon=%.15g output.times=11 %s", dynamics,
                                  eta[i], UNITS / eta[i], more);
        const run *const needed[] = {flow, r, NULL};
        if (!claim_have(c, label, statistic, needed))
            return;
        part_rate(&table, eta[i], r, flow, &(gap_options){.time_a = eta[i]});
    }
    part_rate_row(c, panel, label, statistic, &table, 1 - slack, 1 + slack, colour);
}

static void check_eta(claim *c)
{
    static const double fine[] = {0.08, 0.04, 0.02, 0.01, 0.005}, coarse[] = {0.8, 0.4, 0.2};
    size_t panel = claim_add_panel(c, "distance to gradient flow", "$\\eta$", "relative to scale", 1, 1);
    eta_rates(c, panel, "linear", "sgd", "numerics.method=linear", fine, 5, 0.02, 0);
    eta_rates(c, panel, "linear", "sme", "numerics.method=linear", fine, 5, 0.02, 1);
    eta_rates(c, panel, "tanh_sgd_eta2", "sgd", "", coarse, 3, 0.2, 2);
    eta_rates(c, panel, "tanh_sgd_eta2", "sme", "", coarse, 3, 0.2, 3);
}

const claim_spec claim_eta_to_zero = {
    .name = "eta-to-zero",
    .title = "Small steps: SGD and SME become gradient flow",
    .text = "At fixed eta t the distance of SGD and of SME to gradient flow, root mean square over all columns and "
            "times, is proportional to eta: without noise for the linear model, and by the sampled solver for a tanh "
            "model.",
    .check = check_eta,
};

/* ---- delta-to-infinity ---- */

static const double TAU = 3;

static void delta_rates(claim *c, size_t panel, const char *name, const char *changes, const char *more,
                        const double *delta, size_t n, double slack, int colour)
{
    rate_table table = {0};
    char label[128];
    snprintf(label, sizeof label, "%s%s%s", name, changes[0] ? ", " : "", changes);
    static const char statistic[] = "distance to online SGD ~ delta^p: p";
    double ridge = 0;
    sscanf(changes, "lambda=%lf", &ridge);
    const run *online =
        runs_solve(c->runs, name, "dynamics=online delta=null horizon=%g output.times=11 lambda=%g", TAU, ridge);
    for (size_t i = 0; i < n; i++) {
        const run *r = runs_solve(c->runs, name, "delta=%g horizon=%.15g output.times=11 lambda=%.15g %s", delta[i],
                                  TAU / delta[i], ridge * delta[i], more);
        const run *const needed[] = {online, r, NULL};
        if (!claim_have(c, label, statistic, needed))
            return;
        part_rate(&table, delta[i], r, online, &(gap_options){.time_a = delta[i]});
    }
    part_rate_row(c, panel, label, statistic, &table, -1 - slack, -1 + slack, colour);
}

static void check_delta(claim *c)
{
    static const double fine[] = {20, 40, 80, 160, 320}, coarse[] = {8, 16, 32};
    size_t panel = claim_add_panel(c, "distance to online SGD", "$\\delta$", "relative to scale", 1, 1);
    delta_rates(c, panel, "linear", "", "numerics.method=linear", fine, 5, 0.03, 0);
    delta_rates(c, panel, "linear", "lambda=0.2", "numerics.method=linear", fine, 5, 0.03, 1);
    delta_rates(c, panel, "tanh_sgd_eta1", "", "", coarse, 3, 0.25, 2);
}

const claim_spec claim_delta_to_infinity = {
    .name = "delta-to-infinity",
    .title = "Many samples: SGD becomes one-pass SGD",
    .text = "At fixed tau = delta t the distance of multi-pass SGD to the ordinary differential equations of one-pass "
            "(online) SGD is proportional to 1/delta: without noise for the linear model, and by the sampled solver "
            "for a tanh model.",
    .check = check_delta,
};
