/* The names in the expressions of a model, and which expression may use which. */
#ifndef SGDMFT_MODEL_MODEL_SCOPE_H
#define SGDMFT_MODEL_MODEL_SCOPE_H

#include "model/model_parts.h"

/* The expressions of a problem file. */
typedef enum model_use { USE_PREDICT, USE_LABEL, USE_LOSS, USE_OBSERVABLE } model_use;

/* Declares all variables of a model with m->shape (k, kstar, labels), numbered as model_r() and so on say. The nodes of
   the first `count` of them go to variable[]; f, f1, ... are names without a value until model_scope_predict. */
sgdmft_status model_scope_declare(sgdmft_context *ctx, expr_graph *graph, const model *m, size_t n_predict,
                                  expr_node variable[MODEL_VARIABLES]);

/* Gives prediction number `i` of n its value. */
sgdmft_status model_scope_predict(sgdmft_context *ctx, expr_graph *graph, size_t i, size_t n, expr_node value);

/* Forbids the names that expressions for `use` may not have, with a reason that says where they belong. */
sgdmft_status model_scope_enter(sgdmft_context *ctx, expr_graph *graph, const model *m, size_t n_predict,
                                model_use use);

#endif
