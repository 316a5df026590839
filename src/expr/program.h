/* A compiled program: instructions over places, run chunk by chunk. */
#ifndef SGDMFT_EXPR_PROGRAM_H
#define SGDMFT_EXPR_PROGRAM_H

#include "expr/expr.h"
#include "expr/graph.h"
#include "expr/loops.h"

typedef enum place_kind { PLACE_INPUT, PLACE_CONSTANT, PLACE_REGISTER, PLACE_OUTPUT } place_kind;

typedef struct place {
    place_kind kind;
    int index;
} place;

typedef struct instruction {
    expr_loop run;
    place out;
    int n_in, first; /* operands operand[first .. first + n_in - 1] */
} instruction;

struct expr_program {
    instruction *instruction;
    int n_instructions;
    place *operand;
    int n_operands;
    double *constant; /* each repeated LOOP_LANES times */
    int n_constants;
    int n_registers;
    int n_outputs;
    int n_inputs;              /* variables that are read: */
    int input[EXPR_MAX_VARIABLES]; /* their numbers */
    size_t chunk;              /* lanes worked on at a time */
};

/* Compiles for an instruction set that is supported; expr_compile takes the best. */
sgdmft_status program_compile(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n_nodes,
                              instruction_set set, expr_program **out);

#endif
