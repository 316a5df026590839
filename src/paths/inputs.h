/* Everything random about a block of paths, drawn once and never changed: teacher field w*, initial field, label
   noise and label, the innovations xi of the field, and the events of the process with their place in the bridge.

   Block layout: lane p of a block of n lanes is the fastest index. */
#ifndef SGDMFT_PATHS_INPUTS_H
#define SGDMFT_PATHS_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "model/model.h"
#include "process/process.h"

/* Visits that can be treated together: the same cell, the same rank within the cell, different lanes. */
typedef struct visit_group {
    size_t first, count; /* range in the arrays path_inputs.visit_... */
    int rank;
} visit_group;

typedef struct path_inputs {
    size_t n;          /* lanes */
    int slots;         /* largest number of events of a lane */
    int steps;         /* cells of the grid these inputs belong to */
    double *rows;      /* [rows][n] owned: what of the next five is not another block's */
    double *wstar;     /* [k*][n] teacher pre-activations */
    double *z0;        /* [k][n] standard normals: w(0) = A w* + B z0 */
    double *eps;       /* [noises][n] */
    double *xi;        /* [steps][k][n] standard normals, one vector per cell */
    double *noise;     /* [steps][n] standard normals, increments of a process that diffuses; otherwise NULL */
    double *test;      /* [k][n] standard normals of the test law: z0, or what leads the field */
    double *tests;     /* owned, or NULL */
    double *labels;    /* owned, or NULL */
    double *y;         /* [labels][n] */
    int *slots_before; /* [steps + 1] largest number of events of a lane before node i */

    /* One event per cell, event c in cell c: */
    double *bridge; /* [steps][k][n] unit-rate Brownian bridge of the cell at the event; NULL without white noise */

    /* Visits, every lane with its own, in order of groups; NULL for a process with one event per cell. */
    size_t visits;
    size_t *group_first;  /* [steps + 1] groups of cell i: group_first[i] .. group_first[i + 1] - 1 */
    visit_group *groups;  /* in order of cell, then rank */
    int *visit_lane;      /* ascending within a group of drawn paths */
    int *visit_slot;      /* ordinal of the visit within its path */
    double *visit_place;  /* (time - t_cell) / h_cell */
    double *visit_step;   /* eta(time) times the mark of the visit */
    double *visit_bridge; /* [k][count] for each group, from k first: unit-rate Brownian bridge of the cell */
} path_inputs;

/* Which arrays a block owns: all, or not the fields and labels, which the caller then points at those of a finer block. */
typedef enum inputs_share { INPUTS_OWN, INPUTS_SHARE } inputs_share;

/* Allocates the arrays of one block but for the visits, zeroed. wstar, z0, eps, xi and noise are one array, in this
   order. A process with one event per cell has no use for `slots`. */
sgdmft_status inputs_allocate(sgdmft_context *ctx, model_shape shape, const sample_process *process, int steps,
                              size_t n, int slots, inputs_share share, path_inputs *out);
void inputs_clear(path_inputs *in);

/* A block of another rank. */
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
