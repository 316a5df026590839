/* Each part is solved by Newton's method for all lanes at once, because the gradients of a block cost much less
   together. A step that does not decrease |F|, F(rho) = rho + A length g(rho) - r, is halved until it does, lane by
   lane; where g is monotone this ends in the solution. A lane that is solved keeps its position. */
#include "process/midpoint.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "core/simd.h"

/* Newton's method is quadratic, so that after a step of this size relative to the position (or to 1) what is left is
   rounding. */
static const double SMALL_STEP = 1e-7;

/* A step must decrease |F| at least by this fraction of what the linear equations promise. */
static const double DECREASE = 1e-3;

/* A lane that is not solved after that many evaluations stays where it is: any position makes an explicit kick. */
enum { EVALUATIONS_MOST = 60 };

/* The smallest pivot 1 + A length G with which one component is divided: with a smaller one the direction would not be
   that of the solution. */
static const double SMALLEST_SLOPE = 0.1;

/* A part is so short that A length G stays above minus this. */
static const double LEAST_DESCENT = 0.5;

/* One part of the step on all lanes. */
typedef struct part {
    const midpoint_step *step;
    const double *lengths;   /* [n] of this part */
    const double *r;         /* [k][n] */
    double *rho, *direction; /* [k][n] the last position with a smaller |F|, and the Newton step from there */
    double *norm, *fraction; /* [n] |F| there, and the fraction of the step that is tried; 0 if the lane is solved */
    double *trial, *g, *G;   /* [k][n] position that is tried, and the gradients there */
} part;

/* F at the position that is tried, for one lane; returns its square. */
static double defect(const part *x, size_t p, double *F)
{
    size_t k = x->step->k, n = x->step->n;
    double square = 0;
    for (size_t a = 0; a < k; a++) {
        F[a] = x->trial[a * n + p] - x->r[a * n + p];
        for (size_t b = 0; b < k; b++)
            F[a] += x->step->own[a * k + b] * x->lengths[p] * x->g[b * n + p];
        square += F[a] * F[a];
    }
    return square;
}

/* matrix = 1 + A length G, for one lane. */
static void slope_of(const midpoint_step *step, const double *G, double length, size_t p, double *matrix)
{
    size_t k = step->k, n = step->n;
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++) {
            double sum = a == b;
            for (size_t c = 0; c < k; c++)
                sum += step->own[a * k + c] * length * G[(c * k + b) * n + p];
            matrix[a * k + b] = sum;
        }
}

/* The Newton step of one lane, in the place of F: - matrix^{-1} F. */
static void newton(const part *x, size_t p, double *F)
{
    int k = (int)x->step->k;
    double matrix[MATRIX_MAX * MATRIX_MAX];
    slope_of(x->step, x->G, x->lengths[p], p, matrix);
    if (k == 1)
        F[0] /= fmax(matrix[0], SMALLEST_SLOPE);
    else if (matrix_solve(k, matrix, 1, F))
        return; /* along - F */
    for (int a = 0; a < k; a++)
        F[a] = -F[a];
}

/* Judges the position of one lane that was tried, and sets the next one. */
static void judge(part *x, size_t p)
{
    size_t k = x->step->k, n = x->step->n;
    double F[MATRIX_MAX], square = defect(x, p, F), size = 1, largest = 0;
    if (!(square <= x->norm[p] * (1 - DECREASE * x->fraction[p]))) {
        x->fraction[p] *= 0.5;
        for (size_t a = 0; a < k; a++)
            x->trial[a * n + p] = x->rho[a * n + p] + x->fraction[p] * x->direction[a * n + p];
        return;
    }
    newton(x, p, F);
    x->norm[p] = square;
    x->fraction[p] = 1;
    for (size_t a = 0; a < k; a++) {
        x->rho[a * n + p] = x->trial[a * n + p];
        x->direction[a * n + p] = F[a];
        x->trial[a * n + p] += F[a];
        size = fmax(size, fabs(x->rho[a * n + p]));
        largest = fmax(largest, fabs(F[a]));
    }
    if (!(largest > SMALL_STEP * size))
        x->fraction[p] = 0;
}

/* The same as `judge` for one component and all lanes, without branches. Returns the number of lanes that are not
   solved. */
static VECTOR_CLONES double judge_one(size_t n, double own, const double *restrict length, const double *restrict r,
                                      const double *restrict g, const double *restrict G, double *restrict rho,
                                      double *restrict direction, double *restrict norm, double *restrict fraction,
                                      double *restrict trial)
{
    double left = 0;
    for (size_t p = 0; p < n; p++) {
        double z = own * length[p], F = trial[p] - r[p] + z * g[p], square = F * F, slope = 1 + z * G[p];
        double move = -F / (slope > SMALLEST_SLOPE ? slope : SMALLEST_SLOPE), half = 0.5 * fraction[p];
        double size = fabs(trial[p]), small = SMALL_STEP * (size > 1 ? size : 1);
        int accept = square <= norm[p] * (1 - DECREASE * fraction[p]) && fraction[p] > 0;
        double next = fabs(move) > small ? 1 : 0;
        rho[p] = accept ? trial[p] : rho[p];
        direction[p] = accept ? move : direction[p];
        norm[p] = accept ? square : norm[p];
        fraction[p] = accept ? next : half;
        trial[p] = fraction[p] == 0 && !accept ? trial[p] : rho[p] + (accept ? 1 : half) * direction[p];
        left += fraction[p] > 0 ? 1 : 0;
    }
    return left;
}

/* Judges all lanes; returns the number of those that are not solved. */
static double judge_all(part *x)
{
    size_t n = x->step->n;
    double left = 0;
    if (x->step->k == 1)
        return judge_one(n, x->step->own[0], x->lengths, x->r, x->g, x->G, x->rho, x->direction, x->norm, x->fraction,
                         x->trial);
    for (size_t p = 0; p < n; p++) {
        if (x->fraction[p] > 0)
            judge(x, p);
        left += x->fraction[p] > 0;
    }
    return left;
}

/* Solves a part from the guess in x->rho; then g and G are those at the solution. */
static int solve(part *x)
{
    size_t k = x->step->k, n = x->step->n;
    double left = 1;
    memcpy(x->trial, x->rho, sizeof *x->rho * k * n);
    for (size_t p = 0; p < n; p++) {
        x->norm[p] = INFINITY;
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

/* Adds the part of one lane to D: D_part = length G (1 + A length G)^{-1} acts on what earlier parts left of a change
   of r, which is 1 - 2 A D. */
static void add_derivative(const part *x, size_t p, int first, double *D)
{
    int k = (int)x->step->k, kk = k * k;
    size_t n = x->step->n;
    double matrix[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX] = {0}, before[MATRIX_MAX * MATRIX_MAX];
    double one[MATRIX_MAX * MATRIX_MAX], G[MATRIX_MAX * MATRIX_MAX], sum[MATRIX_MAX * MATRIX_MAX];
    slope_of(x->step, x->G, x->lengths[p], p, matrix);
    for (int c = 0; c < kk; c++) {
        before[c] = one[c] = c % (k + 1) == 0;
        G[c] = x->lengths[p] * x->G[(size_t)c * n + p];
        sum[c] = first ? 0 : D[(size_t)c * n + p];
    }
    matrix_add_product(k, -2, x->step->own, sum, before);
    if (!matrix_solve(k, matrix, (size_t)k, one))
        matrix_add_product(k, 1, one, before, inverse);
    matrix_add_product(k, 1, G, inverse, sum);
    for (int c = 0; c < kk; c++)
        D[(size_t)c * n + p] = sum[c];
}

static VECTOR_CLONES void derivative_one(size_t n, double own, const double *restrict length, const double *restrict G,
                                         double *restrict D)
{
    for (size_t p = 0; p < n; p++) {
        double z = length[p] * G[p], slope = 1 + own * z;
        D[p] = slope == 0 ? 0 : z / slope;
    }
}

/* D of the first part. */
static void set_derivative(const part *x, double *D)
{
    if (x->step->k == 1)
        derivative_one(x->step->n, x->step->own[0], x->lengths, x->G, D);
    else
        for (size_t p = 0; p < x->step->n; p++)
            add_derivative(x, p, 1, D);
}

/* All parts of a step after the first one, on lanes that have them; the others are given parts of length 0. `mean` and
   D have the contribution of the first part. */
static int later_parts(part *x, const double *parts, double most, double *lengths, double *r, const double *first,
                       double *later, double *mean, double *D)
{
    size_t k = x->step->k, n = x->step->n;
    for (size_t i = 0; i < k * n; i++)
        r[i] = 2 * first[i] - r[i];
    x->rho = later;
    for (int s = 1; s < (int)most; s++) {
        for (size_t p = 0; p < n; p++)
            lengths[p] = parts[p] > s ? x->step->length / parts[p] : 0;
        memcpy(later, r, sizeof *r * k * n);
        if (solve(x))
            return -1;
        for (size_t p = 0; p < n; p++) {
            if (!(parts[p] > s))
                continue;
            add_derivative(x, p, 0, D);
            for (size_t a = 0; a < k; a++) {
                size_t i = a * n + p;
                mean[i] += x->g[i] / parts[p];
                r[i] = 2 * later[i] - r[i];
            }
        }
    }
    return 0;
}

int midpoint_kick(const midpoint_step *step, const double *parts, double *work, double *rho, double *g, double *D)
{
    size_t k = step->k, n = step->n, width = k * n;
    double *r = work, *lengths = r + width, *later = lengths + n, most = 1;
    part x = {.step = step, .lengths = lengths, .r = r, .rho = rho};
    x.direction = later + width;
    x.trial = x.direction + width;
    x.norm = x.trial + width;
    x.fraction = x.norm + n;
    x.G = x.fraction + n;
    x.g = x.G + k * width;
    memcpy(r, step->r, sizeof *r * width);
    for (size_t p = 0; p < n; p++) {
        lengths[p] = step->length / parts[p];
        most = fmax(most, parts[p]);
    }
    if (solve(&x))
        return -1;
    set_derivative(&x, D);
    for (size_t a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++)
            g[a * n + p] = x.g[a * n + p] / parts[p];
    return most > 1 ? later_parts(&x, parts, most, lengths, r, rho, later, g, D) : 0;
}

/* A bound from below for the eigenvalues of A length G, from the smallest one of its symmetric part unless that is
   clearly small. */
static double steepest_descent(const midpoint_step *step, const double *G, size_t p)
{
    size_t k = step->k;
    double matrix[MATRIX_MAX * MATRIX_MAX], size = 0;
    if (k == 1)
        return step->own[0] * step->length * G[p];
    slope_of(step, G, step->length, p, matrix);
    for (size_t c = 0; c < k * k; c++) {
        matrix[c] -= c % (k + 1) == 0;
        size += fabs(matrix[c]);
    }
    return size < LEAST_DESCENT ? 0 : matrix_smallest_eigenvalue((int)k, matrix);
}

int midpoint_parts(const midpoint_step *step, double *work, double *parts)
{
    double *g = work, *G = g + step->k * step->n;
    if (step->gradient(step->user, step->r, g, G))
        return -1;
    for (size_t p = 0; p < step->n; p++) {
        double descent = steepest_descent(step, G, p);
        parts[p] = descent < -LEAST_DESCENT ? fmin(ceil(-descent / LEAST_DESCENT), MIDPOINT_PARTS_MOST) : 1;
    }
    return 0;
}
