/* Expressions: text -> hash-consed graph -> derivatives -> block program.

   A graph owns all nodes; equal subexpressions are one node, so derivatives share work with what they derive.
   Variables are the inputs of programs, numbered in the order of declaration. A bound name stands for a node
   (f1 for the prediction, y1 for an input, ...). A program evaluates any number of nodes over a block of lanes and
   is immutable: threads share it, each with its own work space. */
#ifndef SGDMFT_EXPR_EXPR_H
#define SGDMFT_EXPR_EXPR_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "core/origin.h"

typedef struct expr_graph expr_graph;
typedef struct expr_program expr_program;
typedef int expr_node; /* index into the graph */

sgdmft_status expr_graph_new(sgdmft_context *ctx, expr_graph **out);
void expr_graph_free(expr_graph *graph);

/* Declares the next input variable. Several names may be bound to one node afterwards (r and r1). */
sgdmft_status expr_variable(sgdmft_context *ctx, expr_graph *graph, const char *name, expr_node *out);
sgdmft_status expr_bind(sgdmft_context *ctx, expr_graph *graph, const char *name, expr_node node);
/* Removes a name from the scope (e.g. r while a label is parsed); its node stays valid. Unknown names are ignored. */
void expr_unbind(expr_graph *graph, const char *name);
/* Keeps a name in the scope but refuses expressions that use it, with `why` in the message ("labels are made from s
   and eps"). NULL allows it again. Unknown names are ignored. */
sgdmft_status expr_forbid(sgdmft_context *ctx, expr_graph *graph, const char *name, const char *why);

/* Parses `text`. Errors carry where->source, the line and column of the offending character, `where->key`, what was
   found, what is allowed and the nearest valid name. */
sgdmft_status expr_parse(sgdmft_context *ctx, expr_graph *graph, const char *text, const origin *where,
                         expr_node *out);

/* Exact derivative of `node` with respect to the variable `variable`. Conventions at kinks: relu'(0) = 0,
   abs'(0) = 0, sign' = 0, comparisons and the condition of `if` have derivative 0, min and max take the first
   argument on a tie. */
sgdmft_status expr_derivative(sgdmft_context *ctx, expr_graph *graph, expr_node node, expr_node variable,
                              expr_node *out);

/* 1 if `node` depends on `variable`. */
int expr_depends(const expr_graph *graph, expr_node node, expr_node variable);
/* 1 and the value if `node` is a constant. */
int expr_constant(const expr_graph *graph, expr_node node, double *value);

/* A point where `node` jumps as a function of the variables `moving`. */
typedef struct expr_jump {
    int found;       /* 1 if a jump was found */
    double size;     /* |jump| there */
    char function[32]; /* function that switches there, e.g. "relu", "sign", "if" */
} expr_jump;

/* Searches for jumps of `node` in the variables `moving`: on every switching surface (zero set of the argument of
   sign, of a comparison, ...) that `node` depends on, compares the values on both sides along random lines, other
   variables random. Deterministic for a given seed. The size is that of the largest jump met; infinite at a pole.
   Adds nodes to the graph (the switching functions). */
sgdmft_status expr_find_jump(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *moving,
                             size_t n_moving, uint64_t seed, expr_jump *out);

/* Compiles a program whose outputs are `nodes` in that order. The graph may be freed afterwards. */
sgdmft_status expr_compile(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n_nodes,
                           expr_program **out);
void expr_program_free(expr_program *program);

/* Work space in doubles for one thread; the program cuts blocks into chunks that stay in cache by itself. */
size_t expr_program_work(const expr_program *program);
/* 1 if input number `input` is read. Inputs that are not read may be NULL in expr_eval. */
int expr_program_reads(const expr_program *program, size_t input);

/* out[i][p] = value of output i at lane p, p < n; in[v][p] = value of variable v. Any n >= 0; no alignment needed;
   outputs may not overlap inputs or each other. The value at a lane does not depend on n or on its neighbours.
   Allocates nothing and never fails (a domain error gives NaN or infinity as in C). */
void expr_eval(const expr_program *program, double *work, size_t n, const double *const *in, double *const *out);

#endif
