/* Averages of the loss and of the user's observables at one node (docs/theory.md, section 4): the train averages over
   (r, w*, eps) of the paths as they are, the test averages over (w, w*, eps) of fresh samples. */
#ifndef SGDMFT_PATHS_OBSERVE_H
#define SGDMFT_PATHS_OBSERVE_H

#include "paths/block.h"

/* Adds sums over lanes at the computed node. sums[2 + 2 observables] holds the train loss, the test loss, then train
   and test of each observable; each function adds the sums of its kind, path_observe_train `weight` times. The fields
   of the test law are made from the test normals of the block, which are few in number and quasi-random. Non-zero if a
   call-back asked to stop. */
int path_observe_train(const path_block *block, const path_plan *plan, int node, double weight, path_workspace *s,
                       double *sums);
int path_observe_test(const path_block *block, const path_plan *plan, int node, const field_regression *fresh,
                      path_workspace *s, double *sums);

/* Adds `weight` times the train sums for the positions r[k][n], given the losses in s->work and the time in s->t. */
int path_observe_add(const path_block *block, const path_plan *plan, double weight, const double *r, path_workspace *s,
                     double *sums);

#endif
