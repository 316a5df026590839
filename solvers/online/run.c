#include "solvers/online/run.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/memory.h"

double online_run_bytes(const online_setting *s)
{
    double nodes = s->grid->steps + 1, k = s->shape.k, ks = s->shape.kstar;
    return 8.0 * ((double)s->problem->output.times * (double)s->columns.count + nodes * 2 * k * (k + ks));
}

sgdmft_status online_run_new(sgdmft_context *ctx, const online_setting *s, online_run **out)
{
    size_t kk = (size_t)(s->shape.k * s->shape.k), overlap = (size_t)(s->shape.k * s->shape.kstar);
    size_t nodes = (size_t)s->grid->steps + 1, rows = (size_t)s->problem->output.times;
    online_run *run = calloc(1, sizeof *run);
    if (!run)
        return context_out_of_memory(ctx, "a trajectory", sizeof *run);
    run->columns = s->columns.count;
    run->curve = memory_doubles(rows * run->columns);
    run->m = memory_doubles(nodes * overlap);
    run->q = memory_doubles(nodes * kk);
    run->R = memory_doubles(nodes * kk);
    run->F = memory_doubles(nodes * overlap);
    run->stein = memory_doubles(kk);
    run->stein_scale = memory_doubles(kk);
    if (!run->curve || !run->m || !run->q || !run->R || !run->F || !run->stein || !run->stein_scale) {
        online_run_free(run);
        return context_out_of_memory(ctx, "a trajectory", online_run_bytes(s));
    }
    *out = run;
    return SGDMFT_OK;
}

void online_run_free(online_run *run)
{
    if (!run)
        return;
    free(run->curve);
    free(run->m);
    free(run->q);
    free(run->R);
    free(run->F);
    free(run->step);
    free(run->pair_C);
    free(run->pair_R);
    free(run->residual);
    free(run->stein);
    free(run->stein_scale);
    free(run->message);
    free(run);
}

void online_run_stop(online_run *run, sgdmft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_replace(&run->message, format, args);
    va_end(args);
    run->status = status;
}

void online_run_state(const online_setting *s, const online_run *run, size_t row, double *m, double *q)
{
    const double *curve = run->curve + row * run->columns, *lower = curve + s->columns.q;
    memcpy(m, curve + s->columns.m, sizeof(double) * (size_t)(s->shape.k * s->shape.kstar));
    for (int a = 0; a < s->shape.k; a++)
        for (int b = 0; b <= a; b++)
            q[a * s->shape.k + b] = q[b * s->shape.k + a] = *lower++;
}

/* some: NULL for all. */
static int observe(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                   const char *some, double *row)
{
    size_t train = s->columns.train_loss, test = s->columns.test_loss;
    online_state at;
    const double *mean;
    if (online_state_set(s, t, m, q, &at))
        return 0;
    int code = online_law_observe(law, &at, &mean);
    for (size_t i = 0; i <= (size_t)s->shape.observables; i++) {
        if (!some || some[train])
            row[train] = mean[i];
        if (!some || some[test])
            row[test] = mean[i];
        train = s->columns.observables + 2 * i;
        test = train + 1;
    }
    return code;
}

int online_run_observe(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                       double *row)
{
    return observe(s, law, t, m, q, NULL, row);
}

int online_run_observe_some(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                            const char *some, double *row)
{
    return observe(s, law, t, m, q, some, row);
}
