#include "cli/sweep_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/messages.h"
#include "cli/outputs.h"
#include "io/save.h"
#include "sgdmft/version.h"

#define FIRST_LINE "# program: sweep\n"

/* --- rows -------------------------------------------------------------------------------------------------------- */

sweep_row sweep_row_empty(void)
{
    return (sweep_row){.status = "not run", .t = NAN};
}

void sweep_row_free(sweep_row *row)
{
    for (size_t i = 0; i < row->n; i++)
        free(row->value[i].name);
    free(row->value);
    *row = sweep_row_empty();
}

sweep_row sweep_row_without_values(sgdmft_status ended)
{
    sweep_row row = sweep_row_empty();
    row.status = sgdmft_status_word(ended);
    row.succeeded = ended == SGDMFT_OK;
    return row;
}

int sweep_row_from_solution(const sgdmft_solution *solution, sweep_row *row)
{
    *row = sweep_row_without_values(sgdmft_solution_status(solution));
    size_t n_times = sgdmft_solution_n_times(solution), n_curves = sgdmft_solution_n_curves(solution);
    if (n_times == 0)
        return 0;
    row->t = sgdmft_solution_times(solution)[n_times - 1];
    row->value = calloc(n_curves + 1, sizeof *row->value);
    if (!row->value)
        return report_out_of_memory();
    for (; row->n < n_curves; row->n++) {
        const sgdmft_curve *curve = sgdmft_solution_curve_at(solution, row->n);
        const double *se = sgdmft_curve_se(curve);
        sweep_value value = {.name = strdup(sgdmft_curve_name(curve)),
                             .value = sgdmft_curve_value(curve)[n_times - 1],
                             .se = se ? se[n_times - 1] : 0.0};
        if (!value.name)
            return report_out_of_memory();
        row->value[row->n] = value;
    }
    return 0;
}

static const sweep_value *find_value(const sweep_row *row, const char *name)
{
    for (size_t i = 0; i < row->n; i++)
        if (strcmp(row->value[i].name, name) == 0)
            return &row->value[i];
    return NULL;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

/* The names of all curves in the order of their columns, borrowed from the rows. */
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

/* Adds the names of the row that the list lacks, each after the name before it in the row. Returns 0 if out of
   memory. */
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

/* Writes a field of a CSV file, in quotes if it needs them. */
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

/* Writes 12 digits, as the files of curves have, so that a row is the same whether it is solved or read back; "nan"
   has no sign. */
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
        const sweep_value *found = find_value(row, names->name[i]);
        put_number(to, found ? found->value : NAN);
        put_number(to, found ? found->se : NAN);
    }
    fputc('\n', to);
}

static void put_table(FILE *to, const sweep_grid *grid, const sweep_row *const *rows, const char *source,
                      const char *command, const name_list *names)
{
    fputs(FIRST_LINE, to);
    outputs_put_comment(to, "version", sgdmft_version());
    outputs_put_comment(to, "build", sgdmft_build_info());
    outputs_put_comment(to, "command", command);
    outputs_put_comment(to, "file", source);
    put_header(to, grid, names);
    for (size_t i = 0; i < grid->n_points; i++)
        put_row(to, grid, i, rows[i], names);
}

int sweep_table_write(const job *j, const sweep_grid *grid, const sweep_row *const *rows, const char *command,
                      const char *path, int force)
{
    name_list names = {0};
    char *text = NULL;
    size_t size = 0;
    int complete = 1;
    for (size_t i = 0; i < grid->n_points && complete; i++)
        complete = merge_names(&names, rows[i]);
    FILE *to = complete ? open_memstream(&text, &size) : NULL;
    if (to) {
        put_table(to, grid, rows, j->args->operands[0], command, &names);
        complete = !ferror(to);
        complete &= fclose(to) == 0;
    }
    int code = complete && to ? report_status(j->ctx, save_bytes(j->ctx, path, text, size, force), NULL)
                              : report_out_of_memory();
    free(names.name);
    free(text);
    return code;
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

/* The width of the column of an axis; longer values are cut. */
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
    const sweep_value *found = find_value(row, name);
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
