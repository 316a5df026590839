#include "cli/sweep_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/provenance.h"
#include "io/save.h"
#include "sgdmft/version.h"

#define FIRST_LINE "# program: sweep\n"

/* Names of curves in the order of their columns; borrowed from the rows. */
typedef struct name_list {
    const char **name;
    size_t n;
} name_list;

static size_t find_name(const name_list *list, const char *name)
{
    size_t i = 0;
    while (i < list->n && strcmp(list->name[i], name) != 0)
        i++;
    return i;
}

/* Adds what the row has and the list has not, each name behind the one before it in the row. Returns 0 on failure. */
static int merge_names(name_list *list, const sweep_row *row)
{
    size_t place = 0;
    for (size_t i = 0; i < row->n; i++) {
        size_t found = find_name(list, row->value[i].name);
        if (found < list->n) {
            place = found + 1;
            continue;
        }
        const char **grown = realloc(list->name, (list->n + 1) * sizeof *grown);
        if (!grown)
            return 0;
        list->name = grown;
        memmove(grown + place + 1, grown + place, (list->n - place) * sizeof *grown);
        grown[place++] = row->value[i].name;
        list->n++;
    }
    return 1;
}

/* A field of a CSV file; quoted if it has to be. */
static void put_field(FILE *to, const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void put_header(FILE *to, const sweep_grid *grid, const name_list *names)
{
    fputs("point,", to);
    for (size_t i = 0; i < grid->n_axes; i++) {
        put_field(to, grid->axis[i].key);
        fputc(',', to);
    }
    fputs("status,t", to);
    for (size_t i = 0; i < names->n; i++)
        fprintf(to, ",%s,%s_se", names->name[i], names->name[i]);
    fputc('\n', to);
}

/* "nan" whatever its sign, and %.12g as in the curves, so that a row is the same whether solved or read back. */
static void put_number(FILE *to, double value)
{
    if (isnan(value))
        fputs(",nan", to);
    else
        fprintf(to, ",%.12g", value);
}

static void put_row(FILE *to, const sweep_grid *grid, size_t point, const sweep_row *row, const name_list *names)
{
    fprintf(to, "%zu,", point + 1);
    for (size_t i = 0; i < grid->n_axes; i++) {
        put_field(to, sweep_grid_value(grid, point, i));
        fputc(',', to);
    }
    fputs(row->status, to);
    put_number(to, row->t);
    for (size_t i = 0; i < names->n; i++) {
        const sweep_value *found = sweep_row_find(row, names->name[i]);
        put_number(to, found ? found->value : NAN);
        put_number(to, found ? found->se : NAN);
    }
    fputc('\n', to);
}

static void put_table(FILE *to, const sweep_grid *grid, const sweep_row *const *rows, const char *source,
                      const char *command, const name_list *names)
{
    fputs(FIRST_LINE, to);
    provenance_put_comment(to, "version", sgdmft_version());
    provenance_put_comment(to, "build", sgdmft_build_info());
    provenance_put_comment(to, "command", command);
    provenance_put_comment(to, "file", source);
    put_header(to, grid, names);
    for (size_t i = 0; i < grid->n_points; i++)
        put_row(to, grid, i, rows[i], names);
}

sgdmft_status sweep_table_write(sgdmft_context *ctx, const sweep_grid *grid, const sweep_row *const *rows,
                                const char *source, const char *command, const char *path, int force)
{
    name_list names = {0};
    char *text = NULL;
    size_t size = 0;
    int good = 1;
    for (size_t i = 0; i < grid->n_points && good; i++)
        good = merge_names(&names, rows[i]);
    FILE *to = good ? open_memstream(&text, &size) : NULL;
    if (to) {
        put_table(to, grid, rows, source, command, &names);
        good = !ferror(to);
        good &= fclose(to) == 0;
    }
    sgdmft_status status = good && to ? save_bytes(ctx, path, text, size, force)
                                      : context_out_of_memory(ctx, "the table of a sweep", (double)size);
    free(names.name);
    free(text);
    return status;
}

int sweep_table_recognise(const char *path)
{
    char line[sizeof FIRST_LINE] = "";
    FILE *from = fopen(path, "re");
    if (!from)
        return 0;
    int same = fgets(line, sizeof line, from) && strcmp(line, FIRST_LINE) == 0;
    fclose(from);
    return same;
}

/* --- on standard output ------------------------------------------------------------------------------------------ */

enum { WIDEST = 32, STATUS_WIDTH = 19 };

/* Characters for the values of an axis; longer values are cut. */
static int width_of(const sweep_axis *axis)
{
    size_t width = strlen(axis->key);
    for (size_t i = 0; i < axis->n; i++)
        width = strlen(axis->value[i]) > width ? strlen(axis->value[i]) : width;
    return width > WIDEST ? WIDEST : (int)width;
}

static void print_cell(const char *text, int width)
{
    if (strlen(text) > (size_t)width)
        printf("  %.*s...", width - 3, text);
    else
        printf("  %-*s", width, text);
}

void sweep_table_print_header(const sweep_grid *grid)
{
    fputs("  point", stdout);
    for (size_t i = 0; i < grid->n_axes; i++)
        print_cell(grid->axis[i].key, width_of(&grid->axis[i]));
    printf("  %-*s  %-8s  %-21s  %s\n", STATUS_WIDTH, "status", "t", "train_loss", "test_loss");
    fflush(stdout);
}

static void print_value(const sweep_row *row, const char *name, int last)
{
    char text[64] = "-";
    const sweep_value *found = sweep_row_find(row, name);
    if (found && found->se > 0)
        snprintf(text, sizeof text, "%-10.4g +- %.1e", found->value, found->se);
    else if (found)
        snprintf(text, sizeof text, "%.4g", found->value);
    printf("  %-*s", last ? 0 : 21, text);
}

void sweep_table_print_row(const sweep_grid *grid, size_t point, const sweep_row *row, int kept)
{
    char status[STATUS_WIDTH + 1];
    snprintf(status, sizeof status, "%s%s", row->status, kept ? ", kept" : "");
    printf("  %5zu", point + 1);
    for (size_t i = 0; i < grid->n_axes; i++)
        print_cell(sweep_grid_value(grid, point, i), width_of(&grid->axis[i]));
    printf("  %-*s  %-8.5g", STATUS_WIDTH, status, row->t);
    print_value(row, "train_loss", 0);
    print_value(row, "test_loss", 1);
    putchar('\n');
    fflush(stdout);
}
