/* One repetition at a time, in the memory of one thread: data, start, dynamics, averages.

       repetition_start      theta0, theta*, training samples
       repetition_run        the dynamics; at each stop theta is kept as a snapshot
       repetition_observe    averages over training and fresh samples of all snapshots together

   repetition_do does all of it; tests look in between. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_REPETITION_H
#define SGDMFT_VALIDATION_SIMULATOR_REPETITION_H

#include "validation/simulator/samples.h"
#include "validation/simulator/setting.h"

/* What the repetitions of all threads share. */
typedef struct simulator_monitor {
    sgdmft_context *ctx;
    double done, total; /* repetitions */
    size_t reached;     /* output times that every repetition so far has reached: later ones are not needed */
    int stop;           /* set when the caller interrupts */
} simulator_monitor;

typedef struct repetition {
    const simulator_setting *set;
    simulator_monitor *monitor;
    uint32_t number;

    float *theta, *teacher;               /* [k][length], [k*][length] */
    samples train;                        /* n; online: a block of those that come next */
    samples fresh;                        /* a block */
    sample_source source;                 /* of online samples */
    size_t used, drawn;                   /* online samples */
    double scale;                         /* sgd, online: theta is this times what is stored; 1 at stops */
    uint64_t sweeps;                      /* sme: steps done */
    double flow_from, flow_to, flow_step; /* gradient flow: the last step, and the length to try next */

    sample_desk desk;
    model_work *model;
    double *lanes;              /* t, r, y, g of a block */
    double *observed;           /* t, r, y, s, eps, loss, observables of OBSERVE_LANES */
    double *start;              /* work space of the start */
    double *schedule, *penalty; /* work spaces */
    float *projection;          /* [block][snapshots * k] */
    float *coef;                /* [block][k] */
    float *moved;               /* [k][length]: what a batch adds to theta, and other work */
    float *slopes;              /* [FLOW_VECTORS][k][length] gradient flow: derivatives of the stages, and two thetas */
    const float **row;          /* [block] */
    uint32_t *order;            /* numbers of samples: of the next visits, or all of them, shuffled */
    double *square;             /* [n] sme: |x_i|^2 */
    float *snapshot;            /* [snapshots][k][length] */
    simulator_stop *seen;       /* [snapshots] the stops they belong to */
    size_t n_seen;

    /* results */
    double *curves; /* [output times][columns.count] */
    size_t reached; /* output times with all of their values */
    sgdmft_status status;
    double visits, data_seconds, run_seconds, observe_seconds;
    double fraction; /* of the work */
} repetition;

/* Bytes of the memory of one thread. */
double repetition_bytes(const simulator_setting *set);

/* *out must be cleared, on failure too. */
sgdmft_status repetition_init(sgdmft_context *ctx, const simulator_setting *set, simulator_monitor *monitor,
                              repetition *out);
void repetition_clear(repetition *rep);

/* All of these return non-zero when the repetition cannot go on: rep->status says why, or it is SGDMFT_OK and the
   caller interrupted or the rest is not needed. */
int repetition_start(repetition *rep, uint32_t number);
int repetition_run(repetition *rep);
int repetition_observe(repetition *rep);
void repetition_do(repetition *rep, uint32_t number);

/* The rest is for the parts of a repetition. */

/* theta0 and theta*, and the doubles of work space that this takes. */
void repetition_draw_start(repetition *rep);
size_t start_room(const simulator_setting *set);

/* From one stop to a later one. */
int advance_visits(repetition *rep, const simulator_stop *from, const simulator_stop *to);
int advance_batches(repetition *rep, const simulator_stop *from, const simulator_stop *to);
int advance_diffusion(repetition *rep, const simulator_stop *from, const simulator_stop *to);
int advance_flow(repetition *rep, const simulator_stop *from, const simulator_stop *to);

/* target -= sum over the training samples of eta x_i g_i^T at theta */
int subtract_gradients(repetition *rep, double t, double eta, const float *theta, float *target);

/* |x_i|^2 of the training samples, into rep->square. */
void measure_rows(repetition *rep);

/* Gradients of `count` <= block samples at rep->row: coef[i * k + a] = factor g_a. Sample i has its label at
   y[c * stride + i], or, if `which` is given, at y[c * stride + which[i]]. What is taken for theta is rep->scale times `theta`. */
int block_gradients(repetition *rep, size_t count, double t, double factor, const float *theta, const double *y,
                    size_t stride, const uint32_t *which);

double eta_at(repetition *rep, double t);

/* The stored theta times `scale`. */
void scale_theta(repetition *rep, double scale);

/* The ridge of one step of sgd and online dynamics, into rep->scale; then rep->scale into theta. */
void decay(repetition *rep);
void settle_scale(repetition *rep);

/* theta -= weight grad penalty(theta), for a penalty that is an expression. */
void kick_penalty(repetition *rep, double weight);

/* When such a penalty acts: a kick amid each of `windows` equal parts of the steps between two stops. */
typedef struct kick_plan {
    uint64_t first, steps, windows, next, at;
    double duration;
} kick_plan;

kick_plan kick_plan_of(const simulator_setting *set, uint64_t first, uint64_t last);
/* Kicks if it is time to; before the step is made. */
void kick_when_due(repetition *rep, kick_plan *plan, uint64_t step);

/* CPU time of this thread. */
double repetition_seconds(void);

/* Tells the caller how far the run is; non-zero if it is to stop. */
int repetition_report(repetition *rep, double fraction, double t);

#endif
