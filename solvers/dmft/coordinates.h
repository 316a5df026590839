/* The coordinates of a solve with a penalty other than the ridge: the record that is kept of those that the replicas
   sample, and the part of the solution that is made from it, densities and the process (11). Densities are means over
   replicas. The process is that of the first replica, because its averages are not linear in its coefficients: a mean
   of the coefficients would not be a process with the mean of the averages. */
#ifndef SGDMFT_SOLVERS_DMFT_COORDINATES_H
#define SGDMFT_SOLVERS_DMFT_COORDINATES_H

#include "columns/solution.h"
#include "solvers/dmft/replicas.h"

/* An empty record for the fine grid, which will keep the coordinates at the nodes that output.histograms needs. *out is
   owned by the caller (coordinate_record_free). */
sgdmft_status dmft_coordinates_record(sgdmft_context *ctx, const dmft_plan *plan, coordinate_record **out);

/* Bytes of the records of all replicas and of the process in the solution. */
double dmft_coordinates_bytes(const dmft_plan *plan);

/* Adds histograms and the process to the solution, whose grid ends at the last node that all replicas reached. */
sgdmft_status dmft_coordinates_fill(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                    sgdmft_solution *solution);

#endif
