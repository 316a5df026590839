/* Building blocks of path inputs, shared by drawing and coarsening. */
#ifndef SGDMFT_PATHS_INPUTS_BUILD_H
#define SGDMFT_PATHS_INPUTS_BUILD_H

#include "paths/events.h"
#include "paths/inputs.h"

path_ensemble *ensemble_allocate(size_t n_blocks); /* zeroed, or NULL */

/* Which arrays a block owns: all, or not the fields and labels, which the caller then points at those of a finer block. */
typedef enum inputs_share { INPUTS_OWN, INPUTS_SHARE } inputs_share;

/* Allocates the arrays of one block but for the visits, zeroed. wstar, z0, eps, xi and noise are one array, in this
   order. A driver with one event per cell has no use for `slots`. */
sgdmft_status inputs_allocate(sgdmft_context *ctx, model_shape shape, const sample_process *process, int steps, size_t n,
                              int slots, inputs_share share, path_inputs *out);
void inputs_clear(path_inputs *in);

/* A block that another rank has. */
path_inputs inputs_elsewhere(const sample_process *process, int steps, size_t n, int slots);

/* The number of Gaussian rows, each of one number per lane. */
size_t inputs_rows(model_shape shape, const sample_process *process, int steps);

/* The Gaussian rows as one array. */
static inline double *inputs_gaussian(const path_inputs *in)
{
    return in->wstar;
}

/* Sorting visits into groups, in two runs over them in the same order, in which the visits of a lane are in order of time:
   note the cell of every visit, lay out, then put every visit where inputs_next_visit says. */
typedef struct visit_sorter {
    path_inputs *in;
    size_t k;
    int ranks;  /* room for so many visits of a lane in one cell */
    int failed; /* memory ran out */
    size_t *at; /* [steps][ranks] visits of a group, then the next free place in it */
    int *cell;  /* [n] of the newest visit of each lane, or -1 */
    int *rank;  /* [n] of the newest visit of each lane */
    int *slot;  /* [n] visits so far */
} visit_sorter;

sgdmft_status visit_sorter_new(sgdmft_context *ctx, path_inputs *in, int k, visit_sorter *out);
void visit_sorter_note(visit_sorter *sorter, size_t lane, int cell);
sgdmft_status visit_sorter_lay_out(sgdmft_context *ctx, visit_sorter *sorter);

/* Sets lane and slot of the visit; its bridge component c belongs at visit_bridge[bridge + c count]. */
typedef struct visit_address {
    size_t at, bridge, count;
} visit_address;
visit_address visit_sorter_next(visit_sorter *sorter, size_t lane, int cell);
void visit_sorter_clear(visit_sorter *sorter);

#endif
