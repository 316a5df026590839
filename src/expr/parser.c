/* Precedence climbing. From loose to tight: comparisons (which do not chain), + -, * /, sign, ^ (to the right).

   The depth of nesting is bounded, so no text can exhaust the stack. */
#include "expr/parser.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "core/text.h"
#include "expr/functions.h"
#include "expr/lexer.h"
#include "expr/simplify.h"

#define DEEPEST 200

/* Binding powers. */
enum { BIND_NONE = 0, BIND_COMPARE = 1, BIND_SUM = 2, BIND_PRODUCT = 3, BIND_SIGN = 4, BIND_POWER = 5 };

typedef struct parser {
    lexer lex;
    expr_graph *graph;
    token now; /* not yet consumed */
    int depth;
} parser;

static sgdmft_status parse_tight(parser *p, int least, expr_node *out);

static sgdmft_status advance(parser *p)
{
    return lexer_read(&p->lex, &p->now);
}

#define FAIL(p, status, offset, ...)                                                                                   \
    origin_fail_at((p)->lex.ctx, status, (p)->lex.where, (p)->lex.text, offset, __VA_ARGS__)

static const char *token_text(const parser *p, const token *tok)
{
    return p->lex.text + tok->offset;
}

static sgdmft_status graph_status(parser *p, size_t offset)
{
    if (p->graph->trouble == TROUBLE_SIZE) {
        p->graph->trouble = TROUBLE_NONE;
        return FAIL(p, SGDMFT_ERR_UNSUPPORTED, offset,
                    "expression too large; allowed: at most %d distinct subexpressions; write it with fewer terms, or "
                    "use a plug-in (model.plugin)",
                    EXPR_MAX_NODES);
    }
    return graph_report(p->lex.ctx, p->graph, "while parsing");
}

/* Keeps the better of two candidates for a misspelt word. */
static void offer(const char *word, size_t length, const char *candidate, const char **best, int *distance)
{
    int d = text_distance(word, length, candidate);
    if (!*best || d < *distance) {
        *best = candidate;
        *distance = d;
    }
}

static const char *nearest_function(const char *word, size_t length)
{
    const char *best = NULL;
    int distance = 0;
    for (int op = 0; op < OP_COUNT; op++)
        if (function_of((expr_op)op)->callable)
            offer(word, length, function_of((expr_op)op)->name, &best, &distance);
    return best;
}

static const char *nearest_variable(const parser *p, const char *word, size_t length)
{
    const char *best = NULL;
    int distance = 0;
    for (size_t i = 0; i < p->graph->n_names; i++)
        if (!p->graph->name[i].forbidden)
            offer(word, length, p->graph->name[i].name, &best, &distance);
    offer(word, length, "pi", &best, &distance);
    return best;
}

/* "r, r1, y, pi"; NULL if there is no memory. The caller frees it. */
static char *list_variables(const parser *p)
{
    char *list = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&list, &length);
    if (!stream)
        return NULL;
    for (size_t i = 0; i < p->graph->n_names; i++)
        if (!p->graph->name[i].forbidden)
            fprintf(stream, "%s, ", p->graph->name[i].name);
    fputs("pi", stream);
    if (fclose(stream) == 0)
        return list;
    free(list);
    return NULL;
}

static sgdmft_status unknown_function(parser *p, const token *name)
{
    return FAIL(
        p, SGDMFT_ERR_UNKNOWN_NAME, name->offset,
        "unknown function \"%.*s\"; did you mean \"%s\"? Allowed: if exp log log1p sqrt abs sign tanh sinh cosh "
        "sin cos tan atan erf erfc relu softplus sigmoid min max logsumexp",
        (int)name->length, token_text(p, name), nearest_function(token_text(p, name), name->length));
}

static sgdmft_status unknown_variable(parser *p, const token *name)
{
    char *list = list_variables(p);
    sgdmft_status status =
        FAIL(p, SGDMFT_ERR_UNKNOWN_NAME, name->offset,
             "unknown variable \"%.*s\"; did you mean \"%s\"? Allowed here: %s", (int)name->length, token_text(p, name),
             nearest_variable(p, token_text(p, name), name->length), list ? list : "?");
    free(list);
    return status;
}

/* Fails with the token that was found and `wanted`, a noun phrase for those that are allowed. */
static sgdmft_status unexpected(parser *p, const char *wanted)
{
    if (p->now.kind == TOKEN_END)
        return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset, "the expression ends where %s should follow", wanted);
    return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset, "found \"%.*s\" where %s should stand", (int)p->now.length,
                token_text(p, &p->now), wanted);
}

static sgdmft_status expect_close(parser *p, const token *open)
{
    if (p->now.kind == TOKEN_CLOSE)
        return advance(p);
    int column = origin_column(p->lex.text, open->offset);
    if (p->now.kind == TOKEN_END)
        return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset,
                    "the expression ends, but the \"(\" at its character %d is not closed; add \")\"", column);
    return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset,
                "found \"%.*s\" where an operator or the \")\" of the \"(\" at character %d should stand",
                (int)p->now.length, token_text(p, &p->now), column);
}

/* All arguments are parsed, so that the message can say how many there are; those beyond EXPR_MAX_ARGS are dropped. */
static sgdmft_status parse_arguments(parser *p, const token *open, expr_node *args, int *n)
{
    *n = 0;
    sgdmft_status status = advance(p);
    if (status != SGDMFT_OK || p->now.kind == TOKEN_CLOSE)
        return status == SGDMFT_OK ? advance(p) : status;
    for (;;) {
        expr_node arg;
        status = parse_tight(p, BIND_COMPARE, &arg);
        if (status != SGDMFT_OK)
            return status;
        if (*n < EXPR_MAX_ARGS)
            args[*n] = arg;
        ++*n;
        if (p->now.kind != TOKEN_COMMA)
            return expect_close(p, open);
        status = advance(p);
        if (status != SGDMFT_OK)
            return status;
    }
}

static sgdmft_status wrong_arity(parser *p, const token *name, const function_row *row, int n)
{
    if (row->least == row->most)
        return FAIL(p, SGDMFT_ERR_ARITY, name->offset, "%s takes %d argument%s, found %d", row->name, row->least,
                    row->least == 1 ? "" : "s", n);
    return FAIL(p, SGDMFT_ERR_ARITY, name->offset, "%s takes %d to %d arguments, found %d", row->name, row->least,
                row->most, n);
}

static sgdmft_status parse_call(parser *p, const token *name, expr_node *out)
{
    expr_op op = function_find(token_text(p, name), name->length);
    if (op == OP_COUNT && graph_find_name(p->graph, token_text(p, name), name->length))
        return FAIL(p, SGDMFT_ERR_SYNTAX, name->offset,
                    "\"%.*s\" is a variable, not a function; multiplication is written %.*s*(...)", (int)name->length,
                    token_text(p, name), (int)name->length, token_text(p, name));
    if (op == OP_COUNT)
        return unknown_function(p, name);
    const function_row *row = function_of(op);
    token open = p->now;
    expr_node args[EXPR_MAX_ARGS];
    int n;
    sgdmft_status status = parse_arguments(p, &open, args, &n);
    if (status != SGDMFT_OK)
        return status;
    if (n < row->least || n > row->most)
        return wrong_arity(p, name, row, n);
    *out = node_call(p->graph, op, args, n);
    return graph_status(p, name->offset);
}

static sgdmft_status parse_variable(parser *p, const token *name, expr_node *out)
{
    const char *text = token_text(p, name);
    const graph_name *entry = graph_find_name(p->graph, text, name->length);
    if (entry && entry->forbidden)
        return FAIL(p, SGDMFT_ERR_UNKNOWN_NAME, name->offset, "\"%s\" may not be used here: %s", entry->name,
                    entry->forbidden);
    if (entry) {
        *out = entry->node;
        return SGDMFT_OK;
    }
    if (name->length == 2 && memcmp(text, "pi", 2) == 0) {
        *out = node_constant(p->graph, M_PI);
        return graph_status(p, name->offset);
    }
    if (function_find(text, name->length) != OP_COUNT)
        return FAIL(p, SGDMFT_ERR_SYNTAX, name->offset,
                    "the function %.*s needs its argument in parentheses: %.*s(...)", (int)name->length, text,
                    (int)name->length, text);
    return unknown_variable(p, name);
}

static sgdmft_status parse_name(parser *p, expr_node *out)
{
    token name = p->now;
    sgdmft_status status = advance(p);
    if (status != SGDMFT_OK)
        return status;
    return p->now.kind == TOKEN_OPEN ? parse_call(p, &name, out) : parse_variable(p, &name, out);
}

static sgdmft_status parse_number(parser *p, expr_node *out)
{
    *out = node_constant(p->graph, p->now.number);
    sgdmft_status status = graph_status(p, p->now.offset);
    return status == SGDMFT_OK ? advance(p) : status;
}

static sgdmft_status parse_group(parser *p, expr_node *out)
{
    token open = p->now;
    sgdmft_status status = advance(p);
    if (status == SGDMFT_OK)
        status = parse_tight(p, BIND_COMPARE, out);
    return status == SGDMFT_OK ? expect_close(p, &open) : status;
}

/* A sign binds looser than ^, so that -x^2 is -(x^2); it may follow any operator, as in 2^-x. */
static sgdmft_status parse_signed(parser *p, expr_node *out)
{
    token sign = p->now;
    sgdmft_status status = advance(p);
    if (status == SGDMFT_OK)
        status = parse_tight(p, BIND_SIGN, out);
    if (status != SGDMFT_OK || sign.kind == TOKEN_PLUS)
        return status;
    *out = node_neg(p->graph, *out);
    return graph_status(p, sign.offset);
}

static sgdmft_status parse_start(parser *p, expr_node *out)
{
    switch (p->now.kind) {
    case TOKEN_NUMBER: return parse_number(p, out);
    case TOKEN_NAME: return parse_name(p, out);
    case TOKEN_OPEN: return parse_group(p, out);
    case TOKEN_PLUS:
    case TOKEN_MINUS: return parse_signed(p, out);
    default: return unexpected(p, "a number, a variable, a function or \"(\"");
    }
}

static int binding(token_kind kind)
{
    switch (kind) {
    case TOKEN_LESS:
    case TOKEN_LESS_EQUAL:
    case TOKEN_GREATER:
    case TOKEN_GREATER_EQUAL:
    case TOKEN_EQUAL:
    case TOKEN_NOT_EQUAL: return BIND_COMPARE;
    case TOKEN_PLUS:
    case TOKEN_MINUS: return BIND_SUM;
    case TOKEN_TIMES:
    case TOKEN_OVER: return BIND_PRODUCT;
    case TOKEN_POWER: return BIND_POWER;
    default: return BIND_NONE;
    }
}

static expr_node combine(expr_graph *g, token_kind kind, expr_node a, expr_node b)
{
    switch (kind) {
    case TOKEN_PLUS: return node_add(g, a, b);
    case TOKEN_MINUS: return node_sub(g, a, b);
    case TOKEN_TIMES: return node_mul(g, a, b);
    case TOKEN_OVER: return node_div(g, a, b);
    case TOKEN_POWER: return node_pow(g, a, b);
    case TOKEN_LESS: return node_binary(g, OP_LT, a, b);
    case TOKEN_LESS_EQUAL: return node_binary(g, OP_LE, a, b);
    case TOKEN_GREATER: return node_binary(g, OP_LT, b, a);
    case TOKEN_GREATER_EQUAL: return node_binary(g, OP_LE, b, a);
    case TOKEN_EQUAL: return node_binary(g, OP_EQ, a, b);
    default: return node_binary(g, OP_NE, a, b);
    }
}

/* The right operand binds tighter than its operator, except that a^b^c is a^(b^c) and a sign may follow ^. */
static sgdmft_status parse_operator(parser *p, expr_node left, expr_node *out)
{
    token between = p->now;
    int bind = binding(between.kind);
    expr_node right;
    sgdmft_status status = advance(p);
    if (status == SGDMFT_OK)
        status = parse_tight(p, bind == BIND_POWER ? BIND_POWER : bind + 1, &right);
    if (status != SGDMFT_OK)
        return status;
    if (bind == BIND_COMPARE && binding(p->now.kind) == BIND_COMPARE)
        return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset,
                    "comparisons cannot be chained; write (a < b)*(b < c), or put one of them in parentheses");
    *out = combine(p->graph, between.kind, left, right);
    return graph_status(p, between.offset);
}

static sgdmft_status parse_chain(parser *p, int least, expr_node *out)
{
    sgdmft_status status = parse_start(p, out);
    while (status == SGDMFT_OK && binding(p->now.kind) != BIND_NONE && binding(p->now.kind) >= least)
        status = parse_operator(p, *out, out);
    return status;
}

/* Parses up to the first operator that binds less tightly than `least`. */
static sgdmft_status parse_tight(parser *p, int least, expr_node *out)
{
    if (p->depth == DEEPEST)
        return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset, "nested too deeply; allowed: at most %d levels", DEEPEST);
    p->depth++;
    sgdmft_status status = parse_chain(p, least, out);
    p->depth--;
    return status;
}

static sgdmft_status trailing_text(parser *p)
{
    if (p->now.kind == TOKEN_CLOSE)
        return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset, "found \")\" without a \"(\" before it");
    if (p->now.kind == TOKEN_COMMA)
        return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset,
                    "found \",\" outside of a function's arguments; a decimal number is written 0.5, a list of "
                    "expressions [\"a\", \"b\"]");
    return FAIL(p, SGDMFT_ERR_SYNTAX, p->now.offset,
                "found \"%.*s\" where an operator or the end of the expression should stand; multiplication is written "
                "a*b",
                (int)p->now.length, token_text(p, &p->now));
}

sgdmft_status expr_parse(sgdmft_context *ctx, expr_graph *graph, const char *text, const origin *where, expr_node *out)
{
    parser p = {.lex = {ctx, text, where, 0}, .graph = graph};
    sgdmft_status status = advance(&p);
    if (status != SGDMFT_OK)
        return status;
    if (p.now.kind == TOKEN_END)
        return FAIL(&p, SGDMFT_ERR_SYNTAX, 0, "the expression is empty");
    status = parse_tight(&p, BIND_COMPARE, out);
    if (status == SGDMFT_OK && p.now.kind != TOKEN_END)
        status = trailing_text(&p);
    return status;
}
