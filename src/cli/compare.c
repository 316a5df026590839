/* sgdmft compare: checks whether two sets of curves agree within their standard errors. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/job.h"
#include "cli/messages.h"
#include "sgdmft/compare.h"

/* Prints the name of a file and one line about it. */
static void print_source(char side, const sgdmft_comparison *c)
{
    const char *title = sgdmft_comparison_title(c, side);
    printf("%c  %s", side, sgdmft_comparison_source(c, side));
    if (title[0])
        printf("  (%.60s%s)", title, strlen(title) > 60 ? "..." : "");
    putchar('\n');
}

static void print_unshared(char side, const sgdmft_comparison *c)
{
    const char *name;
    for (size_t i = 0; (name = sgdmft_comparison_only_in(c, side, i)); i++) {
        if (i == 0)
            printf("not compared, only in %c:", side);
        printf(" %s", name);
    }
    if (sgdmft_comparison_only_in(c, side, 0))
        putchar('\n');
}

static void print_times(const sgdmft_compared_times *t)
{
    printf("%zu time%s compared, t = %.6g to %.6g", t->n, t->n == 1 ? "" : "s", t->first, t->last);
    if (t->n_interpolated > 0)
        printf("; %zu interpolated in %c by a local cubic", t->n_interpolated, t->interpolated);
    if (t->n_outside > 0)
        printf("; %zu left out, as the other file does not reach them", t->n_outside);
    putchar('\n');
}

/* Prints a difference in standard errors; if both values are exact and equal, "exact". */
static void print_z(double z, int exact, int width)
{
    if (exact && z == 0.0)
        printf("%*s", width, "exact");
    else
        printf("%*.2f", width, z);
}

static void print_curve(const sgdmft_compared_curve *curve, size_t n_times)
{
    int exact = isnan(curve->rms_z);
    printf("%-16s", curve->name);
    print_z(curve->z, exact, 9);
    if (exact)
        printf("%8s", "-");
    else
        printf("%8.3g", curve->limit);
    printf(" %9.4g %13.6g %13.6g %11.2e ", curve->t, curve->a, curve->b, curve->relative);
    if (exact)
        printf("%9s", "-");
    else
        printf("%9.2f", curve->rms_z);
    if (curve->agrees)
        puts("  agrees");
    else
        printf("  DIFFERS at %zu of %zu\n", curve->n_disagree, n_times);
}

static void print_table(const sgdmft_comparison *c, double sigma, double rtol)
{
    size_t n = sgdmft_comparison_n_curves(c), differ = 0;
    print_source('A', c);
    print_source('B', c);
    print_times(sgdmft_comparison_times(c));
    print_unshared('A', c);
    print_unshared('B', c);
    printf("\n%-16s%9s%8s %9s %13s %13s %11s %9s\n", "column", "worst z", "limit", "at t", "A", "B", "|A-B|/scale",
           "RMS z");
    for (size_t i = 0; i < n; i++) {
        print_curve(sgdmft_comparison_curve(c, i), sgdmft_comparison_times(c)->n);
        differ += !sgdmft_comparison_curve(c, i)->agrees;
    }
    printf("\nlimit: as rare as %g standard errors of a normal law", sigma);
    if (rtol >= 0.0)
        printf(", or %g of the column's largest |B|", rtol);
    else
        printf(" (exact values: %g of the column's largest |B|)", SGDMFT_COMPARE_RTOL_EXACT);
    if (differ > 0)
        printf("\n%zu of %zu columns differ\n", differ, n);
    else
        printf("\nall %zu columns agree\n", n);
    for (const char *side = "AB"; *side; side++)
        if (sgdmft_comparison_ending(c, *side))
            printf("%s is not complete: %s\n", sgdmft_comparison_source(c, *side), sgdmft_comparison_ending(c, *side));
}

static int compare(const job *j, double sigma, double rtol)
{
    sgdmft_comparison *c = NULL;
    const char *const *files = j->args->operands;
    int code = report_status(j->ctx, sgdmft_compare_files(j->ctx, files[0], files[1], sigma, rtol, &c), NULL);
    if (code)
        return code;
    print_table(c, sigma, rtol);
    code = sgdmft_comparison_agrees(c) ? CODE_DONE : CODE_DIFFERS;
    sgdmft_comparison_free(c);
    return code;
}

static int run(const arguments *args)
{
    job j;
    double sigma = SGDMFT_COMPARE_SIGMA, rtol = -1.0; /* no rtol */
    int code = job_open(args, &j);
    if (code == 0)
        code = arguments_number(args, "sigma", 1e-3, 1e6, &sigma);
    if (code == 0)
        code = arguments_number(args, "rtol", 0.0, 1.0, &rtol);
    for (size_t i = 0; i < 2 && code == 0; i++)
        code = job_check_readable(args->operands[i]);
    if (code == 0)
        code = compare(&j, sigma, rtol);
    job_close(&j);
    return code;
}

static const option_spec options[] = {{"sigma", 0, "S", 0, "allow what is as rare as S standard errors (default: 4)"},
                                      {"rtol", 0, "X", 0, "also allow |A - B| up to X times the column's largest |B|"},
                                      OPTION_HELP,
                                      OPTIONS_END};

const command command_compare = {
    .name = "compare",
    .operands = "A.csv|.h5 B.csv|.h5",
    .summary = "check whether two sets of curves agree within their standard errors",
    .details =
        "Prints for each column of both files the largest difference in standard errors, the time where it\n"
        "occurs, and the root mean square over time. Rows are matched by time. If neither file has all times of\n"
        "the other, the one with more rows is interpolated by a local cubic, and the table says so. Exact values,\n"
        "whose standard errors are 0, must agree within 1e-6 of the column's largest |B|, or within --rtol.\n"
        "Values that are not numbers never agree. Errors from few replicas follow Student's t: the limit is the\n"
        "quantile of its law that is as rare as --sigma of the normal law. The exit code is 0 if all columns agree,\n"
        "1 if any differs, or if a run is not complete: it diverged, say, or its last output times are missing.\n",
    .options = options,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
