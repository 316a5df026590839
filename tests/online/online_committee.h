/* Online SGD of committee machines with erf units, in closed form (Saad & Solla, Phys. Rev. E 52, 4225, 1995; with
   label noise: Goldt, Advani, Saxe, Krzakala & Zdeborova, 2019). Units f(x) = erf(x / sqrt 2),

     label  sum_n f(s_n) + sigma eps,   prediction  sum_j f(r_j),   loss  (prediction - label)^2 / 2.

   All averages over Gaussian (r, s) are elementary; a Runge-Kutta integration in small steps does the rest. An
   independent route: no quadrature, no points, no Hessians. */
#ifndef SGDMFT_TESTS_ONLINE_ONLINE_COMMITTEE_H
#define SGDMFT_TESTS_ONLINE_ONLINE_COMMITTEE_H

enum { COMMITTEE_MOST = 3, COMMITTEE_SQUARE = COMMITTEE_MOST * COMMITTEE_MOST };

/* E f(x1) f(x2), E f'(x1) x2 f(x3), E f'(x1) f'(x2) and E f'(x1) f'(x2) f(x3) f(x4) for Gaussian x of covariance
   c[i][j], i, j counted from 0. */
double committee_i2(double c00, double c01, double c11);
double committee_i3(const double c[3][3]);
double committee_slopes(double c00, double c01, double c11);
double committee_i4(const double c[4][4]);

typedef struct committee {
    int k, ks;
    double eta, lambda, sigma;
    double rho[COMMITTEE_SQUARE]; /* [ks][ks] */
} committee;

typedef struct committee_state {
    double m[COMMITTEE_SQUARE]; /* [k][ks] */
    double q[COMMITTEE_SQUARE]; /* [k][k] */
    double R[COMMITTEE_SQUARE]; /* [k][k] response to a kick at the start */
} committee_state;

double committee_loss(const committee *c, const committee_state *x);
/* Time derivative of the state. */
void committee_field(const committee *c, const committee_state *x, committee_state *out);
/* Moves the state by `time` in `steps` steps of the classical Runge-Kutta method. */
void committee_move(const committee *c, double time, int steps, committee_state *x);

#endif
