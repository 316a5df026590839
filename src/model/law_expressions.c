/* A law stated by expressions, compiled to one program. */
#include <stdio.h>

#include "model/law_parts.h"
#include "core/origin.h"

typedef struct builder {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    expr_graph *graph;
    expr_node variable[LAW_VARIABLES];
    expr_node value[2 * LAW_MOST]; /* theta0, then theta* */
} builder;

static const char no_teacher[] = "a coordinate of the teacher is made from z and u; ths belongs in initial.student";

law_name law_variable_name(int v)
{
    law_name name;
    int uniform = v >= LAW_U;
    snprintf(name.text, sizeof name.text, "%c%d", uniform ? 'u' : 'z', (uniform ? v - LAW_U : v - LAW_Z) + 1);
    return name;
}

static int is_named(int v)
{
    return v < LAW_TEACHERS || v >= LAW_U;
}

/* The bare letters are the first ones, as there is no saying how many there are. */
static sgdmft_status declare(builder *b)
{
    sgdmft_status status = SGDMFT_OK;
    for (int v = 0; !status && v < LAW_VARIABLES; v++)
        status = expr_variable(b->ctx, b->graph, is_named(v) ? law_variable_name(v).text : "#", &b->variable[v]);
    expr_unbind(b->graph, "#"); /* which no text can spell */
    if (!status)
        status = expr_bind(b->ctx, b->graph, "z", b->variable[LAW_Z]);
    if (!status)
        status = expr_bind(b->ctx, b->graph, "u", b->variable[LAW_U]);
    return status;
}

/* ths1, ...; `why` refuses them. */
static sgdmft_status bind_teachers(builder *b, const expr_node *value, const char *why)
{
    int kstar = b->problem->model.teachers;
    sgdmft_status status = SGDMFT_OK;
    for (int a = -1; !status && a < kstar; a++) {
        char name[16] = "ths";
        if (a < 0 && kstar > 1)
            continue;
        if (a >= 0)
            snprintf(name, sizeof name, "ths%d", a + 1);
        status = expr_bind(b->ctx, b->graph, name, value[a < 0 ? 0 : a]);
        if (!status)
            status = expr_forbid(b->ctx, b->graph, name, why);
    }
    return status;
}

static sgdmft_status parse(builder *b, const problem_texts *texts, int wanted, const char *side, expr_node *out)
{
    sgdmft_status status = SGDMFT_OK;
    if (texts->n != (size_t)wanted)
        return origin_fail(b->ctx, SGDMFT_ERR_SHAPE, &texts->item[0].where,
                            "%zu expression%s for %s = %d; needed: one for each", texts->n, texts->n == 1 ? "" : "s",
                            side, wanted);
    for (int i = 0; !status && i < wanted; i++)
        status = expr_parse(b->ctx, b->graph, texts->item[i].text, &texts->item[i].where, &out[i]);
    return status;
}

static sgdmft_status build(builder *b)
{
    const sgdmft_problem *problem = b->problem;
    int k = problem->model.students, kstar = problem->model.teachers;
    expr_node *student = b->value, *teacher = b->value + k;
    for (int a = 0; a < k; a++)
        student[a] = b->variable[LAW_STUDENTS + a];
    for (int a = 0; a < kstar; a++)
        teacher[a] = b->variable[LAW_TEACHERS + a];
    sgdmft_status status = bind_teachers(b, teacher, no_teacher);
    if (!status && problem->initial.teacher.n > 0)
        status = parse(b, &problem->initial.teacher, kstar, "model.teachers", teacher);
    if (!status)
        status = bind_teachers(b, teacher, NULL);
    if (!status && problem->initial.student.n > 0)
        status = parse(b, &problem->initial.student, k, "model.students", student);
    return status;
}

sgdmft_status law_read_expressions(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law *law)
{
    builder b = {.ctx = ctx, .problem = problem};
    sgdmft_status status = expr_graph_new(ctx, &b.graph);
    if (!status)
        status = declare(&b);
    if (!status)
        status = build(&b);
    if (!status)
        status = expr_compile(ctx, b.graph, b.value, (size_t)(law->k + law->kstar), &law->program);
    for (int v = 0; !status && v < LAW_VARIABLES; v++)
        if (expr_program_reads(law->program, (size_t)v))
            law->variable[law->dims++] = v;
    expr_graph_free(b.graph);
    return status;
}
