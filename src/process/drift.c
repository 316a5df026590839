/* The midpoint rule and its derivative,

     kick = eta h g(r - eta h/2 g(r)),   D = eta h G(r - eta h/2 g(r)) (1 - eta h/2 G(r)). */
#include "process/drift.h"

#include <string.h>

/* out += x y with a k x k matrix for each lane. */
static void add_products(size_t k, size_t n, const double *x, const double *y, double *out)
{
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++)
            for (size_t l = 0; l < k; l++)
                for (size_t p = 0; p < n; p++)
                    out[(a * k + b) * n + p] += x[(a * k + l) * n + p] * y[(l * k + b) * n + p];
}

int drift_kick(const kick_step *step, double *work, double *kick, double *D)
{
    size_t k = step->k, n = step->n, width = k * n, square = k * width;
    double *middle = work, *g = middle + width, *G = g + width, *G_middle = G + square, length = step->eta * step->h;
    if (step->gradient(step->user, step->r, g, D ? G : NULL))
        return -1;
    for (size_t p = 0; p < width; p++)
        middle[p] = step->r[p] - 0.5 * length * g[p];
    if (step->gradient(step->user, middle, kick, D ? G_middle : NULL))
        return -1;
    for (size_t p = 0; p < width; p++)
        kick[p] *= length;
    if (!D)
        return 0;
    for (size_t p = 0; p < square; p++) {
        G_middle[p] *= length;
        G[p] *= -0.5 * length;
    }
    memcpy(D, G_middle, sizeof *D * square);
    add_products(k, n, G_middle, G, D);
    return 0;
}
