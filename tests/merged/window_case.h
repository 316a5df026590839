/* The random inputs of a block of paths over all windows of a horizon. */
#ifndef SGDMFT_TESTS_MERGED_WINDOW_CASE_H
#define SGDMFT_TESTS_MERGED_WINDOW_CASE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "merged/window.h"
#include "support/check.h"
#include "support/plan.h"
#include "support/sample.h"

enum { WINDOW_STUDENTS = 2 };

/* Cells of different widths, and a step of eta that tells the time. */
#define WINDOW_PROBLEM                                                                                                 \
    "{delta: 1.6, horizon: %g, eta: \"0.8/(1 + 0.2*t)\", %s, "                                                         \
    "model: {students: 2, teachers: 2, label: \"s1 - 0.4*s2 + 0.3*eps\", loss: \"(r1 + r2 - y)^2/2\"}, "               \
    "numerics: {paths: 20000, steps: 32, seed: %d, grading: 1.3, history: merged}}"

#define REPLACEMENT "dynamics: sgd, sampling: replacement"
#define RESHUFFLE "dynamics: sgd, sampling: reshuffle"
#define DIFFUSION "dynamics: sme"

typedef struct window_case {
    test_plan t;
    window_source source;
    path_window window;
    uint64_t first; /* the number of the path in lane 0 */
    int windows;    /* up to the horizon */
    double *key;
} window_case;

/* *out points into itself. */
static inline void window_case_new(const char *dynamics, double horizon, int seed, size_t n, uint64_t first,
                                   window_case *out)
{
    sgdmft_context *ctx = check_context(1);
    test_plan_init(&out->t, test_problem(ctx, WINDOW_PROBLEM, horizon, dynamics, seed));
    sgdmft_context_free(ctx);
    out->source = (window_source){&out->t.plan.source, (const time_grid *const *)out->t.plan.grid, 3};
    out->first = first;
    out->windows = out->t.plan.grid[0]->steps / WINDOW_CELLS;
    out->key = memory_doubles(n);
    assert_non_null(out->key);
    check_ok(out->t.ctx, path_window_new(out->t.ctx, &out->source, n, first, &out->window));
}

static inline void window_case_clear(window_case *c)
{
    path_window_clear(&c->window);
    free(c->key);
    test_plan_clear(&c->t);
}

/* Draws a window; lanes are sorted by numbers that have nothing to do with them. */
static inline void window_case_draw(window_case *c, int index)
{
    random_normals((random_key){55, 0, 80}, (uint64_t)index, c->first, c->window.n, c->key);
    assert_int_equal(path_window_draw(c->t.ctx, &c->source, &c->window, index, c->key), SGDMFT_OK);
}

/* The number on its grid of a cell of the window. */
static inline int window_case_number(int grid, int index, int cell)
{
    return index * (WINDOW_CELLS >> grid) + cell;
}

/* int_0^u phi_1 for phi_1 = sqrt(3) (2 u - 1), and the covariance of the bridge at two places of a cell of width 1,
   from the law that window.h states. */
static inline double slope_to(double u)
{
    return sqrt(3) * (u * u - u);
}

static inline double bridge_law(double u, double v)
{
    return fmin(u, v) - u * v - 3 * (u * u - u) * (v * v - v);
}

#endif
