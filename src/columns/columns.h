/* The registry of output quantities. A column is one quantity X at the output times, with a standard error and an
   estimate of its time-step error; the kinds of columns are the rows of one table (columns.c), in the order in which
   they are written:

     train_loss, test_loss     E loss(r, y) over the training law, E loss(w, y) over the test law
     q_ab = C_ab(t,t), m_ab    overlaps, lower triangle of q and all of m, row by row
     train_NAME, test_NAME     averages of each observable over the two laws
     R_ab(t,0)                 response, row by row, where it is known

   Contract. A solver asks solution_columns_of where each kind starts and fills in, at every output time, the columns
   that exist for the shape of its solution. Names, order and scales are left to this table: solution_new makes the
   curves from it; the writers, the comparison and the figures read them from there; the tables of docs/output.md and
   the patterns of python/sgdmft.py are checked against it (scripts/check-registry.py). To add a quantity: a row of
   the table, its place in solution_columns, and a line in each solver that knows it. If some do not know it, a field
   of solution_shape tells, and its `count` is 0 there, as for R. */
#ifndef SGDMFT_COLUMNS_COLUMNS_H
#define SGDMFT_COLUMNS_COLUMNS_H

#include <stddef.h>

#include "core/matrix.h"

typedef struct solution_shape {
    int k, kstar;   /* students, teachers: 1..8 */
    size_t n_times; /* output times */
    size_t n_grid;  /* grid nodes of the two-time arrays; 0: none */
    size_t n_observables;
    const char *const *observables; /* [n_observables] names; NULL where only the layout is asked for */
    int response;                   /* 1: R(t,0) is known */
} solution_shape;

/* Index of the first column of each kind. */
typedef struct solution_columns {
    size_t train_loss, test_loss;
    size_t q;           /* q_ab, a >= b, at q + a(a+1)/2 + b */
    size_t m;           /* m_ab at m + a k* + b */
    size_t observables; /* train of observable i at observables + 2i, test next to it */
    size_t response;    /* R_ab(t,0) at response + a k + b */
    size_t count;       /* of all columns */
} solution_columns;

/* What the natural scale of a column is made of. Columns and rho are read where the kind needs them. */
typedef struct column_surroundings {
    int k, kstar;
    size_t n;                    /* times */
    const double *value;         /* [n] the column itself */
    const double *q[MATRIX_MAX]; /* [k] pointers to the columns q_aa, each [n] */
    const double *rho;           /* [k*][k*] second moments of the teachers */
} column_surroundings;

/* One row of the table. */
typedef struct column_kind {
    const char *key;   /* one word for the kind */
    const char *names; /* for people: "q11, q21, q22, ..." */
    const char
        *patterns[2]; /* wildcard patterns (fnmatch); a name belongs to the first row with a pattern it matches */
    const char *doc;  /* one line, in Markdown */
    size_t first;     /* offset of its index in solution_columns */
    size_t (*count)(const solution_shape *shape);
    char *(*name)(const solution_shape *shape, size_t i); /* of its column i; the caller frees it; NULL: no memory */
    void (*scale)(const column_surroundings *in, size_t i, double *scale); /* columns_natural_scale, of its column i */
} column_kind;

/* Row number `index`, or NULL beyond the last. */
const column_kind *columns_kind(size_t index);

/* The row that a column of this name belongs to, or NULL for a name that is not one of the library's. */
const column_kind *columns_kind_of(const char *name);

solution_columns solution_columns_of(const solution_shape *shape);

/* Finds k and k* from the names of the columns of q and m; 0 if there are none. */
void columns_infer_shape(size_t n, const char *const *names, int *k, int *kstar);

/* Largest |value| of a column. Values that are not numbers are passed over. */
double columns_largest(const double *value, size_t n);

/* The natural scale of column number `i` of its kind at every time, scale[n], which errors are relative to. It is a
   size that the column could have, so that a column that is zero by symmetry has one:

     losses, q_aa         |value| at that time, but at least a hundredth of the largest one
     q_ab, m_ab           the bounds of Cauchy and Schwarz, sqrt(q_aa q_bb) and sqrt(q_aa rho_bb), with q_aa as above
     observables          their largest |value|; so for a foreign column (kind NULL)
     R(t,0)               1, the response at the start */
void columns_natural_scale(const column_kind *kind, const column_surroundings *in, size_t i, double *scale);

#endif
