/* Curves as CSV. The whole text is made in memory first, so that a file is written at once or not at all. */
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/provenance.h"
#include "io/save.h"
#include "columns/solution.h"
#include "sgdmft/output.h"

static void put_facts(FILE *to, const provenance *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const fact *f = &p->facts[i];
        if (f->kind == FACT_COUNT)
            fprintf(to, "# %s: %" PRIu64 "\n", f->key, f->count);
        else if (f->kind == FACT_NUMBER)
            fprintf(to, "# %s: %.6g\n", f->key, f->number);
        else if (f->text[0] != '\0')
            provenance_put_comment(to, f->key, f->text);
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

static void put_rows(FILE *to, const sgdmft_solution *solution)
{
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

static void put_histograms(FILE *to, const sgdmft_solution *solution)
{
    const sgdmft_histograms *h = solution->histograms;
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

/* The file as text in memory, with a decimal point whatever the caller's locale. Returns 0 on failure. */
static int make_text(const sgdmft_solution *solution, const provenance *p, int histograms, char **text, size_t *size)
{
    *text = NULL;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return 0;
    locale_t before = uselocale(plain);
    FILE *to = open_memstream(text, size);
    int good = to != NULL;
    if (good) {
        put_facts(to, p);
        if (!histograms)
            put_errors(to, solution);
        put_problem(to, p->problem);
        (histograms ? put_histograms : put_rows)(to, solution);
        good = !ferror(to);
        good &= fclose(to) == 0;
    }
    uselocale(before);
    freelocale(plain);
    return good;
}

static sgdmft_status write_text(sgdmft_context *ctx, const sgdmft_solution *solution, const sgdmft_problem *problem,
                                const char *command, const char *path, int force, int histograms)
{
    sgdmft_status status = save_check(ctx, path, force);
    if (status != SGDMFT_OK)
        return status;
    status = solution_check_names(ctx, solution);
    if (status != SGDMFT_OK)
        return status;
    provenance *p = NULL;
    status = provenance_new(ctx, solution, problem, command, &p);
    if (status != SGDMFT_OK)
        return status;
    char *text = NULL;
    size_t size = 0;
    if (make_text(solution, p, histograms, &text, &size))
        status = save_bytes(ctx, path, text, size, force);
    else
        status = context_out_of_memory(ctx, "the text of a CSV file", (double)size);
    free(text);
    provenance_free(p);
    return status;
}

sgdmft_status sgdmft_write_csv(sgdmft_context *ctx, const sgdmft_solution *solution, const sgdmft_problem *problem,
                               const char *command, const char *path, int force)
{
    return write_text(ctx, solution, problem, command, path, force, 0);
}

sgdmft_status sgdmft_write_histograms(sgdmft_context *ctx, const sgdmft_solution *solution,
                                      const sgdmft_problem *problem, const char *command, const char *path, int force)
{
    if (!solution->histograms)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "output '%s': the solution has no histograms", path);
    return write_text(ctx, solution, problem, command, path, force, 1);
}
