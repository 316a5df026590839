/* Problems from text, and the plan, paths, kernels and blocks that the self-consistent solver makes of one. */
#ifndef SGDMFT_TESTS_SUPPORT_PLAN_H
#define SGDMFT_TESTS_SUPPORT_PLAN_H

#include "paths/block.h"
#include "solvers/dmft/plan.h"

/* A problem and its plan. */
typedef struct test_plan {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    dmft_plan plan;
} test_plan;

/* Parses a problem; the text is a printf format. Fails the test if it is refused. */
sgdmft_problem *test_problem(sgdmft_context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes over the problem. Points into itself: not to be copied. */
void test_plan_init(test_plan *t, sgdmft_problem *problem);
void test_plan_clear(test_plan *t);

/* Rows of blocks in double precision on all grids, for comparisons to rounding. */
void test_plan_exact(test_plan *t);

/* The paths of a replica on the fine grid, with the normals of the label turned as in a solve. */
path_ensemble *test_paths(const test_plan *t, uint32_t replica);

/* Kernels on the fine grid, zero but for R(t, t) and m(0). */
kernels *test_kernels(const test_plan *t);

/* All blocks of an ensemble in lockstep. */
typedef struct test_blocks {
    const test_plan *t;
    const path_plan *plan; /* not owned */
    const path_ensemble *paths;
    path_block *block;
    path_workspace *workspace;
    double *sums; /* means over paths, set by start and advance */
} test_blocks;

test_blocks test_blocks_new(const test_plan *t, const path_ensemble *paths); /* on the fine grid */
test_blocks test_blocks_new_on(const test_plan *t, const path_plan *plan, const path_ensemble *paths);
void test_blocks_start(test_blocks *blocks);                                  /* node 0, accepted */
void test_blocks_advance(test_blocks *blocks, const kernels *kern, int cell); /* node cell + 1, not yet accepted */
void test_blocks_accept(test_blocks *blocks);
void test_blocks_clear(test_blocks *blocks);

#endif
