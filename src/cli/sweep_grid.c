#include "cli/sweep_grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sweep_grid_free(sweep_grid *grid)
{
    for (size_t i = 0; i < grid->n_axes; i++)
        sweep_axis_free(&grid->axis[i]);
    free(grid->axis);
    *grid = (sweep_grid){0};
}

/* Is `key` what this text of --set sets? */
static int sets_key(const char *set, const char *key)
{
    set += strspn(set, " \t");
    size_t length = strlen(key);
    return strncmp(set, key, length) == 0 && set[length + strspn(set + length, " \t")] == '=';
}

static sgdmft_status check_key(sgdmft_context *ctx, const sweep_grid *grid, size_t i, const char *const *sets,
                               size_t n_sets)
{
    const char *key = grid->axis[i].key;
    for (size_t j = 0; j < i; j++)
        if (strcmp(grid->axis[j].key, key) == 0)
            return context_fail(ctx, SGDMFT_ERR_DUPLICATE_KEY,
                                "--over %s: the key is swept twice; give all its values in one --over", key);
    for (size_t j = 0; j < n_sets; j++)
        if (sets_key(sets[j], key))
            return context_fail(ctx, SGDMFT_ERR_CONFLICT, "--over %s: the key is also given by --set; remove one", key);
    return SGDMFT_OK;
}

sgdmft_status sweep_grid_init(sgdmft_context *ctx, const char *const *overs, size_t n_overs, const char *const *sets,
                              size_t n_sets, sweep_grid *out)
{
    *out = (sweep_grid){.n_points = 1};
    out->axis = calloc(n_overs + 1, sizeof *out->axis);
    if (!out->axis)
        return context_out_of_memory(ctx, "a sweep", 0);
    for (size_t i = 0; i < n_overs; i++) {
        out->n_axes = i + 1;
        sgdmft_status status = sweep_axis_parse(ctx, overs[i], &out->axis[i]);
        if (status == SGDMFT_OK)
            status = check_key(ctx, out, i, sets, n_sets);
        if (status != SGDMFT_OK)
            return status;
        out->n_points *= out->axis[i].n; /* both at most SWEEP_POINTS_MAX */
        if (out->n_points > SWEEP_POINTS_MAX)
            return context_fail(ctx, SGDMFT_ERR_RANGE,
                                "--over %s: all values combined make more than %d points; sweep fewer values",
                                out->axis[i].key, SWEEP_POINTS_MAX);
    }
    return SGDMFT_OK;
}

const char *sweep_grid_value(const sweep_grid *grid, size_t point, size_t axis)
{
    for (size_t i = grid->n_axes - 1; i > axis; i--)
        point /= grid->axis[i].n;
    return grid->axis[axis].value[point % grid->axis[axis].n];
}

char *sweep_grid_set(const sweep_grid *grid, size_t point, size_t axis)
{
    char *text = NULL;
    return asprintf(&text, "%s=%s", grid->axis[axis].key, sweep_grid_value(grid, point, axis)) < 0 ? NULL : text;
}

char *sweep_grid_label(const sweep_grid *grid, size_t point)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    for (size_t i = 0; i < grid->n_axes; i++)
        fprintf(to, "%s%s=%s", i ? ", " : "", grid->axis[i].key, sweep_grid_value(grid, point, i));
    int failed = ferror(to);
    if (fclose(to) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}
