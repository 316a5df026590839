/* From text to nodes of a graph. */
#ifndef SGDMFT_EXPR_PARSER_H
#define SGDMFT_EXPR_PARSER_H

#include "core/origin.h"
#include "expr/graph.h"

/* Parses `text`. Errors carry where->source, the line and column of the offending character, where->key, what was
   found, what is allowed and the nearest valid name. */
sgdmft_status expr_parse(sgdmft_context *ctx, expr_graph *graph, const char *text, const origin *where, expr_node *out);

#endif
