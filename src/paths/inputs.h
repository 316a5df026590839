/* Everything random about a block of paths, drawn once and never changed: the preactivation w* of the teacher, the
   normals z0 of the initial field, label noise and label, the normals xi of the innovations, and the events with the
   Brownian bridge of the field at each.

   In every array of a block the lane, one path in a vector loop, is the fastest index. */
#ifndef SGDMFT_PATHS_INPUTS_H
#define SGDMFT_PATHS_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "model/model.h"
#include "process/process.h"

/* Visits that can be computed together: those of equal rank within the same cell, which are on different lanes. */
typedef struct visit_group {
    size_t first, count; /* range in the arrays path_inputs.visit_... */
    int rank;            /* how many visits of its lane precede a visit in the cell */
} visit_group;

typedef struct path_inputs {
    size_t n;          /* lanes */
    int slots;         /* largest number of events of a lane */
    int steps;         /* cells of the grid these inputs belong to */
    double *rows;      /* [rows][n] owned: wstar to noise, or xi and noise where a finer block owns the others */
    double *wstar;     /* [k*][n] w*, the preactivation of the teacher */
    double *z0;        /* [k][n] standard normals: w(0) = A w* + B z0 */
    double *eps;       /* [noises][n] label noise */
    double *xi;        /* [steps][k][n] standard normals, one vector for the innovation of each cell */
    double *noise;     /* [steps][n] standard normals, increments of a process that diffuses; otherwise NULL */
    double *test;      /* [k][n] standard normals of the test law: z0, or the leading coordinates of the field */
    double *own_test;  /* owned storage of `test`, or NULL */
    double *own_y;     /* owned storage of `y`, or NULL */
    double *y;         /* [labels][n] */
    int *slots_before; /* [steps + 1] largest number of events of a lane before node i */

    /* One event per cell, event c in cell c: */
    double *bridge; /* [steps][k][n] unit-rate Brownian bridge of the cell at the event; NULL without white noise */

    /* Visits, each lane having its own, in order of groups; NULL for a process with one event per cell. */
    size_t visits;
    size_t *group_first;  /* [steps + 1] groups of cell i: group_first[i] .. group_first[i + 1] - 1 */
    visit_group *groups;  /* in order of cell, then rank */
    int *visit_lane;      /* ascending within a group, unless the block was coarsened */
    int *visit_slot;      /* ordinal of the visit within its path */
    double *visit_place;  /* (time - t_cell) / h_cell */
    double *visit_step;   /* eta at the time of the visit */
    double *visit_bridge; /* [k][count] for each group, from k first: unit-rate Brownian bridge of the cell */
} path_inputs;

/* Whether a block owns all its arrays, or shares w*, z0, eps and labels with a finer block: the caller then sets these
   pointers. */
typedef enum inputs_share { INPUTS_OWN, INPUTS_SHARE } inputs_share;

/* Allocates the arrays of one block except those of visits. wstar, z0, eps, xi and noise are one array, in this order,
   and not zeroed. `slots` is ignored for a process with one event per cell. */
sgdmft_status inputs_allocate(sgdmft_context *ctx, model_shape shape, const sample_process *process, int steps,
                              size_t n, int slots, inputs_share share, path_inputs *out);
void inputs_clear(path_inputs *in);

/* A block that another rank has: its sizes are known, its arrays are NULL. */
path_inputs inputs_of_other_rank(const sample_process *process, int steps, size_t n, int slots);

/* The number of Gaussian rows, each of one number per lane. */
size_t inputs_rows(model_shape shape, const sample_process *process, int steps);

/* The Gaussian rows as one array. */
static inline double *inputs_gaussian(const path_inputs *in)
{
    return in->wstar;
}

/* Sorts visits into groups in two runs over them. Both runs are in the same order, in which the visits of a lane ascend
   in time: the first counts the visits of each group, then the arrays are laid out, and the second run puts each visit
   where visit_sorter_next says. */
typedef struct visit_sorter {
    path_inputs *in;
    size_t k;
    int ranks;  /* largest number of visits of a lane in one cell that there is room for */
    int failed; /* memory ran out */
    size_t *at; /* [steps][ranks] visits of a group; once laid out, the next free place in it */
    int *cell;  /* [n] of the newest visit of each lane, or -1 */
    int *rank;  /* [n] of the newest visit of each lane */
    int *slot;  /* [n] visits of each lane so far */
} visit_sorter;

sgdmft_status visit_sorter_new(sgdmft_context *ctx, path_inputs *in, int k, visit_sorter *out);
void visit_sorter_count(visit_sorter *sorter, size_t lane, int cell);
sgdmft_status visit_sorter_lay_out(sgdmft_context *ctx, visit_sorter *sorter);

/* Where the next visit of a lane goes: `at` in the arrays visit_..., component c of its bridge at
   visit_bridge[bridge + c count]. Lane and slot of the visit are set. */
typedef struct visit_address {
    size_t at, bridge, count;
} visit_address;
visit_address visit_sorter_next(visit_sorter *sorter, size_t lane, int cell);
void visit_sorter_clear(visit_sorter *sorter);

#endif
