#include "io/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"

/* How a fact is kept in a solution. */
typedef enum storage {
    STORED_TEXT,         /* char * */
    STORED_SEED,         /* uint64_t */
    STORED_SIZE,         /* size_t */
    STORED_FLAG,         /* int, 0 or 1 */
    STORED_WHOLE,        /* double that counts */
    STORED_NUMBER,       /* double */
    STORED_STATUS,       /* sgdmft_status, as its number */
    STORED_STATUS_WORD,  /* the same in a word */
    STORED_WHO_SIMULATED /* int, 1: "simulate", 0: "solve" */
} storage;

typedef struct row {
    const char *key;
    storage stored;
    size_t offset; /* in sgdmft_solution */
} row;

#define AT(field) offsetof(sgdmft_solution, field)

static const row rows[] = {
    {"program", STORED_WHO_SIMULATED, AT(info.simulated)},
    {"version", STORED_TEXT, AT(version)},
    {"build", STORED_TEXT, AT(build)},
    {"command", STORED_TEXT, AT(command)},
    {"seed", STORED_SEED, AT(seed)},
    {"status", STORED_STATUS_WORD, AT(status)},
    {"status_code", STORED_STATUS, AT(status)},
    {"message", STORED_TEXT, AT(message)},
    {"paths", STORED_SIZE, AT(info.paths)},
    {"replicas", STORED_SIZE, AT(info.replicas)},
    {"steps", STORED_SIZE, AT(info.steps)},
    {"extrapolated", STORED_FLAG, AT(info.extrapolated)},
    {"visits", STORED_WHOLE, AT(info.visits)},
    {"passes", STORED_NUMBER, AT(info.passes)},
    {"passes_max", STORED_SIZE, AT(info.passes_max)},
    {"residual_max", STORED_NUMBER, AT(info.residual_max)},
    {"accuracy", STORED_NUMBER, AT(info.accuracy)},
    {"accuracy_reached", STORED_NUMBER, AT(info.accuracy_reached)},
    {"se_max", STORED_NUMBER, AT(info.se_max)},
    {"step_error_max", STORED_NUMBER, AT(info.step_error_max)},
    {"memory_bytes", STORED_NUMBER, AT(info.memory_bytes)},
    {"wall_seconds", STORED_NUMBER, AT(info.wall_seconds)},
    {"cpu_seconds", STORED_NUMBER, AT(info.cpu_seconds)},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

const char *provenance_key(size_t index, fact_kind *kind)
{
    if (index >= ROWS)
        return NULL;
    switch (rows[index].stored) {
    case STORED_TEXT:
    case STORED_STATUS_WORD:
    case STORED_WHO_SIMULATED: *kind = FACT_TEXT; break;
    case STORED_NUMBER: *kind = FACT_NUMBER; break;
    case STORED_SEED:
    case STORED_SIZE:
    case STORED_FLAG:
    case STORED_WHOLE:
    case STORED_STATUS: *kind = FACT_COUNT; break;
    }
    return rows[index].key;
}

static fact text_fact(const char *text)
{
    return (fact){.kind = FACT_TEXT, .text = text ? text : ""};
}

static fact count_fact(uint64_t count)
{
    return (fact){.kind = FACT_COUNT, .count = count};
}

fact provenance_get(const sgdmft_solution *solution, const char *command, size_t index)
{
    const void *at = (const char *)solution + rows[index].offset;
    switch (rows[index].stored) {
    case STORED_TEXT: return text_fact(command && rows[index].offset == AT(command) ? command : *(char *const *)at);
    case STORED_SEED: return count_fact(*(const uint64_t *)at);
    case STORED_SIZE: return count_fact(*(const size_t *)at);
    case STORED_FLAG: return count_fact(*(const int *)at != 0);
    case STORED_WHOLE: return count_fact((uint64_t) * (const double *)at);
    case STORED_NUMBER: return (fact){.kind = FACT_NUMBER, .number = *(const double *)at};
    case STORED_STATUS: return count_fact((uint64_t)solution->status);
    case STORED_STATUS_WORD: return text_fact(sgdmft_status_word(solution->status));
    case STORED_WHO_SIMULATED: return text_fact(*(const int *)at ? "simulate" : "solve");
    }
    return text_fact("");
}

static sgdmft_status set_text(sgdmft_context *ctx, char **at, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        return context_out_of_memory(ctx, "the provenance of a file", (double)strlen(text));
    free(*at);
    *at = copy;
    return SGDMFT_OK;
}

/* The status that a word stands for; SGDMFT_OK for one that is not known. */
static sgdmft_status status_of_word(const char *word)
{
    static const sgdmft_status endings[] = {SGDMFT_ERR_DIVERGED, SGDMFT_ERR_NO_CONVERGENCE, SGDMFT_ERR_NON_FINITE,
                                            SGDMFT_ERR_INTERRUPTED, SGDMFT_ERR_ACCURACY};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(sgdmft_status_word(endings[i]), word) == 0)
            return endings[i];
    return SGDMFT_OK;
}

/* The word for the status comes first and its number after it; the worse of the two counts. */
sgdmft_status provenance_set(sgdmft_context *ctx, sgdmft_solution *solution, size_t index, const fact *value)
{
    void *at = (char *)solution + rows[index].offset;
    switch (rows[index].stored) {
    case STORED_TEXT: return set_text(ctx, at, value->text);
    case STORED_SEED: *(uint64_t *)at = value->count; break;
    case STORED_SIZE: *(size_t *)at = (size_t)value->count; break;
    case STORED_FLAG: *(int *)at = value->count != 0; break;
    case STORED_WHOLE: *(double *)at = (double)value->count; break;
    case STORED_NUMBER: *(double *)at = value->number; break;
    case STORED_STATUS: solution->status = value->count ? (sgdmft_status)value->count : solution->status; break;
    case STORED_STATUS_WORD: solution->status = status_of_word(value->text); break;
    case STORED_WHO_SIMULATED: *(int *)at = strcmp(value->text, "simulate") == 0; break;
    }
    return SGDMFT_OK;
}

void provenance_put_comment(FILE *to, const char *key, const char *text)
{
    fprintf(to, "# %s: ", key);
    for (const char *c = text; *c; c++)
        fputc(*c == '\n' || *c == '\r' ? ' ' : *c, to);
    fputc('\n', to);
}
