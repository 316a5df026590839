/* The operations of an expression graph: operators first, then the functions a user can call. */
#ifndef SGDMFT_EXPR_OPS_H
#define SGDMFT_EXPR_OPS_H

typedef enum expr_op {
    OP_CONSTANT,
    OP_VARIABLE,

    OP_NEG,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_POW,
    OP_LT, /* comparisons give 1 or 0; a > b is stored as b < a */
    OP_LE,
    OP_EQ,
    OP_NE,

    OP_IF,
    OP_MIN, /* two arguments in the graph; the parser folds longer lists */
    OP_MAX,
    OP_LOGSUMEXP, /* any number of arguments */

    OP_EXP,
    OP_LOG,
    OP_LOG1P,
    OP_SQRT,
    OP_ABS,
    OP_SIGN,
    OP_TANH,
    OP_SINH,
    OP_COSH,
    OP_SIN,
    OP_COS,
    OP_TAN,
    OP_ATAN,
    OP_ERF,
    OP_ERFC,
    OP_RELU,
    OP_SOFTPLUS,
    OP_SIGMOID,

    OP_COUNT
} expr_op;

/* Most arguments of a call. */
#define EXPR_MAX_ARGS 64

#endif
