/* With mu a sum over points x of weight w_x, the training risk P and its filtered values Y_x are

     P(t)   = source(t) + (eta^2/delta) sum_x w_x x^2 Y_x(t),     Y_x(t) = int_0^t exp(-2 a_x (t-u)) P(u) du,
     source = (1/delta) sum_x w_x [ x (E^2 q0 + 2 E (f-1) m0 + (f-1)^2 rho) + (f-1)^2 sigma^2 ] + sigma^2 (1 - 1/delta).

   where sigma^2 is the second moment of the noise. As f - 1 = -share - (1 - share) E, the source is a quadratic
   polynomial in E at every point. Without ridge and for delta < 1, where all labels can be fitted, its constant part
   cancels against sigma^2 (1 - 1/delta) except for the excess of the spectral law.

   Together the two are a Volterra equation for P with kernel (eta^2/delta) sum_x w_x x^2 exp(-2 a_x t). Where P decays,
   both sides are multiplied by exp(tilt t), which leaves the equation a convolution, so that late values keep their
   digits. */
#include "solvers/linear/modes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "numerics/gauss.h"
#include "numerics/volterra.h"

/* Change between two grids, relative to P, at which the finer one is accepted, and the rounding error relative to the
   largest value so far. */
static const double ACCEPTED = 1e-11, ROUNDING = 1e-14;
/* Largest rate * h of the first grid; smallest and largest numbers of steps. */
static const double RESOLUTION = 0.25;
enum { FEWEST = 64, MOST = 1 << 23 };
/* exp(tilt T) must not overflow. */
static const double MOST_TILT = 600;
/* Points of a panel of the Gauss-Legendre rule, and its length times rate: its error is below 1e-15. */
enum { PANEL_POINTS = 10 };
static const double PANEL = 3;
/* A constant source this far below the last value of P does not show in it. */
static const double VANISHING = 1e-13;

static double largest_x(double delta)
{
    return (1 + sqrt(delta)) * (1 + sqrt(delta));
}

static double smallest_x(double delta)
{
    return (1 - sqrt(delta)) * (1 - sqrt(delta));
}

/* Exponentials decay at rates of up to 2 a_x, and P grows at most like exp(k(0) t), k being its kernel. */
static double fastest(const linear_model *model)
{
    double a = model->eta * largest_x(model->delta) + model->lambda;
    return 2 * a + (model->visits ? model->eta * model->eta * (1 + model->delta) : 0);
}

static double decay_over(const linear_model *model, double horizon)
{
    return fmin(MOST_TILT, 2 * horizon * (model->eta * smallest_x(model->delta) + model->lambda));
}

double linear_modes_points(const linear_model *model, double horizon)
{
    return spectral_law_points(model->delta, 2 * model->eta * horizon, decay_over(model, horizon));
}

double linear_risk_steps(const linear_model *model, double horizon, size_t steps)
{
    double wanted = fmax(fmax(FEWEST, (double)steps), fastest(model) * horizon / RESOLUTION);
    return exp2(ceil(log2(wanted)));
}

sgdmft_status linear_risk_check(sgdmft_context *ctx, const linear_model *model, double horizon, size_t steps)
{
    double first = linear_risk_steps(model, horizon, steps);
    if (first < MOST)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_UNSUPPORTED,
                        "numerics.method: linear would need %.3g steps to follow the fastest decay, at most %d are "
                        "possible; hint: shorten horizon, or lower eta, lambda or delta",
                        first, MOST / 2);
}

/* The part of the source that is constant in time. */
static double constant_source(const linear_modes *modes)
{
    const linear_model *p = &modes->model;
    const spectral_law *law = &modes->law;
    double sum = p->noise * (law->excess + fmax(0, p->delta - 1));
    for (size_t i = 1; i < law->n; i++)
        sum += law->weight[i] * modes->share[i] * modes->share[i] * (law->x[i] * p->rho + p->noise);
    return sum / p->delta;
}

void linear_modes_source(const linear_modes *modes, double *square, double *single)
{
    const linear_model *p = &modes->model;
    for (size_t i = 0; i < modes->law.n; i++) {
        double share = modes->share[i], c = 1 - share, x = modes->law.x[i], w = modes->law.weight[i] / p->delta;
        square[i] = w * (x * (p->q - 2 * c * p->m + c * c * p->rho) + c * c * p->noise);
        single[i] = 2 * w * share * (x * (c * p->rho - p->m) + c * p->noise);
    }
}

double linear_modes_free_risk(const linear_modes *modes, const double *square, const double *single, double t)
{
    double sum = modes->constant;
    for (size_t i = 0; i < modes->law.n; i++) {
        double E = exp(-modes->decay[i] * t);
        sum += (square[i] * E + single[i]) * E;
    }
    return sum;
}

/* Sets the tilt, which is zero if a part of the source decays more slowly than E^2. */
static sgdmft_status set_tilt(sgdmft_context *ctx, linear_modes *modes)
{
    size_t n = modes->law.n;
    double *square = memory_doubles(n), *single = memory_doubles(n), total = 0, slow = 0;
    double over = decay_over(&modes->model, modes->horizon);
    if (square && single) {
        linear_modes_source(modes, square, single);
        for (size_t i = 0; i < n; i++) {
            total += square[i];
            slow += fabs(single[i]) + (modes->law.x[i] > 0 ? 0 : fabs(square[i]));
        }
        modes->tilt = slow <= 0 && modes->constant <= VANISHING * exp(-over) * total ? over / modes->horizon : 0;
    }
    sgdmft_status status = square && single ? SGDMFT_OK : context_out_of_memory(ctx, "the spectrum", 16.0 * (double)n);
    free(square);
    free(single);
    return status;
}

sgdmft_status linear_modes_init(sgdmft_context *ctx, const linear_model *model, double horizon, linear_modes *modes)
{
    memset(modes, 0, sizeof *modes);
    modes->model = *model;
    modes->horizon = horizon;
    modes->rate = fastest(model);
    sgdmft_status status =
        spectral_law_init(ctx, model->delta, 2 * model->eta * horizon, decay_over(model, horizon), &modes->law);
    if (status)
        return status;
    size_t n = modes->law.n;
    modes->decay = memory_doubles(n);
    modes->share = memory_doubles(n);
    if (modes->decay && modes->share) {
        for (size_t i = 0; i < n; i++) {
            double a = modes->decay[i] = model->eta * modes->law.x[i] + model->lambda;
            modes->share[i] = a > 0 ? model->lambda / a : 1;
        }
        modes->constant = constant_source(modes);
        status = set_tilt(ctx, modes);
    } else {
        status = context_out_of_memory(ctx, "the spectrum", 16.0 * (double)n);
    }
    if (status)
        linear_modes_clear(modes);
    return status;
}

void linear_modes_clear(linear_modes *modes)
{
    spectral_law_clear(&modes->law);
    free(modes->decay);
    free(modes->share);
    memset(modes, 0, sizeof *modes);
}

double risk_curve_at(const risk_curve *risk, double t)
{
    double place = t / risk->h, last = (double)risk->steps;
    return exp(-risk->tilt * t) * volterra_value(risk->steps, risk->value, place < last ? place : last);
}

/* Source and kernel on the grid, times exp(tilt t). */
static sgdmft_status tabulate(sgdmft_context *ctx, const linear_modes *modes, const risk_curve *risk, double *source,
                              double *kernel)
{
    const linear_model *p = &modes->model;
    size_t n = modes->law.n, nodes = risk->steps + 1;
    double *work = memory_doubles(4 * n), *other = memory_doubles(nodes);
    if (!work || !other) {
        free(work);
        free(other);
        return context_out_of_memory(ctx, "the risk", 8.0 * (double)nodes);
    }
    double *square = work, *single = work + n, *rate = work + 2 * n, *weight = work + 3 * n;
    linear_modes_source(modes, square, single);
    for (size_t i = 0; i < n; i++) {
        double x = modes->law.x[i];
        rate[i] = fmax(0, 2 * modes->decay[i] - risk->tilt);
        weight[i] = p->eta * p->eta / p->delta * modes->law.weight[i] * x * x;
    }
    sgdmft_status status =
        exponential_sums(ctx, n, rate, weight, risk->h, -VOLTERRA_BEFORE, nodes + VOLTERRA_BEFORE, kernel);
    if (!status)
        status = exponential_sums(ctx, n, rate, square, risk->h, 0, nodes, source);
    if (!status && risk->tilt == 0)
        status = exponential_sums(ctx, n, modes->decay, single, risk->h, 0, nodes, other);
    for (size_t j = 0; j < nodes && !status && risk->tilt == 0; j++)
        source[j] += other[j] + modes->constant;
    free(work);
    free(other);
    return status;
}

static sgdmft_status solve_grid(sgdmft_context *ctx, const linear_modes *modes, size_t steps, risk_curve *risk)
{
    *risk = (risk_curve){.steps = steps, .h = modes->horizon / (double)steps, .tilt = modes->tilt};
    risk->value = memory_doubles(steps + 1);
    double *source = memory_doubles(steps + 1), *kernel = memory_doubles(steps + 1 + VOLTERRA_BEFORE);
    sgdmft_status status = SGDMFT_OK;
    if (!risk->value || !source || !kernel)
        status = context_out_of_memory(ctx, "the risk", 24.0 * (double)steps);
    if (!status)
        status = tabulate(ctx, modes, risk, source, kernel);
    if (!status)
        status = volterra_solve(ctx, steps, risk->h, source, kernel, risk->value);
    free(source);
    free(kernel);
    return status;
}

/* Sets `end` from the finer grid, and compares both grids up to there. */
static void compare(const linear_modes *modes, double limit, linear_risk *risk)
{
    const risk_curve *fine = &risk->fine, *coarse = &risk->coarse;
    double running = 0;
    risk->end = modes->horizon;
    risk->change = 0;
    for (size_t j = 0; j <= fine->steps; j++) {
        double t = fine->h * (double)j, value = exp(-fine->tilt * t) * fine->value[j];
        risk->largest = value;
        if (!(value <= limit)) {
            risk->end = t;
            return;
        }
        running = fmax(running, fabs(fine->value[j]));
        if (j % 2)
            continue;
        double difference = fabs(fine->value[j] - coarse->value[j / 2]) - ROUNDING * running;
        if (difference > 0)
            risk->change = fmax(risk->change, difference / fabs(fine->value[j]));
    }
}

sgdmft_status linear_risk_solve(sgdmft_context *ctx, const linear_modes *modes, size_t steps, double limit,
                                linear_risk *risk)
{
    *risk = (linear_risk){.required = ACCEPTED};
    sgdmft_status status = linear_risk_check(ctx, &modes->model, modes->horizon, steps);
    if (status)
        return status;
    size_t first = (size_t)linear_risk_steps(&modes->model, modes->horizon, steps);
    status = solve_grid(ctx, modes, first, &risk->coarse);
    for (size_t next = 2 * first; !status; next *= 2) {
        status = solve_grid(ctx, modes, next, &risk->fine);
        if (status)
            break;
        compare(modes, limit, risk);
        risk->interrupted = context_progress(ctx, 0, 0);
        if (risk->interrupted || risk->change <= ACCEPTED || next >= MOST)
            break;
        free(risk->coarse.value);
        risk->coarse = risk->fine;
        risk->fine.value = NULL;
    }
    if (status)
        linear_risk_clear(risk);
    return status;
}

void linear_risk_clear(linear_risk *risk)
{
    free(risk->fine.value);
    free(risk->coarse.value);
    memset(risk, 0, sizeof *risk);
}

/* Number of panels between successive times; 0 where they coincide. */
static size_t panels_between(const linear_modes *modes, double from, double to)
{
    return (size_t)ceil((to - from) * modes->rate / PANEL);
}

/* P at all points of all panels. */
static double *sample_panels(const linear_modes *modes, const risk_curve *risk, const double place[PANEL_POINTS],
                             size_t count, const double *t)
{
    size_t total = 0, at = 0;
    for (size_t k = 0; k < count; k++)
        total += panels_between(modes, k ? t[k - 1] : 0, t[k]);
    double *sample = memory_doubles(total * PANEL_POINTS);
    for (size_t k = 0; k < count && sample; k++) {
        double from = k ? t[k - 1] : 0;
        size_t panels = panels_between(modes, from, t[k]);
        double width = panels ? (t[k] - from) / (double)panels : 0;
        for (size_t panel = 0; panel < panels; panel++)
            for (int i = 0; i < PANEL_POINTS; i++)
                sample[at++] = risk_curve_at(risk, from + width * ((double)panel + place[i]));
    }
    return sample;
}

/* Points of the spectrum that are treated together. */
enum { CHUNK = 32 };

/* P at the points of a Gauss-Legendre rule on every panel, one panel after the other. */
typedef struct panel_samples {
    double place[PANEL_POINTS], weight[PANEL_POINTS]; /* of the rule on [0, 1] */
    double *P;
} panel_samples;

/* Advances Y at `wide` points over `panels` panels between two times; P is that of the first of these panels. */
static void filter_interval(const panel_samples *samples, const double *decay, size_t wide, double width, size_t panels,
                            const double *P, double *Y)
{
    double whole[CHUNK], part[PANEL_POINTS][CHUNK];
    for (size_t x = 0; x < wide; x++) {
        whole[x] = exp(-2 * decay[x] * width);
        for (int i = 0; i < PANEL_POINTS; i++)
            part[i][x] = width * samples->weight[i] * exp(-2 * decay[x] * width * (1 - samples->place[i]));
    }
    for (size_t panel = 0; panel < panels; panel++, P += PANEL_POINTS) {
#pragma omp simd
        for (size_t x = 0; x < wide; x++) {
            double sum = whole[x] * Y[x];
            for (int i = 0; i < PANEL_POINTS; i++)
                sum += part[i][x] * P[i];
            Y[x] = sum;
        }
    }
}

static void filter_chunk(sgdmft_context *ctx, const linear_modes *modes, const panel_samples *samples, size_t first,
                         size_t count, const double *t, double *out)
{
    size_t n = modes->law.n, wide = n - first < CHUNK ? n - first : CHUNK;
    const double *P = samples->P;
    double Y[CHUNK] = {0};
    for (size_t k = 0; k < count && !context_stop_now(ctx); k++) {
        double from = k ? t[k - 1] : 0;
        size_t panels = panels_between(modes, from, t[k]);
        if (panels)
            filter_interval(samples, modes->decay + first, wide, (t[k] - from) / (double)panels, panels, P, Y);
        P += panels * PANEL_POINTS;
        memcpy(out + k * n + first, Y, wide * sizeof *out);
    }
}

sgdmft_status linear_filtered_risk(sgdmft_context *ctx, const linear_modes *modes, const risk_curve *risk, size_t count,
                                   const double *t, double *out)
{
    int threads = sgdmft_context_threads(ctx);
    panel_samples samples = {.P = NULL};
    if (!gauss_legendre(PANEL_POINTS, samples.place, samples.weight))
        samples.P = sample_panels(modes, risk, samples.place, count, t);
    if (!samples.P)
        return context_out_of_memory(ctx, "the risk between nodes", 8.0 * modes->horizon * modes->rate);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (size_t first = 0; first < modes->law.n; first += CHUNK)
        filter_chunk(ctx, modes, &samples, first, count, t, out);
    free(samples.P);
    return context_stop_now(ctx) ? context_interrupted(ctx, "the risk was filtered") : SGDMFT_OK;
}
