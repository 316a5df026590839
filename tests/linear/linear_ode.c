#include "linear_ode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_odeiv2.h>

/* x = low + width sin^2(psi): dmu = width^2 sin^2 cos^2 / (pi x) dpsi. Panels shrink by halves towards psi = 0. */
ode_spectrum ode_spectrum_of(double delta)
{
    enum { PANELS = 28, POINTS = 20 };
    ode_spectrum s = {0};
    double low = (1 - sqrt(delta)) * (1 - sqrt(delta)), width = 4 * sqrt(delta), to = M_PI / 2;
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(POINTS);
    for (int panel = 0; panel < PANELS; panel++) {
        double from = panel == PANELS - 1 ? 0 : panel < 4 ? to - M_PI / 10 : to / 2;
        for (size_t i = 0; i < POINTS; i++) {
            double psi, weight;
            gsl_integration_glfixed_point(from, to, i, &psi, &weight, table);
            double height = width * sin(psi) * cos(psi);
            s.x[s.n] = low + width * sin(psi) * sin(psi);
            s.weight[s.n] = weight * height * height / (M_PI * s.x[s.n]);
            s.n++;
        }
        to = from;
    }
    gsl_integration_glfixed_table_free(table);
    if (delta < 1)
        s.weight[s.n++] = 1 - delta;
    return s;
}

typedef struct ode_state {
    const ode_problem *p;
    ode_spectrum s;
    double *forcing; /* [n] of C(t, s) along every mode, fixed at s */
} ode_state;

/* Rows of a state: M, B, Q, R and C, each over the points of the spectrum. */
static double risk(const ode_state *o, const double *y)
{
    const ode_problem *p = o->p;
    double sum = 0;
    for (int i = 0; i < o->s.n; i++)
        sum += o->s.weight[i] * (o->s.x[i] * (y[2 * o->s.n + i] - 2 * y[i] + p->rho) - 2 * y[o->s.n + i]);
    return sum / p->delta + p->noise;
}

static int slope(double t, const double *y, double *out, void *params)
{
    const ode_state *o = params;
    const ode_problem *p = o->p;
    int n = o->s.n;
    double kick = p->visits ? p->eta * p->eta * risk(o, y) : 0;
    for (int i = 0; i < n; i++) {
        double x = o->s.x[i], a = p->eta * x + p->lambda;
        out[i] = -a * y[i] + p->eta * x * p->rho;
        out[n + i] = -a * y[n + i] + p->eta * x * p->noise;
        out[2 * n + i] = -2 * a * y[2 * n + i] + 2 * p->eta * (x * y[i] + y[n + i]) + kick * x;
        out[3 * n + i] = -a * y[3 * n + i];
        out[4 * n + i] = -a * y[4 * n + i] + o->forcing[i];
    }
    return GSL_SUCCESS;
}

static void read_off(const ode_state *o, const double *y, ode_values *out)
{
    const ode_problem *p = o->p;
    int n = o->s.n;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < n; i++) {
        double w = o->s.weight[i];
        out->m += w * y[i];
        out->q += w * y[2 * n + i];
        out->R += w * y[3 * n + i];
        out->C += w * y[4 * n + i];
    }
    out->train = risk(o, y) / 2;
    out->test = (out->q - 2 * out->m + p->rho + p->noise) / 2;
}

static void start_correlation(ode_state *o, double *y)
{
    int n = o->s.n;
    for (int i = 0; i < n; i++) {
        y[4 * n + i] = y[2 * n + i];
        o->forcing[i] = o->p->eta * (o->s.x[i] * y[i] + y[n + i]);
    }
}

void ode_solve(const ode_problem *p, int count, const double *t, int earlier, ode_values *out)
{
    ode_state o = {.p = p, .s = ode_spectrum_of(p->delta)};
    size_t n = (size_t)o.s.n;
    double *y = calloc(5 * n, sizeof *y), now = 0;
    o.forcing = calloc(n, sizeof *o.forcing);
    for (size_t i = 0; i < n; i++) {
        y[i] = p->m;
        y[2 * n + i] = p->q;
        y[3 * n + i] = 1;
    }
    gsl_odeiv2_system system = {slope, NULL, 5 * n, &o};
    gsl_odeiv2_driver *driver = gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rk8pd, 1e-4, 1e-13, 1e-13);
    for (int i = 0; i < count; i++) {
        if (t[i] > now && gsl_odeiv2_driver_apply(driver, &now, t[i], y) != GSL_SUCCESS)
            abort();
        if (i == earlier) {
            start_correlation(&o, y);
            gsl_odeiv2_driver_reset(driver);
        }
        read_off(&o, y, &out[i]);
    }
    gsl_odeiv2_driver_free(driver);
    free(o.forcing);
    free(y);
}
