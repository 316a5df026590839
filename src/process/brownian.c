/* Drift and diffusion of d rho = - eta g(rho) (dt + dB) are the same function. Platen's scheme (Kloeden and Platen,
   Numerical Solution of Stochastic Differential Equations, 15.1) then reads, with g0 = g(r), dB = sqrt(h) noise and

     g_end = g(r - eta g0 (h + dB)),   g_above = g(r - eta g0 (h + sqrt h)),   g_below = g(r - eta g0 (h - sqrt h)),

     kick = eta [h/2 (g_end + g0) + dB/4 (g_above + g_below + 2 g0) + (dB^2 - h)/(4 sqrt h) (g_above - g_below)]. */
#include "process/brownian.h"

#include <math.h>

/* Computes g at KICK_POINTS positions. */
static int gradients_at(const kick_step *step, const double *position, double *g)
{
    size_t width = step->k * step->n;
    if (step->gradients)
        return step->gradients(step->user, KICK_POINTS, position, g);
    for (size_t i = 0; i < KICK_POINTS; i++)
        if (step->gradient(step->user, position + i * width, g + i * width, NULL))
            return -1;
    return 0;
}

int brownian_kick(const kick_step *step, double *work, double *kick, double *D)
{
    size_t n = step->n, width = step->k * n;
    double *g0 = work, *at_end = g0 + width, *above = at_end + width, *below = above + width;
    double *position = below + width, h = step->h, root = sqrt(h);
    (void)D;
    if (step->gradient(step->user, step->r, g0, NULL))
        return -1;
    for (size_t x = 0; x < width; x++) {
        position[x] = step->r[x] - step->eta * g0[x] * (h + root * step->noise[x % n]);
        position[width + x] = step->r[x] - step->eta * g0[x] * (h + root);
        position[2 * width + x] = step->r[x] - step->eta * g0[x] * (h - root);
    }
    if (gradients_at(step, position, at_end))
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
