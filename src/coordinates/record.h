/* What the coordinates of a replica leave behind: their values at some nodes, and how the mean gradient answers a path. */
#ifndef SGDMFT_COORDINATES_RECORD_H
#define SGDMFT_COORDINATES_RECORD_H

#include "coordinates/block.h"

typedef struct coordinate_record {
    int k, kstar, steps;
    size_t paths;
    double **theta;          /* [N+1] theta[k][paths] at the nodes that are wanted, NULL at others */
    double *teacher, *start; /* [N+1][k][k*], [N+1][k][k]: X on theta* and u */
    double *memory_kernel;          /* [N+1][N+1][k][k]: X on zeta_j, j < i, or on theta(t_j), j <= i, for a drift (block.h) */
} coordinate_record;

/* wanted[steps + 1]: nodes whose theta is kept. */
sgdmft_status coordinate_record_new(sgdmft_context *ctx, int k, int kstar, int steps, size_t paths, const char *wanted,
                                    coordinate_record **out);
void coordinate_record_free(coordinate_record *record); /* NULL is allowed */
double coordinate_record_bytes(int k, int kstar, int steps, double paths, double wanted);

/* Takes down node `node`, the last accepted one of the blocks; `step` ends there. */
void coordinate_record_node(coordinate_record *record, int node, const coordinate_step *step, size_t n_blocks,
                            const coordinate_block *block);

#endif
