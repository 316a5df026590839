/* The vector field of online SGD, tau = delta t, theory section 3:

     dm/dtau = - lambda m - eta E[g w*^T]
     dq/dtau = - 2 lambda q - eta E[g w^T + w g^T] + eta^2 E[g g^T]

   and, since a visit happens once, the response without memory: from a time s on,

     dR/dtau = - (lambda + eta Gamma) R,                 R(s,s) = I
     dF/dtau = - (lambda + eta Gamma) F - eta Gamma*,    F(s,s) = 0
     C(tau,s) = R(tau,s) q(s) + F(tau,s) m(s)^T

   where Gamma and Gamma* are the mean derivatives of g in w and w*. Stein's identity E[g (w, w*)^T] = (Gamma, Gamma*)
   Cov(w, w*) reads in the variables of online_law.h

     E[g z^T] = Gamma B,     E[g w*^T] = Gamma m + Gamma* rho

   The second gives Gamma*, without a derivative of the label. Gamma is E[G] where g is continuous; the first equation is
   then a check. Where g jumps in r, E[G] lacks the jumps and Gamma comes from the first equation. If w is (nearly) a
   function of w* in some direction, B has no inverse there; z is then given a small spread in that direction. */
#ifndef SGDMFT_SOLVERS_ONLINE_FIELD_H
#define SGDMFT_SOLVERS_ONLINE_FIELD_H

#include "solvers/online/law.h"

/* Components of the state: m [k][k*], q lower triangle, R [k][k], F [k][k*]. */
typedef struct online_layout {
    size_t m, q, R, F, size;
} online_layout;

typedef struct online_field {
    const online_setting *s;
    online_law *law;
    online_layout at;
    double from, to;      /* eta is taken inside [from, to], so that its jumps lie outside */
    double *work;         /* of the schedule */
    int code;             /* by which a plug-in asked to stop */
    double rtol;          /* of m and q */
    double response_rtol; /* of R and F */
} online_field;

sgdmft_status online_field_init(sgdmft_context *ctx, const online_setting *s, online_law *law, online_field *out);
void online_field_clear(online_field *f);

/* m[k][k*] and q[k][k] in the state y. */
void online_field_unpack(const online_field *f, const double *y, double *m, double *q);

/* The vector field and the weights of errors in the form the integrator wants; `user` is the field. */
int online_field_value(void *user, double t, const double *y, double *dy);
void online_field_weights(void *user, const double *y, double *weight);

#endif
