/* Gradient flow,

       d theta/dt = - grad penalty(theta) - eta sum_i x_i g_i^T,

   by the pair of Runge-Kutta formulas of orders 5 and 4 of Dormand and Prince (1980). Their difference estimates the
   error of a step, which is kept below FLOW_TOLERANCE times the size of theta and theta* (root mean square): rounding
   in single precision stays well below that, and sampling noise of the curves well above. A derivative costs one pass
   over the data, so steps are as long as the tolerance lets them be, and theta is interpolated at output times. */
#include <math.h>
#include <string.h>

#include "validation/simulator/repetition.h"
#include "validation/simulator/visits.h"

static const double FLOW_TOLERANCE = 1e-5;
static const double SAFETY = 0.9, SHRINK = 0.2, GROW = 4.0;
static const double LEAST_STEP = 1e-9; /* relative to the horizon; smaller means that theta blows up */

static const double node[FLOW_STAGES] = {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1};
static const double weight[FLOW_STAGES][FLOW_STAGES - 1] = {
    {0},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
};
/* Of the order 5 formula (the last row above) minus the order 4 one. */
static const double defect[FLOW_STAGES] = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                           -17253.0 / 339200, 22.0 / 525, -1.0 / 40};

static float *slope(const repetition *rep, int stage)
{
    return rep->slopes + (size_t)stage * (size_t)rep->set->shape.k * rep->set->length;
}

static int derivative(repetition *rep, double t, const float *theta, float *out)
{
    const simulator_setting *set = rep->set;
    size_t size = (size_t)set->shape.k * set->length;
    float lambda = set->penalty ? 0.0f : (float)set->problem->lambda;
    for (size_t j = 0; j < size; j++)
        out[j] = -lambda * theta[j];
    if (set->penalty)
        simulator_penalty_add(set->penalty, set->shape.k, rep->penalty, set->d, set->length, -1, theta, out);
    return subtract_gradients(rep, t, eta_at(rep, t), theta, out);
}

/* to = from + h sum of weights times slopes */
static void combine(const repetition *rep, const float *from, double h, const double *weights, int stages, float *to)
{
    size_t size = (size_t)rep->set->shape.k * rep->set->length;
    memcpy(to, from, size * sizeof *to);
    for (int i = 0; i < stages; i++) {
        const float *along = slope(rep, i);
        float factor = (float)(h * weights[i]);
        for (size_t j = 0; j < size; j++)
            to[j] += factor * along[j];
    }
}

/* Estimated error of the step relative to what is allowed. */
static double error_of(const repetition *rep, double h)
{
    const simulator_setting *set = rep->set;
    const sgdmft_problem *problem = set->problem;
    size_t size = (size_t)set->shape.k * set->length;
    double sum = 0, scale = 0;
    for (size_t j = 0; j < size; j++) {
        double e = 0;
        for (int i = 0; i < FLOW_STAGES; i++)
            e += defect[i] * slope(rep, i)[j];
        sum += e * e;
    }
    for (int a = 0; a < set->shape.k; a++)
        scale += problem->initial.q[a * set->shape.k + a] / set->shape.k;
    for (int b = 0; b < set->shape.kstar; b++)
        scale += problem->initial.rho[b * set->shape.kstar + b] / set->shape.kstar;
    return h * sqrt(sum / ((double)set->shape.k * (double)set->d * scale)) / FLOW_TOLERANCE;
}

/* One step of length h from the base; the first slope is known. *error is set. */
static int try_step(repetition *rep, double h, double *error)
{
    float *end = slope(rep, FLOW_END);
    for (int i = 1; i < FLOW_STAGES; i++) {
        combine(rep, slope(rep, FLOW_BASE), h, weight[i], i, end);
        if (derivative(rep, rep->flow_from + node[i] * h, end, slope(rep, i)))
            return 1;
    }
    *error = error_of(rep, h);
    return 0;
}

/* The spectrum of X^T X ends at (1 + sqrt delta)^2. */
static double first_guess(repetition *rep)
{
    double edge = 1 + sqrt(rep->set->problem->delta);
    return 0.5 / (eta_at(rep, 0) * edge * edge + rep->set->problem->lambda + 1);
}

static double step_factor(double error)
{
    double factor = isfinite(error) ? SAFETY * pow(error + 1e-12, -0.2) : 0;
    return factor < SHRINK ? SHRINK : factor > GROW ? GROW : factor;
}

static int begin(repetition *rep)
{
    size_t bytes = (size_t)rep->set->shape.k * rep->set->length * sizeof *rep->theta;
    memcpy(slope(rep, FLOW_END), rep->theta, bytes);
    rep->flow_from = rep->flow_to = 0;
    rep->flow_step = first_guess(rep);
    return derivative(rep, 0, rep->theta, slope(rep, FLOW_STAGES - 1));
}

/* A step from rep->flow_to on. The last slope of the step before is the first of this one. */
static int next_step(repetition *rep)
{
    size_t bytes = (size_t)rep->set->shape.k * rep->set->length * sizeof *rep->theta;
    double left = rep->set->problem->horizon - rep->flow_to, error;
    memcpy(slope(rep, FLOW_BASE), slope(rep, FLOW_END), bytes);
    memcpy(slope(rep, 0), slope(rep, FLOW_STAGES - 1), bytes);
    rep->flow_from = rep->flow_to;
    for (;;) {
        double h = rep->flow_step < left ? rep->flow_step : left;
        if (try_step(rep, h, &error))
            return 1;
        rep->flow_step = h * step_factor(error);
        if (error <= 1) {
            rep->flow_to = h < left ? rep->flow_from + h : rep->set->problem->horizon;
            return 0;
        }
        if (rep->flow_step < LEAST_STEP * rep->set->problem->horizon) {
            rep->status = SGDMFT_ERR_DIVERGED;
            return 1;
        }
    }
}

/* theta inside the last step, to order 4 (Hairer, Norsett, Wanner: Solving Ordinary Differential Equations I, II.6). */
static void interpolate(repetition *rep, double t)
{
    static const double bend[FLOW_STAGES] = {-12715105075.0 / 11282082432,  0,
                                             87487479700.0 / 32700410799,   -10690763975.0 / 1880347072,
                                             701980252875.0 / 199316789632, -1453857185.0 / 822651844,
                                             69997945.0 / 29380423};
    double h = rep->flow_to - rep->flow_from, x = h > 0 ? (t - rep->flow_from) / h : 1, weights[FLOW_STAGES];
    for (int i = 0; i < FLOW_STAGES; i++) {
        double chord = i < FLOW_STAGES - 1 ? weight[FLOW_STAGES - 1][i] : 0;
        double first = (i == 0) - chord, last = chord - (i == FLOW_STAGES - 1) - first;
        weights[i] = x * (chord + (1 - x) * (first + x * (last + (1 - x) * bend[i])));
    }
    combine(rep, slope(rep, FLOW_BASE), h, weights, FLOW_STAGES, rep->theta);
}

int advance_flow(repetition *rep, const simulator_stop *from, const simulator_stop *to)
{
    if (from->t == 0 && begin(rep))
        return 1;
    while (rep->flow_to < to->t)
        if (next_step(rep))
            return 1;
    interpolate(rep, to->t);
    return 0;
}
