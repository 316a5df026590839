/* The names an expression may use, and the nearest of them to a misspelt one. */
#ifndef SGDMFT_EXPR_NAMES_H
#define SGDMFT_EXPR_NAMES_H

#include <stddef.h>

typedef struct names_entry {
    char *name;
    int node;
    char *forbidden; /* why the name may not be used now, or NULL */
} names_entry;

typedef struct expr_names {
    size_t n, room;
    names_entry *entry;
} expr_names;

/* Adds or replaces; 0, or non-zero when out of memory. */
int names_set(expr_names *scope, const char *name, int node);
/* Non-zero when out of memory; unknown names are ignored. NULL allows the name again. */
int names_forbid(expr_names *scope, const char *name, const char *why);
void names_remove(expr_names *scope, const char *name);
const names_entry *names_find(const expr_names *scope, const char *name, size_t length);
void names_free(expr_names *scope);

/* Number of insertions, deletions, replacements and swaps of neighbours between two words, ignoring case. */
int names_distance(const char *a, size_t length, const char *b);

#endif
