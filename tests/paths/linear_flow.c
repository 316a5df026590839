#include "linear_flow.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

enum { STEPS_PER_UNIT = 200, STATE = 2 * FLOW_MOST + 2 * FLOW_BLOCK };

static void exponential(int n, double *a, double *out)
{
    gsl_matrix_view from = gsl_matrix_view_array(a, (size_t)n, (size_t)n);
    gsl_matrix_view to = gsl_matrix_view_array(out, (size_t)n, (size_t)n);
    gsl_linalg_exponential_ss(&from.matrix, &to.matrix, GSL_PREC_DOUBLE);
}

/* out = exp(- (A + more) t) */
static void decay(const linear_flow *f, const double *more, double t, double *out)
{
    double a[FLOW_BLOCK];
    for (int x = 0; x < f->k * f->k; x++)
        a[x] = -t * (f->A[x] + (more ? f->eta * more[x] : 0));
    exponential(f->k, a, out);
}

/* F(t) = int_0^t exp(- A (t - v)) phi dv, from the exponential of [[- A, phi], [0, 0]] t */
static void teacher_part(const linear_flow *f, double t, double *out)
{
    int k = f->k, n = k + 1;
    double a[(FLOW_MOST + 1) * (FLOW_MOST + 1)] = {0}, e[(FLOW_MOST + 1) * (FLOW_MOST + 1)];
    for (int i = 0; i < k; i++) {
        for (int j = 0; j < k; j++)
            a[i * n + j] = -t * f->A[i * k + j];
        a[i * n + k] = t * f->phi[i];
    }
    exponential(n, a, e);
    for (int i = 0; i < k; i++)
        out[i] = e[i * n + k];
}

void flow_kernels(const linear_flow *f, kernels *kern)
{
    int k = f->k, steps = kern->steps;
    const double *t = kern->grid->t;
    for (int i = 0; i <= steps; i++) {
        teacher_part(f, t[i], kern->F + i * k);
        for (int j = 0; j <= i; j++) {
            double e[FLOW_BLOCK];
            decay(f, NULL, t[i] - t[j], e);
            for (int x = 0; x < k * k; x++)
                kernels_R(kern, x, i)[j] = e[x];
        }
        for (int j = 0; j < i; j++)
            for (int a = 0; a < k; a++)
                for (int b = 0; b < k; b++) {
                    double sum = 0;
                    for (int l = 0; l < k; l++) {
                        const double *row = kernels_R(kern, a * k + l, i);
                        sum += 0.5 * (row[j] + row[j + 1]) * f->S[l * k + b];
                    }
                    kernels_V(kern, i, a)[j * k + b] = -sqrt(f->delta * kern->grid->h[j]) * sum;
                }
    }
    for (int i = 0; i < steps; i++)
        for (int x = 0; x < k * k; x++)
            kern->bridge[i * k * k + x] = sqrt(f->delta) * f->S[x];
}

/* E[y y], and E[y w*] = E[w* y] */
static double label_square(const linear_flow *f)
{
    return f->rho + f->sigma * f->sigma;
}

/* out[k][n] = H x - v z with x[k][n], z[n] */
static void gradient_with(const linear_flow *f, int n, const double *x, const double *z, double *out)
{
    for (int a = 0; a < f->k; a++)
        for (int b = 0; b < n; b++) {
            out[a * n + b] = -f->v[a] * z[b];
            for (int l = 0; l < f->k; l++)
                out[a * n + b] += f->H[a * f->k + l] * x[l * n + b];
        }
}

void flow_gr(const linear_flow *f, const flow_moments *x, double *out)
{
    gradient_with(f, f->k, x->rr, x->ry, out);
}

void flow_mu(const linear_flow *f, const flow_moments *x, double *out)
{
    gradient_with(f, 1, x->rs, &f->rho, out);
}

void flow_gw0(const linear_flow *f, const flow_moments *x, double *out)
{
    gradient_with(f, f->k, x->r0, f->m0, out);
}

static void flow_gy(const linear_flow *f, const flow_moments *x, double *out)
{
    double square = label_square(f);
    gradient_with(f, 1, x->ry, &square, out);
}

/* E[g g^T] = E[g r^T] H - E[g y] v^T */
void flow_gg(const linear_flow *f, const flow_moments *x, double *out)
{
    int k = f->k;
    double gr[FLOW_BLOCK], gy[FLOW_MOST];
    flow_gr(f, x, gr);
    flow_gy(f, x, gy);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            out[a * k + b] = -gy[a] * f->v[b];
            for (int l = 0; l < k; l++)
                out[a * k + b] += gr[a * k + l] * f->H[l * k + b];
        }
}

/* out[k][n] = phi s - A x - eta (H x - v z) with x[k][n], s[n], z[n] */
static void drift(const linear_flow *f, int n, const double *x, const double *s, const double *z, double *out)
{
    double g[FLOW_BLOCK];
    gradient_with(f, n, x, z, g);
    for (int a = 0; a < f->k; a++)
        for (int b = 0; b < n; b++) {
            out[a * n + b] = f->phi[a] * s[b] - f->eta * g[a * n + b];
            for (int l = 0; l < f->k; l++)
                out[a * n + b] -= f->A[a * f->k + l] * x[l * n + b];
        }
}

static void slope(const linear_flow *f, const flow_moments *x, flow_moments *out)
{
    int k = f->k;
    double square = label_square(f), half[FLOW_BLOCK], gg[FLOW_BLOCK];
    drift(f, 1, x->ry, &f->rho, &square, out->ry);
    drift(f, 1, x->rs, &f->rho, &f->rho, out->rs);
    drift(f, k, x->r0, f->m0, f->m0, out->r0);
    drift(f, k, x->rr, x->rs, x->ry, half);
    flow_gg(f, x, gg);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            out->rr[a * k + b] = half[a * k + b] + half[b * k + a] + f->eta * f->eta * gg[a * k + b];
            for (int l = 0; l < k; l++)
                out->rr[a * k + b] += f->delta * f->S[a * k + l] * f->S[b * k + l];
        }
}

/* x + h slope, as plain arrays */
static flow_moments moved(const flow_moments *x, double h, const flow_moments *rate)
{
    flow_moments out;
    const double *from = (const double *)x, *by = (const double *)rate;
    double *to = (double *)&out;
    for (int i = 0; i < STATE; i++)
        to[i] = from[i] + h * by[i];
    return out;
}

flow_moments flow_at(const linear_flow *f, double t)
{
    flow_moments x = {0};
    memcpy(x.ry, f->m0, sizeof x.ry);
    memcpy(x.rs, f->m0, sizeof x.rs);
    memcpy(x.r0, f->q0, sizeof x.r0);
    memcpy(x.rr, f->q0, sizeof x.rr);
    int steps = (int)ceil(t * STEPS_PER_UNIT);
    double h = steps > 0 ? t / steps : 0;
    for (int i = 0; i < steps; i++) {
        flow_moments k1 = {0}, k2 = {0}, k3 = {0}, k4 = {0}, trial;
        slope(f, &x, &k1);
        trial = moved(&x, h / 2, &k1);
        slope(f, &trial, &k2);
        trial = moved(&x, h / 2, &k2);
        slope(f, &trial, &k3);
        trial = moved(&x, h, &k3);
        slope(f, &trial, &k4);
        x = moved(&x, h / 6, &k1);
        x = moved(&x, h / 3, &k2);
        x = moved(&x, h / 3, &k3);
        x = moved(&x, h / 6, &k4);
    }
    return x;
}

/* E[g(t) g(u)^T] with a visit inserted at u. The equation for a has constant coefficients and a constant source: all
   columns at once by the exponential of [[- A - eta H, source], [0, 0]] (t - u). */
static void palm_product(const linear_flow *f, double t, double u, double *out)
{
    int k = f->k, n = 2 * k;
    flow_moments x = flow_at(f, u);
    double gr[FLOW_BLOCK], gg[FLOW_BLOCK], sg[FLOW_MOST], yg[FLOW_MOST], a[FLOW_BLOCK];
    double big[4 * FLOW_BLOCK] = {0}, e[4 * FLOW_BLOCK];
    flow_gr(f, &x, gr);
    flow_gg(f, &x, gg);
    flow_mu(f, &x, sg);
    flow_gy(f, &x, yg);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            big[i * n + j] = -(t - u) * (f->A[i * k + j] + f->eta * f->H[i * k + j]);
            big[i * n + k + j] = (t - u) * (f->phi[i] * sg[j] + f->eta * f->v[i] * yg[j]);
        }
    exponential(n, big, e);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            a[i * k + j] = e[i * n + k + j];
            for (int l = 0; l < k; l++)
                a[i * k + j] += e[i * n + l] * (gr[j * k + l] - f->eta * gg[l * k + j]);
        }
    gradient_with(f, k, a, yg, out);
}

static const double boole[5] = {7.0 / 90, 32.0 / 90, 12.0 / 90, 32.0 / 90, 7.0 / 90};

void flow_visits(const linear_flow *f, double t, double low, double high, double *out)
{
    memset(out, 0, sizeof(double) * (size_t)(f->k * f->k));
    for (int i = 0; i < 5; i++) {
        double product[FLOW_BLOCK];
        palm_product(f, t, low + 0.25 * i * (high - low), product);
        for (int x = 0; x < f->k * f->k; x++)
            out[x] += f->eta * (high - low) * boole[i] * product[x];
    }
}

void flow_response(const linear_flow *f, double t, double low, double high, double *left, double *right)
{
    int k = f->k;
    memset(left, 0, sizeof(double) * (size_t)(k * k));
    memset(right, 0, sizeof(double) * (size_t)(k * k));
    for (int i = 0; i < 5; i++) {
        double place = 0.25 * i, e[FLOW_BLOCK];
        decay(f, f->H, t - low - place * (high - low), e);
        for (int a = 0; a < k; a++)
            for (int b = 0; b < k; b++)
                for (int l = 0; l < k * k; l++) {
                    double value = -f->eta * (high - low) * boole[i] * e[l];
                    value *= f->H[a * k + l / k] * f->H[l % k * k + b];
                    left[a * k + b] += (1 - place) * value;
                    right[a * k + b] += place * value;
                }
    }
}

void flow_innovation(const linear_flow *f, double t, double low, double high, double *out)
{
    int k = f->k;
    memset(out, 0, sizeof(double) * (size_t)(k * k));
    for (int i = 0; i < 5; i++) {
        double e[FLOW_BLOCK], factor = -sqrt(f->delta * (high - low)) * boole[i];
        decay(f, f->H, t - low - 0.25 * i * (high - low), e);
        for (int a = 0; a < k; a++)
            for (int b = 0; b < k; b++)
                for (int l = 0; l < k * k; l++)
                    out[a * k + b] += factor * f->H[a * k + l / k] * e[l] * f->S[l % k * k + b];
    }
}
