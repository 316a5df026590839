#include "cli/sample_rows.h"

#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/messages.h"

enum { L = SGDMFT_SAMPLE_LANES };

/* The values of the column `visit`. */
enum { AT_TIME, BEFORE_VISIT, AFTER_VISIT };

/* The columns of quantities, in order: NAME1, NAME2, ... */
static const struct column {
    const char *name;
    sgdmft_path_quantity quantity;
    int at_visits; /* 0: empty in rows of visits */
} columns[] = {
    {"th", SGDMFT_PATH_THETA, 0},        {"ths", SGDMFT_PATH_THETA_STAR, 0}, {"w", SGDMFT_PATH_FIELD, 1},
    {"r", SGDMFT_PATH_PREACTIVATION, 1}, {"s", SGDMFT_PATH_SIGNAL, 1},       {"y", SGDMFT_PATH_LABEL, 1},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* The memory of one thread. */
typedef struct workspace {
    sgdmft_context *ctx;
    sgdmft_paths *paths;
} workspace;

static size_t rows_of(const sample_plan *plan, int column)
{
    return sgdmft_sampler_rows(plan->sampler, columns[column].quantity);
}

static int has_preactivations(const sample_plan *plan)
{
    return sgdmft_sampler_rows(plan->sampler, SGDMFT_PATH_PREACTIVATION) > 0;
}

static void put_header(FILE *to, const sample_plan *plan)
{
    fputs(has_preactivations(plan) ? "path,t,visit" : "path,t", to);
    for (int c = 0; c < COLUMNS; c++)
        for (size_t i = 1; i <= rows_of(plan, c); i++)
            fprintf(to, ",%s%zu", columns[c].name, i);
    fputc('\n', to);
}

static void put_lane(FILE *to, const double *values, size_t rows, size_t lane)
{
    for (size_t i = 0; i < rows; i++)
        fprintf(to, ",%.10g", values[i * L + lane]);
}

/* Two rows, without coordinates, which have no visits. */
static void put_visit(FILE *to, const sample_plan *plan, const sgdmft_paths *paths, uint64_t path, size_t lane,
                      size_t visit)
{
    const double *kick = sgdmft_paths_at_visit(paths, SGDMFT_PATH_KICK, visit);
    for (int row = BEFORE_VISIT; row <= AFTER_VISIT; row++) {
        fprintf(to, "%" PRIu64 ",%.12g,%d", path, sgdmft_paths_visit_time(paths, lane, visit), row);
        for (int c = 0; c < COLUMNS; c++) {
            size_t rows = rows_of(plan, c);
            const double *values = sgdmft_paths_at_visit(paths, columns[c].quantity, visit);
            int moved = columns[c].quantity == SGDMFT_PATH_PREACTIVATION && row == AFTER_VISIT;
            for (size_t i = 0; i < rows && !columns[c].at_visits; i++)
                fputc(',', to);
            for (size_t i = 0; i < rows && columns[c].at_visits; i++)
                fprintf(to, ",%.10g", values[i * L + lane] - (moved ? kick[i * L + lane] : 0));
        }
        fputc('\n', to);
    }
}

static void put_time(FILE *to, const sample_plan *plan, const sgdmft_paths *paths, uint64_t path, size_t lane, double t,
                     size_t i)
{
    fprintf(to, "%" PRIu64 ",%.12g", path, t);
    if (has_preactivations(plan))
        fprintf(to, ",%d", AT_TIME);
    for (int c = 0; c < COLUMNS; c++)
        put_lane(to, sgdmft_paths_at(paths, columns[c].quantity, i), rows_of(plan, c), lane);
    fputc('\n', to);
}

static void put_path(FILE *to, const sample_plan *plan, const sgdmft_paths *paths, uint64_t path, size_t lane)
{
    size_t n, visit = 0, visits = plan->visits ? sgdmft_paths_visits(paths, lane) : 0;
    const double *t = sgdmft_sampler_times(plan->sampler, &n);
    for (size_t i = 0; i < n; i++) {
        for (; visit < visits && sgdmft_paths_visit_time(paths, lane, visit) < t[i]; visit++)
            put_visit(to, plan, paths, path, lane, visit);
        put_time(to, plan, paths, path, lane, t[i], i);
    }
}

/* The rows of one block as text, which the caller frees; NULL if out of memory. */
static char *block_text(const sample_plan *plan, uint64_t block, const sgdmft_paths *paths, size_t *size)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, size);
    if (!to)
        return NULL;
    for (size_t lane = 0; lane < L && block * L + lane < plan->paths; lane++)
        put_path(to, plan, paths, block * L + lane, lane);
    int failed = ferror(to);
    if (fclose(to) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* How writing ended: a status, and the context that has its message, if any. */
typedef struct ending {
    sgdmft_status status;
    const sgdmft_context *ctx;
} ending;

static int report(const ending *end)
{
    if (end->status == SGDMFT_ERR_INTERRUPTED)
        complain("interrupted: no paths were written");
    else if (end->ctx)
        return report_failure(end->ctx, end->status);
    else if (end->status)
        complain("out of memory");
    return sgdmft_status_exit_code(end->status);
}

/* A block of rows: its text, or NULL and *end. */
static char *make_block(const sample_plan *plan, uint64_t block, const workspace *own, size_t *size, ending *end)
{
    *end = (ending){sgdmft_paths_draw(own->ctx, own->paths, plan->seed, block), own->ctx};
    if (end->status)
        return NULL;
    char *text = block_text(plan, block, own->paths, size);
    *end = (ending){text ? SGDMFT_OK : SGDMFT_ERR_MEMORY, NULL};
    return text;
}

static int write_blocks(const sample_plan *plan, const workspace *own, FILE *to)
{
    ending end = {SGDMFT_OK, NULL};
    int over = 0;
    int64_t blocks = (int64_t)((plan->paths + L - 1) / L);
#pragma omp parallel for ordered schedule(static, 1) num_threads(plan->threads)
    for (int64_t b = 0; b < blocks; b++) {
        int skip;
#pragma omp atomic read
        skip = over;
        ending mine = {SGDMFT_OK, NULL};
        size_t size = 0;
        char *text = skip ? NULL : make_block(plan, (uint64_t)b, &own[omp_get_thread_num()], &size, &mine);
#pragma omp ordered
        {
            if (!over && text) {
                fwrite(text, 1, size, to);
                if (progress_report(plan->meter, (double)(b + 1) / (double)blocks, 0))
                    mine.status = SGDMFT_ERR_INTERRUPTED;
            }
            if (!over && mine.status) {
                end = mine;
#pragma omp atomic write
                over = 1;
            }
        }
        free(text);
    }
    return report(&end);
}

static void workspaces_free(int n, workspace *own)
{
    for (int i = 0; own && i < n; i++) {
        sgdmft_paths_free(own[i].paths);
        sgdmft_context_free(own[i].ctx);
    }
    free(own);
}

int sample_write(const sample_plan *plan, FILE *to)
{
    workspace *own = calloc((size_t)plan->threads, sizeof *own);
    ending end = {own ? SGDMFT_OK : SGDMFT_ERR_MEMORY, NULL};
    for (int i = 0; i < plan->threads && !end.status; i++) {
        end.status = sgdmft_context_new(&own[i].ctx);
        if (!end.status)
            end = (ending){sgdmft_paths_new(own[i].ctx, plan->sampler, &own[i].paths), own[i].ctx};
    }
    int code = end.status ? report(&end) : CODE_DONE;
    if (!code) {
        put_header(to, plan);
        code = write_blocks(plan, own, to);
    }
    workspaces_free(plan->threads, own);
    return code;
}
