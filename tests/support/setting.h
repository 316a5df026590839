/* Problems from text, ready for the inner functions. */
#ifndef SGDMFT_TESTS_SUPPORT_SETTING_H
#define SGDMFT_TESTS_SUPPORT_SETTING_H

#include "paths/block.h"
#include "solvers/dmft/plan.h"

typedef struct test_setting {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    dmft_plan s;
} test_setting;

/* Parses a problem; the text is a printf format. Fails the test if it is refused. */
sgdmft_problem *test_problem(sgdmft_context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes over the problem. Points into itself: not to be copied. */
void test_setting_init(test_setting *t, sgdmft_problem *problem);
void test_setting_clear(test_setting *t);

/* Rows of blocks in double precision on all grids, for what is compared to the last digit. */
void test_setting_exact(test_setting *t);

/* The paths of a replica on the fine grid, with the normals of the label turned as in a solve. */
path_ensemble *test_paths(const test_setting *t, uint32_t replica);

/* Kernels on the fine grid, zero but for R(t, t) and m(0). */
kernels *test_kernels(const test_setting *t);

/* All blocks of an ensemble in lockstep. */
typedef struct test_run {
    const test_setting *t;
    const path_plan *set; /* not owned */
    const path_ensemble *paths;
    path_block *block;
    path_workspace *scratch;
    double *sums; /* means over paths, set by start and advance */
} test_run;

test_run test_run_new(const test_setting *t, const path_ensemble *paths); /* on the fine grid */
test_run test_run_new_on(const test_setting *t, const path_plan *set, const path_ensemble *paths);
void test_run_start(test_run *run);                                  /* node 0, accepted */
void test_run_advance(test_run *run, const kernels *kern, int cell); /* node cell + 1, not yet accepted */
void test_run_accept(test_run *run);
void test_run_clear(test_run *run);

#endif
