/* Adaptive Gauss-Legendre quadrature: an interval is accepted if its two halves give the same, and halved otherwise. */
#include "solvers/linear/clock.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "numerics/legendre.h"

static const double ACCEPTED = 1e-13;
/* Halvings at which a jump of eta no longer matters. */
enum { DEEPEST = 44 };

typedef struct quadrature {
    const schedule *eta;
    double *work;
    double scale; /* size of the whole integral */
} quadrature;

static double rule(const quadrature *q, double from, double to)
{
    double t[LEGENDRE_POINTS], eta[LEGENDRE_POINTS], sum = 0;
    for (int i = 0; i < LEGENDRE_POINTS; i++)
        t[i] = from + (to - from) * legendre(i).place;
    schedule_values(q->eta, q->work, LEGENDRE_POINTS, t, eta);
    for (int i = 0; i < LEGENDRE_POINTS; i++)
        sum += legendre(i).weight * eta[i];
    return (to - from) * sum;
}

static double integral(const quadrature *q, double from, double to, double whole, int depth)
{
    double middle = 0.5 * (from + to), left = rule(q, from, middle), right = rule(q, middle, to);
    if (depth >= DEEPEST || fabs(left + right - whole) <= ACCEPTED * fmax(q->scale, fabs(whole)))
        return left + right;
    return integral(q, from, middle, left, depth + 1) + integral(q, middle, to, right, depth + 1);
}

sgdmft_status linear_clock(sgdmft_context *ctx, const schedule *eta, size_t count, const double *t, double *s)
{
    quadrature q = {.eta = eta, .work = memory_doubles(schedule_work(eta))};
    if (!q.work)
        return context_out_of_memory(ctx, "the schedule eta(t)", 8.0 * (double)schedule_work(eta));
    double last = count ? t[count - 1] : 0, from = 0, sum = 0;
    q.scale = fabs(rule(&q, 0, last));
    for (size_t i = 0; i < count; i++) {
        sum += integral(&q, from, t[i], rule(&q, from, t[i]), 0);
        s[i] = sum;
        from = t[i];
    }
    free(q.work);
    return SGDMFT_OK;
}
