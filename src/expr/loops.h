/* The loops that evaluate an operation on a block of lanes, compiled once for each instruction set. */
#ifndef SGDMFT_EXPR_LOOPS_H
#define SGDMFT_EXPR_LOOPS_H

#include <stddef.h>

#include "core/simd.h"
#include "expr/ops.h"

/* Lanes of a block come in multiples of this: the widest vector of any instruction set. */
#define LOOP_LANES 8

/* A value per lane at p[i * step]: step 1 for a vector, 0 for a constant repeated LOOP_LANES times at p. */
typedef struct loop_operand {
    const double *p;
    size_t step;
} loop_operand;

/* out[i] = f(in[0][i], ...), i < n, n a multiple of LOOP_LANES; `out` may be one of the operands. */
typedef void (*expr_loop)(size_t n, double *out, const loop_operand *in, int n_in);

typedef struct expr_loops {
    expr_loop copy;
    expr_loop of[OP_COUNT];
} expr_loops;

/* The loops for a supported instruction set. AVX2 and AVX-512 give the same bytes. */
const expr_loops *expr_loops_for(instruction_set set);

extern const expr_loops expr_loops_base;
#ifdef SIMD_X86
extern const expr_loops expr_loops_avx2, expr_loops_avx512;
#endif

#endif
