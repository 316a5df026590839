/* Building blocks of path inputs, shared by drawing and coarsening. */
#ifndef SGDMFT_INPUTS_BUILD_H
#define SGDMFT_INPUTS_BUILD_H

#include "paths/driver.h"
#include "paths/inputs.h"

path_ensemble *ensemble_allocate(size_t n_blocks); /* zeroed, or NULL */

/* Allocates all arrays of one block, zeroed. wstar, z0, eps, xi and noise are one array, in this order. A driver with
   one event per cell has no use for `slots`. */
sgdmft_status inputs_allocate(sgdmft_context *ctx, model_shape shape, const path_driver *driver, int steps, size_t n,
                              int slots, path_inputs *out);
void inputs_clear(path_inputs *in);

/* The number of Gaussian rows, each of one number per lane. */
size_t inputs_rows(model_shape shape, const path_driver *driver, int steps);

/* The Gaussian rows as one array. */
static inline double *inputs_gaussian(const path_inputs *in)
{
    return in->wstar;
}

/* Fills slots_before, the groups and what is kept in their order from all else of the visits. */
sgdmft_status inputs_group_visits(sgdmft_context *ctx, int k, path_inputs *in);

#endif
