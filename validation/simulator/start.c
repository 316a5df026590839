/* The start of a repetition. Fluctuations of its second moments q(0), m(0) and rho would stay in the curves, at the order
   1/sqrt(d) of everything else. So if only moments are given, a Gaussian start has exactly these; and a law of the
   coordinates is sampled at d scrambled Sobol' points, whose averages are much nearer to those of the law than averages
   of independent draws. Which coordinate has which point is of no matter, as the data treats them alike. */
#include <math.h>
#include <string.h>

#include "core/sobol.h"
#include "validation/simulator/repetition.h"

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

enum { POINTS = 1024 }; /* coordinates at a time */

size_t start_room(const simulator_setting *set)
{
    size_t vectors = (size_t)(set->law.k + set->law.kstar);
    if (!set->coordinates)
        return vectors * set->d;
    return ((size_t)coordinates_law_dims(set->coordinates) + vectors) * POINTS + coordinates_law_work(set->coordinates);
}

static void draw_from_law(repetition *rep)
{
    const simulator_setting *set = rep->set;
    const coordinates_law *law = set->coordinates;
    size_t k = (size_t)set->law.k, kstar = (size_t)set->law.kstar, dims = (size_t)coordinates_law_dims(law);
    random_key key = simulator_key(set, rep->number, SIMULATOR_START);
    double *u = rep->start, *theta0 = u + dims * POINTS, *teacher = theta0 + k * POINTS,
           *work = teacher + kstar * POINTS;
    for (size_t from = 0; from < set->d; from += POINTS) {
        size_t n = set->d - from < POINTS ? set->d - from : POINTS;
        for (size_t v = 0; v < dims; v++)
            sobol_points(key, (unsigned)v, from, n, u + v * n);
        coordinates_law_map(law, work, n, u, theta0, teacher);
        for (size_t a = 0; a < k; a++)
            narrow(n, theta0 + a * n, rep->theta + a * set->length + from);
        for (size_t a = 0; a < kstar; a++)
            narrow(n, teacher + a * n, rep->teacher + a * set->length + from);
    }
}

/* theta* = L z*, theta0 = A theta* + B z: from the last component to the first, each vector can be made in the place of
   the normals that no other one needs any more. */
static void draw_gaussian(repetition *rep)
{
    const simulator_setting *set = rep->set;
    const initial_law *law = &set->law;
    size_t k = (size_t)law->k, kstar = (size_t)law->kstar, d = set->d;
    double *teacher = rep->start, *theta = teacher + kstar * d;
    for (size_t a = 0; a < kstar + k; a++)
        random_normals(simulator_key(set, rep->number, SIMULATOR_START), a, 0, d, rep->start + a * d);
    orthonormalise(kstar + k, d, rep->start);
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

void repetition_draw_start(repetition *rep)
{
    const simulator_setting *set = rep->set;
    /* padding may be left over from one that diverged */
    memset(rep->theta, 0, (size_t)set->law.k * set->length * sizeof *rep->theta);
    if (set->coordinates)
        draw_from_law(rep);
    else
        draw_gaussian(rep);
}
