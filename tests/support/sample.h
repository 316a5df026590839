/* Mean and standard error of independent observations. */
#ifndef SGDMFT_TESTS_SUPPORT_SAMPLE_H
#define SGDMFT_TESTS_SUPPORT_SAMPLE_H

#include <math.h>
#include <stddef.h>

/* Running mean and sum of squared deviations. Starts as {0}. */
typedef struct sample {
    size_t n;
    double mean, squares;
} sample;

static inline void sample_add(sample *s, double x)
{
    double before = x - s->mean;
    s->n++;
    s->mean += before / (double)s->n;
    s->squares += before * (x - s->mean);
}

static inline double sample_variance(const sample *s)
{
    return s->squares / ((double)s->n - 1);
}

/* One standard error of the mean. */
static inline double sample_se(const sample *s)
{
    return sqrt(sample_variance(s) / (double)s->n);
}

#endif
