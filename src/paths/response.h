/* The response between two events. */
#ifndef SGDMFT_PATHS_RESPONSE_H
#define SGDMFT_PATHS_RESPONSE_H

#include "kernels/kernels.h"

/* R(T_a, T_b) as a k x k block for event a in `cell` at place x of it, event b in cell `other` <= cell at place z. */
static inline void response_between(const kernels *kern, int cell, double x, int other, double z, double *rho)
{
    int kk = kern->k * kern->k;
    for (int c = 0; c < kk; c++) {
        const double *low = kernels_R(kern, c, cell), *high = kernels_R(kern, c, cell + 1);
        if (other == cell) {
            double one = c % (kern->k + 1) == 0;
            rho[c] = one + (x - z) * (high[cell] - one);
        } else {
            double before = low[other] + z * (low[other + 1] - low[other]);
            double after = high[other] + z * (high[other + 1] - high[other]);
            rho[c] = before + x * (after - before);
        }
    }
}

#endif
