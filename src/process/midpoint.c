/* The equation is solved by Newton's method for all lanes at once, because the gradients of a block cost much less
   together. With F(rho) = rho + A length g(rho) - r, the function of which solutions are stationary points has the
   gradient A^{-1} F and the curvature A^{-1} + length G. A step goes down along a direction d, that of Newton where the
   curvature is positive; it is halved until it does not lead far beyond a minimum along d, where the slope d^T A^{-1} F
   has changed its sign. A lane that is solved keeps its position. */
#include "process/midpoint.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "core/simd.h"

/* Newton's method is quadratic, so that after a step of this size relative to the position (or to 1) what is left is
   rounding. */
static const double SMALL_STEP = 1e-7;

/* Behind a minimum the slope along a step may be this part of the one at its beginning, with the other sign. */
static const double OVERSHOOT = 0.5;

/* A lane that is not solved after that many evaluations stays where it is: any position makes an explicit kick. */
enum { EVALUATIONS_MOST = 60 };

/* The smallest 1 + A length G with which one component is divided, and where G is negative, the longest step relative
   to the position (or to 1): beyond a maximum, Newton's step would lead up and far away. */
static const double SMALLEST_SLOPE = 0.1, LONGEST_STEP = 1;

/* A step on all lanes. */
typedef struct search {
    const midpoint_step *step;
    double inverse[MATRIX_MAX * MATRIX_MAX]; /* A^{-1} */
    double *rho, *direction;                 /* [k][n] the last position that was accepted, and the step from there */
    double *slope, *fraction;                /* [n] slope along the direction there, not positive; fraction of the step
                                                that is tried, 0 if the lane is solved */
    double *trial, *g, *G;                   /* [k][n] position that is tried, and the gradients there */
} search;

/* A^{-1} F at the position that is tried, for one lane. */
static void gradient_of(const search *x, size_t p, double *out)
{
    size_t k = x->step->k, n = x->step->n;
    for (size_t a = 0; a < k; a++) {
        out[a] = x->step->length * x->g[a * n + p];
        for (size_t b = 0; b < k; b++)
            out[a] += x->inverse[a * k + b] * (x->trial[b * n + p] - x->step->r[b * n + p]);
    }
}

/* The direction of one lane, in the place of the gradient. */
static void newton(const search *x, size_t p, double *gradient)
{
    int k = (int)x->step->k;
    size_t n = x->step->n;
    double G[MATRIX_MAX * MATRIX_MAX], curvature[MATRIX_MAX * MATRIX_MAX], factor[MATRIX_MAX * MATRIX_MAX], size = 1;
    double largest = 0;
    for (int c = 0; c < k * k; c++) {
        G[c] = x->G[(size_t)c * n + p];
        curvature[c] = x->inverse[c] + x->step->length * G[c];
    }
    int convex = !matrix_cholesky(k, G, factor);
    if (!convex && matrix_cholesky(k, curvature, factor)) {
        double least = matrix_smallest_eigenvalue(k, curvature),
               wanted = SMALLEST_SLOPE * matrix_smallest_eigenvalue(k, x->inverse);
        for (int a = 0; a < k && least < wanted; a++)
            curvature[a * (k + 1)] += wanted - least;
    }
    if (matrix_solve(k, curvature, 1, gradient))
        return;
    for (int a = 0; a < k; a++) {
        gradient[a] = -gradient[a];
        size = fmax(size, fabs(x->trial[(size_t)a * n + p]));
        largest = fmax(largest, fabs(gradient[a]));
    }
    for (int a = 0; a < k && !convex && largest > LONGEST_STEP * size; a++)
        gradient[a] *= LONGEST_STEP * size / largest;
}

/* Judges the position of one lane that was tried, and sets the next one. */
static void judge(search *x, size_t p)
{
    size_t k = x->step->k, n = x->step->n;
    double gradient[MATRIX_MAX], along[MATRIX_MAX], slope = 0, size = 1, largest = 0;
    gradient_of(x, p, gradient);
    for (size_t a = 0; a < k; a++)
        slope += gradient[a] * x->direction[a * n + p];
    if (!(slope <= -OVERSHOOT * x->slope[p])) {
        x->fraction[p] *= 0.5;
        for (size_t a = 0; a < k; a++)
            x->trial[a * n + p] = x->rho[a * n + p] + x->fraction[p] * x->direction[a * n + p];
        return;
    }
    memcpy(along, gradient, sizeof *along * k);
    newton(x, p, along);
    x->fraction[p] = 1;
    x->slope[p] = 0;
    for (size_t a = 0; a < k; a++) {
        x->slope[p] += gradient[a] * along[a];
        x->rho[a * n + p] = x->trial[a * n + p];
        x->direction[a * n + p] = along[a];
        x->trial[a * n + p] += along[a];
        size = fmax(size, fabs(x->rho[a * n + p]));
        largest = fmax(largest, fabs(along[a]));
    }
    if (!(largest > SMALL_STEP * size))
        x->fraction[p] = 0;
}

/* The same as `judge` for one component and all lanes, without branches. Returns the number of lanes that are not
   solved. */
static VECTOR_CLONES double judge_one(size_t n, double z, const double *restrict r, const double *restrict g,
                                      const double *restrict G, double *restrict rho, double *restrict direction,
                                      double *restrict slope, double *restrict fraction, double *restrict trial)
{
    double left = 0;
    for (size_t p = 0; p < n; p++) {
        double F = trial[p] - r[p] + z * g[p], curvature = 1 + z * G[p];
        double size = fabs(trial[p]) > 1 ? fabs(trial[p]) : 1, half = 0.5 * fraction[p];
        double most = G[p] < 0 ? LONGEST_STEP * size : INFINITY;
        double move = -F / (curvature > SMALLEST_SLOPE ? curvature : SMALLEST_SLOPE);
        move = move > most ? most : move < -most ? -most : move;
        int accept = F * direction[p] <= -OVERSHOOT * slope[p] && fraction[p] > 0;
        double next = fabs(move) > SMALL_STEP * size ? 1 : 0;
        rho[p] = accept ? trial[p] : rho[p];
        direction[p] = accept ? move : direction[p];
        slope[p] = accept ? F * move : slope[p];
        fraction[p] = accept ? next : half;
        trial[p] = fraction[p] == 0 && !accept ? trial[p] : rho[p] + (accept ? 1 : half) * direction[p];
        left += fraction[p] > 0 ? 1 : 0;
    }
    return left;
}

/* Judges all lanes; returns the number of those that are not solved. */
static double judge_all(search *x)
{
    size_t n = x->step->n;
    double left = 0;
    if (x->step->k == 1)
        return judge_one(n, x->step->own[0] * x->step->length, x->step->r, x->g, x->G, x->rho, x->direction, x->slope,
                         x->fraction, x->trial);
    for (size_t p = 0; p < n; p++) {
        if (x->fraction[p] > 0)
            judge(x, p);
        left += x->fraction[p] > 0;
    }
    return left;
}

/* Finds rho, and g and G there. */
static int solve(search *x)
{
    size_t k = x->step->k, n = x->step->n;
    double left = 1;
    memcpy(x->trial, x->rho, sizeof *x->rho * k * n);
    memset(x->direction, 0, sizeof *x->rho * k * n);
    for (size_t p = 0; p < n; p++) {
        x->slope[p] = 0;
        x->fraction[p] = 1;
    }
    for (int evaluation = 0; evaluation < EVALUATIONS_MOST && left > 0; evaluation++) {
        if (x->step->gradient(x->step->user, x->trial, x->g, x->G))
            return -1;
        left = judge_all(x);
    }
    for (size_t p = 0; p < n && left > 0; p++)
        for (size_t a = 0; a < k && x->fraction[p] > 0; a++)
            x->trial[a * n + p] = x->rho[a * n + p];
    memcpy(x->rho, x->trial, sizeof *x->rho * k * n);
    return x->step->gradient(x->step->user, x->rho, x->g, x->G);
}

/* D = length G (1 + A length G)^{-1} of one lane. */
static void derivative(const search *x, size_t p, double *D)
{
    int k = (int)x->step->k, kk = k * k;
    size_t n = x->step->n;
    double matrix[MATRIX_MAX * MATRIX_MAX], one[MATRIX_MAX * MATRIX_MAX], G[MATRIX_MAX * MATRIX_MAX];
    double product[MATRIX_MAX * MATRIX_MAX] = {0};
    for (int c = 0; c < kk; c++) {
        matrix[c] = one[c] = c % (k + 1) == 0;
        G[c] = x->step->length * x->G[(size_t)c * n + p];
    }
    matrix_add_product(k, 1, x->step->own, G, matrix);
    if (!matrix_solve(k, matrix, (size_t)k, one))
        matrix_add_product(k, 1, G, one, product);
    for (int c = 0; c < kk; c++)
        D[(size_t)c * n + p] = product[c];
}

static VECTOR_CLONES void derivative_one(size_t n, double own, double length, const double *restrict G,
                                         double *restrict D)
{
    for (size_t p = 0; p < n; p++) {
        double z = length * G[p], curvature = 1 + own * z;
        D[p] = curvature == 0 ? 0 : z / curvature;
    }
}

int midpoint_kick(const midpoint_step *step, double *work, double *rho, double *g, double *D)
{
    size_t k = step->k, n = step->n, width = k * n;
    search x = {.step = step, .rho = rho, .g = g};
    x.direction = work;
    x.trial = work + width;
    x.slope = work + 2 * width;
    x.fraction = x.slope + n;
    x.G = x.fraction + n;
    if (k > 1 && matrix_inverse((int)k, step->own, x.inverse))
        for (size_t c = 0; c < k * k; c++)
            x.inverse[c] = c % (k + 1) == 0;
    if (solve(&x))
        return -1;
    if (k == 1)
        derivative_one(n, step->own[0], step->length, x.G, D);
    else
        for (size_t p = 0; p < n; p++)
            derivative(&x, p, D);
    return 0;
}
