/* Averages of the loss and of the user's observables at one node, over the training law (r, w*, eps) of paths as they are and over
   the test law (w, w*, eps) of fresh samples. */
#ifndef SGDMFT_PATHS_OBSERVE_H
#define SGDMFT_PATHS_OBSERVE_H

#include "paths/block.h"

/* Sums at the computed node of: train loss, test loss, then train and test of every user observable, sums[2 + 2 observables]. Each
   function adds those of one kind. The test law is sampled with the test normals, which are few and quasi-random. Non-zero if a
   plug-in asked to stop. */
int path_observe_train(const path_block *block, const path_plan *plan, int node, double weight, path_workspace *s,
                       double *sums);
int path_observe_test(const path_block *block, const path_plan *plan, int node, const field_regression *fresh,
                      path_workspace *s, double *sums);

/* Adds weight times the train observables at position r[k][n] with the losses in s->work and the time in s->t. */
int path_observe_add(const path_block *block, const path_plan *plan, double weight, const double *r, path_workspace *s,
                     double *sums);

#endif
