/* The coordinates of a solve with a penalty other than the ridge: what is kept of those that the replicas sample, and
   what the solution gets of it, densities (means over replicas) and the process. The process is that of the first
   replica: its averages are not linear in the process, so that there is no mean process. */
#ifndef SGDMFT_SOLVERS_DMFT_COORDINATES_H
#define SGDMFT_SOLVERS_DMFT_COORDINATES_H

#include "columns/solution.h"
#include "solvers/dmft/replicas.h"

/* An empty record for the fine grid, with the values at the nodes that output.histograms needs. */
sgdmft_status dmft_coordinates_record(sgdmft_context *ctx, const dmft_plan *plan, coordinate_record **out);

/* Bytes of the records of all replicas and of the process in the solution. */
double dmft_coordinates_bytes(const dmft_plan *plan);

/* Gives the solution, whose grid is as far as all replicas came, its histograms and the process. */
sgdmft_status dmft_coordinates_fill(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                    sgdmft_solution *solution);

#endif
