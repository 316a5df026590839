/* A compiled program: instructions over places, run chunk by chunk on a block of lanes. */
#ifndef SGDMFT_EXPR_PROGRAM_H
#define SGDMFT_EXPR_PROGRAM_H

#include "core/simd.h"
#include "expr/graph.h"

typedef struct expr_program expr_program;

/* Compiles a program whose outputs are `nodes` in that order. The graph may be freed afterwards. */
sgdmft_status expr_compile(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n_nodes,
                           expr_program **out);
/* The same for an instruction set that is supported; expr_compile takes the best. */
sgdmft_status expr_compile_for(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n_nodes,
                               instruction_set set, expr_program **out);
void expr_program_free(expr_program *program); /* NULL is allowed */

/* Work space in doubles for one thread; the program cuts blocks into chunks that stay in cache by itself. */
size_t expr_program_work(const expr_program *program);
/* Number of instructions that each lane costs. */
int expr_program_length(const expr_program *program);
/* 1 if input number `input` is read. Inputs that are not read may be NULL in expr_eval. */
int expr_program_reads(const expr_program *program, size_t input);

/* out[i][p] = value of output i at lane p, p < n; in[v][p] = value of variable v. Any n >= 0; no alignment needed;
   outputs may not overlap inputs or each other. The value at a lane does not depend on n or on its neighbours.
   Allocates nothing and never fails (a domain error gives NaN or infinity as in C). */
void expr_eval(const expr_program *program, double *work, size_t n, const double *const *in, double *const *out);

#endif
