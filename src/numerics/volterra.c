/* Quadrature: Gregory's rule is the trapezoid rule with corrections at the nodes near the two ends:

     int_0^{nh} g = h sum_{j=0}^{n} (1 + end_j + end_{n-j}) g_j.

   With g_j = k_{n-j} p_j the correction at s = t_n changes the first kernel values, kappa_i = h (1 + end_i) k_i, and
   that at s = 0 involves known values of p only: what is left is a convolution,

     p_n = s_n + sum_{i=0}^{n-q} kappa_i p_{n-i},   n >= q = VOLTERRA_NODES.

   Start: p_1 .. p_{q-1} solve a small linear system, in which the integrals up to t_n, n < q, are those of the
   polynomial through all nodes 0 .. q-1. This needs kernel values at negative times.

   Convolution: p_n depends on all earlier p. The range is halved. Once its first half is known, the whole contribution
   of that half to the second is one cyclic convolution by FFT; both halves are treated in the same way, down to short
   blocks. The transform of the kernel is computed once for each length. */
#include "numerics/volterra.h"

#include <complex.h>
#include <fftw3.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "numerics/gauss.h"

enum { NODES = VOLTERRA_NODES, BLOCK = 64, MOST_LEVELS = 48 };

void volterra_gregory(double end[NODES])
{
    double coefficient[NODES + 1]; /* Gregory's: 1/2, -1/12, 1/24, -19/720, ... from index 1 */
    coefficient[0] = 1;
    for (int k = 1; k <= NODES; k++) {
        coefficient[k] = 0;
        for (int j = 0; j < k; j++)
            coefficient[k] -= ((k - j) % 2 ? -1.0 : 1.0) * coefficient[j] / (k - j + 1);
    }
    for (int j = 0; j < NODES; j++) {
        double binomial = 1; /* binomial coefficient (k over j) */
        end[j] = 0;
        for (int k = j; k < NODES; k++) {
            end[j] -= (j % 2 ? -1 : 1) * fabs(coefficient[k + 1]) * binomial;
            binomial *= (k + 1.0) / (k + 1.0 - j);
        }
    }
}

/* Value at x of the j-th Lagrange polynomial of the nodes 0 .. NODES-1. */
static double lagrange(int j, double x)
{
    double product = 1;
    for (int i = 0; i < NODES; i++)
        if (i != j)
            product *= (x - i) / (j - i);
    return product;
}

/* A Gauss-Legendre rule on [0, 1] that is exact for the Lagrange polynomials. */
enum { RULE = NODES / 2 };

/* int_0^n of the j-th Lagrange polynomial. */
static double start_weight(const double place[RULE], const double weight[RULE], int n, int j)
{
    double sum = 0;
    for (int i = 0; i < RULE; i++)
        sum += n * weight[i] * lagrange(j, n * place[i]);
    return sum;
}

/* p_0 .. p_{NODES-1}; `kernel` points to k(0). */
static sgdmft_status start(sgdmft_context *ctx, double h, const double *source, const double *kernel, double *p)
{
    double matrix[VOLTERRA_BEFORE * VOLTERRA_BEFORE], place[RULE], weight[RULE];
    lapack_int pivot[VOLTERRA_BEFORE];
    if (gauss_legendre(RULE, place, weight))
        return context_out_of_memory(ctx, "the start of a Volterra equation", 16.0 * RULE);
    p[0] = source[0];
    for (int n = 1; n < NODES; n++) {
        p[n] = source[n] + h * start_weight(place, weight, n, 0) * kernel[n] * p[0];
        for (int j = 1; j < NODES; j++)
            matrix[(n - 1) * VOLTERRA_BEFORE + j - 1] =
                (n == j) - h * start_weight(place, weight, n, j) * kernel[n - j];
    }
    lapack_int info = LAPACKE_dgesv(LAPACK_ROW_MAJOR, VOLTERRA_BEFORE, 1, matrix, VOLTERRA_BEFORE, pivot, p + 1, 1);
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return context_out_of_memory(ctx, "the start of a Volterra equation", sizeof matrix);
    return info == 0 ? SGDMFT_OK
                     : context_fail(ctx, SGDMFT_ERR_NO_CONVERGENCE,
                                    "the start of a Volterra equation is singular (LAPACK info %d): the step %g is too "
                                    "large for its kernel",
                                    (int)info, h);
}

/* One length of the cyclic convolutions. */
typedef struct level {
    size_t length;
    fftw_plan forward, backward; /* both in place in the buffer */
    fftw_complex *spectrum;      /* [length/2 + 1] of kappa, divided by length */
} level;

/* value_n (1 - kappa_0) = value_n (as given) + sum_{i=1}^{n} kappa_i value_{n-i} */
typedef struct convolution {
    size_t count;
    const double *kappa;
    double *value;
    double *buffer; /* [longest length + 2] */
    int levels;
    level level[MOST_LEVELS]; /* lengths 2 BLOCK, 4 BLOCK, ... */
} convolution;

static void convolution_clear(convolution *c)
{
    for (int l = 0; l < c->levels; l++) {
        if (c->level[l].forward)
            fftw_destroy_plan(c->level[l].forward);
        if (c->level[l].backward)
            fftw_destroy_plan(c->level[l].backward);
        free(c->level[l].spectrum);
    }
    free(c->buffer);
}

static int level_init(convolution *c, level *l, size_t length)
{
    fftw_complex *bins = (fftw_complex *)c->buffer;
    size_t given = c->count < length ? c->count : length;
    l->length = length;
    l->forward = fftw_plan_dft_r2c_1d((int)length, c->buffer, bins, FFTW_ESTIMATE);
    l->backward = fftw_plan_dft_c2r_1d((int)length, bins, c->buffer, FFTW_ESTIMATE);
    l->spectrum = memory_zeroed(length / 2 + 1, sizeof *l->spectrum);
    if (!l->forward || !l->backward || !l->spectrum)
        return 0;
    memcpy(c->buffer, c->kappa, given * sizeof *c->buffer);
    memset(c->buffer + given, 0, (length - given) * sizeof *c->buffer);
    fftw_execute(l->forward);
    for (size_t i = 0; i <= length / 2; i++)
        l->spectrum[i] = bins[i] / (double)length;
    return 1;
}

static sgdmft_status convolution_init(sgdmft_context *ctx, convolution *c)
{
    size_t longest = BLOCK;
    while (longest < c->count)
        longest *= 2;
    c->buffer = memory_doubles(longest + 2);
    int failed = !c->buffer;
    fftw_make_planner_thread_safe(); /* other users of FFTW in this process may make plans at the same time */
    for (size_t length = 2 * BLOCK; length <= longest && !failed; length *= 2)
        failed = !level_init(c, &c->level[c->levels++], length);
    if (!failed)
        return SGDMFT_OK;
    convolution_clear(c);
    return context_out_of_memory(ctx, "a convolution by FFT", 32.0 * (double)longest);
}

/* Solves for a block to which all earlier values have been added. */
static void solve_block(const convolution *c, size_t from, size_t to)
{
    for (size_t n = from; n < to; n++) {
        double known = c->value[n] /= 1 - c->kappa[0];
        for (size_t i = n + 1; i < to; i++)
            c->value[i] += c->kappa[i - n] * known;
    }
}

/* Adds the contribution of the first half of [from, from + length) to the second. Sums that wrap around fall into the
   first half, which is not used. */
static void contribute(const convolution *c, const level *l, size_t from)
{
    size_t half = l->length / 2, end = c->count - from < l->length ? c->count - from : l->length;
    fftw_complex *bins = (fftw_complex *)c->buffer;
    memcpy(c->buffer, c->value + from, half * sizeof *c->buffer);
    memset(c->buffer + half, 0, half * sizeof *c->buffer);
    fftw_execute(l->forward);
    for (size_t i = 0; i <= half; i++)
        bins[i] *= l->spectrum[i];
    fftw_execute(l->backward);
    for (size_t i = half; i < end; i++)
        c->value[from + i] += c->buffer[i];
}

static void solve_range(const convolution *c, int number, size_t from)
{
    if (from >= c->count)
        return;
    if (number < 0) {
        solve_block(c, from, c->count - from < BLOCK ? c->count : from + BLOCK);
        return;
    }
    const level *l = &c->level[number];
    solve_range(c, number - 1, from);
    if (from + l->length / 2 >= c->count)
        return;
    contribute(c, l, from);
    solve_range(c, number - 1, from + l->length / 2);
}

/* s_n, the source plus the contributions of p_0 .. p_{NODES-1}. */
static void add_start(size_t steps, double h, const double *source, const double *kernel, const double *kappa,
                      const double *end, double *p)
{
    for (size_t n = NODES; n <= steps; n++) {
        double sum = source[n];
        for (size_t j = 0; j < NODES; j++)
            sum += (kappa[n - j] + h * end[j] * kernel[n - j]) * p[j];
        p[n] = sum;
    }
}

sgdmft_status volterra_solve(sgdmft_context *ctx, size_t steps, double h, const double *source, const double *kernel,
                             double *p)
{
    if (steps < 2 * NODES || steps > (size_t)1 << 29)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "a Volterra equation in %zu steps; allowed: %d to %zu", steps,
                            2 * NODES, (size_t)1 << 29);
    double end[NODES], *kappa = memory_doubles(steps + 1);
    if (!kappa)
        return context_out_of_memory(ctx, "a Volterra equation", 8.0 * (double)steps);
    const double *k = kernel + VOLTERRA_BEFORE;
    volterra_gregory(end);
    for (size_t i = 0; i <= steps; i++)
        kappa[i] = h * (1 + (i < NODES ? end[i] : 0)) * k[i];
    convolution c = {.count = steps + 1 - NODES, .kappa = kappa, .value = p + NODES};
    sgdmft_status status = start(ctx, h, source, k, p);
    if (!status)
        status = convolution_init(ctx, &c);
    if (!status) {
        add_start(steps, h, source, k, kappa, end, p);
        solve_range(&c, c.levels - 1, 0);
        convolution_clear(&c);
    }
    free(kappa);
    return status;
}

/* Barycentric form of the interpolating polynomial. */
double volterra_value(size_t steps, const double *values, double place)
{
    double last = (double)(steps + 1 - NODES), before = floor(place) - (NODES / 2 - 1);
    size_t first = before <= 0 ? 0 : before >= last ? steps + 1 - NODES : (size_t)before;
    double above = 0, below = 0, weight = 1; /* +- binomial coefficients */
    for (int j = 0; j < NODES; j++) {
        double distance = place - (double)(first + (size_t)j);
        if (distance == 0)
            return values[first + (size_t)j];
        above += weight / distance * values[first + (size_t)j];
        below += weight / distance;
        weight *= -(double)(NODES - 1 - j) / (j + 1);
    }
    return above / below;
}
