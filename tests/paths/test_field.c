/* The field at the visits. With R = 1 and white innovations of rate s^2, w(t) - w(0) is s sqrt(delta) times a Brownian
   motion, at nodes and visits alike: chord, bridge and their sum have known moments. A tiny step makes the kick of a
   visit show the field there: kick / eta + y = w(T). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "support/check.h"
#include "support/plan.h"
#include "support/sample.h"
#include "support/visits_by_path.h"

enum { STEPS = 6, PATHS = 2000 };
static const double ETA = 1e-9, RATE = 0.73, DELTA = 1.7;

typedef struct moments {
    sample square, fourth, pair;          /* of (w(T) - w(0)) / (s sqrt(delta T)); covariance of two visits */
    sample residual, quartic, onto_chord; /* of w(T) minus the chord between its nodes */
    sample onto_start, same_cell;         /* w(T) - w(0) against w(0); residuals of two visits of one cell */
} moments;

static void fill_kernels(kernels *kern)
{
    for (int i = 1; i <= STEPS; i++)
        for (int j = 0; j < i; j++) {
            kernels_R(kern, 0, i)[j] = 1;
            kernels_V(kern, i, 0)[j] = -sqrt(DELTA * kern->grid->h[j]) * RATE;
        }
    for (int i = 0; i < STEPS; i++)
        kern->bridge[i] = sqrt(DELTA) * RATE;
}

/* A block, its visits, and the field at the node before those of the cell. */
typedef struct seen_block {
    const path_block *block;
    const visits_by_path *v;
    const double *w_before;
} seen_block;

static double field(const seen_block *s, int slot, size_t p)
{
    return s->block->chains->kick[(size_t)slot * s->block->in->n + p] / ETA + s->block->in->y[p];
}

/* The field at time 0, from the law of the start. */
static double start_field(const test_plan *t, const path_inputs *in, size_t p)
{
    return t->plan.law.start_onto_signal[0] * in->wstar[p] + t->plan.law.start_root[0] * in->z0[p];
}

/* Residual of a visit in units of its standard deviation. */
static double residual(const seen_block *s, const time_grid *grid, int slot, size_t p, double *chord)
{
    size_t at = (size_t)slot * s->block->in->n + p;
    double low = grid->t[s->v->cell[at]], high = grid->t[s->v->cell[at] + 1], T = s->v->time[at];
    double x = (T - low) / (high - low);
    *chord = (1 - x) * s->w_before[p] + x * s->block->w[p];
    return (field(s, slot, p) - *chord) / (RATE * sqrt(DELTA * (T - low) * (high - T) / (high - low)));
}

static void add_visit(const test_plan *t, const seen_block *s, int slot, size_t p, moments *seen)
{
    const time_grid *grid = t->plan.grid[GRID_FINE];
    size_t n = s->block->in->n, at = (size_t)slot * n + p;
    double T = s->v->time[at], chord, unused, w0 = start_field(t, s->block->in, p), unit = RATE * sqrt(DELTA);
    double z = (field(s, slot, p) - w0) / (unit * sqrt(T)), e = residual(s, grid, slot, p, &chord);
    sample_add(&seen->square, z * z);
    sample_add(&seen->fourth, pow(z, 4));
    sample_add(&seen->onto_start, z * w0);
    sample_add(&seen->residual, e * e);
    sample_add(&seen->quartic, pow(e, 4));
    sample_add(&seen->onto_chord, e * chord);
    if (slot == 0)
        return;
    double before = s->v->time[at - n], other = field(s, slot - 1, p) - w0;
    sample_add(&seen->pair, z * unit * sqrt(T) * other / (unit * unit * before));
    if (s->v->cell[at - n] == s->v->cell[at]) {
        double low = grid->t[s->v->cell[at]], high = grid->t[s->v->cell[at] + 1];
        double correlation = sqrt((before - low) * (high - T) / ((T - low) * (high - before)));
        sample_add(&seen->same_cell, e * residual(s, grid, slot - 1, p, &unused) / correlation);
    }
}

static void collect(const test_plan *t, const kernels *kern, uint32_t replica, moments *seen)
{
    path_ensemble *paths = test_paths(t, replica);
    visits_by_path *v = visits_by_path_new(paths, 1, t->plan.grid[GRID_FINE]);
    test_blocks blocks = test_blocks_new(t, paths);
    double *w_before = memory_doubles(paths->n_blocks * paths->block[0].n); /* no block has more lanes than the first */
    test_blocks_start(&blocks);
    for (int i = 0; i < STEPS; i++) {
        for (size_t b = 0; b < paths->n_blocks; b++)
            memcpy(w_before + b * paths->block[0].n, blocks.block[b].w, sizeof(double) * paths->block[b].n);
        test_blocks_advance(&blocks, kern, i);
        for (size_t b = 0; b < paths->n_blocks; b++) {
            seen_block s = {&blocks.block[b], &v[b], w_before + b * paths->block[0].n};
            for (size_t p = 0; p < paths->block[b].n; p++)
                for (int a = 0; a < v[b].visits[p]; a++)
                    if (v[b].cell[(size_t)a * paths->block[b].n + p] == i)
                        add_visit(t, &s, a, p, seen);
        }
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    visits_by_path_free(paths, v);
    path_ensemble_free(paths);
    free(w_before);
}

static void test_moments(void **state)
{
    sgdmft_context *ctx = check_context(1);
    test_plan t;
    test_plan_init(&t, test_problem(ctx,
                                    "{delta: 1.7, horizon: 2.5, eta: 1.0e-9, model: {label: \"s\", "
                                    "loss: \"(r - y)^2/2\"}, initial: {q: 1.1, m: 0.4, rho: 0.8}, "
                                    "numerics: {response: pathwise, paths: %d, steps: %d, seed: 61, grading: 1.3}}",
                                    PATHS, STEPS));
    kernels *kern = test_kernels(&t);
    fill_kernels(kern);
    moments seen = {0};
    for (uint32_t r = 0; r < test_scaled(30, 6); r++)
        collect(&t, kern, r, &seen);
    check_z(seen.square.mean, 1, sample_se(&seen.square), 4, "variance of w(T) - w(0)");
    check_z(seen.fourth.mean, 3, sample_se(&seen.fourth), 4, "fourth moment of w(T) - w(0)");
    check_z(seen.pair.mean, 1, sample_se(&seen.pair), 4, "covariance of w at two visits");
    check_z(seen.onto_start.mean, 0, sample_se(&seen.onto_start), 4, "w(T) - w(0) and w(0)");
    check_z(seen.residual.mean, 1, sample_se(&seen.residual), 4, "variance of w(T) given the nodes");
    check_z(seen.quartic.mean, 3, sample_se(&seen.quartic), 4, "fourth moment of w(T) given the nodes");
    check_z(seen.onto_chord.mean, 0, sample_se(&seen.onto_chord), 4, "w(T) given the nodes, and the chord");
    check_z(seen.same_cell.mean, 1, sample_se(&seen.same_cell), 4, "two visits of one cell given the nodes");
    check_between(sample_se(&seen.square), 0, 0.01, "resolution");
    kernels_free(kern);
    test_plan_clear(&t);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
    };
    return cmocka_run_group_tests_name("field at visits", tests, NULL, NULL);
}
