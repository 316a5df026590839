#include "cli/run.h"

#include <math.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/processes.h"
#include "cli/progress.h"

/* --- cost -------------------------------------------------------------------------------------------------------- */

void run_put_bytes(FILE *to, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int i = 0;
    while (bytes >= 1000.0 && i < 5) {
        bytes /= 1024.0;
        i++;
    }
    fprintf(to, "%.3g %s", bytes, units[i]);
}

void run_put_seconds(FILE *to, double seconds)
{
    if (seconds < 60.0)
        fprintf(to, "%.2g s", seconds);
    else if (seconds < 3600.0)
        fprintf(to, "%.0f min %02.0f s", floor(seconds / 60.0), floor(fmod(seconds, 60.0)));
    else
        fprintf(to, "%.0f h %02.0f min", floor(seconds / 3600.0), floor(fmod(seconds / 60.0, 60.0)));
}

void run_put_cost(FILE *to, const sgdmft_cost *cost)
{
    run_put_bytes(to, cost->memory_bytes);
    fputs(" of memory", to);
    if (cost->path_bytes > 0.0) {
        fputs(": ", to);
        run_put_bytes(to, cost->path_bytes);
        fputs(" per path, ", to);
        run_put_bytes(to, cost->pair_bytes);
        fputs(" per pair of time steps", to);
    }
    if (cost->available_bytes > 0.0) {
        fputs(" (", to);
        run_put_bytes(to, cost->available_bytes);
        fputs(" available)", to);
    }
    fputs(", about ", to);
    run_put_seconds(to, cost->wall_seconds);
}

void run_print_estimate(const sgdmft_cost *cost)
{
    fputs("estimated ", stdout);
    run_put_cost(stdout, cost);
    putchar('\n');
    fflush(stdout); /* so that it is seen during the run */
}

static int estimate(const job *j, const run_kind *kind)
{
    sgdmft_cost cost;
    int code = report_status(j->ctx, kind->estimate(j->ctx, j->problem, &cost), NULL);
    if (code || arguments_has(j->args, "quiet"))
        return code;
    printf("%s: ", j->args->operands[0]);
    run_print_estimate(&cost);
    return 0;
}

/* --- the run ----------------------------------------------------------------------------------------------------- */

int run_and_write(const job *j, const run_kind *kind, void *report, const outputs *o, const char *label,
                  const char *subject, run_result *out)
{
    *out = (run_result){.status = SGDMFT_OK};
    progress meter;
    progress_start(&meter, j->ctx, j->args, label);
    out->status = kind->compute(j->ctx, j->problem, report, &out->solution);
    progress_end(&meter, j->ctx);
    int code = report_status(j->ctx, out->status, subject);
    if (!out->solution)
        return code;
    int failed = outputs_write(o, j->ctx, out->solution);
    out->written = !failed;
    return failed ? failed : code;
}

static int run_and_report(const job *j, const run_kind *kind, void *report, const outputs *o)
{
    run_result result;
    int code = run_and_write(j, kind, report, o, "", NULL, &result);
    if (result.solution && !arguments_has(j->args, "quiet")) {
        kind->print_summary(result.solution, report);
        int histograms = outputs_have_histograms(result.solution);
        if (result.written)
            printf("  %-22s  %s, %s%s%s\n", result.status == SGDMFT_OK ? "written" : "written (incomplete)", o->hdf5,
                   o->csv, histograms ? ", " : "", histograms ? o->histograms : "");
    }
    sgdmft_solution_free(result.solution);
    return code;
}

/* There are histograms if the kind of run makes them and the problem asks for them. */
static int plan_outputs(const job *j, const run_kind *kind, outputs *o)
{
    char *times = NULL;
    int code = report_status(j->ctx, sgdmft_problem_get(j->ctx, j->problem, "output.histograms", &times), NULL);
    if (code == 0)
        code = outputs_plan(j, kind->histograms && times, o);
    free(times);
    return code;
}

int run_problem(const arguments *args, const run_kind *kind, void *report)
{
    job j;
    outputs o = {0};
    processes *p = args->processes;
    int code = job_open_problem(args, &j);
    if (code == 0) {
        if (p->rank == 0)
            code = plan_outputs(&j, kind, &o);
        progress_catch_signals();
        code = processes_agree(p, code);
    }
    if (code == 0)
        code = processes_agree(p, estimate(&j, kind));
    if (code == 0)
        code = run_and_report(&j, kind, report, &o);
    outputs_free(&o);
    job_close(&j);
    return code;
}
