#include "io/csv_write.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/provenance.h"

static void put_facts(FILE *to, const sgdmft_solution *solution, const char *command)
{
    fact_kind kind;
    const char *key;
    for (size_t i = 0; (key = provenance_key(i, &kind)); i++) {
        fact f = provenance_get(solution, command, i);
        if (kind == FACT_COUNT)
            fprintf(to, "# %s: %" PRIu64 "\n", key, f.count);
        else if (kind == FACT_NUMBER)
            fprintf(to, "# %s: %.6g\n", key, f.number);
        else if (f.text[0] != '\0')
            provenance_put_comment(to, key, f.text);
    }
}

static void put_errors(FILE *to, const sgdmft_solution *solution)
{
    for (size_t i = 0; i < solution->n_identities; i++) {
        const sgdmft_identity *x = &solution->identities[i];
        fprintf(to, "# identity: %s at t = %.6g: defect %.3e, se %.3e, scale %.3e\n", x->name, x->t, x->defect, x->se,
                x->scale);
    }
    for (size_t c = 0; c < solution->n_curves; c++) {
        double largest = 0.0;
        for (size_t i = 0; i < solution->n_times; i++)
            largest = fmax(largest, fabs(solution->curves[c].step_error[i]));
        if (largest > 0.0)
            fprintf(to, "# step_error: %s at most %.3e\n", solution->curves[c].name, largest);
    }
}

static void put_problem(FILE *to, const char *yaml)
{
    while (*yaml) {
        size_t length = strcspn(yaml, "\n");
        fprintf(to, "# problem: %.*s\n", (int)length, yaml);
        yaml += length + (yaml[length] == '\n');
    }
}

static void put_curves(FILE *to, const sgdmft_solution *solution, const char *command)
{
    put_facts(to, solution, command);
    put_errors(to, solution);
    put_problem(to, solution->problem);
    fputs("t", to);
    for (size_t c = 0; c < solution->n_curves; c++)
        fprintf(to, ",%s,%s_se", solution->curves[c].name, solution->curves[c].name);
    fputc('\n', to);
    for (size_t i = 0; i < solution->n_times; i++) {
        fprintf(to, "%.12g", solution->times[i]);
        for (size_t c = 0; c < solution->n_curves; c++)
            fprintf(to, ",%.12g,%.12g", solution->curves[c].value[i], solution->curves[c].se[i]);
        fputc('\n', to);
    }
}

static void put_histograms(FILE *to, const sgdmft_solution *solution, const char *command)
{
    const solution_histograms *h = solution->histograms;
    put_facts(to, solution, command);
    put_problem(to, solution->problem);
    fprintf(to, "t,coordinate,left,right,density%s\n", h->se ? ",density_se" : "");
    for (size_t i = 0; i < h->n_times; i++)
        for (size_t a = 0; a < (size_t)solution->k; a++) {
            const double *edge = h->edges + a * (h->n_bins + 1);
            size_t first = (i * (size_t)solution->k + a) * h->n_bins;
            for (size_t b = 0; b < h->n_bins; b++) {
                fprintf(to, "%.12g,%zu,%.12g,%.12g,%.12g", h->t[i], a + 1, edge[b], edge[b + 1], h->density[first + b]);
                if (h->se)
                    fprintf(to, ",%.12g", h->se[first + b]);
                fputc('\n', to);
            }
        }
}

typedef void (*put_fn)(FILE *to, const sgdmft_solution *solution, const char *command);

/* Returns 0 if there is no memory. */
static int write_text(put_fn put, const sgdmft_solution *solution, const char *command, char **text, size_t *size)
{
    FILE *to = open_memstream(text, size);
    if (!to)
        return 0;
    put(to, solution, command);
    int good = !ferror(to);
    return fclose(to) == 0 && good;
}

/* In the C locale, so that the text has a decimal point whatever the caller's locale. */
static sgdmft_status make_text(sgdmft_context *ctx, put_fn put, const sgdmft_solution *solution, const char *command,
                               char **text, size_t *size)
{
    *text = NULL;
    *size = 0;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return context_out_of_memory(ctx, "a locale", 0);
    locale_t before = uselocale(plain);
    int good = write_text(put, solution, command, text, size);
    uselocale(before);
    freelocale(plain);
    if (good)
        return SGDMFT_OK;
    free(*text);
    *text = NULL;
    return context_out_of_memory(ctx, "the text of a CSV file", (double)*size);
}

sgdmft_status csv_curves(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command, char **text,
                         size_t *size)
{
    return make_text(ctx, put_curves, solution, command, text, size);
}

sgdmft_status csv_histograms(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command, char **text,
                             size_t *size)
{
    return make_text(ctx, put_histograms, solution, command, text, size);
}
