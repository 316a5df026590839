/* Paths of the preactivation r^t of a training sample, with its field w^t, from a solution:

       r(t) = w(t) - sum_{events T before t} R_w(t, T) kick(T),

   with the response R_w of the field (model/data_law.h). It is interpolated bilinearly between nodes, and linearly in t
   - s within one cell. */
#ifndef SGDMFT_SAMPLE_PREACTIVATIONS_H
#define SGDMFT_SAMPLE_PREACTIVATIONS_H

#include <stdint.h>

#include "model/data_law.h"
#include "model/model.h"
#include "model/schedule.h"
#include "sample/events.h"
#include "sample/field.h"

typedef struct preactivation_process {
    const sample_process *events; /* a row of the table */
    int recursion; /* 1: events are at the beginning of their cells, and kicks at the end (kernels/recursion.h) */
    two_time x;
    model *m;
    model_shape shape;
    schedule *eta;
    data_law law;
    field_process field;
    const double *R_w;    /* [nodes][nodes][k][k] */
    double *own_response; /* R_w where it is not R, otherwise NULL */
} preactivation_process;

/* The solution and the problem must outlive the process. Errors: SGDMFT_ERR_CONFLICT (two_time_check), and those of
   model_new, schedule_new, data_law_init and field_process_init. */
sgdmft_status preactivation_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                                        preactivation_process **out);
void preactivation_process_free(preactivation_process *process); /* NULL is allowed */

/* A block of paths; one per thread. */
typedef struct preactivation_paths {
    double *w;     /* [nodes][k][SAMPLE_LANES] */
    double *wstar; /* [k*][SAMPLE_LANES] */
    double *eps;   /* [noises][SAMPLE_LANES] */
    double *y;     /* [labels][SAMPLE_LANES] */
    event_list events;
    size_t room;     /* slots that the next three have room for */
    double *w_event; /* [slots][k][SAMPLE_LANES] field at events */
    double *r_event; /* [slots][k][SAMPLE_LANES] just before them */
    double *kick;    /* [slots][k][SAMPLE_LANES] */
    model_work *model;
    double *normals;                    /* [nodes][k][SAMPLE_LANES] */
    double *row, *eta_work, *kick_work; /* draws of one path; work of schedule_values; work of event_kick */
} preactivation_paths;

sgdmft_status preactivation_paths_new(sgdmft_context *ctx, const preactivation_process *process,
                                      preactivation_paths **out);
void preactivation_paths_free(preactivation_paths *paths); /* NULL is allowed */

/* Draws block number `number` (draws.h). Returns SGDMFT_OK, SGDMFT_ERR_MEMORY, or SGDMFT_ERR_PLUGIN if a plug-in asked
   to stop; leaves no message, as it may run in any thread. */
sgdmft_status preactivation_paths_draw(const preactivation_process *process, uint64_t seed, uint64_t number,
                                       preactivation_paths *paths);

/* Reports a status of preactivation_paths_draw, and returns it. */
sgdmft_status preactivation_paths_report(sgdmft_context *ctx, sgdmft_status status);

/* r[k][SAMPLE_LANES] at a node. */
void preactivation_paths_at(const preactivation_process *process, const preactivation_paths *paths, size_t node,
                            double *r);

#endif
