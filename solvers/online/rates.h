/* What the averages of a fresh sample say about the motion of theta: the coefficients of online_field.h at a point of the
   curve (m, q). */
#ifndef SGDMFT_SOLVERS_ONLINE_RATES_H
#define SGDMFT_SOLVERS_ONLINE_RATES_H

#include "solvers/online/law.h"

/* E[g w*^T] [k][k*], E[g w^T], E[g g^T] and the response Gamma [k][k], Gamma* [k][k*]. */
typedef struct online_rates {
    double gs[MATRIX_MAX * MATRIX_MAX], gw[MATRIX_MAX * MATRIX_MAX], gg[MATRIX_MAX * MATRIX_MAX];
    double gamma[MATRIX_MAX * MATRIX_MAX], gamma_star[MATRIX_MAX * MATRIX_MAX];
} online_rates;

/* At m[k][k*], q[k][k]. Returns 0; 1 if (m, q) is not finite; -1, with the code in *plugin, if a plug-in asked to stop. */
int online_rates_find(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                      online_rates *out, int *plugin);

/* defect[k][k] = E[g z^T] B - E[G] S, zero by Stein's lemma, and the size of the two terms; both 0 if g jumps. Returns 0,
   or the code by which a plug-in asked to stop, also in *plugin. */
int online_rates_stein(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                       double *defect, double *scale, int *plugin);

#endif
