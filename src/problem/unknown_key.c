#include "problem/unknown_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "problem/options.h"
#include "core/origin.h"
#include "core/text.h"

enum { NAMES = OPTION_COUNT + SECTION_COUNT };

/* Names to choose from, and the dotted key each stands for. */
typedef struct name_list {
    size_t n;
    const char *name[NAMES], *key[NAMES];
} name_list;

static void add_name(name_list *list, const char *name, const char *key)
{
    list->name[list->n] = name;
    list->key[list->n++] = key;
}

/* The keys of one section; at the top level the names of the other sections too. */
static name_list names_in(int section)
{
    name_list list = {.n = 0};
    for (option_id id = 0; id < OPTION_COUNT; id++)
        if (option_section_of(id) == section && id != OPT_OBSERVABLES)
            add_name(&list, option_leaf(id), option_get(id)->key);
    for (int i = 1; section == 0 && i < SECTION_COUNT; i++)
        add_name(&list, option_get_section(i)->name, option_get_section(i)->name);
    return list;
}

static name_list names_outside(int section)
{
    name_list list = {.n = 0};
    for (option_id id = 0; id < OPTION_COUNT; id++)
        if (option_section_of(id) != section && id != OPT_OBSERVABLES)
            add_name(&list, option_leaf(id), option_get(id)->key);
    for (int i = 1; section != 0 && i < SECTION_COUNT; i++)
        add_name(&list, option_get_section(i)->name, option_get_section(i)->name);
    return list;
}

static name_list full_keys(void)
{
    name_list list = {.n = 0};
    for (option_id id = 0; id < OPTION_COUNT; id++)
        add_name(&list, option_get(id)->key, option_get(id)->key);
    return list;
}

static const char *exact(const name_list *list, const char *wanted)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->name[i], wanted) == 0)
            return list->key[i];
    return NULL;
}

static const char *nearest(const name_list *list, const char *wanted)
{
    int i = text_nearest(wanted, list->name, list->n);
    return i < 0 ? NULL : list->key[i];
}

/* The names separated by commas; caller frees; NULL if out of memory. */
static char *joined(const char *const *names, size_t n)
{
    size_t size = 1;
    for (size_t i = 0; i < n; i++)
        size += strlen(names[i]) + 2;
    char *text = malloc(size);
    if (!text)
        return NULL;
    char *end = text;
    *end = '\0';
    for (size_t i = 0; i < n; i++)
        end = stpcpy(stpcpy(end, i ? ", " : ""), names[i]);
    return text;
}

static sgdmft_status fail_with_list(sgdmft_context *ctx, const origin *where, const char *key, const char *place,
                                    const char *const *names, size_t n)
{
    char *list = joined(names, n);
    if (!list)
        return context_out_of_memory(ctx, "a message", 0);
    origin_fail(ctx, SGDMFT_ERR_UNKNOWN_KEY, where, "unknown key '%s'%s; allowed: %s", text_show(key).text, place,
                 list);
    free(list);
    return SGDMFT_ERR_UNKNOWN_KEY;
}

/* Where the right place of a key is, said to someone who edits a file. */
static sgdmft_status fail_misplaced(sgdmft_context *ctx, const origin *where, const char *key, const char *right)
{
    const char *dot = strchr(right, '.');
    if (!dot)
        return origin_fail(ctx, SGDMFT_ERR_UNKNOWN_KEY, where,
                            "unknown key '%s'; did you mean '%s' at the top level? (not indented)",
                            text_show(key).text, right);
    return origin_fail(ctx, SGDMFT_ERR_UNKNOWN_KEY, where,
                        "unknown key '%s'; did you mean '%s'? (indented under '%.*s:')", text_show(key).text, right,
                        (int)(dot - right), right);
}

static sgdmft_status fail_unknown(sgdmft_context *ctx, const origin *where, int section, const char *leaf,
                                  const char *key)
{
    name_list here = names_in(section), elsewhere = names_outside(section), full = full_keys();
    const char *right = strchr(leaf, '.') ? exact(&full, leaf) : exact(&elsewhere, leaf);
    if (right)
        return fail_misplaced(ctx, where, key, right);
    right = nearest(&here, leaf);
    if (right)
        return origin_fail(ctx, SGDMFT_ERR_UNKNOWN_KEY, where, "unknown key '%s'; did you mean '%s'?",
                            text_show(key).text, right);
    right = nearest(&elsewhere, leaf);
    if (right)
        return fail_misplaced(ctx, where, key, right);
    return fail_with_list(ctx, where, key, section ? " in this section" : " at the top level", here.name, here.n);
}

sgdmft_status unknown_key_in_file(sgdmft_context *ctx, const origin *where, int section, const char *leaf)
{
    origin here = *where;
    char *key = NULL;
    here.key = NULL; /* the message names the whole key */
    if (asprintf(&key, "%s%s%s", option_get_section(section)->name, section ? "." : "", leaf) < 0)
        return context_out_of_memory(ctx, "a message", 0);
    sgdmft_status status = fail_unknown(ctx, &here, section, leaf, key);
    free(key);
    return status;
}

sgdmft_status unknown_key_in_override(sgdmft_context *ctx, const origin *where, const char *key)
{
    name_list full = full_keys(), leaves = names_outside(0);
    const char *dot = strchr(key, '.');
    const char *leaf = dot ? dot + 1 : key;
    const char *right = exact(&leaves, leaf);
    if (!right)
        right = nearest(&full, key);
    if (!right)
        right = nearest(&leaves, leaf);
    if (right)
        return origin_fail(ctx, SGDMFT_ERR_UNKNOWN_KEY, where, "unknown key '%s'; did you mean '%s'?",
                            text_show(key).text, right);
    return fail_with_list(ctx, where, key, "", full.key, full.n);
}
