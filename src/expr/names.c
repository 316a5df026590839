#include "expr/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Longer words are cut: it is only about hints. */
#define LONGEST_WORD 40

const names_entry *names_find(const expr_names *scope, const char *name, size_t length)
{
    for (size_t i = 0; i < scope->n; i++)
        if (strlen(scope->entry[i].name) == length && memcmp(scope->entry[i].name, name, length) == 0)
            return &scope->entry[i];
    return NULL;
}

static names_entry *find_mutable(expr_names *scope, const char *name)
{
    for (size_t i = 0; i < scope->n; i++)
        if (strcmp(scope->entry[i].name, name) == 0)
            return &scope->entry[i];
    return NULL;
}

static int make_room(expr_names *scope)
{
    if (scope->n < scope->room)
        return 0;
    size_t room = scope->room ? 2 * scope->room : 16;
    names_entry *entry = realloc(scope->entry, room * sizeof *entry);
    if (!entry)
        return -1;
    scope->entry = entry;
    scope->room = room;
    return 0;
}

int names_set(expr_names *scope, const char *name, int node)
{
    names_entry *old = find_mutable(scope, name);
    if (old) {
        old->node = node;
        return 0;
    }
    if (make_room(scope))
        return -1;
    char *copy = strdup(name);
    if (!copy)
        return -1;
    scope->entry[scope->n++] = (names_entry){copy, node, NULL};
    return 0;
}

int names_forbid(expr_names *scope, const char *name, const char *why)
{
    names_entry *entry = find_mutable(scope, name);
    if (!entry)
        return 0;
    char *copy = why ? strdup(why) : NULL;
    if (why && !copy)
        return -1;
    free(entry->forbidden);
    entry->forbidden = copy;
    return 0;
}

void names_remove(expr_names *scope, const char *name)
{
    names_entry *entry = find_mutable(scope, name);
    if (!entry)
        return;
    free(entry->name);
    free(entry->forbidden);
    names_entry *end = scope->entry + scope->n--;
    memmove(entry, entry + 1, (size_t)(end - entry - 1) * sizeof *entry);
}

void names_free(expr_names *scope)
{
    for (size_t i = 0; i < scope->n; i++) {
        free(scope->entry[i].name);
        free(scope->entry[i].forbidden);
    }
    free(scope->entry);
    *scope = (expr_names){0};
}

static int smallest(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

int names_distance(const char *a, size_t length, const char *b)
{
    int row[3][LONGEST_WORD + 1]; /* the last two rows and the new one */
    size_t na = length < LONGEST_WORD ? length : LONGEST_WORD;
    size_t nb = strlen(b) < LONGEST_WORD ? strlen(b) : LONGEST_WORD;
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            now[j] = smallest(now[j - 1] + 1, before[j] + 1, before[j - 1] + (x != y));
            int swapped = i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                          y == tolower((unsigned char)a[i - 2]);
            if (swapped && two_before[j - 2] + 1 < now[j])
                now[j] = two_before[j - 2] + 1;
        }
    }
    return row[na % 3][nb];
}
