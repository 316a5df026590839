/* The arrays of sgdmft_parameters one by one: names in files, shapes, places. */
#ifndef SGDMFT_OUTPUT_PARAMETERS_ARRAYS_H
#define SGDMFT_OUTPUT_PARAMETERS_ARRAYS_H

#include "sgdmft/solution.h"

enum { PARAMETERS_ARRAYS = 10 };

typedef struct parameters_array {
    const char *name;
    int rank;
    size_t extent[4];
    size_t size; /* product of the extents */
    double **values;
} parameters_array;

/* Of `parameters`, for the shape of the solution. */
void parameters_arrays(const sgdmft_solution *solution, sgdmft_parameters *parameters,
                       parameters_array out[PARAMETERS_ARRAYS]);

/* Frees the parameters of a solution, which may have none. */
void parameters_arrays_free(sgdmft_solution *solution);

#endif
