#include "cli/sweep_spread.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/csv_table.h"

/* The point that takes longest among those without an owner; n if there is none. */
static size_t longest(const sweep_points *points)
{
    size_t found = points->n;
    for (size_t i = 0; i < points->n; i++) {
        const sweep_point *point = &points->point[i];
        if (point->owner < 0 && (found == points->n || point->cost.cpu_seconds > points->point[found].cost.cpu_seconds))
            found = i;
    }
    return found;
}

sgdmft_status sweep_spread(sgdmft_context *ctx, int n_ranks, sweep_points *points)
{
    double *busy = memory_doubles((size_t)n_ranks);
    if (!busy)
        return context_out_of_memory(ctx, "a sweep", 8.0 * n_ranks);
    for (size_t i = 0; i < points->n; i++)
        points->point[i].owner = points->point[i].kept ? 0 : -1;
    for (size_t i = longest(points); i < points->n; i = longest(points)) {
        int least = 0;
        for (int r = 1; r < n_ranks; r++)
            if (busy[r] < busy[least])
                least = r;
        points->point[i].owner = least;
        busy[least] += points->point[i].cost.cpu_seconds;
    }
    free(busy);
    return SGDMFT_OK;
}

sgdmft_status sweep_spread_plan(sgdmft_context *ctx, rank_group *all, sweep_points *points)
{
    int *found = memory_zeroed(2 * points->n, sizeof *found);
    sgdmft_status status = ranks_agree(
        ctx, all, found ? SGDMFT_OK : context_out_of_memory(ctx, "a sweep", 2.0 * (double)points->n * sizeof *found));
    for (size_t i = 0; i < points->n && !status; i++) {
        found[2 * i] = points->point[i].kept;
        found[2 * i + 1] = points->point[i].files.force;
    }
    if (!status)
        status = ranks_broadcast(ctx, all, found, 2 * points->n * sizeof *found);
    for (size_t i = 0; i < points->n && !status; i++) {
        points->point[i].kept = found[2 * i];
        points->point[i].files.force = found[2 * i + 1];
    }
    free(found);
    return status;
}

sgdmft_status sweep_news_send(sgdmft_context *ctx, rank_group *all, processes *p, sweep_news news)
{
    const char *complaints = processes_complaints(p);
    news.complaints = complaints ? strlen(complaints) : 0;
    sgdmft_status status = ranks_send(ctx, all, 0, &news, sizeof news);
    if (!status && news.complaints)
        status = ranks_send(ctx, all, 0, complaints, news.complaints);
    return status;
}

sgdmft_status sweep_news_receive(sgdmft_context *ctx, rank_group *all, int from, sweep_news *out, char **complaints)
{
    *complaints = NULL;
    *out = (sweep_news){0};
    sgdmft_status status = ranks_receive(ctx, all, from, out, sizeof *out);
    if (status)
        return status;
    *complaints = calloc(out->complaints + 1, 1);
    if (!*complaints)
        return context_out_of_memory(ctx, "a message", (double)out->complaints);
    return out->complaints ? ranks_receive(ctx, all, from, *complaints, out->complaints) : SGDMFT_OK;
}

sgdmft_status sweep_news_row(sgdmft_context *ctx, const sweep_news *news, sweep_point *point)
{
    if (!news->has_solution)
        return SGDMFT_OK;
    if (!news->has_times) {
        point->row.status = sgdmft_status_word(news->status);
        return SGDMFT_OK;
    }
    csv_table *curves = NULL;
    sgdmft_status status = csv_table_read(ctx, point->files.csv, &curves);
    if (status)
        return status;
    status = sweep_row_read(ctx, curves, news->status, &point->row);
    csv_table_free(curves);
    return status;
}
