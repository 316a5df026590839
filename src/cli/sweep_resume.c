#include "cli/sweep_resume.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/csv_table.h"
#include "sgdmft/version.h"

/* The line after this one, or NULL at the end of the text. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end && end[1] ? end + 1 : NULL;
}

/* The rest of the first line that starts with `key`, from `line` on; NULL if there is none. */
static const char *find_comment(const char *line, const char *key)
{
    size_t length = strlen(key);
    while (line && strncmp(line, key, length) != 0)
        line = next_line(line);
    return line ? line + length : NULL;
}

/* Do the comments hold this YAML text, a line each? */
static int same_problem(const char *comments, const char *yaml)
{
    const char *line = find_comment(comments, "problem: ");
    while (line && *yaml) {
        size_t length = strcspn(line, "\n");
        if (length != strcspn(yaml, "\n") || strncmp(line, yaml, length) != 0)
            return 0;
        yaml += length + (yaml[length] == '\n');
        line = next_line(line) ? find_comment(next_line(line), "problem: ") : NULL;
    }
    return !line && !*yaml;
}

static int same_word(const char *comment, const char *word)
{
    size_t length = strlen(word);
    return comment && strncmp(comment, word, length) == 0 && comment[length] == '\n';
}

/* Results that a new solve would only repeat. */
static int has_ended(sgdmft_status status)
{
    return status == SGDMFT_OK || status == SGDMFT_ERR_DIVERGED || status == SGDMFT_ERR_NO_CONVERGENCE ||
           status == SGDMFT_ERR_NON_FINITE;
}

static sgdmft_status look_at_curves(const setup *s, const csv_table *curves, int has_hdf5, sweep_row *row,
                                    sweep_found *out)
{
    char *yaml = NULL;
    sgdmft_status status = sgdmft_problem_to_yaml(s->ctx, s->problem, &yaml);
    if (status != SGDMFT_OK)
        return status;
    const char *code = find_comment(curves->comments, "status_code: ");
    int ours = code && same_problem(curves->comments, yaml) &&
               same_word(find_comment(curves->comments, "program: "), "solve") &&
               same_word(find_comment(curves->comments, "version: "), sgdmft_version());
    free(yaml);
    if (!ours)
        return SGDMFT_OK;
    sgdmft_status ended = (sgdmft_status)strtol(code, NULL, 10);
    *out = has_hdf5 && has_ended(ended) ? FOUND_COMPLETE : FOUND_UNFINISHED;
    return *out == FOUND_COMPLETE ? sweep_row_read(s->ctx, curves, ended, row) : SGDMFT_OK;
}

sgdmft_status sweep_resume(const setup *s, const outputs *files, sweep_row *row, sweep_found *out)
{
    int has_csv = access(files->csv, F_OK) == 0, has_hdf5 = access(files->hdf5, F_OK) == 0;
    *out = has_csv || has_hdf5 ? FOUND_OTHER : FOUND_NOTHING;
    if (!has_csv)
        return SGDMFT_OK;
    csv_table *curves = NULL;
    sgdmft_status status = csv_table_read(s->ctx, files->csv, &curves);
    if (status != SGDMFT_OK)
        return status == SGDMFT_ERR_MEMORY ? status : SGDMFT_OK;
    status = look_at_curves(s, curves, has_hdf5, row, out);
    csv_table_free(curves);
    return status;
}
