/* Options whose value is text: expressions, lists of them, paths. */
#ifndef SGDMFT_PROBLEM_CONVERT_TEXT_H
#define SGDMFT_PROBLEM_CONVERT_TEXT_H

#include "problem/options.h"
#include "problem/yaml_tree.h"

/* `where` is the origin of `node`, `what` names what is needed ("an expression"). On failure, too, the fields hold
   only what sgdmft_problem_free can free. */
sgdmft_status convert_text(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *what,
                           problem_text *out);
sgdmft_status convert_texts(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                            problem_texts *out);
/* `wanted` says in messages what the text is: "a file name". */
sgdmft_status convert_name(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *wanted,
                           char **out);

#endif
