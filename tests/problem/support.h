/* Helpers of the tests of the problem file. */
#ifndef SGDMFT_TESTS_PROBLEM_SUPPORT_H
#define SGDMFT_TESTS_PROBLEM_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "problem/problem.h"

/* Lines that make a complete problem with whatever a test adds. */
#define TOP "delta: 1.7\nhorizon: 3.25\n"
#define MODEL "model:\n  label: \"tanh(s) + 0.3*eps\"\n  loss: \"(r - y)^2/2\"\n"
#define BASE TOP MODEL

enum { MOST_PARTS = 5 };

/* A text that must be refused, and what the message must say. */
typedef struct refusal {
    const char *text;
    sgdmft_status status;
    int line, column;              /* 0: the message has no position */
    const char *parts[MOST_PARTS]; /* NULL-terminated unless full */
} refusal;

static inline sgdmft_context *new_context(void)
{
    sgdmft_context *ctx = NULL;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    return ctx;
}

/* `set` is an override or NULL, `source` what the message must name as the place. */
static inline void check_refusal(sgdmft_context *ctx, const refusal *r, const char *set, const char *source)
{
    sgdmft_problem *problem = (sgdmft_problem *)(void *)ctx; /* anything but NULL */
    sgdmft_status status = sgdmft_problem_parse(ctx, "case.yaml", r->text, &set, set ? 1 : 0, &problem);
    const char *message = sgdmft_context_message(ctx);
    char *place = NULL;
    assert_true(asprintf(&place, r->line ? "%s:%d:%d: " : "%s: ", source, r->line, r->column) > 0);
    int good = status == r->status && problem == NULL && strncmp(message, place, strlen(place)) == 0;
    for (size_t i = 0; i < MOST_PARTS && r->parts[i]; i++)
        good = good && strstr(message, r->parts[i]) != NULL;
    if (!good) {
        print_error("text:\n%s%s%s\nwanted: %d %s", r->text, set ? "\n--set " : "", set ? set : "", (int)r->status,
                    place);
        for (size_t i = 0; i < MOST_PARTS && r->parts[i]; i++)
            print_error(" [%s]", r->parts[i]);
        print_error("\ngot: %d %s\n", (int)status, message);
    }
    sgdmft_problem_free(good ? NULL : problem);
    free(place);
    assert_true(good);
}

static inline void check_refusals(const refusal *list, size_t n)
{
    sgdmft_context *ctx = new_context();
    for (size_t i = 0; i < n; i++)
        check_refusal(ctx, &list[i], NULL, "case.yaml");
    sgdmft_context_free(ctx);
}

#define CHECK_REFUSALS(list) check_refusals(list, sizeof(list) / sizeof((list)[0]))

/* Parses a text that must be accepted; the caller frees the problem. */
static inline sgdmft_problem *accepted(sgdmft_context *ctx, const char *text, const char *const *sets, size_t n_sets)
{
    sgdmft_problem *problem = NULL;
    sgdmft_status status = sgdmft_problem_parse(ctx, "case.yaml", text, sets, n_sets, &problem);
    if (status != SGDMFT_OK)
        print_error("text:\n%s\ngot: %d %s\n", text, (int)status, sgdmft_context_message(ctx));
    assert_int_equal(status, SGDMFT_OK);
    assert_non_null(problem);
    return problem;
}

static inline char *echo(sgdmft_context *ctx, sgdmft_problem *problem)
{
    char *text = NULL;
    assert_int_equal(sgdmft_problem_to_yaml(ctx, problem, &text), SGDMFT_OK);
    return text;
}

#endif
