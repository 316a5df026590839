/* Averages at a node of SGD with the last visit integrated out.

   Which visit of a path is the last before t_i, and when it was, decides most of the noise of E[f(r(t_i))]. Given the visits
   before tau, the chance that the next visit is in d tau and the last is exp(-(t_i - tau)) d tau, so (Mecke's formula)

     E[f(r(t_i))] = exp(-(t_i - t_a)) E[f(r^none)] + int_{t_a}^{t_i} exp(-(t_i - tau)) E[f(r^tau)] d tau,

     r^none = w(t_i) - sum_{T_b < t_a} R(t_i, T_b) kick_b,
     r^tau  = w(t_i) - sum_{T_b < tau} R(t_i, T_b) kick_b - R(t_i, tau) eta(tau) g(r(tau)),

   for any t_a. f may also contain what does not depend on visits after tau: w*, w(0), innovations, and the kicks of the visits
   before tau and of the one at tau itself. E[f] is linear in tau between nodes, an error of second order like that of the rest;
   so tau are nodes, where the gradient of the path is known, and the weights integrals of the exponential against hats.
   Positions are made backwards, from r(t_i): cell after cell, the kicks of its visits are taken back. */
#ifndef SGDMFT_PATHS_LAST_VISIT_H
#define SGDMFT_PATHS_LAST_VISIT_H

#include "paths/block.h"

/* The node of t_a for averages at node > 0: as far back as visits matter, at least one cell. */
int last_visit_first(const last_visit_law *law, const time_grid *grid, int node);

/* Adds to `sums` the sums over lanes of what estimates.h defines, but gamma, whose noise does not matter, for node > 0 after
   path_block_advance; and to `observed`, if not NULL, those of the train observables (path_block_observe_train). Non-zero if
   a plug-in asked to stop. */
int last_visit_averages(const path_block *block, const path_plan *plan, const kernels *kern, int node,
                        path_workspace *s, double *sums, double *observed);

#endif
