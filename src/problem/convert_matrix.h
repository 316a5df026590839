/* Options whose value is a matrix: a list of rows, or a number when it is 1 x 1. */
#ifndef SGDMFT_PROBLEM_CONVERT_MATRIX_H
#define SGDMFT_PROBLEM_CONVERT_MATRIX_H

#include "problem/options.h"
#include "problem/yaml_tree.h"

/* *out gets rows * columns numbers in row order, owned by the problem; the default if `node` is NULL. Its size
   follows model.students and model.teachers of `problem`. */
sgdmft_status convert_matrix(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                             const sgdmft_problem *problem, double **out);

#endif
