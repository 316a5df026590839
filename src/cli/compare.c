/* sgdmft compare: do two sets of curves agree within their standard errors? */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "io/compare.h"
#include "io/csv_read.h"

static int read_limits(const arguments *args, compare_limits *out)
{
    *out = (compare_limits){.sigma = COMPARE_SIGMA, .rtol = -1.0};
    int code = arguments_number(args, "sigma", 1e-3, 1e6, &out->sigma);
    return code ? code : arguments_number(args, "rtol", 0.0, 1.0, &out->rtol);
}

static int read_table(const job *j, const char *path, csv_table **out)
{
    int code = job_check_readable(path);
    return code ? code : report_status(j->ctx, csv_read(j->ctx, path, out), NULL);
}

/* The file name and its first comment line, which says what it is. */
static void print_source(char letter, const csv_table *table)
{
    printf("%c  %s", letter, table->path);
    size_t length = strcspn(table->comments, "\n");
    if (length > 0)
        printf("  (%.*s%s)", length > 60 ? 60 : (int)length, table->comments, length > 60 ? "..." : "");
    putchar('\n');
}

static void print_unshared(char letter, const csv_table *table, const csv_table *other)
{
    int any = 0;
    for (size_t c = 0; c < table->n_columns; c++) {
        const char *name = table->columns[c].name;
        if (!compare_is_quantity(name) || csv_values(other, name))
            continue;
        if (!any++)
            printf("not compared, only in %c:", letter);
        printf(" %s", name);
    }
    if (any)
        putchar('\n');
}

static void print_times(const comparison *c)
{
    char fine = c->interpolated_a ? 'A' : 'B';
    printf("%zu time%s compared, t = %.6g to %.6g", c->n_times, c->n_times == 1 ? "" : "s", c->t_first, c->t_last);
    if (c->n_interpolated > 0)
        printf("; %zu of them interpolated in %c by a local cubic", c->n_interpolated, fine);
    if (c->n_outside > 0)
        printf("; %zu left out, as the other file has nothing there", c->n_outside);
    putchar('\n');
}

/* Standard errors, or what stands in their place. */
static void print_z(double z, int exact, int width)
{
    if (exact && z == 0.0)
        printf("%*s", width, "exact");
    else
        printf("%*.2f", width, z);
}

static void print_column(const compare_column *column, size_t n_times)
{
    int exact = isnan(column->rms_z);
    printf("%-16s", column->name);
    print_z(column->z, exact, 9);
    printf(" %9.4g %13.6g %13.6g %11.2e ", column->t, column->a, column->b, column->relative);
    if (exact)
        printf("%9s", "-");
    else
        printf("%9.2f", column->rms_z);
    if (column->agrees)
        puts("  agrees");
    else
        printf("  DIFFERS at %zu of %zu\n", column->n_disagree, n_times);
}

static void print_table(const csv_table *a, const csv_table *b, const comparison *c, compare_limits limits)
{
    print_source('A', a);
    print_source('B', b);
    print_times(c);
    print_unshared('A', a, b);
    print_unshared('B', b, a);
    printf("\n%-16s%9s %9s %13s %13s %11s %9s\n", "column", "worst z", "at t", "A", "B", "|A-B|/scale", "RMS z");
    size_t differ = 0;
    for (size_t i = 0; i < c->n_columns; i++) {
        print_column(&c->columns[i], c->n_times);
        differ += !c->columns[i].agrees;
    }
    printf("\nlimit: %g standard errors", limits.sigma);
    if (limits.rtol >= 0.0)
        printf(", or %g of the column's largest |B|", limits.rtol);
    else
        printf(" (exact values: %g of the column's largest |B|)", COMPARE_RTOL_EXACT);
    if (differ > 0)
        printf("\n%zu of %zu columns differ\n", differ, c->n_columns);
    else
        printf("\nall %zu columns agree\n", c->n_columns);
}

static int compare(const job *j, const csv_table *a, const csv_table *b, compare_limits limits)
{
    comparison *c = NULL;
    int code = report_status(j->ctx, compare_tables(j->ctx, a, b, limits, &c), NULL);
    if (code)
        return code;
    print_table(a, b, c, limits);
    code = c->agrees ? CODE_DONE : CODE_DIFFERS;
    comparison_free(c);
    return code;
}

static int run(const arguments *args)
{
    job j;
    csv_table *a = NULL, *b = NULL;
    compare_limits limits;
    int code = job_open(args, &j);
    if (code == 0)
        code = read_limits(args, &limits);
    if (code == 0)
        code = read_table(&j, args->operands[0], &a);
    if (code == 0)
        code = read_table(&j, args->operands[1], &b);
    if (code == 0)
        code = compare(&j, a, b, limits);
    csv_free(a);
    csv_free(b);
    job_close(&j);
    return code;
}

static const option_spec options[] = {{"sigma", 0, "S", 0, "standard errors of A - B that are allowed (default: 4)"},
                                      {"rtol", 0, "X", 0, "also allow |A - B| up to X times the column's largest |B|"},
                                      OPTION_HELP,
                                      OPTIONS_END};

const command command_compare = {
    .name = "compare",
    .operands = "A.csv B.csv",
    .summary = "compare two sets of curves within their standard errors",
    .details =
        "For every column of both files: the worst difference in standard errors, the time where it occurs,\n"
        "and the root mean square over time. Rows are matched by time; if neither file has all times of the other,\n"
        "the one with more rows is interpolated by a local cubic, and the table says so. Exact values (both\n"
        "standard errors 0) must agree to 1e-6 of the column's largest |B|, or to --rtol. Values that are not\n"
        "numbers differ. The exit code is 0 if all columns agree, 1 if any differs.\n",
    .options = options,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
