/* A solution as the bytes of an HDF5 file (docs/output.md). */
#ifndef SGDMFT_IO_HDF5_WRITE_H
#define SGDMFT_IO_HDF5_WRITE_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/solution.h"

/* The file is built in memory, so that it can be saved in one piece: HDF5 itself never touches the disk, a full disk
   is an ordinary error with its reason, and nothing half-written stays behind. Object timestamps are off: equal data
   give equal bytes. The HDF5 library is not thread-safe; two threads must not write at the same time. `command`
   replaces the recorded command line, if it is not NULL. The caller frees *bytes. */
sgdmft_status hdf5_image(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command, char **bytes,
                         size_t *size);

#endif
