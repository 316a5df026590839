/* What a law of the coordinates consists of; shared by coordinates_law.c (sampling), law_expressions.c and law_samples.c
   (building), law_moments.c. */
#ifndef SGDMFT_MODEL_LAW_PARTS_H
#define SGDMFT_MODEL_LAW_PARTS_H

#include "expr/expr.h"
#include "model/coordinates_law.h"
#include "model/initial.h"
#include "problem/problem.h"

enum { LAW_MOST = 8, LAW_NAMED = 16, LAW_LANES = 256 };

/* Variables of the program, in this order: z1 .. z16, normals that stand for coordinates without a law of their own
   (teachers, students), u1 .. u16. */
enum {
    LAW_Z = 0,
    LAW_TEACHERS = LAW_Z + LAW_NAMED,
    LAW_STUDENTS = LAW_TEACHERS + LAW_MOST,
    LAW_U = LAW_STUDENTS + LAW_MOST,
    LAW_VARIABLES = LAW_U + LAW_NAMED
};

typedef enum law_kind { LAW_GAUSSIAN, LAW_EXPRESSIONS, LAW_SAMPLES } law_kind;

struct coordinates_law {
    law_kind kind;
    int k, kstar, dims;

    initial_law gaussian;

    expr_program *program;       /* theta0, then theta* */
    int variable[LAW_VARIABLES]; /* [dims]: that each uniform feeds, ascending */

    size_t rows;
    double *sample; /* [k + k*][rows]: theta0, then theta* */
};

/* Fill the parts of their kind, and dims. law->k and kstar are set. */
sgdmft_status law_read_expressions(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law *law);
sgdmft_status law_read_samples(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law *law);

/* Name of a variable of the program, as expressions spell it. */
typedef struct law_name {
    char text[16];
} law_name;
law_name law_variable_name(int variable);

#endif
