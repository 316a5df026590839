#include "validation/claims/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {"holds", "FAILS", "not run"};

const char *verdict_word(verdict v)
{
    return words[v];
}

static void put_bound(char *out, size_t size, const claim_row *row)
{
    if (isinf(row->low) && isinf(row->high))
        snprintf(out, size, "-");
    else if (isinf(row->low) || (row->low == 0 && isfinite(row->high)))
        snprintf(out, size, "<= %.4g", row->high);
    else if (isinf(row->high))
        snprintf(out, size, ">= %.4g", row->low);
    else
        snprintf(out, size, "%.4g to %.4g", row->low, row->high);
}

static void put_value(char *out, size_t size, const claim_row *row)
{
    if (row->verdict == VERDICT_NOT_RUN)
        snprintf(out, size, "-");
    else
        snprintf(out, size, "%.3g", row->value);
}

void report_print_head(FILE *to)
{
    fprintf(to, "%-17s  %-36s  %-78s  %9s  %-13s  %s\n", "claim", "problem", "statistic", "value", "bound", "verdict");
}

void report_print_rows(FILE *to, const claim *c)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        const claim_row *row = &c->rows[i];
        char bound[64], value[32];
        put_bound(bound, sizeof bound, row);
        put_value(value, sizeof value, row);
        fprintf(to, "%-17s  %-36s  %-78s  %9s  %-13s  %s", c->spec->name, row->problem, row->statistic, value, bound,
                verdict_word(row->verdict));
        if (row->verdict == VERDICT_NOT_RUN)
            fprintf(to, ": %s", row->detail);
        else if (row->verdict == VERDICT_FAILS)
            fprintf(to, "\n%-17s  %s", "", row->detail);
        fputc('\n', to);
    }
}

/* A text that is being written. */
typedef struct text_writer {
    char *text;
    size_t size;
    FILE *to;
} text_writer;

static int text_open(text_writer *m)
{
    *m = (text_writer){.text = NULL};
    m->to = open_memstream(&m->text, &m->size);
    return m->to != NULL;
}

static char *text_close(text_writer *m)
{
    int failed = ferror(m->to);
    if (fclose(m->to) == 0 && !failed)
        return m->text;
    free(m->text);
    return NULL;
}

static void put_quoted(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text == '\n' ? ' ' : *text, to);
    }
    fputc('"', to);
}

char *report_table(const claim *claims, size_t n)
{
    text_writer m;
    if (!text_open(&m))
        return NULL;
    fputs("claim,problem,statistic,value,low,high,verdict,detail\n", m.to);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < claims[k].n_rows; i++) {
            const claim_row *row = &claims[k].rows[i];
            fprintf(m.to, "%s,", claims[k].spec->name);
            put_quoted(m.to, row->problem);
            fputc(',', m.to);
            put_quoted(m.to, row->statistic);
            fprintf(m.to, ",%.8g,%.6g,%.6g,%s,", row->value, row->low, row->high, verdict_word(row->verdict));
            put_quoted(m.to, row->detail);
            fputc('\n', m.to);
        }
    return text_close(&m);
}

char *report_series(const claim *c)
{
    static const char *const styles[] = {"line", "points", "dashes"};
    text_writer m;
    if (!text_open(&m))
        return NULL;
    fprintf(m.to, "# claim: %s: %s\n", c->spec->name, c->spec->title);
    for (size_t p = 0; p < c->n_panels; p++) {
        const claim_panel *x = &c->panels[p];
        fprintf(m.to, "# panel: %zu|%s|%s|%s|%s|%s\n", p, x->title, x->x, x->y, x->log_x ? "log" : "linear",
                x->log_y ? "log" : "linear");
    }
    for (size_t s = 0; s < c->n_series; s++) {
        const claim_series *x = &c->series[s];
        fprintf(m.to, "# series: %zu|%zu|%s|%d|%s\n", s, x->panel, styles[x->style], x->colour, x->label);
    }
    fputs("series,x,y,y_se\n", m.to);
    for (size_t s = 0; s < c->n_series; s++)
        for (size_t i = 0; i < c->series[s].n; i++)
            fprintf(m.to, "%zu,%.10g,%.10g,%.4g\n", s, c->series[s].x[i], c->series[s].y[i], c->series[s].se[i]);
    return text_close(&m);
}

/* ---- the page ---- */

static void put_escaped(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", to);
        else if (*text == '>')
            fputs("&gt;", to);
        else if (*text == '&')
            fputs("&amp;", to);
        else if (*text == '"')
            fputs("&quot;", to);
        else
            fputc(*text, to);
    }
}

static void put_cell(FILE *to, const char *class, const char *text)
{
    fprintf(to, "<td class=\"%s\">", class);
    put_escaped(to, text);
    fputs("</td>", to);
}

static void put_row(FILE *to, const claim_row *row)
{
    static const char *const classes[] = {"holds", "fails", "idle"};
    char bound[64], value[32];
    put_bound(bound, sizeof bound, row);
    put_value(value, sizeof value, row);
    fputs("<tr>", to);
    put_cell(to, "text", row->problem);
    fputs("<td class=\"text\">", to);
    put_escaped(to, row->statistic);
    fputs("<br><span class=\"detail\">", to);
    put_escaped(to, row->detail);
    fputs("</span></td>", to);
    put_cell(to, "number", value);
    put_cell(to, "number", bound);
    put_cell(to, classes[row->verdict], verdict_word(row->verdict));
    fputs("</tr>\n", to);
}

static void put_claim(FILE *to, const claim *c, int has_figure)
{
    fprintf(to, "<section id=\"%s\">\n<h2>", c->spec->name);
    put_escaped(to, c->spec->title);
    fprintf(to, " <span class=\"name\">%s</span></h2>\n<p>", c->spec->name);
    put_escaped(to, c->spec->text);
    fputs("</p>\n", to);
    if (has_figure)
        fprintf(to, "<a href=\"%s.svg\"><img src=\"%s.svg\" alt=\"Figure: %s\"></a>\n", c->spec->name, c->spec->name,
                c->spec->title);
    fputs("<table>\n<tr><th class=\"text\">problem</th><th class=\"text\">statistic</th><th>value</th><th>bound</th>"
          "<th class=\"text\">verdict</th></tr>\n",
          to);
    for (size_t i = 0; i < c->n_rows; i++)
        put_row(to, &c->rows[i]);
    fprintf(to, "</table>\n<p class=\"detail\">Data: <a href=\"%s.csv\">%s.csv</a></p>\n</section>\n", c->spec->name,
            c->spec->name);
}

static void put_contents(FILE *to, const claim *claims, size_t n)
{
    fputs("<table>\n<tr><th class=\"text\">claim</th><th>hold</th><th>fail</th><th>not run</th></tr>\n", to);
    for (size_t i = 0; i < n; i++) {
        size_t fails = claim_count(&claims[i], VERDICT_FAILS), idle = claim_count(&claims[i], VERDICT_NOT_RUN);
        fprintf(to, "<tr><td class=\"text\"><a href=\"#%s\">", claims[i].spec->name);
        put_escaped(to, claims[i].spec->title);
        fprintf(to,
                "</a></td><td class=\"number\">%zu</td><td class=\"number%s\">%zu</td><td class=\"number%s\">%zu</td>"
                "</tr>\n",
                claim_count(&claims[i], VERDICT_HOLDS), fails ? " fails" : "", fails, idle ? " idle" : "", idle);
    }
    fputs("</table>\n<p class=\"detail\">All rows: <a href=\"validation.csv\">validation.csv</a></p>\n", to);
}

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>sgdmft "
    "validation</title>\n<style>\n"
    "body { font: 16px/1.5 Georgia, 'Times New Roman', serif; color: #222; max-width: 62rem; margin: 2rem auto;"
    " padding: 0 1rem; }\n"
    "h1 { font-size: 1.7rem; margin-bottom: 0.2rem; }\n"
    "h2 { font-size: 1.25rem; margin: 2.6rem 0 0.3rem; border-top: 1px solid #ccc; padding-top: 1.2rem; }\n"
    ".name { font: 0.8rem monospace; color: #666; margin-left: 0.5rem; }\n"
    "img { max-width: 100%; display: block; margin: 0.8rem auto; }\n"
    "table { border-collapse: collapse; width: 100%; font-size: 0.9rem; margin: 0.8rem 0; }\n"
    "th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid #e4e4e4; vertical-align: top; }\n"
    "th { border-bottom: 1px solid #888; font-weight: normal; color: #555; text-align: right; white-space: nowrap; }\n"
    "th.text { text-align: left; }\n"
    ".number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }\n"
    ".detail { color: #666; font-size: 0.85rem; }\n"
    ".holds { color: #006d4c; white-space: nowrap; }\n"
    ".fails { color: #b00020; font-weight: bold; white-space: nowrap; }\n"
    ".idle { color: #8a5a00; white-space: nowrap; }\n"
    "a { color: #005a9c; }\n"
    "</style>\n</head>\n<body>\n<h1>Validation of sgdmft</h1>\n<p>";

char *report_page(const claim *claims, size_t n, const int *has_figure, const char *heading)
{
    text_writer m;
    if (!text_open(&m))
        return NULL;
    fputs(page_head, m.to);
    put_escaped(m.to, heading);
    fputs("</p>\n", m.to);
    put_contents(m.to, claims, n);
    for (size_t i = 0; i < n; i++)
        put_claim(m.to, &claims[i], has_figure[i]);
    fputs("</body>\n</html>\n", m.to);
    return text_close(&m);
}
