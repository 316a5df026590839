/* The points of a sweep over ranks: each is solved by one of them, which writes its files, and rank 0 hears how it
   went. */
#ifndef SGDMFT_CLI_SWEEP_SPREAD_H
#define SGDMFT_CLI_SWEEP_SPREAD_H

#include "core/ranks.h"
#include "cli/processes.h"
#include "cli/sweep_points.h"

/* Sets point->owner: points that take long first, each to the rank that has least to do. Kept points are rank 0's. */
sgdmft_status sweep_spread(sgdmft_context *ctx, int n_ranks, sweep_points *points);

/* Together: which points are kept and which files may be replaced, as rank 0 found out. */
sgdmft_status sweep_spread_plan(sgdmft_context *ctx, rank_group *all, sweep_points *points);

/* How a point ended. */
typedef struct sweep_news {
    int code;
    sgdmft_status status;
    int has_solution, has_times; /* 1: there is a solution; and a time in it */
    size_t complaints;           /* bytes that follow */
} sweep_news;

/* From the rank that solved a point to rank 0, with what that rank complained about. */
sgdmft_status sweep_news_send(sgdmft_context *ctx, rank_group *all, processes *p, sweep_news news);

/* At rank 0. *complaints is to be freed. */
sgdmft_status sweep_news_receive(sgdmft_context *ctx, rank_group *all, int from, sweep_news *out, char **complaints);

/* The row of a point that another rank solved, from the curves it wrote. */
sgdmft_status sweep_news_row(sgdmft_context *ctx, const sweep_news *news, sweep_point *point);

#endif
