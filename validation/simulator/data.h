/* The random data of a repetition: theta0 and theta*, and samples with rows x_i of iid entries of variance 1/d, teacher
   preactivations s = theta*^T x, noise eps and label y. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_DATA_H
#define SGDMFT_VALIDATION_SIMULATOR_DATA_H

#include "core/context.h"
#include "validation/simulator/plan.h"

enum { WORKSPACE_LANES = 2048 }; /* lanes that the model evaluates together; at least SIMULATOR_BLOCK_MAX */

/* Scratch memory of one thread for the products of a block of rows with vectors and for the model. */
typedef struct block_workspace {
    void *memory;
    model_work *model;
    const float **row; /* [block] */
    float *projection; /* [block][columns]; columns: k for every snapshot, or k* if that is more */
    double *lanes;     /* [components][block]; components: t, r, g, s, eps and y twice */
} block_workspace;

double block_workspace_bytes(const simulator_plan *plan);

/* *out must be cleared, on failure too. */
sgdmft_status block_workspace_init(sgdmft_context *ctx, const simulator_plan *plan, block_workspace *out);
void block_workspace_clear(block_workspace *work);

typedef struct samples {
    size_t room;         /* number of samples that there is memory for */
    float *row;          /* [room][length] */
    double *s, *eps, *y; /* [component][room] */
} samples;

double samples_bytes(const simulator_plan *plan, size_t room);
sgdmft_status samples_init(sgdmft_context *ctx, const simulator_plan *plan, size_t room, samples *out);
void samples_clear(samples *x);

/* A sequence of samples. Their entries come from a stream, one sample after the other. */
typedef struct sample_source {
    const simulator_plan *plan;
    const float *teacher; /* [k*][length] */
    word_stream entries;
    random_key noise;
    uint64_t next; /* number of the next sample */
} sample_source;

/* The beginning of the sequence of a repetition, with the random numbers of purposes `entries` and `noise`. */
sample_source sample_source_of(const simulator_plan *plan, uint32_t repetition, uint32_t entries, uint32_t noise,
                               const float *teacher);

/* Draws the next `count` <= plan->block samples into the places first .. first + count - 1 of `out`. Returns non-zero
   if a plug-in asked to abort. */
int samples_draw(sample_source *source, const block_workspace *work, size_t first, size_t count, samples *out);

/* Doubles of scratch memory for start_draw. */
size_t start_work(const simulator_plan *plan);

/* theta0[k][length] and theta*[k*][length] of a repetition. */
void start_draw(const simulator_plan *plan, uint32_t repetition, double *work, float *theta, float *teacher);

#endif
