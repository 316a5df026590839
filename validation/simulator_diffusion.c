/* The stochastic modified equation, one Brownian motion B_i per sample:

       d theta = - grad penalty(theta) dt - sum_i x_i eta g_i^T (dt + dB_i)

   by Euler and Maruyama, whose curves have an error of the order of the step. */
#include <math.h>
#include <string.h>

#include "validation/simulator_repetition.h"

static void draw_drive(repetition *rep, uint64_t step, double h)
{
    size_t n = rep->set->n;
    double root = sqrt(h);
    random_normals(simulator_key(rep->set, rep->number, SIMULATOR_DRIVER), step, 0, n, rep->drive);
    for (size_t i = 0; i < n; i++)
        rep->drive[i] = h + root * rep->drive[i];
}

static int step_once(repetition *rep, double t, double h)
{
    const simulator_setting *set = rep->set;
    size_t size = (size_t)set->shape.k * set->length;
    memset(rep->moved, 0, size * sizeof *rep->moved);
    if (subtract_gradients(rep, t, eta_at(rep, t), rep->drive, rep->theta, rep->moved))
        return 1;
    if (set->penalty)
        kick_penalty(rep, h);
    else
        scale_theta(rep, 1 - set->problem->lambda * h);
    for (size_t j = 0; j < size; j++)
        rep->theta[j] += rep->moved[j];
    return 0;
}

int advance_diffusion(repetition *rep, const simulator_stop *from, const simulator_stop *to)
{
    double span = to->t - from->t, steps = ceil(span / rep->set->problem->simulate.step * (1 - 1e-9)), h = span / steps;
    for (uint64_t i = 0; i < (uint64_t)steps; i++) {
        draw_drive(rep, rep->driven++, h);
        if (step_once(rep, from->t + (double)i * h, h))
            return 1;
    }
    return 0;
}
