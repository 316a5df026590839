#include "cli/sweep_points.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/sweep_resume.h"
#include "solvers/solver.h"

static int out_of_memory(void)
{
    complain("out of memory");
    return CODE_SYSTEM;
}

void sweep_points_free(sweep_points *points)
{
    for (size_t i = 0; i < points->n; i++) {
        sweep_point *point = &points->point[i];
        sgdmft_problem_free(point->problem);
        outputs_free(&point->files);
        sweep_row_free(&point->row);
        free(point->label);
    }
    free(points->point);
    *points = (sweep_points){0};
}

static int name_point(const sweep_grid *grid, size_t i, sweep_point *point)
{
    char *values = sweep_grid_label(grid, i);
    if (!values || asprintf(&point->label, "point %zu (%s)", i + 1, values) < 0)
        point->label = NULL;
    free(values);
    return point->label ? 0 : out_of_memory();
}

/* The problem file with the overrides of a point. */
static int read_problem(const arguments *args, sgdmft_context *ctx, const sweep_grid *grid, size_t i,
                        sweep_point *point)
{
    char **sets = calloc(grid->n_axes + 1, sizeof *sets);
    int code = sets ? 0 : out_of_memory();
    for (size_t axis = 0; axis < grid->n_axes && code == 0; axis++) {
        sets[axis] = sweep_grid_set(grid, i, axis);
        if (!sets[axis])
            code = out_of_memory();
    }
    if (code == 0)
        code = setup_read(args, ctx, (const char *const *)sets, grid->n_axes, point->label, &point->problem);
    for (size_t axis = 0; sets && axis < grid->n_axes; axis++)
        free(sets[axis]);
    free(sets);
    return code;
}

static int check_cost(sgdmft_context *ctx, sweep_point *point)
{
    sgdmft_status status = sgdmft_estimate_cost(ctx, point->problem, &point->cost);
    if (status == SGDMFT_OK)
        status = sgdmft_check_memory(ctx, &point->cost);
    return status == SGDMFT_OK ? 0 : report_failure_of(ctx, status, point->label);
}

int sweep_points_read(const arguments *args, sgdmft_context *ctx, const sweep_grid *grid, sweep_points *out)
{
    *out = (sweep_points){.point = calloc(grid->n_points, sizeof *out->point)};
    if (!out->point)
        return out_of_memory();
    int code = 0;
    for (size_t i = 0; i < grid->n_points && code == 0; i++) {
        sweep_point *point = &out->point[i];
        point->row = sweep_row_empty();
        out->n = i + 1;
        code = name_point(grid, i, point);
        if (code == 0)
            code = read_problem(args, ctx, grid, i, point);
        if (code == 0)
            code = check_cost(ctx, point);
    }
    return code;
}

static int digits_of(size_t n)
{
    int digits = 1;
    for (; n >= 10; n /= 10)
        digits++;
    return digits < 3 ? 3 : digits;
}

static int name_files(const arguments *args, const char *directory, int digits, size_t i, sweep_point *point)
{
    char *stem = NULL;
    if (asprintf(&stem, "%s/%0*zu", directory, digits, i + 1) < 0)
        return out_of_memory();
    int code = outputs_name(args, stem, NULL, NULL, &point->files);
    point->files.paired = 1; /* so that curves speak for the arrays beside them when a sweep is resumed */
    free(stem);
    return code;
}

/* Keeps what is complete. Files of the same problem that are not may be replaced even without --force. */
static int resume_point(sgdmft_context *ctx, sweep_point *point)
{
    sweep_found found = FOUND_NOTHING;
    setup s = {.ctx = ctx, .problem = point->problem};
    sgdmft_status status = sweep_resume(&s, &point->files, &point->row, &found);
    if (status != SGDMFT_OK)
        return report_failure_of(ctx, status, point->label);
    point->kept = found == FOUND_COMPLETE;
    point->files.force |= found == FOUND_UNFINISHED;
    if (found != FOUND_OTHER || point->files.force)
        return 0;
    complain(
        "%s: what is in the place of '%s' and '%s' is not of this problem and program version, so the sweep cannot "
        "be resumed there; --force replaces it",
        point->label, point->files.csv, point->files.hdf5);
    return CODE_SYSTEM;
}

static int check_files(const arguments *args, sgdmft_context *ctx, const outputs *files)
{
    int code = outputs_check(args, ctx, files->hdf5, files->force);
    return code ? code : outputs_check(args, ctx, files->csv, files->force);
}

int sweep_points_name(const arguments *args, const char *directory, sweep_points *points)
{
    int code = 0, digits = digits_of(points->n);
    for (size_t i = 0; i < points->n && code == 0; i++)
        code = name_files(args, directory, digits, i, &points->point[i]);
    return code;
}

int sweep_points_plan(const arguments *args, sgdmft_context *ctx, sweep_points *points)
{
    int code = 0;
    for (size_t i = 0; i < points->n && code == 0; i++) {
        sweep_point *point = &points->point[i];
        if (arguments_has(args, "resume"))
            code = resume_point(ctx, point);
        if (code == 0 && !point->kept)
            code = check_files(args, ctx, &point->files);
    }
    return code;
}

size_t sweep_points_left(const sweep_points *points, sgdmft_cost *out)
{
    size_t n = 0;
    *out = (sgdmft_cost){0};
    for (size_t i = 0; i < points->n; i++) {
        const sgdmft_cost *cost = &points->point[i].cost;
        if (points->point[i].kept)
            continue;
        n++;
        out->memory_bytes = fmax(out->memory_bytes, cost->memory_bytes);
        out->available_bytes = cost->available_bytes;
        out->cpu_seconds += cost->cpu_seconds;
        out->wall_seconds += cost->wall_seconds;
    }
    return n;
}
