/* The response with a penalty other than a ridge, where d theta = - penalty'(theta) dt - delta E[...] dt - sqrt(delta) dU
   is not linear:

     dR/dt(t, s) = - E[penalty''(theta(t)) d theta(t) / d kick(s)] - delta eta Q(t, s).

   With penalty' = ridge theta + rest, where the ridge depends on time, the first term is - ridge R - P. P and Q by
   Stein's lemma: P as Q in response_stein.c, from E[rest(theta(t_i)) xi_j^T] with the normals xi_j that drive theta. Q is the answer of the gradient to the shift R(., s) of its field; the gradient is correlated with the
   normals of the field, whose columns V_{., j} are other shifts, so R(., s) is written in them:

     R(t_i, s) averaged over s in cell c = sum_{c <= j < i} V_ij kick_jc
     Qm_ic = sum_{c <= j < i} E[g(t_i) xi_j^T] kick_jc

   and likewise R(., 0) in the regression on the start and these columns. */
#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/kernels_parts.h"

/* R(t_row, .) averaged over cell c. */
static void mean_response(const kernels *kern, int row, int c, double *out)
{
    for (int x = 0; x < kern->k * kern->k; x++) {
        const double *r = kernels_R(kern, x, row);
        out[x] = 0.5 * (r[c] + r[c + 1]);
    }
}

/* The next coefficient of a function of time in the columns of V: x[l], l < i, `stride` apart, are known, `left` is the
   function at node i + 1, which is changed. */
static void expand(const kernels *kern, int i, int first, size_t stride, double *left, double *x)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double V[MATRIX_MAX * MATRIX_MAX], *out = x + (size_t)i * stride;
    for (int l = first; l < i; l++) {
        for (int a = 0; a < k; a++)
            memcpy(V + a * k, kernels_V(kern, i + 1, a) + l * k, sizeof(double) * (size_t)k);
        matrix_add_product(k, -1, V, x + (size_t)l * stride, left);
    }
    memset(out, 0, sizeof(double) * kk);
    matrix_add_product(k, 1, kern->sampled->V_inverse + (size_t)i * kk, left, out);
}

/* kick_ic, from row i + 1 of R and V. */
static void new_kick(const kernels *kern, int i, int c)
{
    size_t kk = (size_t)(kern->k * kern->k);
    double left[MATRIX_MAX * MATRIX_MAX];
    mean_response(kern, i + 1, c, left);
    expand(kern, i, c, (size_t)kern->steps * kk, left, kern->sampled->kick + (size_t)c * kk);
}

/* Q(t_{i+1}, 0) */
static void answer_to_start(const kernels *kern, int i, const averages_layout *at, const double *next)
{
    int k = kern->k, kk = k * k;
    double left[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    for (int x = 0; x < kk; x++)
        left[x] = kernels_R(kern, x, i + 1)[0] - kernels_onto_start(kern, x, i + 1);
    expand(kern, i, 0, (size_t)kk, left, kern->sampled->kick_start);
    kernels_from_start(kern, at, next, q);
    for (int j = 0; j <= i; j++)
        matrix_add_product(k, 1, averages_row(at, next, j, INNOVATION), kern->sampled->kick_start + j * kk, q);
    for (int x = 0; x < kk; x++)
        kernels_Q(kern, x, i + 1)[0] = q[x];
}

static void gradient_means(const kernels *kern, int i, const averages_layout *at, const double *next, double *mean)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k), n = (size_t)kern->steps;
    for (int c = 0; c <= i; c++) {
        new_kick(kern, i, c);
        memset(mean + (size_t)c * kk, 0, sizeof(double) * kk);
        for (int j = c; j <= i; j++)
            matrix_add_product(k, 1, averages_row(at, next, j, INNOVATION),
                              kern->sampled->kick + ((size_t)j * n + (size_t)c) * kk, mean + (size_t)c * kk);
    }
}

static void guess_row(kernels *kern, int i)
{
    if (kern->sampled->begun > i)
        return;
    kern->sampled->begun = i + 1;
    for (int x = 0; x < kern->k * kern->k; x++)
        memcpy(kernels_R(kern, x, i + 1), kernels_R(kern, x, i), sizeof(double) * (size_t)(i + 1));
}

/* - dR/dt but for the ridge, component x of row i. */
static double pull(const kernels *kern, int x, int i, int j, double rate)
{
    /* nothing is known of P(0, 0) */
    size_t at = (size_t)x * kern->plane + (size_t)(i > 0 ? i : 1) * kern->stride + (size_t)j;
    return kern->sampled->P[at] + rate * kernels_Q(kern, x, i)[j];
}

/* Row i + 1 of R by the trapezoid rule; the ridge is solved for. */
static double advance_row(kernels *kern, int i)
{
    int k = kern->k, kk = k * k;
    double half = 0.5 * kern->grid->h[i], now = kern->delta * kern->grid->eta_start[i], change = 0;
    double then = kern->delta * kern->grid->eta_end[i];
    const double *ridge = kern->sampled->ridge + (size_t)(i > 0 ? i : 1) * (size_t)kk;
    const double *ridge_next = kern->sampled->ridge + (size_t)(i + 1) * (size_t)kk;
    for (int j = 0; j <= i; j++) {
        double before[MATRIX_MAX * MATRIX_MAX], value[MATRIX_MAX * MATRIX_MAX], matrix[MATRIX_MAX * MATRIX_MAX];
        for (int x = 0; x < kk; x++) {
            before[x] = kernels_R(kern, x, i)[j];
            value[x] = before[x] - half * (pull(kern, x, i, j, now) + pull(kern, x, i + 1, j, then));
            matrix[x] = (x % (k + 1) == 0) + half * ridge_next[x];
        }
        matrix_add_product(k, -half, ridge, before, value);
        if (matrix_solve(k, matrix, (size_t)k, value))
            return NAN;
        for (int x = 0; x < kk; x++) {
            double *r = kernels_R(kern, x, i + 1) + j;
            if (!isfinite(value[x]))
                return NAN;
            change = fmax(change, relative_change(*r, value[x], fabs(value[x])));
            *r = value[x];
        }
    }
    return change;
}

double kernels_response_sampled(kernels *kern, int i, const averages_layout *at, const double *next,
                                const double *rests)
{
    double *mean = kern->scratch;
    guess_row(kern, i);
    gradient_means(kern, i, at, next, mean);
    kernels_smooth_row(kern, i, mean, kern->smooth ? next + at->gamma : NULL, kern->Q);
    if (kern->start_spread > 0)
        answer_to_start(kern, i, at, next);
    kernels_cell_means(kern, i, rests, (size_t)(kern->k * kern->k), mean);
    kernels_smooth_row(kern, i, mean, NULL, kern->sampled->P);
    return advance_row(kern, i);
}
