/* A replica with a merged history: its kernels (merged/kernels.h), its blocks, and what a step of the march does to
   both. A part of replica.c, which alone uses the functions that take a replica.

   Before the passes of a step the normals of the newest cell are matched (merged/normals.h). A pass is a pass as ever.
   When the step is accepted, its cell joins the list, and cells that have become old are merged. */
#ifndef SGDMFT_SOLVERS_DMFT_MERGED_H
#define SGDMFT_SOLVERS_DMFT_MERGED_H

#include "merged/block.h"
#include "merged/normals.h"
#include "solvers/dmft/grid_solution.h"

/* The plan and the inputs of a replica with a merged history. */
typedef struct merged_source {
    merged_kernels_plan kernels;
    path_window *window; /* [blocks] the inputs of the steps, shared by the grids of a replica */
    int level;           /* of this grid in a window */
} merged_source;

typedef struct merged_replica {
    merged_kernels *kern;
    int node; /* the last accepted one */
    size_t n_blocks;
    merged_block *block;
    path_window *window; /* not owned */
    int level, threads;
    normals_layout normals;
    normals_change change;
    double **room; /* [threads] */
    double *gram;  /* [2 k][features] */
    int next_mark; /* of the nodes of the two-time arrays */
} merged_replica;

sgdmft_status merged_replica_new(sgdmft_context *ctx, const merged_source *source, const path_plan *plan,
                                 size_t n_blocks, int threads, size_t lanes, merged_replica **out);
void merged_replica_free(merged_replica *merged); /* NULL is allowed */

/* Makes block b. */
sgdmft_status merged_replica_block(sgdmft_context *ctx, merged_replica *merged, const path_plan *plan,
                                   const path_inputs *in, size_t b, path_block *base);

/* The largest number of doubles that are summed over the paths. */
size_t merged_replica_sums(const merged_replica *merged);

/* The number of groups of features (moments of cells) at a node: the accepted one, or the one after it. */
static inline int merged_replica_groups(const merged_replica *merged, int node)
{
    return MOMENTS * (merged->kern->cells.n + (node != merged->node));
}

/* Block b: to node 0 for cell = -1, otherwise to node cell + 1, with the averages there; and the averages just after
   the accepted node. Non-zero if a call-back asked to stop. */
int merged_replica_advance(const merged_replica *merged, const path_plan *plan, size_t b, path_block *base, int cell,
                           path_workspace *workspace, double *sums);
int merged_replica_renew(const merged_replica *merged, const path_plan *plan, size_t b, const path_block *base,
                         int node, path_workspace *workspace, double *sums);

/* As last_visit_averages, for block b. */
int merged_replica_last_visit(const merged_replica *merged, const path_plan *plan, size_t b, const path_block *base,
                              int cell, path_workspace *workspace, double *sums, double *observed);

/* Stores R(t, 0), Q(t, t) and the rows of the two-time arrays of the node that is about to be accepted. */
void merged_replica_record(merged_replica *merged, int node, grid_solution *out);

struct replica;

/* Collective calls. Non-zero if the caller asked to stop. */
int merged_replica_begin(struct replica *rep, int i, const double *now);
int merged_replica_accept(struct replica *rep, double *before, double *now);

#endif
