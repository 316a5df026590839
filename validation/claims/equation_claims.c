#include "validation/claims/equation_claims.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns/solution.h"
#include "problem/problem.h"

/* ---- sme ---- */

static const char *const names[] = {"SGD", "SME", "gradient flow"};

/* The tanh problem at eta = 2 with SME, and the changes that give it the other dynamics. */
static const char tanh_problem[] = "tanh_sme_eta2";
static const char *const tanh_changes[] = {"dynamics=sgd", "", "dynamics=gradient-flow"};

/* With many replicas, so that Student's t is close to a Gaussian. SME needs a fine grid, as its step error on a coarse
   one hides differences of ten standard errors. */
static const run *tanh_limit(runs *all, int i)
{
    static const char *const grid[] = {"", " numerics.steps=100", ""};
    return runs_solve(all, tanh_problem, "%s%snumerics.paths=1500 numerics.replicas=64%s", tanh_changes[i],
                      tanh_changes[i][0] ? " " : "", grid[i]);
}

static const run *tanh_finite(runs *all, int i)
{
    return runs_simulate(all, tanh_problem, "%s%soutput.times=7", tanh_changes[i], tanh_changes[i][0] ? " " : "");
}

/* Any two of the three differ. */
static void all_different(claim *c)
{
    const run *limit[3], *finite[3];
    for (int i = 0; i < 3; i++) {
        limit[i] = tanh_limit(c->runs, i);
        finite[i] = tanh_finite(c->runs, i);
    }
    claim_rows_differ(c, tanh_problem, "limits", names, limit, 3);
    claim_rows_differ(c, tanh_problem, "simulations", names, finite, 3);
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
    static const char *const dynamics[] = {"sgd", "sme", "gradient-flow"};
    const run *exact[3];
    for (int i = 0; i < 3; i++)
        exact[i] = runs_solve(c->runs, "linear", "dynamics=%s numerics.method=linear", dynamics[i]);
    const run *const needed[] = {exact[0], exact[1], exact[2], NULL};
    if (claim_have(c, "linear", "exact solutions", needed)) {
        gap same, flow;
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

void check_sme(claim *c)
{
    const run *limit = tanh_limit(c->runs, 1), *finite = tanh_finite(c->runs, 1);
    claim_row_agree(c, tanh_problem, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
    limit = runs_solve(c->runs, "erf2_sgd", "dynamics=sme horizon=2");
    finite = runs_simulate(c->runs, "erf2_sgd", "dynamics=sme horizon=2");
    claim_row_agree(c, limit->label, "max |z|, limit - simulation", limit, finite, NULL, CLAIM_SIGMA);
    all_different(c);
    linear_is_the_same(c);
    draw_three(c);
}

/* ---- linear ---- */

/* Train loss without noise and ridge: Paquette, Lee, Pedregosa & Paquette, Theorem 3, docs/theory.md. The integral over
   the law of Marchenko and Pastur with x = 1 + c + 2 sqrt(c) cos(phi) is one of a periodic function: the rectangle rule
   converges exponentially. The atom of the law at x = 0 has no weight in the integral. */
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
        double points[CLAIM_POINTS_MAX], values[CLAIM_POINTS_MAX];
        for (size_t k = 0; k < CLAIM_POINTS_MAX; k++) {
            points[k] = s->times[s->n_times - 1] * (double)k / (CLAIM_POINTS_MAX - 1);
            values[k] = closed_form(delta, eta, q - 2 * m + rho, points[k]);
        }
        claim_add_curve(c, panel, r->label, i, r, "train_loss", 1);
        claim_add_series(c, panel, "", SERIES_POINTS, i, CLAIM_POINTS_MAX, points, values, NULL);
    }
}

enum { COMPARED = 4 };
static const char *const compared[COMPARED] = {"", "lambda=0.3", "dynamics=sme", "dynamics=gradient-flow"};

/* The curves of one problem by three independent methods. */
typedef struct three_runs {
    const run *exact, *sampled, *finite;
} three_runs;

static three_runs three_runs_of(claim *c, const char *changes)
{
    return (three_runs){runs_solve(c->runs, "linear", "%s output.times=11 numerics.method=linear", changes),
                        runs_solve(c->runs, "linear", "%s output.times=11", changes),
                        runs_simulate(c->runs, "linear", "%s", changes)};
}

void check_linear(claim *c)
{
    three_runs r[COMPARED];
    for (int i = 0; i < COMPARED; i++) {
        char label[64];
        snprintf(label, sizeof label, "linear%s%s", compared[i][0] ? ", " : "", compared[i]);
        r[i] = three_runs_of(c, compared[i]);
        claim_row_agree(c, label, "max |z|, sampled - exact", r[i].sampled, r[i].exact, NULL, CLAIM_SIGMA);
        claim_row_agree(c, label, "max |z|, simulation - exact", r[i].finite, r[i].exact, NULL, CLAIM_SIGMA);
        claim_draw_curves(c, label, r[i].exact, r[i].finite, 0);
    }
    for (int i = 0; i < COMPARED; i++)
        claim_draw_differences(c, "sampled - exact", r[i].exact, r[i].sampled);
    check_closed_form(c);
}

/* ---- eta-to-zero ---- */

static const double ETA_T = 2; /* at the end */

/* The distance of `dynamics` with step eta to gradient flow at the same eta t, as a power of eta. */
static void eta_rates(claim *c, size_t panel, const char *name, const char *dynamics, const char *more,
                      const double *eta, size_t n, double slack, int colour)
{
    distance_table table = {0};
    char label[128];
    snprintf(label, sizeof label, "%s, %s", name, dynamics);
    static const char statistic[] = "distance to gradient flow ~ eta^p: p";
    const run *flow =
        runs_solve(c->runs, name, "dynamics=gradient-flow eta=1 horizon=%g output.times=11 %s", ETA_T, more);
    for (size_t i = 0; i < n; i++) {
        const run *r = runs_solve(c->runs, name, "dynamics=%s eta=%g horizon=%.15g output.times=11 %s", dynamics,
                                  eta[i], ETA_T / eta[i], more);
        const run *const needed[] = {flow, r, NULL};
        if (!claim_have(c, label, statistic, needed))
            return;
        distance_table_add(&table, eta[i], r, flow, &(gap_options){.time_a = eta[i]});
    }
    claim_row_power(c, panel, label, statistic, &table, 1 - slack, 1 + slack, colour);
}

void check_eta_to_zero(claim *c)
{
    static const double fine[] = {0.08, 0.04, 0.02, 0.01, 0.005}, coarse[] = {0.8, 0.4, 0.2};
    size_t panel = claim_add_panel(c, "distance to gradient flow", "$\\eta$", "relative to scale", 1, 1);
    eta_rates(c, panel, "linear", "sgd", "numerics.method=linear", fine, 5, 0.02, 0);
    eta_rates(c, panel, "linear", "sme", "numerics.method=linear", fine, 5, 0.02, 1);
    eta_rates(c, panel, "tanh_sgd_eta2", "sgd", "", coarse, 3, 0.2, 2);
    eta_rates(c, panel, "tanh_sgd_eta2", "sme", "", coarse, 3, 0.2, 3);
}

/* ---- delta-to-infinity ---- */

static const double TAU = 3; /* delta t at the end */

/* The distance of SGD to online SGD at the same tau, as a power of delta. `changes` may give a ridge. */
static void delta_rates(claim *c, size_t panel, const char *name, const char *changes, const char *more,
                        const double *delta, size_t n, double slack, int colour)
{
    distance_table table = {0};
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
        distance_table_add(&table, delta[i], r, online, &(gap_options){.time_a = delta[i]});
    }
    claim_row_power(c, panel, label, statistic, &table, -1 - slack, -1 + slack, colour);
}

void check_delta_to_infinity(claim *c)
{
    static const double fine[] = {20, 40, 80, 160, 320}, coarse[] = {8, 16, 32};
    size_t panel = claim_add_panel(c, "distance to online SGD", "$\\delta$", "relative to scale", 1, 1);
    delta_rates(c, panel, "linear", "", "numerics.method=linear", fine, 5, 0.03, 0);
    delta_rates(c, panel, "linear", "lambda=0.2", "numerics.method=linear", fine, 5, 0.03, 1);
    delta_rates(c, panel, "tanh_sgd_eta1", "", "", coarse, 3, 0.25, 2);
}

/* ---- identities ---- */

/* Defects in units of their stated error: the standard error, and 1/paths of the terms, which is the bias of the
   control variates. */
static void check_stein(claim *c, const run *r)
{
    const sgdmft_solution *s = r->solution;
    double worst = 0, t = 0, defect = 0, error = 0;
    const char *name = "none";
    for (size_t i = 0; i < s->n_identities; i++) {
        const sgdmft_identity *x = &s->identities[i];
        double bias = x->scale / (double)s->info.paths, e = hypot(x->se, bias), z = fabs(x->defect) / e;
        if (z <= worst)
            continue;
        worst = z;
        t = x->t;
        name = x->name;
        defect = x->defect / x->scale;
        error = e / x->scale;
    }
    claim_row_value(c, r->label, "largest |defect| / stated error of Stein's identities",
                    s->n_identities > 0 ? worst : NAN, 0, CLAIM_SIGMA,
                    "%zu identities; worst %s at t = %.3g: %.2g%% of its terms, stated error %.2g%%", s->n_identities,
                    name, t, 100 * defect, 100 * error);
}

/* Largest standard error of the curves of q, and the largest q. */
static double stated_error(const sgdmft_solution *s, double *scale)
{
    double error = 0;
    *scale = 0;
    for (size_t c = 0; c < s->n_curves; c++) {
        if (s->curves[c].name[0] != 'q')
            continue;
        for (size_t i = 0; i < s->n_times; i++) {
            error = fmax(error, s->curves[c].se[i]);
            *scale = fmax(*scale, fabs(s->curves[c].value[i]));
        }
    }
    return error;
}

/* C as the matrix over (node, student); NULL if out of memory. */
static double *covariance_matrix(const sgdmft_solution *s)
{
    size_t k = (size_t)s->k, n = s->n_grid, size = n * k;
    double *matrix = malloc((size * size + 1) * sizeof *matrix);
    for (size_t i = 0; matrix && i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t a = 0; a < k; a++)
                for (size_t b = 0; b < k; b++)
                    matrix[(i * k + a) * size + j * k + b] = s->C[((i * n + j) * k + a) * k + b];
    return matrix;
}

static void check_positive(claim *c, const run *r)
{
    const sgdmft_solution *s = r->solution;
    double *matrix = covariance_matrix(s), scale, error = stated_error(s, &scale);
    double smallest = matrix ? smallest_eigenvalue(s->n_grid * (size_t)s->k, matrix) / (double)s->n_grid : NAN;
    free(matrix);
    claim_row_value(c, r->label, "smallest eigenvalue of C / nodes, in stated errors of q", smallest / error, -1,
                    INFINITY, "smallest eigenvalue %.2g, stated error %.2g, q up to %.3g; %zu nodes", smallest, error,
                    scale, s->n_grid);
}

/* C(t, s) at a few s. */
static void draw_covariance(claim *c, const run *r)
{
    const sgdmft_solution *s = r->solution;
    size_t n = s->n_grid, kk = (size_t)(s->k * s->k),
           panel = claim_add_panel(c, r->label, "$t$ (epochs)", "$C_{11}(t, s)$", 0, 0);
    double *row = calloc(n + 1, sizeof *row);
    for (int part = 0; part < 4 && row; part++) {
        size_t j = (size_t)part * (n - 1) / 3;
        char label[48];
        snprintf(label, sizeof label, "$s = %.3g$", s->t[j]);
        for (size_t i = 0; i < n; i++)
            row[i] = s->C[(i * n + j) * kk];
        claim_add_series(c, panel, label, SERIES_LINE, part, n, s->t, row, NULL);
    }
    free(row);
}

void check_identities(claim *c)
{
    static const char *const problem[][2] = {
        {"tanh_sgd_eta1", ""}, {"tanh_sgd_eta2", ""},      {"tanh_sgd_eta2", "lambda=0.3"},
        {"erf2_sgd", ""},      {"logistic_sgd_ridge", ""}, {"tanh_sme_eta2", ""},
        {"tanh_gf", ""}};
    for (size_t i = 0; i < sizeof problem / sizeof problem[0]; i++) {
        const run *r = runs_solve(c->runs, problem[i][0], "%s", problem[i][1]);
        const run *const needed[] = {r, NULL};
        if (!claim_have(c, r->label, "identities, positivity", needed))
            continue;
        check_stein(c, r);
        check_positive(c, r);
        if (i == 1 || i == 3)
            draw_covariance(c, r);
    }
}
