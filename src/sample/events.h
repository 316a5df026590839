/* The events of a block of sampled paths, and their kicks, as the table of processes (process/process.h) has them:
   visits at random times, or steps of at most `sample_step`, of which a cell of the time grid may have several. A step
   stands at its middle, where the field and the memory of earlier steps are taken. */
#ifndef SGDMFT_SAMPLE_EVENTS_H
#define SGDMFT_SAMPLE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "model/schedule.h"
#include "process/process.h"
#include "sample/draws.h"
#include "sample/two_time.h"

/* Events in order of time; slot number i of a lane is the i-th event of its path. Lanes with fewer events than `slots`
   have idle ones at the end, which do not kick. */
typedef struct event_list {
    size_t slots, room; /* room: slots that there is memory for */
    int *count;         /* [SAMPLE_LANES] events of each path */
    size_t *cell;       /* [slots][SAMPLE_LANES] */
    double *time;       /* [slots][SAMPLE_LANES] */
    double *place;      /* [slots][SAMPLE_LANES] in the cell, 0 to 1 */
    double *eta;        /* [slots][SAMPLE_LANES]; 0 for idle events */
    double *length;     /* [slots][SAMPLE_LANES] of steps, the same for all paths; 0 for visits */
    double *noise;      /* [slots][SAMPLE_LANES] standard normals of steps that diffuse, otherwise 0 */
} event_list;

/* On failure, too, the list is to be cleared. */
sgdmft_status event_list_new(sgdmft_context *ctx, event_list *list);
void event_list_clear(event_list *list);

/* The events of block number `block` up to the end of the grid. `work` has schedule_work(eta) doubles. Returns 0, or -1
   if out of memory. */
int event_list_draw(const sample_process *process, const two_time *x, const schedule *eta, double *work, uint64_t seed,
                    uint64_t block, event_list *list);

/* Moves all visits to the beginning of their cells, where those of a batch are. */
void event_list_gather(const two_time *x, event_list *list);

/* kick[k][SAMPLE_LANES] of slot number `slot`, given r[k][SAMPLE_LANES] just before it and y[labels][SAMPLE_LANES].
   `work` has event_work(k) doubles. Returns non-zero if a plug-in asked to stop. */
size_t event_work(int k);
int event_kick(const sample_process *process, const model *m, model_work *of_model, const event_list *list, size_t slot,
               const double *r, const double *y, double *work, double *kick);

#endif
