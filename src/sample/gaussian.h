/* Gaussian processes at nodes of a solution's time grid, given the variables that they depend on:

     coordinates with a ridge   theta(t_i) = R(t_i,0) theta(0) + F(t_i) theta* + rest,  F = (m - R(.,0) m(0)) rho^{-1}
     field of a fresh sample    w(t_i) = m_w(t_i) rho_w^{-1} w* + rest                  (model/data_law.h)

   The rest is independent of these variables. Its covariance is what they leave of C(t_i, t_j), and it is drawn through
   the symmetric root of that matrix. A covariance that is singular, or estimated from paths, has eigenvalues that are
   zero up to errors; negative ones are set to zero. Unlike a triangular factor, or one made of eigenvectors, the
   symmetric root depends continuously on the covariance, so that paths do not jump with rounding errors. */
#ifndef SGDMFT_SAMPLE_GAUSSIAN_H
#define SGDMFT_SAMPLE_GAUSSIAN_H

#include <stddef.h>

#include "core/context.h"
#include "model/data_law.h"
#include "sample/two_time.h"

typedef struct gaussian_root {
    size_t n;
    double *root;    /* [n][n] symmetric */
    double negative; /* minus the sum of the negative eigenvalues, relative to the trace */
} gaussian_root;

/* Takes over covariance[n][n], allocated by malloc; its upper triangle is not read. Errors: SGDMFT_ERR_NON_FINITE,
   SGDMFT_ERR_MEMORY. On failure, too, *out is to be cleared. */
sgdmft_status gaussian_root_new(sgdmft_context *ctx, size_t n, double *covariance, gaussian_root *out);
void gaussian_root_clear(gaussian_root *root);

/* x[n][lanes] = root z[n][lanes]. A lane does not depend on the others, as long as `lanes` is the same. */
void gaussian_root_apply(const gaussian_root *root, size_t lanes, const double *z, double *x);

typedef struct gaussian_process {
    int k, kstar;
    size_t n;             /* nodes */
    double *onto_start;   /* [n][k][k] on theta(0), or NULL */
    double *onto_teacher; /* [n][k][k*] on theta* or w* */
    gaussian_root rest;   /* of size n k, component a at node i being number i k + a */
} gaussian_process;

/* The coordinates at the nodes node[0] < .. < node[n-1]. Errors: SGDMFT_ERR_RANGE (rho is singular),
   SGDMFT_ERR_NON_FINITE, SGDMFT_ERR_MEMORY. On failure, too, *out is to be cleared. */
sgdmft_status gaussian_process_of_coordinates(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                                              size_t n, const size_t *node, gaussian_process *out);

/* The field at all nodes. Errors as above. */
sgdmft_status gaussian_process_of_field(sgdmft_context *ctx, const sgdmft_problem *problem, const data_law *law,
                                        const two_time *x, gaussian_process *out);
void gaussian_process_clear(gaussian_process *process);

/* Paths x[n][k][lanes] from standard normals z[n][k][lanes], start[k][lanes] (not used without onto_start) and
   teacher[k*][lanes]. */
void gaussian_process_draw(const gaussian_process *process, size_t lanes, const double *z, const double *start,
                           const double *teacher, double *x);

/* The moments of the field at nodes i and j: C_w(t_i, t_j), m_w(t_j) and rho_w. */
void field_moments_between(const sgdmft_problem *problem, const data_law *law, const two_time *x, size_t i, size_t j,
                           field_moments *out);

/* F of the coordinates at node i: [k][k*]. */
sgdmft_status coordinates_onto_teacher(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t i,
                                       double *F);

/* The covariance of the rest of the coordinates between nodes i and j, given F at both: [k][k]. */
void coordinates_rest(const sgdmft_problem *problem, const two_time *x, size_t i, const double *F_i, size_t j,
                      const double *F_j, double *K);

#endif
