/* Every array of a solution besides its curves, as one table of names, shapes and owners (solution_arrays.c). The
   table drives allocation, freeing, HDF5 files in both directions and the look-up by name (sgdmft_solution_array),
   and docs/output.md is checked against it: an array that has a row there cannot be forgotten anywhere. */
#ifndef SGDMFT_COLUMNS_SOLUTION_ARRAYS_H
#define SGDMFT_COLUMNS_SOLUTION_ARRAYS_H

#include "core/context.h"
#include "sgdmft/solution.h"

/* The part of a solution that an array belongs to. All required arrays of a part are there, or none. */
typedef enum array_owner {
    OWNER_GRID,        /* of two times: fields of sgdmft_solution, there if n_grid > 0 */
    OWNER_HISTOGRAMS,  /* fields of solution->histograms */
    OWNER_COORDINATES, /* fields of solution->coordinates */
    OWNERS
} array_owner;

typedef enum array_side {
    SIDE_NODES, /* n_grid */
    SIDE_CELLS, /* n_grid - 1 */
    SIDE_K,
    SIDE_KSTAR,
    SIDE_TIMES, /* of the histograms */
    SIDE_BINS,
    SIDE_EDGES, /* bins + 1 */
} array_side;

/* One row of the table. */
typedef struct array_kind {
    const char *name; /* of the dataset, after that of its group: "C", "coordinates/L" */
    array_owner owner;
    int optional;  /* 1: may be missing although its owner is there */
    size_t offset; /* of the pointer to the values in its owner */
    int rank;
    array_side side[SGDMFT_RANK_MAX];
} array_kind;

/* An array of one solution. */
typedef struct solution_array {
    const array_kind *kind;
    size_t extent[SGDMFT_RANK_MAX];
    size_t size;    /* product of the extents */
    double *values; /* NULL: this solution has none */
} solution_array;

/* Name of the group of an owner in a file, "" for the top level. */
const char *solution_arrays_group(array_owner owner);

/* Array number `index`. Returns 0 beyond the last row of the table. */
int solution_arrays_get(const sgdmft_solution *solution, size_t index, solution_array *out);

/* Gives the solution the required (optional = 0) or the optional arrays of an owner, zeroed, in the shapes that it
   has now. `what` names them should memory run out. */
sgdmft_status solution_arrays_allocate(sgdmft_context *ctx, sgdmft_solution *solution, array_owner owner, int optional,
                                       const char *what);

/* Frees the arrays of an owner, which may have none. */
void solution_arrays_free(sgdmft_solution *solution, array_owner owner);

/* Shape of an array as the documentation writes it: "N, N, k, k". */
void solution_arrays_describe_shape(const array_kind *kind, char out[32]);

#endif
