#include "merged/response.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/filter.h"
#include "kernels/start.h"
#include "kernels/step_rule.h"

/* Where nothing tells Q at a node, as in cells without noise, it lies between its neighbours: squared differences of
   neighbours count with this part of the mean weight of a node. */
static const double STRAIGHT = 1e-7;

/* Coefficients of the lines that are 1 at one end of a cell and 0 at the other: half in phi_0, and so much in phi_1. */
static const double HAT_SLOPE = 0.28867513459481288;

/* What a row of Q is made from: the averages at its node, and the cells up to there. */
typedef struct row_source {
    const averages_layout *at;
    const double *averages;
    int cells;     /* with the newest one, where it belongs to the row */
    int since;     /* Q is known on cells since .. cells - 1 */
    int known_end; /* 1: the value at the end of cell since - 1 is known */
    double *Q;     /* [k][features] the row to make */
} row_source;

/* The place in kern->fit of the parts of the fit. */
typedef struct fit_space {
    int size;       /* unknowns and, where it is known, the last value */
    double *normal; /* [size][size] */
    double *right;  /* [k][size]; becomes the values at the nodes, q[a][j k + b] */
    double *line;   /* [features] */
} fit_space;

static fit_space fit_space_of(const merged_kernels *kern, int nodes)
{
    int size = nodes * kern->k;
    fit_space fit = {.size = size, .normal = kern->fit};
    fit.right = fit.normal + (size_t)size * (size_t)size;
    fit.line = fit.right + (size_t)(kern->k * size);
    return fit;
}

/* out[size] = row T^T for a row over the features of `cells` cells. */
static void onto_nodes(int k, int cells, const double *row, double *out)
{
    memset(out, 0, sizeof(double) * (size_t)((cells + 1) * k));
    for (int c = 0; c < cells; c++)
        for (int b = 0; b < k; b++) {
            double mean = 0.5 * row[MOMENTS * c * k + b], slope = HAT_SLOPE * row[(MOMENTS * c + 1) * k + b];
            out[c * k + b] += mean - slope;
            out[(c + 1) * k + b] += mean + slope;
        }
}

/* normal = delta T S T^T + e_0 P e_0^T, made slightly stiff against jumps. */
static void normal_matrix(const merged_kernels *kern, int cells, const fit_space *fit)
{
    int k = kern->k, n = MOMENTS * k * cells, size = fit->size;
    size_t F = (size_t)kern->features;
    double trace = 0, *half = kern->scratch; /* [size][n] T S */
    for (int j = 0; j <= cells; j++)
        for (int b = 0; b < k; b++) {
            double *row = half + (size_t)(j * k + b) * (size_t)n;
            memset(row, 0, sizeof *row * (size_t)n);
            for (int side = 0; side < 2; side++) {
                int c = side ? j - 1 : j;
                if (c < 0 || c >= cells)
                    continue;
                const double *mean = kern->S + (size_t)(MOMENTS * c * k + b) * F, *slope = mean + (size_t)k * F;
                double part = side ? HAT_SLOPE : -HAT_SLOPE;
                for (int f = 0; f < n; f++)
                    row[f] += 0.5 * mean[f] + part * slope[f];
            }
            onto_nodes(k, cells, row, fit->normal + (size_t)(j * k + b) * (size_t)size);
        }
    for (int x = 0; x < size * size; x++)
        fit->normal[x] *= kern->delta;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            fit->normal[a * size + b] += kern->P[a * k + b];
    for (int x = 0; x < size; x++)
        trace += fit->normal[x * size + x];
    double weight = STRAIGHT * trace / size;
    for (int x = 0; x + k < size; x++) {
        fit->normal[x * size + x] += weight;
        fit->normal[(x + k) * size + x + k] += weight;
        fit->normal[x * size + x + k] -= weight;
        fit->normal[(x + k) * size + x] -= weight;
    }
}

/* The right-hand sides. */
static void right_sides(const merged_kernels *kern, const row_source *from, const fit_space *fit)
{
    int k = kern->k, n = MOMENTS * k * from->since, all = MOMENTS * k * from->cells;
    size_t F = (size_t)kern->features;
    const averages_layout *at = from->at;
    double root = sqrt(kern->delta), start[MATRIX_MAX * MATRIX_MAX];
    start_correlation(k, kern->kstar, kern->m0, kern->rho_inverse, from->averages + at->mu, from->averages + at->gw0,
                      start);
    for (int a = 0; a < k; a++) {
        double *line = fit->line, *right = fit->right + a * fit->size;
        for (int f = 0; f < n; f++)
            line[f] = -root * averages_row(at, from->averages, f / k, INNOVATION)[a * k + f % k];
        for (int e = n; e < all; e++) {
            double x = kern->delta * from->Q[(size_t)a * F + (size_t)e];
            for (int f = 0; f < n; f++)
                line[f] -= x * kern->S[(size_t)e * F + (size_t)f];
        }
        onto_nodes(k, from->since, line, right);
        for (int b = 0; b < k; b++)
            right[b] += start[a * k + b];
    }
}

/* Moves the known value of the last node to the right-hand sides; the fit is then one node smaller, but keeps its
   stride. */
static void take_end(const merged_kernels *kern, const fit_space *fit, const double *end)
{
    int k = kern->k, rest = fit->size - k;
    for (int a = 0; a < k; a++) {
        double *right = fit->right + a * fit->size;
        for (int l = 0; l < k; l++)
            for (int x = 0; x < rest; x++)
                right[x] -= end[a * k + l] * fit->normal[(rest + l) * fit->size + x];
        for (int b = 0; b < k; b++)
            right[rest + b] = end[a * k + b];
    }
}

/* The row of Q on cells 0 .. since - 1 from its values at the nodes. */
static void set_row(const merged_kernels *kern, const row_source *from, const fit_space *fit)
{
    int k = kern->k;
    size_t F = (size_t)kern->features;
    for (int a = 0; a < k; a++)
        for (int c = 0; c < from->since; c++)
            for (int b = 0; b < k; b++) {
                double first = fit->right[a * fit->size + c * k + b],
                       last = fit->right[a * fit->size + (c + 1) * k + b];
                double *row = from->Q + (size_t)a * F + (size_t)(MOMENTS * c * k + b);
                row[0] = 0.5 * (first + last);
                row[k] = HAT_SLOPE * (last - first);
            }
}

/* Solves for the values at the nodes and sets the row. Returns non-zero if there is no solution. */
static int fit_row(const merged_kernels *kern, const row_source *from, const double *end, fit_space *fit)
{
    int k = kern->k;
    *fit = fit_space_of(kern, from->since + 1);
    int unknown = fit->size - (from->known_end ? k : 0);
    normal_matrix(kern, from->since, fit);
    right_sides(kern, from, fit);
    if (from->known_end)
        take_end(kern, fit, end);
    if (unknown > 0 &&
        (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', unknown, fit->normal, fit->size) ||
         LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', unknown, k, fit->normal, fit->size, fit->right, fit->size)))
        return -1;
    set_row(kern, from, fit);
    return 0;
}

/* The value at node j of the fit. */
static void node_value(const merged_kernels *kern, const fit_space *fit, int j, double *out)
{
    for (int a = 0; a < kern->k; a++)
        for (int b = 0; b < kern->k; b++)
            out[a * kern->k + b] = fit->right[a * fit->size + j * kern->k + b];
}

/* Q(t, s) for a time s in one of the cells of the fit. */
static void value_at(const merged_kernels *kern, const fit_space *fit, int cells, double from, double to, double s,
                     double *out)
{
    int c = 0;
    double low[MATRIX_MAX * MATRIX_MAX], high[MATRIX_MAX * MATRIX_MAX];
    while (c + 1 < cells && s >= (c < kern->cells.n ? kern->cells.cell[c].end : to))
        c++;
    double start = c < kern->cells.n ? kern->cells.cell[c].start : from;
    double end = c < kern->cells.n ? kern->cells.cell[c].end : to, u = (s - start) / (end - start);
    node_value(kern, fit, c, low);
    node_value(kern, fit, c + 1, high);
    for (int x = 0; x < kern->k * kern->k; x++)
        out[x] = low[x] + u * (high[x] - low[x]);
}

void response_merged_start(merged_kernels *kern, const averages_layout *at, const double *first)
{
    size_t bytes = sizeof(double) * (size_t)(kern->k * kern->k);
    double q[MATRIX_MAX * MATRIX_MAX] = {0}, inverse[MATRIX_MAX * MATRIX_MAX];
    int k = kern->k;
    memcpy(q, first + at->gamma, bytes);
    /* where the gradient jumps, E[G] is incomplete, and Q(0, 0) comes from the start */
    if (!kern->smooth_gradient && kern->start_variance > 0 && !matrix_inverse(k, kern->P, inverse)) {
        double start[MATRIX_MAX * MATRIX_MAX];
        start_correlation(k, kern->kstar, kern->m0, kern->rho_inverse, first + at->mu, first + at->gw0, start);
        memset(q, 0, bytes);
        matrix_add_product(k, 1, start, inverse, q);
    }
    memcpy(kern->end, q, bytes);
    memcpy(kern->mark[0].Q, q, bytes);
}

/* The step of the filter over a cell, and the weights of the force at both ends. */
typedef struct step {
    filter_step filter;
    step_weights force;
} step;

static step step_of(const merged_kernels *kern, int i)
{
    return (step){filter_step_of(&kern->filter, kern->grid, i), step_rule_force(kern->grid, kern->delta, i)};
}

/* x at the end of the step, with the force known at both ends, for n numbers. */
static double move_known(const step *s, size_t n, const double *x, const double *q, const double *q_next, double *next)
{
    double change = 0;
    for (size_t c = 0; c < n; c++) {
        double value = (s->filter.keep * x[c] - s->force.start * q[c] - s->force.end * q_next[c]) / s->filter.divide;
        if (!isfinite(value))
            return NAN;
        change = fmax(change, relative_change(next[c], value, fabs(value)));
        next[c] = value;
    }
    return change;
}

/* The same for a block of R where Q = gamma R at the end of the step. */
static double move_unvisited(const merged_kernels *kern, const step *s, const double *gamma, const double *R,
                             const double *Q, double *R_next, double *Q_next)
{
    int k = kern->k, kk = k * k;
    double matrix[MATRIX_MAX * MATRIX_MAX], value[MATRIX_MAX * MATRIX_MAX], change = 0;
    for (int x = 0; x < kk; x++) {
        matrix[x] = s->force.end * gamma[x] + (x % (k + 1) == 0 ? s->filter.divide : 0);
        value[x] = s->filter.keep * R[x] - s->force.start * Q[x];
    }
    if (matrix_solve(k, matrix, (size_t)k, value))
        return NAN;
    for (int x = 0; x < kk; x++)
        change = fmax(change, relative_change(R_next[x], value[x], fabs(value[x])));
    memcpy(R_next, value, sizeof(double) * (size_t)kk);
    memset(Q_next, 0, sizeof(double) * (size_t)kk);
    matrix_add_product(k, 1, gamma, R_next, Q_next);
    return change;
}

static void set_block(const merged_kernels *kern, const double *block, int f, double *row)
{
    for (int a = 0; a < kern->k; a++)
        memcpy(row + (size_t)a * (size_t)kern->features + f, block + a * kern->k, sizeof(double) * (size_t)kern->k);
}

/* R and Q on the cells of the epoch before the newest, first .. cells - 1. */
static double move_epoch(merged_kernels *kern, const step *s, const double *gamma, int first)
{
    double R[MATRIX_MAX * MATRIX_MAX], Q[MATRIX_MAX * MATRIX_MAX], next[2][MATRIX_MAX * MATRIX_MAX], change = 0;
    for (int group = MOMENTS * first; group < MOMENTS * kern->cells.n; group++) {
        int f = group * kern->k;
        merged_row_block(kern, kern->R, f, R);
        merged_row_block(kern, kern->Q, f, Q);
        merged_row_block(kern, kern->R_next, f, next[0]);
        double moved = move_unvisited(kern, s, gamma, R, Q, next[0], next[1]);
        if (isnan(moved))
            return NAN;
        change = fmax(change, moved);
        set_block(kern, next[0], f, kern->R_next);
        set_block(kern, next[1], f, kern->Q_next);
    }
    return change;
}

/* The row of R in the newest cell: the line from `within` to 1. With `gamma`, also Q = gamma R there. */
static void set_newest(merged_kernels *kern, const double *gamma)
{
    int k = kern->k, f = merged_features(kern);
    double mean[MATRIX_MAX * MATRIX_MAX], slope[MATRIX_MAX * MATRIX_MAX];
    for (int x = 0; x < k * k; x++) {
        double one = x % (k + 1) == 0;
        mean[x] = 0.5 * (kern->within[x] + one);
        slope[x] = HAT_SLOPE * (one - kern->within[x]);
    }
    set_block(kern, mean, f, kern->R_next);
    set_block(kern, slope, f + k, kern->R_next);
    for (int m = 0; gamma && m < MOMENTS; m++) {
        double Q[MATRIX_MAX * MATRIX_MAX] = {0};
        matrix_add_product(k, 1, gamma, m ? slope : mean, Q);
        set_block(kern, Q, f + m * k, kern->Q_next);
    }
}

/* The first cell on which Q(t_{i+1}, s) = gamma R(t_{i+1}, s) is known. */
static int first_known(const merged_kernels *kern, int i)
{
    return kern->smooth_gradient ? merged_visited_before(kern, i) : kern->cells.n + 1; /* gamma may be incomplete */
}

/* R(t_{i+1}, t_i) where visits between them count, from Q(t_{i+1}, t_i). */
static double move_within(merged_kernels *kern, const step *s, const fit_space *fit)
{
    int k = kern->k;
    double one[MATRIX_MAX * MATRIX_MAX] = {0}, q[MATRIX_MAX * MATRIX_MAX];
    for (int a = 0; a < k; a++)
        one[a * k + a] = 1;
    node_value(kern, fit, kern->cells.n, q);
    return move_known(s, (size_t)(k * k), one, kern->end, q, kern->within);
}

static double move_marks(merged_kernels *kern, int i, const step *s, const double *gamma, double known_from, int cells,
                         const fit_space *fit)
{
    size_t kk = (size_t)(kern->k * kern->k);
    double change = 0;
    for (int j = 0; j < kern->n_marks; j++) {
        kernel_mark *mark = &kern->mark[j];
        double moved;
        if (mark->s >= known_from) {
            moved = move_unvisited(kern, s, gamma, mark->R, mark->Q, mark->R_next, mark->Q_next);
        } else {
            value_at(kern, fit, cells, kern->grid->t[i], kern->grid->t[i + 1], mark->s, mark->Q_next);
            moved = move_known(s, kk, mark->R, mark->Q, mark->Q_next, mark->R_next);
        }
        if (isnan(moved))
            return NAN;
        change = fmax(change, moved);
    }
    return change;
}

static double move_overlap(merged_kernels *kern, const step *s, const averages_layout *at, const double *now,
                           const double *next)
{
    size_t width = (size_t)(kern->k * kern->kstar);
    double change = move_known(s, width, kern->m, now + at->mu, next + at->mu, kern->m_next);
    start_teacher(kern->k, kern->kstar, kern->m_next, kern->mark[0].R_next, kern->m0, kern->rho_inverse, kern->F_next);
    return change;
}

double response_merged(merged_kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    int k = kern->k, old = kern->cells.n, since = first_known(kern, i), explicit = since > old ? old : since;
    const double *gamma = next + at->gamma;
    step s = step_of(kern, i);
    fit_space fit = {0};
    double change = 0, one[MATRIX_MAX * MATRIX_MAX] = {0}, Q[MATRIX_MAX * MATRIX_MAX], end[MATRIX_MAX * MATRIX_MAX];
    memcpy(end, gamma, sizeof(double) * (size_t)(k * k));
    if (since <= old) { /* no visit lies between the beginning of the epoch and t_{i+1} */
        for (int a = 0; a < k; a++)
            one[a * k + a] = 1;
        change = move_epoch(kern, &s, gamma, since);
        change = larger_change(change, move_unvisited(kern, &s, gamma, one, kern->end, kern->within, Q));
        set_newest(kern, gamma);
        /* R at the beginning of the epoch: the end of a line, or R(t_{i+1}, t_i) */
        double first[MATRIX_MAX * MATRIX_MAX], mean[MATRIX_MAX * MATRIX_MAX], slope[MATRIX_MAX * MATRIX_MAX];
        merged_row_block(kern, kern->R_next, MOMENTS * since * k, mean);
        merged_row_block(kern, kern->R_next, (MOMENTS * since + 1) * k, slope);
        for (int x = 0; x < k * k; x++)
            first[x] = mean[x] - MOMENT_ROOT3 * slope[x];
        memset(end, 0, sizeof end);
        matrix_add_product(k, 1, gamma, first, end);
    }
    row_source from = {.at = at,
                       .averages = next,
                       .cells = old + 1,
                       .since = since,
                       .known_end = kern->smooth_gradient,
                       .Q = kern->Q_next};
    if (since > 0 && fit_row(kern, &from, end, &fit))
        return NAN;
    if (since > old) {
        change = move_within(kern, &s, &fit);
        set_newest(kern, NULL);
    }
    for (int a = 0; a < k; a++) {
        size_t line = (size_t)a * (size_t)kern->features;
        change = larger_change(change, move_known(&s, (size_t)(MOMENTS * k * explicit), kern->R + line, kern->Q + line,
                                                  kern->Q_next + line, kern->R_next + line));
    }
    double known_from = since > old ? HUGE_VAL : since < old ? kern->cells.cell[since].start : kern->grid->t[i];
    double marks = move_marks(kern, i, &s, gamma, known_from, since, &fit);
    double overlap = move_overlap(kern, &s, at, now, next);
    if (kern->smooth_gradient)
        memcpy(kern->end_next, gamma, sizeof(double) * (size_t)(k * k));
    else
        node_value(kern, &fit, since, kern->end_next);
    return larger_change(change, larger_change(marks, overlap));
}

void response_merged_renew(merged_kernels *kern, const averages_layout *at, const double *after)
{
    fit_space fit = {0};
    row_source from = {.at = at,
                       .averages = after,
                       .cells = kern->cells.n,
                       .since = kern->cells.n,
                       .known_end = kern->smooth_gradient,
                       .Q = kern->Q};
    if (fit_row(kern, &from, after + at->gamma, &fit))
        return;
    if (kern->smooth_gradient)
        memcpy(kern->end, after + at->gamma, sizeof(double) * (size_t)(kern->k * kern->k));
    else
        node_value(kern, &fit, from.since, kern->end);
    for (int j = 0; j < kern->n_marks; j++)
        value_at(kern, &fit, from.since, 0, 0, kern->mark[j].s, kern->mark[j].Q);
}
