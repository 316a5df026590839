#include "problem/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "core/text.h"

static const char override_source[] = "--set";

void settings_free(settings *s)
{
    tree_free(s->file);
    for (size_t i = 0; i < s->n_sets; i++) {
        tree_free(s->set[i]);
        free(s->set_key[i]);
    }
    free(s->set);
    free(s->set_key);
    free(s->observable);
    *s = (settings){.source = NULL};
}

origin settings_origin(const settings *s, option_id id)
{
    const setting *value = &s->value[id];
    const char *key = option_get(id)->key;
    if (!value->node)
        return (origin){s->source, 0, 0, key};
    return (origin){value->source, value->node->line, value->node->column, key};
}

/* Messages about keys that no option has: they give the nearest valid name, in this section or in another. */
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

/* The key exists in another section; the message says how to move it there. */
static sgdmft_status fail_misplaced(sgdmft_context *ctx, const origin *where, const char *key, const char *right)
{
    const char *dot = strchr(right, '.');
    if (!dot)
        return origin_fail(ctx, SGDMFT_ERR_UNKNOWN_KEY, where,
                           "unknown key '%s'; did you mean '%s' at the top level? (not indented)", text_show(key).text,
                           right);
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

static sgdmft_status unknown_key_in_file(sgdmft_context *ctx, const origin *where, int section, const char *leaf)
{
    origin here = *where;
    char *key = NULL;
    here.key = NULL; /* the message itself has the whole key */
    if (asprintf(&key, "%s%s%s", option_get_section(section)->name, section ? "." : "", leaf) < 0)
        return context_out_of_memory(ctx, "a message", 0);
    sgdmft_status status = fail_unknown(ctx, &here, section, leaf, key);
    free(key);
    return status;
}

sgdmft_status settings_unknown_key(sgdmft_context *ctx, const origin *where, const char *key)
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

/* The name of an observable becomes part of the names of columns. */
static sgdmft_status check_name(sgdmft_context *ctx, const origin *where, const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    int letter = (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z');
    if (!letter || name[length] != '\0' || length > 64)
        return origin_fail(ctx, SGDMFT_ERR_RANGE, where,
                           "'%s' cannot name an observable; allowed: letters, digits and _, starting with a letter, "
                           "at most 64 characters",
                           text_show(name).text);
    if (strcmp(name, "loss") == 0)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, where,
                           "an observable cannot be named 'loss': train_loss and test_loss are columns already; "
                           "choose another name");
    if (length >= 3 && strcmp(name + length - 3, "_se") == 0)
        return origin_fail(ctx, SGDMFT_ERR_CONFLICT, where,
                           "an observable's name cannot end in '_se', which marks the columns of standard errors: "
                           "'%s'; choose another name",
                           name);
    return SGDMFT_OK;
}

static sgdmft_status add_observable(sgdmft_context *ctx, const origin *where, const char *name, const tree_node *node,
                                    settings *s)
{
    sgdmft_status status = check_name(ctx, where, name);
    if (status != SGDMFT_OK)
        return status;
    size_t most = option_get(OPT_OBSERVABLES)->max;
    if (s->n_observables == most)
        return origin_fail(ctx, SGDMFT_ERR_RANGE, where, "more than %zu observables; leave some out", most);
    named_setting *grown = realloc(s->observable, (s->n_observables + 1) * sizeof *grown);
    if (!grown)
        return context_out_of_memory(ctx, "the observables", 0);
    s->observable = grown;
    grown[s->n_observables++] = (named_setting){name, where->line, where->column, {node, where->source}};
    return SGDMFT_OK;
}

static sgdmft_status check_repeated(sgdmft_context *ctx, const origin *where, const tree_node *map, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(map->key[j]->text, map->key[i]->text) == 0)
            return origin_fail(ctx, SGDMFT_ERR_DUPLICATE_KEY, where,
                               "key '%s' is given twice; first in line %d, column %d; remove one of them",
                               text_show(map->key[i]->text).text, map->key[j]->line, map->key[j]->column);
    return SGDMFT_OK;
}

static sgdmft_status read_section(sgdmft_context *ctx, int section, const tree_node *map, settings *s);

static sgdmft_status read_pair(sgdmft_context *ctx, int section, const tree_node *map, size_t i, settings *s)
{
    const char *key = map->key[i]->text;
    origin where = {s->source, map->key[i]->line, map->key[i]->column, NULL};
    if (section > 0)
        where.key = option_get_section(section)->name;
    sgdmft_status status = check_repeated(ctx, &where, map, i);
    if (status != SGDMFT_OK)
        return status;
    if (section == option_section_of(OPT_OBSERVABLES))
        return add_observable(ctx, &where, key, map->item[i], s);
    int inner = section == 0 ? option_find_section(key) : -1;
    if (inner > 0)
        return read_section(ctx, inner, map->item[i], s);
    option_id id = option_find(section, key);
    if (id == OPTION_COUNT)
        return unknown_key_in_file(ctx, &where, section, key);
    s->value[id] = (setting){map->item[i], s->source};
    return SGDMFT_OK;
}

static sgdmft_status read_section(sgdmft_context *ctx, int section, const tree_node *map, settings *s)
{
    if (tree_is_null(map, 1))
        return SGDMFT_OK; /* a section with everything in it commented out */
    origin where = {s->source, map->line, map->column, section > 0 ? option_get_section(section)->name : NULL};
    if (map->kind != TREE_MAP)
        return origin_fail(ctx, SGDMFT_ERR_TYPE, &where, "%s is needed here: lines 'key: value'%s; found %s",
                           section > 0 ? "a section" : "a problem", section > 0 ? ", indented" : "",
                           tree_kind_name(map));
    s->line[section] = map->line;
    s->column[section] = map->column;
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; i < map->n && status == SGDMFT_OK; i++)
        status = read_pair(ctx, section, map, i, s);
    return status;
}

sgdmft_status settings_read(sgdmft_context *ctx, const yaml_source *source, settings *out)
{
    *out = (settings){.source = source->name};
    sgdmft_status status = tree_parse(ctx, source, &out->file);
    if (status != SGDMFT_OK)
        return status;
    if (!out->file || tree_is_null(out->file, 1)) {
        origin where = {source->name, 1, 1, NULL};
        return origin_fail(ctx, SGDMFT_ERR_YAML, &where,
                           "the file holds no settings; `sgdmft reference` prints a complete one");
    }
    return read_section(ctx, 0, out->file, out);
}

/* The key of an override, without the blanks around it. */
static sgdmft_status override_key(sgdmft_context *ctx, const char *text, const char *equals, char **out)
{
    origin where = {override_source, 1, 1, NULL};
    if (!equals)
        return origin_fail(ctx, SGDMFT_ERR_YAML, &where,
                           "'%s' has no '='; expected KEY=VALUE, for example --set delta=2.0", text_show(text).text);
    const char *first = text + strspn(text, " \t"), *last = equals;
    while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
        last--;
    if (first >= last)
        return origin_fail(ctx, SGDMFT_ERR_YAML, &where,
                           "'%s' has no key before the '='; expected KEY=VALUE, for example --set delta=2.0",
                           text_show(text).text);
    *out = strndup(first, (size_t)(last - first));
    return *out ? SGDMFT_OK : context_out_of_memory(ctx, "an override", 0);
}

static sgdmft_status override_observable(sgdmft_context *ctx, const char *source, const char *name,
                                         const tree_node *node, settings *s)
{
    origin where = {source, 1, 1, "observables"};
    for (size_t i = 0; i < s->n_observables; i++)
        if (strcmp(s->observable[i].name, name) == 0) {
            if (tree_is_null(node, 1)) {
                memmove(&s->observable[i], &s->observable[i + 1], (--s->n_observables - i) * sizeof *s->observable);
                return SGDMFT_OK;
            }
            s->observable[i].value = (setting){node, source};
            return SGDMFT_OK;
        }
    if (tree_is_null(node, 1))
        return SGDMFT_OK;
    return add_observable(ctx, &where, name, node, s);
}

static sgdmft_status fail_section(sgdmft_context *ctx, const origin *where, const char *section)
{
    option_id id = 0;
    while (option_section_of(id) != option_find_section(section))
        id++;
    return origin_fail(ctx, SGDMFT_ERR_TYPE, where, "'%s' is a section; set one of its keys: %s%s=VALUE", section,
                       where->source == override_source ? "--set " : "",
                       id == OPT_OBSERVABLES ? "observables.NAME" : option_get(id)->key);
}

static sgdmft_status override_one(sgdmft_context *ctx, const char *source, const char *key, const tree_node *node,
                                  settings *s)
{
    static const char observables[] = "observables.";
    origin where = {source, 1, 1, NULL};
    if (strncmp(key, observables, sizeof observables - 1) == 0)
        return override_observable(ctx, source, key + sizeof observables - 1, node, s);
    if (option_find_section(key) > 0)
        return fail_section(ctx, &where, key);
    option_id id = option_by_key(key);
    if (id == OPTION_COUNT)
        return settings_unknown_key(ctx, &where, key);
    s->value[id] = tree_is_null(node, 1) ? (setting){NULL, NULL} : (setting){node, source};
    return SGDMFT_OK;
}

/* Takes over a tree and the key it belongs to, which other nodes point to from now on. */
static sgdmft_status keep(sgdmft_context *ctx, tree_node *tree, char *key, settings *s)
{
    size_t n = s->n_sets + 1;
    tree_node **trees = realloc(s->set, n * sizeof *trees);
    s->set = trees ? trees : s->set;
    char **keys = trees ? realloc(s->set_key, n * sizeof *keys) : NULL;
    s->set_key = keys ? keys : s->set_key;
    if (!trees || !keys || !key) {
        tree_free(tree);
        free(key);
        return context_out_of_memory(ctx, "the overrides", (double)(n * sizeof *trees));
    }
    trees[s->n_sets] = tree;
    keys[s->n_sets++] = key;
    return SGDMFT_OK;
}

/* `key` is taken over; `column` is how much of the line stands before the value. */
static sgdmft_status set_value(sgdmft_context *ctx, const char *source, char *key, const char *value, int column,
                               settings *s)
{
    tree_node *tree = NULL;
    yaml_source text = {source, value, strlen(value), column};
    sgdmft_status status = tree_parse(ctx, &text, &tree);
    if (status != SGDMFT_OK) {
        free(key);
        return status;
    }
    int missing = !tree || tree_is_null(tree, 0);
    status = keep(ctx, tree, key, s);
    if (status != SGDMFT_OK)
        return status;
    if (missing) {
        origin where = {source, 1, column + 1, NULL};
        return column ? origin_fail(ctx, SGDMFT_ERR_YAML, &where,
                                     "'%s=%s' has no value after the '='; expected KEY=VALUE", text_show(key).text,
                                     text_show(value).text)
                      : origin_fail(ctx, SGDMFT_ERR_YAML, &where, "the value of %s is empty", text_show(key).text);
    }
    return override_one(ctx, source, key, tree, s);
}

sgdmft_status settings_override(sgdmft_context *ctx, const char *const *sets, size_t n_sets, settings *s)
{
    for (size_t i = 0; i < n_sets; i++) {
        const char *equals = strchr(sets[i], '=');
        char *key = NULL;
        sgdmft_status status = override_key(ctx, sets[i], equals, &key);
        if (status == SGDMFT_OK)
            status = set_value(ctx, override_source, key, equals + 1, (int)(equals + 1 - sets[i]), s);
        if (status != SGDMFT_OK)
            return status;
    }
    return SGDMFT_OK;
}

sgdmft_status settings_set(sgdmft_context *ctx, const char *key, const char *value, settings *s)
{
    return set_value(ctx, s->source, strdup(key), value, 0, s);
}
