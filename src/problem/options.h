/* The one table of options. It drives the reader, --set, the effective echo, the reference file and the manual. */
#ifndef SGDMFT_PROBLEM_OPTIONS_H
#define SGDMFT_PROBLEM_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "problem/problem.h"

typedef enum option_id {
    OPT_DYNAMICS,
    OPT_SAMPLING,
    OPT_BATCH_FRACTION,
    OPT_DELTA,
    OPT_ETA,
    OPT_LAMBDA,
    OPT_PENALTY,
    OPT_HORIZON,
    OPT_MOMENTUM_RATE,
    OPT_MOMENTUM_BETA,
    OPT_STUDENTS,
    OPT_TEACHERS,
    OPT_LABEL,
    OPT_PREDICT,
    OPT_LOSS,
    OPT_PLUGIN,
    OPT_CALLBACKS,
    OPT_Q,
    OPT_M,
    OPT_RHO,
    OPT_TEACHER_LAW,
    OPT_STUDENT_LAW,
    OPT_SAMPLES,
    OPT_OBSERVABLES,
    OPT_ACCURACY,
    OPT_CONTROL,
    OPT_TIME_LIMIT,
    OPT_PATHS,
    OPT_REPLICAS,
    OPT_STEPS,
    OPT_TOLERANCE,
    OPT_SEED,
    OPT_METHOD,
    OPT_RESPONSE,
    OPT_HISTORY,
    OPT_AVERAGES,
    OPT_GRADING,
    OPT_EXTRAPOLATE,
    OPT_PASSES,
    OPT_TIMES,
    OPT_HISTOGRAMS,
    OPT_BINS,
    OPT_D,
    OPT_BATCH,
    OPT_REPETITIONS,
    OPT_ENTRIES,
    OPT_STEP,
    OPTION_COUNT
} option_id;

typedef enum option_type {
    OPTION_CHOICE,      /* an enumeration: unsigned int */
    OPTION_REAL,        /* double */
    OPTION_REALS,       /* problem_reals, one number or a list of min..max, ascending */
    OPTION_INTEGER,     /* 4 or 8 bytes, see width */
    OPTION_BOOL,        /* int */
    OPTION_EXPRESSION,  /* problem_text */
    OPTION_RATE,        /* problem_text: a number in range, or an expression */
    OPTION_EXPRESSIONS, /* problem_texts, one text or a list of min..max */
    OPTION_PATH,        /* char *, a file name */
    OPTION_NAME,        /* char *, a name */
    OPTION_MATRIX,      /* double *, rows x columns */
    OPTION_NAMED        /* problem_texts with names: a mapping name -> expression */
} option_type;

/* Sides of a matrix. */
typedef enum option_side { SIDE_STUDENTS, SIDE_TEACHERS } option_side;

typedef struct option {
    const char *key; /* dotted */
    option_type type;
    size_t offset; /* of the field in struct sgdmft_problem */
    size_t width;  /* of the field */

    const char *preset;       /* default as it would stand in the file; NULL if there is none */
    const char *preset_words; /* default in words where `preset` cannot say it, e.g. "identity" */
    const char *example;      /* value that the reference shows where there is no `preset` */
    const char *required;     /* NULL: optional; otherwise "required" or "required unless ..." */

    double low, high;        /* REAL, REALS, RATE: permitted range, -+HUGE_VAL for none */
    int low_open, high_open; /* 1: the end itself is not permitted */
    uint64_t min, max;       /* INTEGER: permitted range; EXPRESSIONS, NAMED, REALS: permitted number */

    const char *(*choice)(size_t index);     /* CHOICE: names in the order of the enumeration, NULL past the end */
    const char *(*choice_doc)(size_t index); /* a phrase on each choice; NULL where `doc` says all */
    option_side rows, columns;               /* MATRIX */
    int identity, symmetric;                 /* MATRIX: default is the identity (else 0); must be symmetric */

    const char *unit; /* NULL if none */
    const char *doc;
} option;

/* A group of options; the first has no name and holds the keys of the top level. */
typedef struct option_section {
    const char *name; /* "" for the top level */
    const char *doc;
} option_section;

enum { SECTION_COUNT = 8 };

const option *option_get(option_id id);
const option_section *option_get_section(int section);

/* The section an option belongs to, and its name there. `observables` is a section of its own. */
int option_section_of(option_id id);
const char *option_leaf(option_id id);

/* The option of that name in that section, or OPTION_COUNT. */
option_id option_find(int section, const char *leaf);

/* The option with that dotted key, or OPTION_COUNT; observables are none. */
option_id option_by_key(const char *key);

/* The section of that name (not the top level), or -1. */
int option_find_section(const char *name);

/* The documentation of an option, with that of its choices if they have any. Caller frees; NULL if out of memory. */
char *option_doc(const option *o);

/* The permitted values in words: "> 0", "64 to 1000000000", "sgd, sme, ..."; `with_type` puts "number" or "integer"
   before a range. Caller frees; NULL if out of memory. */
char *option_allowed(const option *o, int with_type);

/* The kind of value in one or two words: "number", "integer", "expression". */
const char *option_type_name(const option *o);

#endif
