/* Samples: rows x_i of iid entries of variance 1/d, the teacher's pre-activations s, the noise eps and the label y. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_SAMPLES_H
#define SGDMFT_VALIDATION_SIMULATOR_SAMPLES_H

#include "core/context.h"
#include "validation/simulator/setting.h"

typedef struct samples {
    size_t room;         /* samples that there is memory for: the distance between components */
    float *row;          /* [room][length] */
    double *s, *eps, *y; /* [component][room] */
} samples;

/* Bytes of samples_init. */
double samples_bytes(const simulator_setting *set, size_t room);

sgdmft_status samples_init(sgdmft_context *ctx, const simulator_setting *set, size_t room, samples *out);
void samples_clear(samples *x);

/* Where samples come from: entries in order, noise by number. */
typedef struct sample_source {
    const simulator_setting *set;
    const float *teacher; /* [k*][length] */
    word_stream entries;
    random_key noise;
    uint64_t next; /* number of the next sample */
} sample_source;

sample_source sample_source_of(const simulator_setting *set, uint32_t repetition, uint32_t entries, uint32_t noise,
                               const float *teacher);

/* Work space of one thread for drawing set->block samples at a time. */
typedef struct sample_desk {
    model_work *model;
    const float **row; /* [block] */
    float *projection; /* [block][k*] */
    double *lanes;     /* [k* + noises + labels][block] */
} sample_desk;

/* The next `count` <= set->block samples, to places first .. first + count - 1 of `out`. Returns non-zero if a plug-in
   asked to abort. */
int samples_draw(sample_source *from, const sample_desk *desk, size_t first, size_t count, samples *out);

#endif
