/* The arrays of sgdmft_coordinates one by one: names in files, shapes, places. */
#ifndef SGDMFT_COLUMNS_COORDINATE_ARRAYS_H
#define SGDMFT_COLUMNS_COORDINATE_ARRAYS_H

#include "sgdmft/solution.h"

enum { PARAMETERS_ARRAYS = 10 };

typedef struct coordinate_array {
    const char *name;
    int rank;
    size_t extent[4];
    size_t size; /* product of the extents */
    double **values;
} coordinate_array;

/* Of `coordinates`, for the shape of the solution. */
void coordinate_arrays(const sgdmft_solution *solution, sgdmft_coordinates *coordinates,
                       coordinate_array out[PARAMETERS_ARRAYS]);

/* Frees the coordinates of a solution, which may have none. */
void coordinate_arrays_free(sgdmft_solution *solution);

#endif
