/* What all solves of one online problem share. Immutable once made. */
#ifndef SGDMFT_SOLVERS_ONLINE_SETTING_H
#define SGDMFT_SOLVERS_ONLINE_SETTING_H

#include "columns/solution.h"
#include "paths/inputs.h"
#include "model/initial.h"
#include "model/model.h"
#include "model/penalty.h"
#include "problem/problem.h"
#include "core/matrix.h"
#include "kernels/grid.h"
#include "model/schedule.h"

typedef struct online_setting {
    const sgdmft_problem *problem;
    model *m;
    model_shape shape;
    schedule *eta;
    eta_jump *jump; /* ascending, inside (0, T) */
    size_t n_jumps;
    time_grid *grid; /* nodes of the two-time arrays */

    /* Where the penalty is not a ridge, coordinates are sampled; otherwise NULL and zero. */
    penalty *pen;
    time_grid *coarse; /* every second node of the grid */
    initial_law law;
    path_source source; /* of the coordinates */

    solution_columns columns;
    double rho_root[MATRIX_MAX * MATRIX_MAX], rho_inverse[MATRIX_MAX * MATRIX_MAX];
    double moment_scale; /* mean square of a coordinate of student or teacher at the start */
} online_setting;

sgdmft_status online_setting_new(sgdmft_context *ctx, const sgdmft_problem *problem, online_setting **out);
void online_setting_free(online_setting *s);

/* Output time number i of the problem. */
double online_setting_time(const online_setting *s, int i);

/* What solution_new wants; the names are borrowed from the problem and listed in names[observables]. */
solution_shape online_setting_shape(const online_setting *s, const char **names);

/* Root of a[k][k], symmetric, with eigenvalues below `least` >= 0 raised to it, and the inverse of that root (zero where
   an eigenvalue is zero; NULL if not wanted). *lowest is the smallest eigenvalue before that. Returns 0, or -1 if a is
   not finite. */
int online_root(int k, const double *a, double least, double *root, double *inverse, double *lowest);

#endif
