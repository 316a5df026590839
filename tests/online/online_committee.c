#include "online_committee.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

double committee_i2(double c00, double c01, double c11)
{
    return M_2_PI * asin(c01 / sqrt((1 + c00) * (1 + c11)));
}

double committee_i3(const double c[3][3])
{
    double scale = (1 + c[0][0]) * (1 + c[2][2]) - c[0][2] * c[0][2];
    return M_2_PI / sqrt(scale) * (c[1][2] * (1 + c[0][0]) - c[0][1] * c[0][2]) / (1 + c[0][0]);
}

double committee_slopes(double c00, double c01, double c11)
{
    return M_2_PI / sqrt((1 + c00) * (1 + c11) - c01 * c01);
}

double committee_i4(const double c[4][4])
{
    double a = 1 + c[0][0], b = 1 + c[1][1], d = a * b - c[0][1] * c[0][1];
    double l0 = d * c[2][3] - c[1][2] * c[1][3] * a - c[0][2] * c[0][3] * b + c[0][1] * c[0][2] * c[1][3] +
                c[0][1] * c[0][3] * c[1][2];
    double l1 = d * (1 + c[2][2]) - c[1][2] * c[1][2] * a - c[0][2] * c[0][2] * b + 2 * c[0][1] * c[0][2] * c[1][2];
    double l2 = d * (1 + c[3][3]) - c[1][3] * c[1][3] * a - c[0][3] * c[0][3] * b + 2 * c[0][1] * c[0][3] * c[1][3];
    return M_2_PI * M_2_PI / sqrt(d) * asin(l0 / sqrt(l1 * l2));
}

/* Covariance of all pre-activations: students first, then teachers. */
typedef struct joint {
    int n;
    double c[2 * COMMITTEE_MOST][2 * COMMITTEE_MOST];
    double sign[2 * COMMITTEE_MOST]; /* prediction - label = sum sign f - noise */
} joint;

static joint joint_of(const committee *c, const committee_state *x)
{
    joint out = {.n = c->k + c->ks};
    for (int i = 0; i < out.n; i++) {
        out.sign[i] = i < c->k ? 1 : -1;
        for (int j = 0; j < out.n; j++) {
            int a = i - c->k, b = j - c->k;
            if (a < 0 && b < 0)
                out.c[i][j] = x->q[i * c->k + j];
            else if (a < 0)
                out.c[i][j] = x->m[i * c->ks + b];
            else if (b < 0)
                out.c[i][j] = x->m[j * c->ks + a];
            else
                out.c[i][j] = c->rho[a * c->ks + b];
        }
    }
    return out;
}

double committee_loss(const committee *c, const committee_state *x)
{
    joint u = joint_of(c, x);
    double sum = c->sigma * c->sigma;
    for (int i = 0; i < u.n; i++)
        for (int j = 0; j < u.n; j++)
            sum += u.sign[i] * u.sign[j] * committee_i2(u.c[i][i], u.c[i][j], u.c[j][j]);
    return sum / 2;
}

/* E g_a x_v, x any pre-activation */
static double gradient_times(const joint *u, int a, int v)
{
    double sum = 0;
    for (int j = 0; j < u->n; j++) {
        int at[3] = {a, v, j};
        double c[3][3];
        for (int i = 0; i < 3; i++)
            for (int l = 0; l < 3; l++)
                c[i][l] = u->c[at[i]][at[l]];
        sum += u->sign[j] * committee_i3((const double(*)[3])c);
    }
    return sum;
}

/* E g_a g_b */
static double gradient_square(const committee *p, const joint *u, int a, int b)
{
    double sum = p->sigma * p->sigma * committee_slopes(u->c[a][a], u->c[a][b], u->c[b][b]);
    for (int i = 0; i < u->n; i++)
        for (int j = 0; j < u->n; j++) {
            int at[4] = {a, b, i, j};
            double c[4][4];
            for (int l = 0; l < 4; l++)
                for (int o = 0; o < 4; o++)
                    c[l][o] = u->c[at[l]][at[o]];
            sum += u->sign[i] * u->sign[j] * committee_i4((const double(*)[4])c);
        }
    return sum;
}

void committee_field(const committee *c, const committee_state *x, committee_state *out)
{
    joint u = joint_of(c, x);
    int k = c->k, ks = c->ks;
    double gw[COMMITTEE_SQUARE], gamma[COMMITTEE_SQUARE];
    memset(out, 0, sizeof *out);
    for (int a = 0; a < k; a++) {
        for (int b = 0; b < ks; b++)
            out->m[a * ks + b] = -c->lambda * x->m[a * ks + b] - c->eta * gradient_times(&u, a, k + b);
        for (int b = 0; b < k; b++)
            gw[a * k + b] = gradient_times(&u, a, b);
    }
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            int i = a * k + b;
            out->q[i] = -2 * c->lambda * x->q[i] - c->eta * (gw[i] + gw[b * k + a]) +
                        c->eta * c->eta * gradient_square(c, &u, a, b);
            /* f'' = - x f' */
            gamma[i] = committee_slopes(u.c[a][a], u.c[a][b], u.c[b][b]) - (a == b ? gw[i] : 0);
        }
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            out->R[a * k + b] = -c->lambda * x->R[a * k + b];
            for (int d = 0; d < k; d++)
                out->R[a * k + b] -= c->eta * gamma[a * k + d] * x->R[d * k + b];
        }
}

static void add(double h, const committee_state *slope, committee_state *x)
{
    const double *from = (const double *)slope;
    double *to = (double *)x;
    for (size_t i = 0; i < sizeof *x / sizeof *to; i++)
        to[i] += h * from[i];
}

void committee_move(const committee *c, double time, int steps, committee_state *x)
{
    double h = time / steps;
    for (int i = 0; i < steps; i++) {
        committee_state slope[4], at;
        committee_field(c, x, &slope[0]);
        for (int stage = 1; stage < 4; stage++) {
            at = *x;
            add(stage == 3 ? h : h / 2, &slope[stage - 1], &at);
            committee_field(c, &at, &slope[stage]);
        }
        static const double weight[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
        for (int stage = 0; stage < 4; stage++)
            add(h * weight[stage], &slope[stage], x);
    }
}
