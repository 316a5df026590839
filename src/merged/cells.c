#include "merged/cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* Rounding must not decide whether cells of equal steps are merged. */
static const double ROUNDING = 1e-9;

void cell_list_add(cell_list *list, double start, double end)
{
    list->cell[list->n++] = (merged_cell){start, end};
}

/* Cells that end later than this are kept as they are at time t. */
static double latest_end(const cell_rule *rule, double t)
{
    double rounding = ROUNDING * t, latest = t - rule->recent;
    if (rule->epoch > 0)
        latest = fmin(latest, rule->epoch * floor((t + rounding) / rule->epoch));
    return latest + rounding;
}

int cell_list_pair(const cell_list *list, double t, int from)
{
    double latest = latest_end(&list->rule, t);
    for (int c = from; c + 1 < list->n; c++) {
        double width = list->cell[c + 1].end - list->cell[c].start, age = t - list->cell[c + 1].end;
        if (list->cell[c + 1].end > latest)
            return -1;
        if (width <= list->rule.ratio * age + ROUNDING * t)
            return c;
    }
    return -1;
}

double cell_list_merge(cell_list *list, int c)
{
    merged_cell *cell = list->cell + c;
    double share = cell_list_share(list, c);
    cell[0].end = cell[1].end;
    memmove(cell + 1, cell + 2, sizeof *cell * (size_t)(list->n - c - 2));
    list->n--;
    return share;
}

/* Merges whatever is to be merged at time t. */
static void merge_all(cell_list *list, double t)
{
    for (int c = cell_list_pair(list, t, 0); c >= 0; c = cell_list_pair(list, t, c))
        cell_list_merge(list, c);
}

int cell_rule_count(const time_grid *grid, cell_rule rule, double *mean)
{
    cell_list list = {.rule = rule, .cell = memory_zeroed((size_t)grid->steps + 1, sizeof *list.cell)};
    int most = 0;
    double sum = 0;
    for (int i = 0; i < grid->steps && list.cell; i++) {
        cell_list_add(&list, grid->t[i], grid->t[i + 1]);
        most = list.n > most ? list.n : most;
        sum += list.n;
        merge_all(&list, grid->t[i + 1]);
    }
    free(list.cell);
    *mean = sum / grid->steps;
    return most;
}

int cell_list_new(const time_grid *grid, cell_rule rule, cell_list *out)
{
    double mean;
    *out = (cell_list){.rule = rule, .most = cell_rule_count(grid, rule, &mean)};
    out->cell = memory_zeroed((size_t)out->most + 1, sizeof *out->cell);
    return out->cell && out->most > 0 ? 0 : -1;
}

void cell_list_clear(cell_list *list)
{
    free(list->cell);
    *list = (cell_list){0};
}
