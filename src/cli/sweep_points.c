#include "cli/sweep_points.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "sgdmft/io.h"
#include "sgdmft/version.h"

/* --- problems ---------------------------------------------------------------------------------------------------- */

static int label_point(const sweep_grid *grid, size_t i, sweep_point *point)
{
    char *values = sweep_grid_label(grid, i);
    if (!values || asprintf(&point->label, "point %zu (%s)", i + 1, values) < 0)
        point->label = NULL;
    free(values);
    return point->label ? 0 : report_out_of_memory();
}

/* Reads the problem file with the overrides of a point. */
static int read_problem(const job *j, const sweep_grid *grid, size_t i, sweep_point *point)
{
    char **sets = calloc(grid->n_axes + 1, sizeof *sets);
    int code = sets ? 0 : report_out_of_memory();
    for (size_t axis = 0; axis < grid->n_axes && code == 0; axis++) {
        sets[axis] = sweep_grid_set(grid, i, axis);
        if (!sets[axis])
            code = report_out_of_memory();
    }
    if (code == 0)
        code = job_read_problem(j, (const char *const *)sets, grid->n_axes, point->label, &point->problem);
    for (size_t axis = 0; sets && axis < grid->n_axes; axis++)
        free(sets[axis]);
    free(sets);
    return code;
}

static int check_cost(const job *j, sweep_point *point)
{
    sgdmft_status status = sgdmft_estimate_cost(j->ctx, point->problem, &point->cost);
    if (status == SGDMFT_OK)
        status = sgdmft_check_memory(j->ctx, &point->cost);
    return report_status(j->ctx, status, point->label);
}

int sweep_points_read(const job *j, const sweep_grid *grid, sweep_points *out)
{
    *out = (sweep_points){.point = calloc(grid->n_points, sizeof *out->point)};
    if (!out->point)
        return report_out_of_memory();
    int code = 0;
    for (size_t i = 0; i < grid->n_points && code == 0; i++) {
        sweep_point *point = &out->point[i];
        point->row = sweep_row_empty();
        out->n = i + 1;
        code = label_point(grid, i, point);
        if (code == 0)
            code = read_problem(j, grid, i, point);
        if (code == 0)
            code = check_cost(j, point);
    }
    return code;
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

/* --- files, and those that an earlier sweep left ----------------------------------------------------------------- */

static int count_digits(size_t n)
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
        return report_out_of_memory();
    int code = outputs_name(args, stem, NULL, NULL, &point->files);
    point->files.paired = 1; /* a sweep that is resumed relies on the arrays that belong to the curves */
    free(stem);
    return code;
}

int sweep_points_name(const arguments *args, const char *directory, sweep_points *points)
{
    int code = 0, digits = count_digits(points->n);
    for (size_t i = 0; i < points->n && code == 0; i++)
        code = name_files(args, directory, digits, i, &points->point[i]);
    return code;
}

/* The files at the place of a point. */
typedef enum remains {
    REMAINS_NONE,
    REMAINS_COMPLETE,   /* both files, of the same effective problem and program version, of a solve that had ended */
    REMAINS_UNFINISHED, /* of the same problem and version, but interrupted or without the HDF5 file */
    REMAINS_FOREIGN     /* anything else */
} remains;

/* 1 if another solve would only give the same result again. */
static int is_final(sgdmft_status status)
{
    return status == SGDMFT_OK || status == SGDMFT_ERR_DIVERGED || status == SGDMFT_ERR_NO_CONVERGENCE ||
           status == SGDMFT_ERR_NON_FINITE || status == SGDMFT_ERR_ACCURACY;
}

/* 1 if the line `asked` of a problem leaves to the solver what the line `solved` says. */
static int is_choice(const char *asked, size_t asked_length, const char *solved)
{
    static const char before[] = "  # ", after[] = ": chosen by the solver";
    size_t around = strlen(before) + strlen(after), key = asked_length - around;
    return asked_length > around && strncmp(asked, before, strlen(before)) == 0 &&
           strncmp(asked + asked_length - strlen(after), after, strlen(after)) == 0 && strncmp(solved, "  ", 2) == 0 &&
           strncmp(solved + 2, asked + strlen(before), key) == 0 && solved[2 + key] == ':';
}

/* 1 if the problem `solved` is the problem `asked`, both as YAML, with what the solver chose. Where all is left to it,
   that may be the exact method. */
static int is_problem_of(const char *solved, const char *asked)
{
    static const char march[] = "  method: march\n", linear[] = "  method: linear\n";
    int open = strstr(asked, "\n  # paths: chosen ") && strstr(asked, "\n  # replicas: chosen ") &&
               strstr(asked, "\n  # steps: chosen ");
    while (*asked && *solved) {
        size_t length = strcspn(asked, "\n"), other = strcspn(solved, "\n");
        int same = length == other && strncmp(asked, solved, length) == 0;
        int exact = open && strncmp(asked, march, strlen(march)) == 0 && strncmp(solved, linear, strlen(linear)) == 0;
        if (!same && !exact && !is_choice(asked, length, solved))
            return 0;
        asked += length + (asked[length] == '\n');
        solved += other + (solved[other] == '\n');
    }
    return !*asked && !*solved;
}

/* 1 if this version of the program has solved this problem, which is given as YAML. */
static int is_solution_of(const sgdmft_solution *solution, const char *yaml)
{
    return !sgdmft_solution_info(solution)->simulated && is_problem_of(sgdmft_solution_problem(solution), yaml) &&
           strcmp(sgdmft_solution_version(solution), sgdmft_version()) == 0;
}

/* Classifies the files of a point, and fills its row if they are complete. */
static int classify_files(const job *j, sweep_point *point, remains *out)
{
    const outputs *files = &point->files;
    int has_csv = access(files->csv, F_OK) == 0, has_hdf5 = access(files->hdf5, F_OK) == 0;
    *out = has_csv || has_hdf5 ? REMAINS_FOREIGN : REMAINS_NONE;
    if (!has_csv)
        return 0;
    sgdmft_solution *found = NULL;
    sgdmft_status status = sgdmft_solution_read(j->ctx, files->csv, NULL, &found);
    if (status != SGDMFT_OK) /* a foreign file, unless there is no memory to read it */
        return status == SGDMFT_ERR_MEMORY ? report_status(j->ctx, status, point->label) : 0;
    char *yaml = NULL;
    int code = report_status(j->ctx, sgdmft_problem_to_yaml(j->ctx, point->problem, &yaml), point->label);
    if (code == 0 && is_solution_of(found, yaml)) {
        *out = has_hdf5 && is_final(sgdmft_solution_status(found)) ? REMAINS_COMPLETE : REMAINS_UNFINISHED;
        if (*out == REMAINS_COMPLETE)
            code = sweep_row_from_solution(found, &point->row);
    }
    free(yaml);
    sgdmft_solution_free(found);
    return code;
}

/* Keeps a point that is complete. Unfinished files of the same problem may be replaced even without --force. */
static int resume_point(const job *j, sweep_point *point)
{
    remains found = REMAINS_NONE;
    int code = classify_files(j, point, &found);
    if (code)
        return code;
    point->kept = found == REMAINS_COMPLETE;
    point->files.force |= found == REMAINS_UNFINISHED;
    if (found != REMAINS_FOREIGN || point->files.force)
        return 0;
    print_error("%s: the sweep cannot be resumed, as '%s' and '%s' are not of this problem and program version; use "
                "--force to replace them",
                point->label, point->files.csv, point->files.hdf5);
    return CODE_SYSTEM;
}

int sweep_points_check(const job *j, sweep_points *points)
{
    int code = 0, resume = arguments_has(j->args, "resume");
    for (size_t i = 0; i < points->n && code == 0; i++) {
        sweep_point *point = &points->point[i];
        if (resume)
            code = resume_point(j, point);
        if (code || point->kept)
            continue;
        code = outputs_check(j, point->files.hdf5, point->files.force);
        if (code == 0)
            code = outputs_check(j, point->files.csv, point->files.force);
    }
    return code;
}

int sweep_points_read_row(const job *j, sweep_point *point)
{
    sgdmft_solution *solution = NULL;
    int code = report_status(j->ctx, sgdmft_solution_read(j->ctx, point->files.csv, NULL, &solution), point->label);
    if (code == 0)
        code = sweep_row_from_solution(solution, &point->row);
    sgdmft_solution_free(solution);
    return code;
}

/* --- ranks ------------------------------------------------------------------------------------------------------- */

/* The point that takes longest among those without a rank; points->n if there is none. */
static size_t find_longest(const sweep_points *points)
{
    size_t found = points->n;
    for (size_t i = 0; i < points->n; i++) {
        const sweep_point *point = &points->point[i];
        if (point->rank < 0 && (found == points->n || point->cost.cpu_seconds > points->point[found].cost.cpu_seconds))
            found = i;
    }
    return found;
}

/* Longest points first, each to the rank that is least busy. Kept points belong to rank 0. */
static int choose_ranks(int n_ranks, sweep_points *points)
{
    double *busy = calloc((size_t)n_ranks, sizeof *busy);
    if (!busy)
        return report_out_of_memory();
    for (size_t i = 0; i < points->n; i++)
        points->point[i].rank = points->point[i].kept ? 0 : -1;
    for (size_t i = find_longest(points); i < points->n; i = find_longest(points)) {
        int least = 0;
        for (int rank = 1; rank < n_ranks; rank++)
            if (busy[rank] < busy[least])
                least = rank;
        points->point[i].rank = least;
        busy[least] += points->point[i].cost.cpu_seconds;
    }
    free(busy);
    return 0;
}

int sweep_points_assign(const processes *p, sweep_points *points)
{
    int code = p->rank == 0 ? choose_ranks(p->size, points) : 0;
    processes_broadcast(p, &code, sizeof code);
    for (size_t i = 0; i < points->n && code == 0; i++) {
        sweep_point *point = &points->point[i];
        int decided[3] = {point->rank, point->kept, point->files.force};
        processes_broadcast(p, decided, sizeof decided);
        point->rank = decided[0];
        point->kept = decided[1];
        point->files.force = decided[2];
    }
    return code;
}
