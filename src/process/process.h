/* The process seam: how samples are visited, and so what kicks a path.

   Every sample has its own scalar process Z, independent of everything else and of the same law for all samples, and

     d theta = - grad penalty(theta) dt - sum_i x_i eta g_i(t-)^T dZ_i,
     r(t)    = w(t) - int_0^t R(t, v) eta g(v) dZ(v).                                             (1)

   SGD, its modified equation and gradient flow differ in the law of Z alone. The table in process.c has one row for
   each law. Options, solvers, samplers, the simulator and the documentation read it, and no other place tests which
   dynamics a problem has.

   The events of a process are of one of three kinds:

     visits   Z jumps by 1 at random times, which differ between paths; a visit at v kicks r(t) by - R(t, v) eta g(v)
     steps    Z is continuous; one event in the middle of every cell of the time grid is the kick of the whole cell
     batches  visits at discrete times j b: a sample in batch j is kicked by - eta g of the position at that time, and
              all of the batch at once
     fresh    no sample is visited twice, so a path has no memory of its events, and r = w

   Averages that close the equations are averages given a visit (docs/theory.md, section 3). With A(t) the law of a path
   given that dZ(t) = 1, or for steps the law of a path as it is,

     E[phi(path before t) dZ(t)] = E_A(t)[phi] dt,

   as every process here has one event per unit of time on average. Averages over the training set, such as the train
   loss, are over paths as they are. The two kinds agree if the increments of Z are independent, and for no other
   process. */
#ifndef SGDMFT_PROCESS_PROCESS_H
#define SGDMFT_PROCESS_PROCESS_H

#include <stddef.h>

#include "process/kick.h"
#include "process/midpoint.h"

typedef enum event_kind { EVENTS_VISITS, EVENTS_STEPS, EVENTS_BATCHES, EVENTS_FRESH } event_kind;

/* How much of the data is in a batch: nothing in the limit, a fraction, or all. */
typedef enum batch_size { BATCH_SMALL, BATCH_FRACTION, BATCH_FULL } batch_size;

/* How many kicks a path may have in a unit of time. It decides how fast a gradient may grow for a limit to exist
   (model/limit.h). */
typedef enum kick_number {
    KICKS_ONE,       /* no path has more than one, ever */
    KICKS_BOUNDED,   /* no more than the law of visits allows */
    KICKS_UNBOUNDED, /* any number has positive probability */
    KICKS_DIFFUSE,   /* continuously, with the increments of a Brownian motion */
    KICKS_SMOOTH     /* continuously, with finite speed */
} kick_number;

/* The law of visits. Each sample is visited once per unit of time on average. */
typedef struct visit_law {
    /* The time of visit number `number`, counted from 0, of a path, from a uniform number u in (0, 1) and the time of
       the visit before it, 0 for the first. Times ascend. `b` is the time between two steps, for EVENTS_BATCHES. */
    double (*time)(size_t number, double before, double u, double b);

    /* The mean number of visits of a path in [0, horizon] plus `deviations` standard deviations, or the largest
       possible number if that is less. */
    double (*count)(double horizon, double deviations, double b);

    /* The length of an epoch: in each of the intervals [j epoch, (j + 1) epoch) a path is visited exactly once, at a
       time that is independent of all others. Given a visit at t, a path has not been visited since the interval that
       contains t began, and is otherwise like any other path. 0 means that visits are independent of each other; given
       a visit at t, a path is like any other path before t. */
    double epoch;

    /* 1: the visit is at the same place of every epoch, so that given a visit at t, a path is one with this place. */
    int kept;
} visit_law;

/* The law of the last visit before t, given all visits before some earlier time: the visit is in d tau with probability
   density(t - tau) d tau, and there is none after t - since with probability none(since). Where it is known, averages
   over paths as they are can be integrated over the last visit (paths/last_visit.h). */
typedef struct last_visit_law {
    double window; /* the time before t over which averages are integrated */
    double (*none)(double since);
    double (*density)(double since);
    /* Integrals over a cell [t - late - h, t - late]: of density(t - tau) into `all`, and of the density times the
       hat function of the end of the cell into `end`. With u the place in the cell the hat function is u, or
       (e^{x u} - 1) / (e^x - 1) for x > 0 (kernels/fitting.h). */
    void (*cell)(double late, double h, double x, double *all, double *end);
} last_visit_law;

typedef struct sample_process {
    const char *dynamics; /* value of the key `dynamics` */
    const char *sampling; /* value of the key `sampling`; NULL if the dynamics have no such choice */
    const char *doc;      /* a phrase for the reference of the problem file */

    event_kind events;
    batch_size batch; /* of dynamics: sgd */
    kick_number kicks;
    int white_noise; /* 1: Z jumps or diffuses, so that the innovations dU contain white noise; 0: Z is smooth, or the
                        same for all samples */
    int diffuses;    /* 1: the steps of Z carry increments of a Brownian motion */

    const visit_law *visits;          /* EVENTS_VISITS and EVENTS_BATCHES, otherwise NULL */
    const last_visit_law *last_visit; /* NULL where the law of the last visit is not known in closed form */

    kick_function kick;         /* EVENTS_STEPS, otherwise NULL: the kick of a step, with its derivative */
    midpoint_function midpoint; /* EVENTS_STEPS of a smooth Z: the kick in the middle of a step, which it moves itself;
                                   NULL: the process is solved with `kick` */
    double sample_step;         /* EVENTS_STEPS: the longest step of a sampled path, in units of t */
    const char *no_pathwise;    /* why responses cannot be averages of derivatives along paths; NULL: they can */
    const char *no_stein;       /* why responses cannot come from Stein's lemma; NULL: they can */

    int default_steps; /* numerics.steps where it is not given; 0: the default of the option */
} sample_process;

/* Row `index` of the table, NULL past its end. */
const sample_process *process_at(size_t index);

/* The values of the keys `dynamics` and `sampling` in the order of the table, each once; NULL past the end. */
const char *process_dynamics(size_t index);
const char *process_sampling(size_t index);

/* The documentation of these values. */
const char *process_dynamics_doc(size_t index);
const char *process_sampling_doc(size_t index);

/* The row with these values, given by their index as above, and with batches of this size; NULL if there is none.
   Dynamics without a choice of sampling can be combined with the first value alone, and with small batches. Where a
   batch is all of the data, the sampling does not matter. */
const sample_process *process_find(size_t dynamics, size_t sampling, batch_size batch);

/* 1 if the increments of Z are independent, so that a path given a visit is like any other path. */
int process_is_independent(const sample_process *p);

/* 1 if a sample is visited at the same place of every epoch. */
int process_keeps_places(const sample_process *p);

#endif
