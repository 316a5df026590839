/* The linear model: sampled solver, exact solver, closed form and simulation. */
#include <math.h>
#include <stdio.h>

#include "columns/solution.h"
#include "problem/problem.h"
#include "validation/claims/claims.h"
#include "validation/claims/claims_parts.h"

/* Train loss without noise and ridge: Paquette, Lee, Pedregosa & Paquette, Theorem 3, docs/theory.md. The integral over
   the law of Marchenko and Pastur with x = 1 + c + 2 sqrt(c) cos(phi) is one of a periodic function: the rectangle rule
   converges exponentially. The law's atom at x = 0 carries no weight. */
static double closed_form(double delta, double eta, double distance, double t)
{
    enum { POINTS = 4000 };
    double c = 1 / delta, gamma = eta * delta, x0 = (1 + c) * (1 - eta / 2) / 2, sum = 0;
    double omega = (1 - eta / 2) * (1 - eta / 2) * (8 / gamma - (1 + c) * (1 + c)) / 4;
    for (int i = 0; i < POINTS; i++) {
        double phi = M_PI * (i + 0.5) / POINTS, x = 1 + c + 2 * sqrt(c) * cos(phi), s = sin(phi);
        sum += 2 * s * s / POINTS * exp(-2 * gamma * x * t) / ((x - x0) * (x - x0) + omega);
    }
    return distance / gamma * (1 - eta / 2) * sum;
}

static void check_closed_form(claim *c)
{
    static const double cases[][2] = {{1.5, 1}, {0.6, 0.31}, {3.7, 0.83}};
    size_t panel = claim_add_panel(c, "closed form", "$t$ (epochs)", "train loss", 0, 1);
    for (int i = 0; i < 3; i++) {
        double delta = cases[i][0], eta = cases[i][1], worst = 0;
        const run *r = runs_solve(c->runs, "linear_noiseless", "delta=%g eta=%g", delta, eta);
        const run *const needed[] = {r, NULL};
        if (!claim_have(c, r->label, "relative error", needed))
            continue;
        const sgdmft_solution *s = r->solution;
        const sgdmft_curve *train = sgdmft_solution_curve(s, "train_loss");
        const double q = r->problem->initial.q[0], m = r->problem->initial.m[0], rho = r->problem->initial.rho[0];
        for (size_t k = 0; k < s->n_times; k++) {
            double error = fabs(train->value[k] / closed_form(delta, eta, q - 2 * m + rho, s->times[k]) - 1);
            worst = error <= worst ? worst : error;
        }
        claim_row_value(c, r->label, "largest relative error of the train loss against the closed form", worst, 0, 1e-8,
                        "%zu times; train loss %.3g to %.3g", s->n_times, train->value[0],
                        train->value[s->n_times - 1]);
        double points[RATES_MAX], values[RATES_MAX];
        for (size_t k = 0; k < RATES_MAX; k++) {
            points[k] = s->times[s->n_times - 1] * (double)k / (RATES_MAX - 1);
            values[k] = closed_form(delta, eta, q - 2 * m + rho, points[k]);
        }
        claim_add_curve(c, panel, r->label, i, r, "train_loss", 1);
        claim_add_series(c, panel, "", SERIES_POINTS, i, RATES_MAX, points, values, NULL);
    }
}

enum { COMPARED = 4 };
static const char *const compared[COMPARED] = {"", "lambda=0.3", "dynamics=sme", "dynamics=gradient-flow"};

/* The three ways to the curves of one problem. */
typedef struct three_ways {
    const run *exact, *sampled, *finite;
} three_ways;

static three_ways go_three_ways(claim *c, const char *changes)
{
    return (three_ways){runs_solve(c->runs, "linear", "%s output.times=11 numerics.method=linear", changes),
                        runs_solve(c->runs, "linear", "%s output.times=11", changes),
                        runs_simulate(c->runs, "linear", "%s", changes)};
}

static void check_linear(claim *c)
{
    three_ways w[COMPARED];
    for (int i = 0; i < COMPARED; i++) {
        char label[64];
        snprintf(label, sizeof label, "linear%s%s", compared[i][0] ? ", " : "", compared[i]);
        w[i] = go_three_ways(c, compared[i]);
        claim_row_agree(c, label, "max |z|, sampled - exact", w[i].sampled, w[i].exact, NULL, CLAIM_SIGMA);
        claim_row_agree(c, label, "max |z|, simulation - exact", w[i].finite, w[i].exact, NULL, CLAIM_SIGMA);
        part_draw_curves(c, label, w[i].exact, w[i].finite, 0);
    }
    for (int i = 0; i < COMPARED; i++)
        part_draw_differences(c, "sampled - exact", w[i].exact, w[i].sampled);
    check_closed_form(c);
}

const claim_spec claim_linear = {
    .name = "linear",
    .title = "The linear model is reproduced exactly",
    .text = "The exact Volterra equation of least squares gives the published closed form of the train loss to 8 "
            "digits. The sampled solver, which does not know that the model is linear, and simulations agree with it "
            "within standard errors, under SGD, SME and gradient flow and with ridge.",
    .check = check_linear,
};
