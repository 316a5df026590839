/* The limiting process of a coordinate, for the quadratic penalty:

       theta^t = R(t,0) theta0 + F(t) theta* + a Gaussian process independent of both,    F = (m - R(.,0) m0) rho^-1,

   whose covariance K(t,s) is what remains of C(t,s). With another penalty the process is nonlinear, and C, R and m are not
   enough to draw it: nonlinear.h does, if the solution has `coordinates`. */
#ifndef SGDMFT_SAMPLE_COORDINATES_H
#define SGDMFT_SAMPLE_COORDINATES_H

#include <stdint.h>

#include "model/coordinates_law.h"
#include "sample/gaussian_root.h"
#include "sample/nonlinear.h"
#include "sample/two_time.h"

/* Refuses penalties other than the ridge. */
sgdmft_status coordinates_check(sgdmft_context *ctx, const sgdmft_problem *problem);

/* F at node i: [k][k*]. */
sgdmft_status coordinates_onto_teacher(sgdmft_context *ctx, const two_time *x, const sgdmft_problem *problem, size_t i,
                                       double *F);

/* K between nodes i and j: [k][k], given F at both. */
void coordinates_remainder(const two_time *x, const sgdmft_problem *problem, size_t i, const double *Fi, size_t j,
                           const double *Fj, double *K);

typedef struct coordinate_process {
    int k, kstar;
    size_t n;             /* times */
    double *onto_start;   /* [n][k][k] */
    double *onto_teacher; /* [n][k][k*] */
    gaussian_root rest;   /* of K over (time, component) */
    nonlinear_process *nonlinear; /* in place of these three; NULL for a ridge */
    coordinates_law *law;
    size_t work; /* doubles that drawing a block takes */
} coordinate_process;

/* The process at the nodes node[0] < .. < node[n-1]. x->coordinates must outlive it. */
sgdmft_status coordinate_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t n,
                                     const size_t *node, coordinate_process **out);
void coordinate_process_free(coordinate_process *process);

/* Block `block` of paths (draws.h): theta [n][k][SAMPLE_LANES], thetastar [k*][SAMPLE_LANES]. Returns SGDMFT_OK, or
   SGDMFT_ERR_NO_CONVERGENCE (nonlinear.h) without a message. */
sgdmft_status coordinate_process_draw(const coordinate_process *process, uint64_t seed, uint64_t block, double *work,
                                      double *theta, double *thetastar);

#endif
