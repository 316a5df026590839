/* The start of a repetition. Its second moments are those of the problem exactly, not on average: the fluctuation of
   q(0), m(0) and rho would otherwise stay in the curves, at the order 1/sqrt(d) of everything else. */
#include <math.h>
#include <string.h>

#include "validation/simulator_repetition.h"

static double dot(size_t d, const double *a, const double *b)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += a[j] * b[j];
    return sum;
}

static void add(size_t d, double factor, const double *from, double *to)
{
    for (size_t j = 0; j < d; j++)
        to[j] += factor * from[j];
}

/* Gram matrix d I; twice, since once is not exact to rounding. */
static void orthonormalise(size_t count, size_t d, double *z)
{
    for (size_t a = 0; a < count; a++) {
        for (int pass = 0; pass < 2; pass++)
            for (size_t b = 0; b < a; b++)
                add(d, -dot(d, z + a * d, z + b * d) / (double)d, z + b * d, z + a * d);
        double size = sqrt(dot(d, z + a * d, z + a * d) / (double)d);
        for (size_t j = 0; j < d; j++)
            z[a * d + j] /= size;
    }
}

static void narrow(size_t d, const double *from, float *to)
{
    for (size_t j = 0; j < d; j++)
        to[j] = (float)from[j];
}

/* theta* = L z*, theta0 = A theta* + B z: from the last component to the first, each vector can be made in the place of
   the normals that no other one needs any more. */
void repetition_draw_start(repetition *rep)
{
    const simulator_setting *set = rep->set;
    const initial_law *law = &set->law;
    size_t k = (size_t)law->k, kstar = (size_t)law->kstar, d = set->d;
    double *teacher = rep->start, *theta = teacher + kstar * d;
    for (size_t a = 0; a < kstar + k; a++)
        random_normals(simulator_key(set, rep->number, SIMULATOR_START), a, 0, d, rep->start + a * d);
    orthonormalise(kstar + k, d, rep->start);
    memset(rep->theta, 0, k * set->length * sizeof *rep->theta); /* padding may be left over from one that diverged */
    for (size_t a = kstar; a-- > 0;) {
        for (size_t j = 0; j < d; j++)
            teacher[a * d + j] *= law->chol_rho[a * kstar + a];
        for (size_t b = 0; b < a; b++)
            add(d, law->chol_rho[a * kstar + b], teacher + b * d, teacher + a * d);
        narrow(d, teacher + a * d, rep->teacher + a * set->length);
    }
    for (size_t a = k; a-- > 0;) {
        for (size_t j = 0; j < d; j++)
            theta[a * d + j] *= law->b[a * k + a];
        for (size_t b = 0; b < a; b++)
            add(d, law->b[a * k + b], theta + b * d, theta + a * d);
        for (size_t b = 0; b < kstar; b++)
            add(d, law->a[a * kstar + b], teacher + b * d, theta + a * d);
        narrow(d, theta + a * d, rep->theta + a * set->length);
    }
}
