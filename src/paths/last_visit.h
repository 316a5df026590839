/* Averages at a node with the last visit integrated out, for processes whose law of the last visit is known.

   Which visit of a path is the last before t_i, and when it happens, causes most of the noise of E[f(r(t_i))]. For SGD,
   given the visits before tau, a visit is in d tau and is the last before t_i with probability exp(-(t_i - tau)) d tau.
   By Mecke's formula, therefore, for any t_a

     E[f(r(t_i))] = exp(-(t_i - t_a)) E[f(r^none)] + int_{t_a}^{t_i} exp(-(t_i - tau)) E[f(r^tau)] d tau,

     r^none = w(t_i) - sum_{T_b < t_a} R(t_i, T_b) kick_b,
     r^tau  = w(t_i) - sum_{T_b < tau} R(t_i, T_b) kick_b - R(t_i, tau) eta(tau) g(r(tau)).

   f may also depend on everything that does not depend on visits after tau: on w*, w(0), the innovations, the kicks of
   the visits before tau, and the kick at tau itself. E[f(r^tau)] is interpolated in tau between nodes, linearly or by
   an exponential (kernels/fitting.h), with an error of second order like that of the rest. So a visit is inserted at
   nodes alone, where the gradient of the path is known, with the integrals of the exponential against hat functions as
   weights. Positions are computed backwards from r(t_i): the kicks of one cell after the other are taken back. */
#ifndef SGDMFT_PATHS_LAST_VISIT_H
#define SGDMFT_PATHS_LAST_VISIT_H

#include "paths/block.h"

/* The node of t_a for the averages at node > 0: at least one cell back, otherwise as far as law->window and a largest
   number of nodes allow. */
int last_visit_first(const last_visit_law *law, const time_grid *grid, int node);

/* For node > 0, after path_block_advance: adds to `sums` the sums over lanes of the averages of averages.h, except
   gamma, whose noise does not matter; and to `observed`, unless it is NULL, those of the train observables
   (path_observe_train). Non-zero if a call-back asked to stop. */
int last_visit_averages(const path_block *block, const path_plan *plan, const kernels *kern, int node,
                        path_workspace *s, double *sums, double *observed);

/* Computes g at the position r [k][n] into s->g and, unless `observed` is NULL, adds `weight` times the observables
   there to it. Non-zero if a call-back asked to stop. */
int last_visit_evaluate(const path_block *block, const path_plan *plan, double weight, const double *r,
                        path_workspace *s, double *observed);

#endif
