/* A path process with fixed kernels whose averages are known: k students, one teacher, y = w* + sigma e, a quadratic
   loss with g = H r - v y, and

     R(t, s) = exp(- A (t - s)),   F' = - A F + phi,   dU white with covariance S S^T dt

   so that dr = phi w* dt - A r dt + sqrt(delta) S dB - eta g dZ is a Markov process and all moments obey linear
   differential equations. With a visit inserted at u (Palm), r jumps by - eta g there, and

     E[g(t) g(u)^T] = H a - v E[y g(u)^T],   a' = phi E[w* g(u)^T] - A a - eta (H a - v E[y g(u)^T]),
     a(u) = E[(r - eta g) g^T];              E[d r(t) / d w(u)] = - exp(- (A + eta H)(t - u)) eta H. */
#ifndef SGDMFT_TESTS_PATHS_LINEAR_FLOW_H
#define SGDMFT_TESTS_PATHS_LINEAR_FLOW_H

#include "kernels/kernels.h"

enum { FLOW_MOST = 2, FLOW_BLOCK = FLOW_MOST * FLOW_MOST };

typedef struct linear_flow {
    int k;
    double A[FLOW_BLOCK], S[FLOW_BLOCK], H[FLOW_BLOCK]; /* S symmetric */
    double phi[FLOW_MOST], v[FLOW_MOST];
    double eta, delta, rho, sigma;
    double q0[FLOW_BLOCK], m0[FLOW_MOST];
} linear_flow;

/* Averages at one time. */
typedef struct flow_moments {
    double ry[FLOW_MOST], rs[FLOW_MOST];   /* E[r y], E[r w*] */
    double r0[FLOW_BLOCK], rr[FLOW_BLOCK]; /* E[r w(0)^T], E[r r^T] */
} flow_moments;

/* The kernels of the flow at the nodes of their grid. */
void flow_kernels(const linear_flow *f, kernels *kern);

flow_moments flow_at(const linear_flow *f, double t);

/* The averages of kernels/averages.h that need no visits. */
void flow_gr(const linear_flow *f, const flow_moments *x, double *out);
void flow_gg(const linear_flow *f, const flow_moments *x, double *out);
void flow_gw0(const linear_flow *f, const flow_moments *x, double *out);
void flow_mu(const linear_flow *f, const flow_moments *x, double *out);

/* E[g(t) S^T] for the visits in [low, high], and E[G sum_b K_b (1 - a_b)], E[G sum_b K_b a_b]. */
void flow_visits(const linear_flow *f, double t, double low, double high, double *out);
void flow_response(const linear_flow *f, double t, double low, double high, double *left, double *right);

/* E[g(t) xi^T], xi the normals of the innovation of [low, high]: - sqrt(delta / h) H int exp(- (A + eta H)(t - u)) du
   S. */
void flow_innovation(const linear_flow *f, double t, double low, double high, double *out);

#endif
