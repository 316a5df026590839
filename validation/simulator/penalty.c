#include "validation/simulator/penalty.h"

enum { BLOCK = 512 }; /* coordinates at a time */

size_t simulator_penalty_work(const penalty *p, int k)
{
    return penalty_work(p) + 2 * (size_t)k * BLOCK;
}

void simulator_penalty_add(const penalty *p, int k, double *work, size_t d, size_t length, double factor,
                           const float *theta, float *target)
{
    double *th = work, *slope = th + (size_t)k * BLOCK, *scratch = slope + (size_t)k * BLOCK;
    for (size_t from = 0; from < d; from += BLOCK) {
        size_t n = d - from < BLOCK ? d - from : BLOCK;
        for (size_t a = 0; a < (size_t)k; a++)
            for (size_t j = 0; j < n; j++)
                th[a * BLOCK + j] = theta[a * length + from + j];
        penalty_gradient(p, scratch, n, BLOCK, th, slope);
        for (size_t a = 0; a < (size_t)k; a++)
            for (size_t j = 0; j < n; j++)
                target[a * length + from + j] += (float)(factor * slope[a * BLOCK + j]);
    }
}
