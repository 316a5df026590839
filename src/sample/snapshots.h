/* Densities of the coordinates at the times output.histograms from coordinates that a solver sampled: means over replicas,
   with standard errors from their spread. Between grid nodes densities are interpolated linearly. */
#ifndef SGDMFT_SAMPLE_SNAPSHOTS_H
#define SGDMFT_SAMPLE_SNAPSHOTS_H

#include "coordinates/record.h"
#include "sgdmft/problem.h"
#include "columns/solution.h"
#include "kernels/grid.h"

/* Sets wanted[steps + 1] to 1 at the nodes around the times. */
void snapshots_want(const sgdmft_problem *problem, const time_grid *grid, char *wanted);

/* Gives the solution, whose grid is as far as all replicas came, its histograms; none if none are asked for. The records
   have the wanted nodes of `grid`. */
sgdmft_status snapshots_fill(sgdmft_context *ctx, const sgdmft_problem *problem, const time_grid *grid, size_t replicas,
                             const coordinate_record *const *record, sgdmft_solution *solution);

#endif
