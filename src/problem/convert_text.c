#include "problem/convert_text.h"

#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "core/text.h"

static size_t length_without_trailing_blanks(const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        length--;
    return length;
}

static char *copy_trimmed(const char *text)
{
    return strndup(text, length_without_trailing_blanks(text));
}

static sgdmft_status need_scalar(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *what)
{
    if (node->kind != TREE_SCALAR)
        return origin_fail(ctx, SGDMFT_ERR_TYPE, where, "%s is needed, found %s%s", what, tree_kind_name(node),
                            node->kind == TREE_MAP ? "; text that contains ': ' or starts with { needs double quotes"
                                                   : "");
    if (tree_is_null(node, 1) || node->text[strspn(node->text, " \t\r\n")] == '\0')
        return origin_fail(ctx, SGDMFT_ERR_TYPE, where, "%s is needed, found nothing", what);
    return SGDMFT_OK;
}

/* [max(s1, s2)] is a list of the two items `max(s1` and `s2)`: say so before the expression's parser trips over it. */
static sgdmft_status check_cut_by_comma(sgdmft_context *ctx, const origin *where, const tree_node *node)
{
    if (!node->in_flow || node->style != TREE_PLAIN)
        return SGDMFT_OK;
    int open = 0, closed_early = 0;
    for (const char *p = node->text; *p; p++) {
        open += (*p == '(') - (*p == ')');
        closed_early |= open < 0;
    }
    if (open == 0 && !closed_early)
        return SGDMFT_OK;
    return origin_fail(ctx, SGDMFT_ERR_SYNTAX, where,
                        "parentheses of '%s' do not match: inside [...] a comma separates items; put expressions that "
                        "contain commas between double quotes",
                        text_show(node->text).text);
}

sgdmft_status convert_text(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *what,
                           problem_text *out)
{
    sgdmft_status status = need_scalar(ctx, where, node, what);
    if (status == SGDMFT_OK)
        status = check_cut_by_comma(ctx, where, node);
    if (status != SGDMFT_OK)
        return status;
    out->where = *where;
    out->text = copy_trimmed(node->text);
    return out->text ? SGDMFT_OK : context_out_of_memory(ctx, where->key, (double)strlen(node->text));
}

sgdmft_status convert_texts(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                            problem_texts *out)
{
    int list = node->kind == TREE_LIST;
    size_t n = list ? node->n : 1;
    if (list && o->max == 1 && n != 1)
        return origin_fail(ctx, SGDMFT_ERR_SHAPE, where, "one expression is needed, found a list of %zu", n);
    if (n < o->min || n > o->max)
        return origin_fail(ctx, SGDMFT_ERR_SHAPE, where, "%zu expressions; allowed: %zu to %zu", n, (size_t)o->min,
                            (size_t)o->max);
    out->item = calloc(n, sizeof *out->item);
    if (!out->item)
        return context_out_of_memory(ctx, where->key, (double)(n * sizeof *out->item));
    for (size_t i = 0; i < n; i++) {
        const tree_node *one = list ? node->item[i] : node;
        origin here = {where->source, one->line, one->column, where->key};
        sgdmft_status status = convert_text(ctx, &here, one, "an expression", &out->item[i]);
        if (status != SGDMFT_OK)
            return status;
        out->n = i + 1;
    }
    return SGDMFT_OK;
}

sgdmft_status convert_name(sgdmft_context *ctx, const origin *where, const tree_node *node, const char *wanted,
                           char **out)
{
    sgdmft_status status = need_scalar(ctx, where, node, wanted);
    if (status != SGDMFT_OK)
        return status;
    *out = copy_trimmed(node->text);
    return *out ? SGDMFT_OK : context_out_of_memory(ctx, where->key, (double)strlen(node->text));
}
