/* A problem for tests that do the paths of a block again one at a time: two students with a nonlinear loss, and kernels
   without structure. */
#ifndef SGDMFT_TESTS_PATHS_PATH_CASE_H
#define SGDMFT_TESTS_PATHS_PATH_CASE_H

#include "support/plan.h"

enum { K = 2, STEPS = 12 };

extern const double any_bridge_root[K * K];

/* A learning rate, as text and as a function. */
typedef struct case_schedule {
    const char *text;
    double (*eta)(double t);
} case_schedule;

extern const case_schedule smooth_schedule;
extern const case_schedule jumping_schedule; /* constant on both sides of a jump at t = 1.7 */

/* Any kernels: the path equations need nothing but R(t, t) = 1, which test_kernels gives. The bridges are
   any_bridge_root, or its first component for one student. */
void any_kernels(kernels *kern, unsigned seed);

typedef struct path_case {
    test_plan t;
    const case_schedule *eta;
    kernels *kern;
    path_workspace *one;  /* of a single lane */
    path_ensemble *paths; /* NULL until path_case_draw */
} path_case;

/* `dynamics` are those of a row of the table of processes, of epoch_process or of explicit_flow; `numerics` are the
   keys before paths, steps, seed and grading. Points into itself: not to be copied. */
void path_case_init(path_case *c, const char *dynamics, const case_schedule *eta, double horizon, const char *numerics,
                    int paths);
void path_case_draw(path_case *c, unsigned kernel_seed);
void path_case_clear(path_case *c);

/* Field at t = 0 and at a node, gradient and Hessian for one path. */
void path_case_start(const path_case *c, const path_inputs *in, size_t p, double w[K]);
void path_case_field(const path_case *c, const path_inputs *in, size_t p, int node, double w[K]);
void path_case_gradient(const path_case *c, double t, const double r[K], double y, double g[K], double G[K * K]);

/* Repeating a step with the same kernels changes nothing: passes may be repeated. */
void path_case_check_repeatable(const path_case *c);

#endif
