/* The settings: the value that the file or an override gives to each option, before it is converted. */
#ifndef SGDMFT_PROBLEM_SETTINGS_H
#define SGDMFT_PROBLEM_SETTINGS_H

#include "problem/options.h"
#include "problem/yaml.h"

typedef struct setting {
    const tree_node *node; /* NULL: not given */
    const char *source;    /* file name or "--set" */
} setting;

typedef struct named_setting {
    const char *name;
    int line, column; /* of the name */
    setting value;
} named_setting;

typedef struct settings {
    const char *source; /* file name; not owned */
    setting value[OPTION_COUNT];
    named_setting *observable;
    size_t n_observables;
    int line[SECTION_COUNT], column[SECTION_COUNT]; /* where each section starts; 0 if absent */

    tree_node *file; /* owned trees, which all nodes above belong to */
    tree_node **set; /* of the overrides */
    char **set_key;  /* owned key of each override */
    size_t n_sets;
} settings;

/* Reads the file's text: unknown and repeated keys fail here. `source` must outlive the settings. On failure, too,
   the settings must be freed. */
sgdmft_status settings_read(sgdmft_context *ctx, const yaml_source *source, settings *out);

/* Applies "key=value" overrides in order, so that the last one for a key counts. The value null removes a setting. */
sgdmft_status settings_override(sgdmft_context *ctx, const char *const *sets, size_t n_sets, settings *s);

/* Gives one option or observable a value, written as in an override; null takes it back. Positions in messages count
   from the start of the value. */
sgdmft_status settings_set(sgdmft_context *ctx, const char *key, const char *value, settings *s);

void settings_free(settings *s);

/* Where the value of an option stands; line 0 if it was not given. */
origin settings_origin(const settings *s, option_id id);

/* SGDMFT_ERR_UNKNOWN_KEY for a dotted key that no option has, with the nearest one that exists. */
sgdmft_status settings_unknown_key(sgdmft_context *ctx, const origin *where, const char *key);

#endif
