/* The part of YAML a problem file may use, as a tree with positions: mappings, lists and scalars of one document.
   Anchors, aliases, tags and deep nesting are refused. Every failure is SGDMFT_ERR_YAML (or 500) with the position. */
#ifndef SGDMFT_PROBLEM_YAML_H
#define SGDMFT_PROBLEM_YAML_H

#include <stddef.h>

#include "core/context.h"

/* The text to read. `column` characters of its first line stand before it; they are added to positions in that line. */
typedef struct yaml_source {
    const char *name; /* file name for messages, or "--set" */
    const char *text;
    size_t size;
    int column;
} yaml_source;

typedef enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP } tree_kind;
typedef enum tree_style { TREE_PLAIN, TREE_QUOTED, TREE_BLOCK } tree_style;

typedef struct tree_node tree_node;
struct tree_node {
    tree_kind kind;
    int line, column; /* 1-based; of a quoted scalar: its first character inside the quotes */
    int in_flow;      /* 1 inside [...] or {...}, where a comma ends a plain scalar */

    tree_style style; /* scalars */
    char *text;       /* scalars; UTF-8 without NUL characters */

    size_t n;         /* number of items of a list, of pairs of a map */
    tree_node **key;  /* maps: [n], scalars */
    tree_node **item; /* lists: [n] items; maps: [n] values */
};

/* *out is NULL, with SGDMFT_OK, if the text holds nothing but blanks and comments. The caller frees it. */
sgdmft_status tree_parse(sgdmft_context *ctx, const yaml_source *source, tree_node **out);
void tree_free(tree_node *node); /* NULL is allowed */

/* 1 if the value is left out: an empty plain scalar or, with `explicit_too`, one that reads null or ~. */
int tree_is_null(const tree_node *node, int explicit_too);

/* "a list", "a mapping (key: value)", "text", "a value" for messages. */
const char *tree_kind_name(const tree_node *node);

#endif
