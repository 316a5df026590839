/* Gradient and Hessian of a separable penalty, from its expression in th1 .. thk. Immutable, shared by threads. */
#ifndef SGDMFT_MODEL_PENALTY_H
#define SGDMFT_MODEL_PENALTY_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/problem.h"

typedef struct penalty penalty;

/* *out stays NULL if the problem has no `penalty`. Errors: 300..302, 500. */
sgdmft_status penalty_new(sgdmft_context *ctx, const sgdmft_problem *problem, penalty **out);
void penalty_free(penalty *p); /* NULL is allowed */

/* Doubles of work space of one thread. */
size_t penalty_work(const penalty *p);

/* slope[a][j] = d penalty / d th_a at theta[.][j], j < n; rows of both are `length` apart. */
void penalty_gradient(const penalty *p, double *work, size_t n, size_t length, const double *theta, double *slope);

/* curvature[a k + b][j] = d^2 penalty / d th_a d th_b, likewise. */
void penalty_hessian(const penalty *p, double *work, size_t n, size_t length, const double *theta, double *curvature);

/* 1 if the gradient jumps in theta, so that the Hessian lacks delta functions. */
int penalty_jumps(const penalty *p);

#endif
