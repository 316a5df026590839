/* The law has the density sqrt((x - a)(b - x)) / (2 pi x) on [a, b] = (1 -+ sqrt delta)^2 and, for delta < 1, the atom
   1 - delta at 0. Near delta = 1 the factor 1/x is nearly singular at the edge. Its pole is taken out:

     int f dmu = f(0) + int sqrt((x - a)(b - x)) / (2 pi) (f(x) - f(0)) / x dx

   holds for every delta, as mu has mass 1. The integrand is now as smooth as f, an entire function in all uses here,
   and its weight is that of Chebyshev's polynomials of the second kind, whose Gauss rule is known in closed form.
   Sorted by f(x_i) and f(0) this is the Gauss-Radau rule of mu with one point fixed at 0: with n other points it is
   exact for polynomials of degree 2n, and its weight at 0 is 1 / (1 + delta + ... + delta^n).

   On [a, b], exp(-c x) = exp(-c a) exp(-z) exp(-z cos phi) with z = c (b - a)/2. The coefficients exp(-z) I_k(z) of the
   series in cos(k phi) are the law at k of a random walk in continuous time, hence below 2 exp(-k^2 / (2 (z + k/3)))
   (Bernstein's inequality), which says how many points are needed. */
#include "numerics/spectral_law.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* exp(-DIGITS) is smaller than the last digit of a double. */
static const double DIGITS = 45;
/* Points beyond those of the bound, as the integrand also has factors such as x^2. */
static const double SPARE = 4;
/* Up to this fall it is enough for the continuous part to be accurate relative to f(0). */
static const double SMALL_FALL = 8;
static const double MOST = 1e7;

static double points_inside(double delta, double decay, double fall)
{
    double z = 2 * sqrt(delta) * decay, third = DIGITS / 3;
    double degree = third + sqrt(third * third + 2 * DIGITS * z);
    double n = ceil(degree / 2) + SPARE;
    if (fall <= SMALL_FALL)
        return n;
    return fmax(n, ceil((fall + DIGITS) / fabs(log(delta)))); /* see weigh_zero */
}

double spectral_law_points(double delta, double decay, double fall)
{
    return 1 + points_inside(delta, decay, fall);
}

/* x = a + (b - a) cos^2(phi/2) keeps its digits where a is close to 0. */
static void place_points(spectral_law *law, double delta)
{
    size_t n = law->n - 1;
    double width = 4 * sqrt(delta);
    for (size_t j = 1; j <= n; j++) {
        double phi = M_PI * (double)(n + 1 - j) / (double)(n + 1), c = cos(phi / 2), height = 0.5 * width * sin(phi);
        law->x[j] = law->low + width * c * c;
        law->weight[j] = height * height / (2 * law->x[j] * (double)(n + 1));
    }
}

/* The weight 1 / (1 + delta + ... + delta^n) at 0, and its excess over the atom. */
static void weigh_zero(spectral_law *law, double delta)
{
    double points = (double)law->n, distance = fabs(log(delta)), atom = delta < 1 ? 1 - delta : 0;
    law->excess = delta == 1 ? 1 / points : fabs(1 - delta) / expm1(points * distance);
    law->x[0] = 0;
    law->weight[0] = atom + law->excess;
}

sgdmft_status spectral_law_init(sgdmft_context *ctx, double delta, double decay, double fall, spectral_law *law)
{
    double n = spectral_law_points(delta, decay, fall), root = sqrt(delta);
    memset(law, 0, sizeof *law);
    if (!(n <= MOST))
        return context_fail(ctx, SGDMFT_ERR_UNSUPPORTED,
                            "the spectral law would need %.3g points, at most %.3g are possible; hint: shorten horizon "
                            "or lower eta or delta",
                            n, MOST);
    law->n = (size_t)n;
    law->x = memory_doubles(law->n);
    law->weight = memory_doubles(law->n);
    if (!law->x || !law->weight) {
        spectral_law_clear(law);
        return context_out_of_memory(ctx, "the spectral law", 16 * n);
    }
    law->low = (1 - root) * (1 - root);
    law->high = (1 + root) * (1 + root);
    place_points(law, delta);
    weigh_zero(law, delta);
    return SGDMFT_OK;
}

void spectral_law_clear(spectral_law *law)
{
    free(law->x);
    free(law->weight);
    memset(law, 0, sizeof *law);
}

/* Length of a table of exponentials, and the exponent beyond which exp(-exponent) is set to 0: it does not show in the
   sums, and denormal numbers are slow. */
enum { SPAN = 64 };
static const double NEGLIGIBLE = 650;

static double decayed(double exponent)
{
    return exponent > NEGLIGIBLE ? 0 : exp(-exponent);
}

/* Steps are cut into spans. Exponentials within a span are tabulated once, and multiply weights at the start of each
   span: few exponentials are computed, and every value is good to the last digits, however many steps there are. */
sgdmft_status exponential_sums(sgdmft_context *ctx, size_t n, const double *rate, const double *weight, double h,
                               int first, size_t count, double *out)
{
    int threads = sgdmft_context_threads(ctx);
    double *table = memory_doubles(SPAN * n), *scratch = memory_doubles((size_t)threads * n);
    if (!table || !scratch) {
        free(table);
        free(scratch);
        return context_out_of_memory(ctx, "a table of exponentials", 8.0 * (double)(SPAN + threads) * (double)n);
    }
    for (size_t j = 0; j < SPAN; j++)
        for (size_t i = 0; i < n; i++)
            table[j * n + i] = decayed(rate[i] * h * (double)j);
    size_t spans = (count + SPAN - 1) / SPAN;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1 && spans > 1)
    for (size_t span = 0; span < spans; span++) {
        double *start = scratch + (size_t)omp_get_thread_num() * n;
        size_t from = span * SPAN, length = count - from < SPAN ? count - from : SPAN;
        if (context_stop_now(ctx))
            continue;
        for (size_t i = 0; i < n; i++)
            start[i] = weight[i] * decayed(rate[i] * h * ((double)first + (double)from));
        for (size_t j = 0; j < length; j++) {
            const double *row = table + j * n;
            double sum = 0;
#pragma omp simd reduction(+ : sum)
            for (size_t i = 0; i < n; i++)
                sum += start[i] * row[i];
            out[from + j] = sum;
        }
    }
    free(table);
    free(scratch);
    return context_stop_now(ctx) ? context_interrupted(ctx, "the source of the risk was tabulated") : SGDMFT_OK;
}
