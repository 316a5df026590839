/* The stochastic modified equation, one Brownian motion B_i per sample:

       d theta = - grad penalty(theta) dt - sum_i x_i eta g_i^T (dt + dB_i)

   Its generator is a sum over samples, and a step is a sweep over them, one after the other: sample i alone moves
   r_i = theta^T x_i by the equation dr = - eta |x_i|^2 g(r) (dt + dB_i), with a scalar driver, and theta along x_i as
   far. Sweeps go forward and backward in turn, with half of the penalty before and after each, so the splitting is
   symmetric and of order 2; each sample's own step is the explicit scheme of weak order 2 of Platen (Kloeden, Platen:
   Numerical Solution of Stochastic Differential Equations, 15.1). The error of the curves is of the order step^2;
   Euler and Maruyama's, of the order step, would need steps many times smaller. */
#include <math.h>
#include <string.h>

#include "validation/simulator/repetition.h"
#include "validation/simulator/visits.h"

/* What is the same for all samples of a sweep. */
typedef struct sweep {
    repetition *rep;
    uint64_t number;
    int backward;
    double t, eta, h;
    float r[SIMULATOR_STUDENTS]; /* theta_a . x of the next sample */
} sweep;

static int gradients(const sweep *w, size_t i, size_t points, const double *r, double *g)
{
    repetition *rep = w->rep;
    double t[3], y[3 * SIMULATOR_STUDENTS];
    for (size_t p = 0; p < points; p++)
        t[p] = w->t;
    for (size_t c = 0; c < (size_t)rep->set->shape.labels; c++)
        for (size_t p = 0; p < points; p++)
            y[c * points + p] = rep->train.y[c * rep->train.room + i];
    if (!model_gradient(rep->set->m, rep->model, points, t, r, y, g, NULL))
        return 0;
    rep->status = SGDMFT_ERR_PLUGIN;
    return 1;
}

/* theta_a has to go down by coef[a] x_i. `noise` is the increment of B_i. */
static int sample_step(const sweep *w, size_t i, double noise, float *coef)
{
    size_t k = (size_t)w->rep->set->shape.k;
    double size = w->eta * w->rep->square[i], root = sqrt(w->h);
    double r[SIMULATOR_STUDENTS], g[SIMULATOR_STUDENTS], points[3 * SIMULATOR_STUDENTS], at[3 * SIMULATOR_STUDENTS];
    for (size_t a = 0; a < k; a++)
        r[a] = w->r[a];
    if (gradients(w, i, 1, r, g))
        return 1;
    for (size_t a = 0; a < k; a++) {
        points[a * 3] = r[a] - size * g[a] * (w->h + noise);
        points[a * 3 + 1] = r[a] - size * g[a] * (w->h + root);
        points[a * 3 + 2] = r[a] - size * g[a] * (w->h - root);
    }
    if (gradients(w, i, 3, points, at))
        return 1;
    for (size_t a = 0; a < k; a++) {
        double end = at[a * 3], up = at[a * 3 + 1], down = at[a * 3 + 2];
        double drift = (g[a] + end) / 2 * w->h, diffusion = (up + down + 2 * g[a]) / 4 * noise;
        double bend = (up - down) / 4 * (noise * noise - w->h) / root;
        coef[a] = (float)(w->eta * (drift + diffusion + bend));
    }
    return 0;
}

/* Number of the sample at place p of the sweep; beyond the last one, the last. */
static size_t sample_at(const sweep *w, size_t p)
{
    size_t last = w->rep->set->n - 1;
    p = p < last ? p : last;
    return w->backward ? last - p : p;
}

static const float *row_at(const sweep *w, size_t p)
{
    return w->rep->train.row + sample_at(w, p) * w->rep->set->length;
}

static int sweep_samples(sweep *w)
{
    repetition *rep = w->rep;
    const simulator_setting *set = rep->set;
    random_key key = simulator_key(set, rep->number, SIMULATOR_DRIVER);
    const float *row = row_at(w, 0);
    double noise[VISIT_CHUNK], root = sqrt(w->h);
    set->kernels->project(1, &row, set->length, (size_t)set->shape.k, rep->theta, w->r);
    for (size_t p = 0; p < set->n; p++) {
        float coef[SIMULATOR_STUDENTS];
        size_t left = set->n - p;
        if (p % VISIT_CHUNK == 0)
            random_normals(key, w->number, p, left < VISIT_CHUNK ? left : VISIT_CHUNK, noise);
        if (sample_step(w, sample_at(w, p), root * noise[p % VISIT_CHUNK], coef))
            return 1;
        set->kernels->visit(set->shape.k, set->length, row_at(w, p), coef, row_at(w, p + 1), row_at(w, p + 2),
                            rep->theta, w->r);
    }
    rep->visits += (double)set->n;
    return 0;
}

/* The penalty alone, for a time h: exactly if it is the ridge, else by the midpoint rule. */
static void relax(repetition *rep, double h)
{
    const simulator_setting *set = rep->set;
    size_t size = (size_t)set->shape.k * set->length;
    if (!set->penalty) {
        scale_theta(rep, exp(-set->problem->lambda * h));
        return;
    }
    memcpy(rep->moved, rep->theta, size * sizeof *rep->moved);
    simulator_penalty_add(set->penalty, set->shape.k, rep->penalty, set->d, set->length, -h / 2, rep->theta, rep->moved);
    simulator_penalty_add(set->penalty, set->shape.k, rep->penalty, set->d, set->length, -h, rep->moved, rep->theta);
}

int advance_diffusion(repetition *rep, const simulator_stop *from, const simulator_stop *to)
{
    double span = to->t - from->t, sweeps = ceil(span / rep->set->problem->simulate.step * (1 - 1e-9));
    double h = span / sweeps;
    for (uint64_t i = 0; i < (uint64_t)sweeps; i++) {
        double middle = from->t + ((double)i + 0.5) * h;
        sweep w = {.rep = rep, .number = rep->sweeps, .t = middle, .eta = eta_at(rep, middle), .h = h};
        w.backward = rep->sweeps++ % 2 == 1;
        relax(rep, h / 2);
        if (sweep_samples(&w))
            return 1;
        relax(rep, h / 2);
        if (repetition_report(rep, rep->fraction, middle))
            return 1;
    }
    return 0;
}

void measure_rows(repetition *rep)
{
    const simulator_setting *set = rep->set;
    for (size_t i = 0; i < set->n; i++) {
        const float *row = rep->train.row + i * set->length;
        float square;
        set->kernels->project(1, &row, set->length, 1, row, &square);
        rep->square[i] = square;
    }
}
