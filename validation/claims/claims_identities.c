/* What the equations imply but the solver does not use: Stein's identities; C is a covariance. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns/solution.h"
#include "validation/claims/claims.h"
#include "validation/claims/claims_parts.h"

/* Defects in units of their stated error: standard error, and 1/paths of the terms, the bias of the control variable. */
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

static void check_identities(claim *c)
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

const claim_spec claim_identities = {
    .name = "identities",
    .title = "Stein's identities hold, and C is a covariance",
    .text = "The derivatives of C(t,t) and C(t,0) follow from Stein's lemma, which the solver does not use for them: "
            "their defects vanish within the stated error (standard error and 1/paths). C(t,s) over the time grid has "
            "no eigenvalue below minus the stated error of q (standard error and time-step error).",
    .check = check_identities,
};
