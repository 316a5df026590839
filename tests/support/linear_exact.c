#include "linear_exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { FEWEST_POINTS = 64, MOST_POINTS = 1500 };

/* State at one time: area = int_0^t eta, then u = f / x (finite at x = 0) and Y at every point. */
struct linear_exact {
    linear_problem p;
    double horizon, h;
    size_t points, steps, width;
    double *x, *weight;
    double *state; /* [steps + 1][width], width = 1 + 2 points */
    double *work;  /* [4 width]: a state wanted, a slope, a trial state, a second state wanted */
};

static double eta_at(const linear_problem *p, double t)
{
    double value = p->switch_at > 0 && t >= p->switch_at ? p->after : p->eta;
    return value / (1 + p->decay * t);
}

/* Chebyshev points of the second kind on [a, b]: dmu = d^2 sin^2 phi / (2 pi x) dphi with x = c + d cos phi. The pole
   at x = 0 makes the error fall like delta^-points. */
static size_t points_for(double delta)
{
    double distance = fabs(log(delta));
    double wanted = FEWEST_POINTS + (distance > 0.01 ? 38 / distance : 0);
    return wanted < MOST_POINTS ? (size_t)wanted : MOST_POINTS;
}

static void spectral_law(linear_exact *e)
{
    double delta = e->p.delta, centre = 1 + delta, radius = 2 * sqrt(delta);
    size_t n = e->points - (delta <= 1);
    for (size_t j = 0; j < n; j++) {
        double phi = M_PI * (double)(j + 1) / (double)(n + 1), height = radius * sin(phi);
        e->x[j] = centre + radius * cos(phi);
        e->weight[j] = height * height / (2 * e->x[j] * (double)(n + 1));
    }
    if (delta <= 1) { /* at delta = 1 the end point of the sum, where the density has a pole */
        e->x[n] = 0;
        e->weight[n] = delta < 1 ? 1 - delta : 1 / (double)(n + 1);
    }
}

static double decayed(const linear_exact *e, double x, double area, double t)
{
    return exp(-x * area - e->p.lambda * t);
}

/* P = 2 train loss at a state */
static double risk(const linear_exact *e, double t, const double *state)
{
    const linear_problem *p = &e->p;
    const double *u = state + 1, *Y = u + e->points;
    double sum = 0, noise = p->sigma * p->sigma;
    for (size_t j = 0; j < e->points; j++) {
        double x = e->x[j], E = decayed(e, x, state[0], t), gap = x * u[j] - 1;
        sum += e->weight[j] *
               (x * (E * E * p->q0 + 2 * E * gap * p->m0 + gap * gap * p->rho) + gap * gap * noise + x * x * Y[j]);
    }
    return sum / p->delta + noise * (1 - 1 / p->delta);
}

static void slope(const linear_exact *e, double t, double eta, const double *state, double *out)
{
    const double *u = state + 1, *Y = u + e->points;
    double kick = eta * eta * risk(e, t, state);
    out[0] = eta;
    for (size_t j = 0; j < e->points; j++) {
        double a = eta * e->x[j] + e->p.lambda;
        out[1 + j] = eta - a * u[j];
        out[1 + e->points + j] = kick - 2 * a * Y[j];
    }
}

/* One step from t; from and to are different arrays. Values of eta at the ends are taken just inside, so that a switch
   at a step boundary is exact. */
static void runge_kutta(const linear_exact *e, double t, double h, const double *from, double *to)
{
    static const double place[4] = {0, 0.5, 0.5, 1}, share[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    double *rate = e->work + e->width, *trial = rate + e->width;
    memcpy(trial, from, sizeof(double) * e->width);
    memcpy(to, from, sizeof(double) * e->width);
    for (int stage = 0; stage < 4; stage++) {
        double inside = fmin(fmax(place[stage], 1e-10), 1 - 1e-10);
        slope(e, t + place[stage] * h, eta_at(&e->p, t + inside * h), trial, rate);
        for (size_t i = 0; i < e->width; i++) {
            to[i] += share[stage] * h * rate[i];
            trial[i] = from[i] + (stage < 3 ? place[stage + 1] : 0) * h * rate[i];
        }
    }
}

linear_exact *linear_exact_new(const linear_problem *p, double horizon, double step)
{
    linear_exact *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->p = *p;
    e->horizon = horizon;
    e->points = points_for(p->delta) + (p->delta <= 1);
    e->steps = (size_t)ceil(horizon / step);
    e->h = horizon / (double)e->steps;
    e->width = 1 + 2 * e->points;
    e->x = memory_doubles(e->points);
    e->weight = memory_doubles(e->points);
    e->state = memory_doubles((e->steps + 1) * e->width);
    e->work = memory_doubles(4 * e->width);
    if (!e->x || !e->weight || !e->state || !e->work) {
        linear_exact_free(e);
        return NULL;
    }
    spectral_law(e);
    for (size_t i = 0; i < e->steps; i++)
        runge_kutta(e, e->h * (double)i, e->h, e->state + i * e->width, e->state + (i + 1) * e->width);
    return e;
}

void linear_exact_free(linear_exact *e)
{
    if (!e)
        return;
    free(e->x);
    free(e->weight);
    free(e->state);
    free(e->work);
    free(e);
}

/* The state at t, into `out`. */
static const double *state_at(const linear_exact *e, double t, double *out)
{
    double place = t / e->h;
    size_t i = (size_t)floor(place + 1e-9);
    if (i > e->steps)
        i = e->steps;
    double rest = t - e->h * (double)i;
    if (fabs(rest) < 1e-9 * e->h)
        return e->state + i * e->width;
    runge_kutta(e, e->h * (double)i, rest, e->state + i * e->width, out);
    return out;
}

double linear_exact_moment(const linear_exact *e, int power)
{
    double sum = 0;
    for (size_t j = 0; j < e->points; j++)
        sum += e->weight[j] * pow(e->x[j], power);
    return sum;
}

double linear_exact_train(const linear_exact *e, double t)
{
    return risk(e, t, state_at(e, t, e->work)) / 2;
}

double linear_exact_m(const linear_exact *e, double t)
{
    const double *state = state_at(e, t, e->work);
    double sum = 0;
    for (size_t j = 0; j < e->points; j++)
        sum += e->weight[j] * (decayed(e, e->x[j], state[0], t) * e->p.m0 + e->x[j] * state[1 + j] * e->p.rho);
    return sum;
}

double linear_exact_R(const linear_exact *e, double t, double s)
{
    double area = state_at(e, t, e->work)[0], sum = 0;
    area -= state_at(e, s, e->work)[0];
    for (size_t j = 0; j < e->points; j++)
        sum += e->weight[j] * decayed(e, e->x[j], area, t - s);
    return sum;
}

double linear_exact_C(const linear_exact *e, double t, double s)
{
    if (s > t)
        return linear_exact_C(e, s, t);
    const linear_problem *p = &e->p;
    const double *late = state_at(e, t, e->work + 3 * e->width), *early = state_at(e, s, e->work);
    double noise = p->sigma * p->sigma, sum = 0;
    for (size_t j = 0; j < e->points; j++) {
        double x = e->x[j], Et = decayed(e, x, late[0], t), Es = decayed(e, x, early[0], s);
        double ut = late[1 + j], us = early[1 + j], Y = early[1 + e->points + j];
        sum += e->weight[j] * (Et * Es * p->q0 + x * (Et * us + Es * ut) * p->m0 + x * x * ut * us * p->rho +
                               x * ut * us * noise + x * decayed(e, x, late[0] - early[0], t - s) * Y);
    }
    return sum;
}

double linear_exact_q(const linear_exact *e, double t)
{
    return linear_exact_C(e, t, t);
}

double linear_exact_test(const linear_exact *e, double t)
{
    const linear_problem *p = &e->p;
    return (linear_exact_q(e, t) - 2 * linear_exact_m(e, t) + p->rho + p->sigma * p->sigma) / 2;
}
