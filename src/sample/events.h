/* When a path is kicked, and by how much. The driver Z enters in these two places only:

     sgd            visits of a Poisson process of rate 1; a visit kicks by eta g(r)
     sme            steps of at most 0.02, each with its increment of t + Brownian motion; Platen's explicit scheme of weak
                    order 2 for the kick
     gradient-flow  steps of at most 0.05; midpoint rule for the kick
     online         none: every sample is fresh

   A step of the latter two stands at its middle, where the field w and the memory of earlier steps are taken. */
#ifndef SGDMFT_SAMPLE_EVENTS_H
#define SGDMFT_SAMPLE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "model/schedule.h"
#include "problem/problem.h"
#include "sample/draws.h"
#include "sample/two_time.h"

/* The events of a block of paths, in order; lanes with fewer than `slots` have idle ones at the end. */
typedef struct event_list {
    size_t slots, room; /* room: in slots */
    int *count;         /* [SAMPLE_LANES] events of each path */
    size_t *cell;       /* [slots][SAMPLE_LANES] */
    double *time;       /* [slots][SAMPLE_LANES] */
    double *place;      /* [slots][SAMPLE_LANES] in the cell, 0 to 1 */
    double *eta;        /* [slots][SAMPLE_LANES]; 0 for idle events */
    double *length;     /* [slots][SAMPLE_LANES] of the step; unused by sgd */
    double *noise;      /* [slots][SAMPLE_LANES] standard normals; sme */
} event_list;

sgdmft_status event_list_new(sgdmft_context *ctx, event_list *list);
void event_list_clear(event_list *list);

/* Returns 0, or -1 if out of memory. `work` has schedule_work(eta) doubles. */
int event_list_draw(const sgdmft_problem *problem, const two_time *x, const schedule *eta, double *work, uint64_t seed,
                    uint64_t block, event_list *list);

/* kick[k][SAMPLE_LANES] of slot `slot` at r[k][SAMPLE_LANES], what a path would have there without this kick. `work` has
   event_work(k) doubles. Returns non-zero if a plug-in asked to abort. */
size_t event_work(int k);
int event_kick(const sgdmft_problem *problem, const model *m, model_work *desk, const event_list *list, size_t slot,
               const double *r, const double *y, double *work, double *kick);

#endif
