/* The part of a replica's coordinates that outlives its solve: their values at chosen nodes, from which densities are
   made, and the coefficients of the mean gradient X at all nodes (block.h), from which more coordinates can be
   drawn. */
#ifndef SGDMFT_COORDINATES_RECORD_H
#define SGDMFT_COORDINATES_RECORD_H

#include "coordinates/block.h"
#include "core/arrays.h"
#include "kernels/grid.h"

/* The values of coordinates at some nodes of a grid. */
typedef struct coordinate_snapshots {
    int k;
    size_t nodes, paths;
    size_t kept;   /* nodes that are kept */
    size_t *place; /* [nodes] of a node among those, or `kept` if it is not one of them */
    double *theta; /* [kept][k][paths] */
} coordinate_snapshots;

/* Zeroed, for the nodes i with wanted[i] != 0. On failure, too, *out is to be cleared. */
sgdmft_status coordinate_snapshots_new(sgdmft_context *ctx, int k, size_t nodes, size_t paths, const char *wanted,
                                       coordinate_snapshots *out);
void coordinate_snapshots_clear(coordinate_snapshots *s);

/* theta[k][paths] at a node, NULL if it is not kept. */
double *coordinate_snapshots_at(const coordinate_snapshots *s, size_t node);

/* The coefficients of X at all nodes. */
typedef struct drift_coefficients {
    double *drift_teacher; /* [N+1][k][k*] */
    double *drift_start;   /* [N+1][k][k] */
    double *memory_kernel; /* [N+1][N+1][k][k]: X on zeta_j, j < i, or on theta(t_j), j <= i */
} drift_coefficients;

typedef struct coordinate_record {
    int k, kstar, steps;
    coordinate_snapshots theta;
    int renews;                /* 1 if X changes at nodes where an epoch begins */
    drift_coefficients before; /* of X just before each node */
    drift_coefficients after;  /* and just after it; NULL unless `renews` */
} coordinate_record;

/* For paths on a grid; wanted[steps + 1] as in coordinate_snapshots_new. */
sgdmft_status coordinate_record_new(sgdmft_context *ctx, int k, int kstar, const time_grid *grid, size_t paths,
                                    const char *wanted, coordinate_record **out);
void coordinate_record_free(coordinate_record *record); /* NULL is allowed */

/* All arrays of a record; returns their number. */
enum { RECORD_ARRAYS_MOST = 7 };
size_t coordinate_record_arrays(coordinate_record *record, array_row rows[RECORD_ARRAYS_MOST]);

/* Bytes of a record that keeps the values at `kept` nodes. */
double coordinate_record_bytes(int k, int kstar, const time_grid *grid, size_t paths, size_t kept);

/* Records node `node`, the last accepted one of the blocks; `step` ends there. */
void coordinate_record_node(coordinate_record *record, int node, const coordinate_step *step, size_t n_blocks,
                            const coordinate_block *block);

/* Records the coefficients just after node `node`, at which an epoch begins. */
void coordinate_record_renewal(coordinate_record *record, int node, const coordinate_step *step);

#endif
