/* Drift and diffusion of d rho = - eta g(rho) (dt + dB) are the same function, and Platen's scheme (Kloeden and Platen, Numerical
   Solution of Stochastic Differential Equations, 15.1) reads, with g0 = g(r), dB = sqrt(h) noise and

     g_end = g(r - eta g0 (h + dB)),   g_above = g(r - eta g0 (h + sqrt h)),   g_below = g(r - eta g0 (h - sqrt h)),

     kick = eta [h/2 (g_end + g0) + dB/4 (g_above + g_below + 2 g0) + (dB^2 - h)/(4 sqrt h) (g_above - g_below)]. */
#include "process/brownian.h"

#include <math.h>

/* g at r - eta g0 (h + change[p]) */
static int gradient_after(const kick_step *step, const double *g0, const double *change, double *position, double *g)
{
    size_t n = step->n;
    for (size_t a = 0; a < step->k; a++)
        for (size_t p = 0; p < n; p++)
            position[a * n + p] = step->r[a * n + p] - step->eta * g0[a * n + p] * (step->h + change[p]);
    return step->gradient(step->user, position, g, NULL);
}

static void fill(size_t n, double value, double *x)
{
    for (size_t p = 0; p < n; p++)
        x[p] = value;
}

int brownian_kick(const kick_step *step, double *work, double *kick, double *D)
{
    size_t n = step->n, width = step->k * n;
    double *g0 = work, *at_end = g0 + width, *above = at_end + width, *below = above + width;
    double *position = below + width, *change = position + width, h = step->h, root = sqrt(h);
    (void)D;
    if (step->gradient(step->user, step->r, g0, NULL))
        return -1;
    for (size_t p = 0; p < n; p++)
        change[p] = root * step->noise[p];
    if (gradient_after(step, g0, change, position, at_end))
        return -1;
    fill(n, root, change);
    if (gradient_after(step, g0, change, position, above))
        return -1;
    fill(n, -root, change);
    if (gradient_after(step, g0, change, position, below))
        return -1;
    for (size_t a = 0; a < step->k; a++)
        for (size_t p = 0; p < n; p++) {
            size_t x = a * n + p;
            double dB = root * step->noise[p];
            kick[x] = step->eta * (0.5 * h * (at_end[x] + g0[x]) + 0.25 * dB * (above[x] + below[x] + 2 * g0[x]) +
                                   0.25 * (dB * dB - h) / root * (above[x] - below[x]));
        }
    return 0;
}
