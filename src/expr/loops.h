/* Block kernels: one function per operation and instruction set. */
#ifndef SGDMFT_EXPR_LOOPS_H
#define SGDMFT_EXPR_LOOPS_H

#include <stddef.h>

#include "expr/ops.h"

/* Lanes of a block come in multiples of this: the widest vector of any instruction set. */
#define KERNEL_LANES 8

/* A value per lane at p[i * step]: step 1 for a vector, 0 for a constant repeated KERNEL_LANES times at p. */
typedef struct kernel_operand {
    const double *p;
    size_t step;
} kernel_operand;

/* out[i] = f(in[0][i], ...), i < n, n a multiple of KERNEL_LANES; `out` may be one of the operands. */
typedef void (*kernel_fn)(size_t n, double *out, const kernel_operand *in, int n_in);

typedef struct kernel_set {
    const char *name;
    int (*supported)(void);
    kernel_fn copy;
    kernel_fn of[OP_COUNT];
} kernel_set;

/* Portable set; then, on x86-64, those that need to be asked for at run time. */
extern const kernel_set kernels_base;
#if defined(__x86_64__)
extern const kernel_set kernels_avx2;
extern const kernel_set kernels_avx512;
#endif

/* Set number `i` from best to worst, or NULL past the end. The last is always supported. */
const kernel_set *kernels_number(size_t i);

/* The best supported set. */
const kernel_set *kernels_best(void);

#endif
