/* Reading a solution's HDF5 file back, all of it. */
#ifndef SGDMFT_IO_HDF5_READ_H
#define SGDMFT_IO_HDF5_READ_H

#include "core/context.h"
#include "sgdmft/solution.h"

/* *out is owned by the caller. Errors: SGDMFT_ERR_TYPE if this is not a solution's file, or one of an older version;
   SGDMFT_ERR_SHAPE if its arrays do not fit together; SGDMFT_ERR_RANGE if they hold values that are not finite (but
   curves and R may); SGDMFT_ERR_MEMORY. */
sgdmft_status hdf5_read(sgdmft_context *ctx, const char *path, sgdmft_solution **out);

#endif
