#include "flow_case.h"

#include <stdio.h>
#include <stdlib.h>

#include "problem/problem.h"
#include "support/check.h"

static const linear_flow one_student = {.k = 1,
                                        .A = {0.8},
                                        .S = {0.7},
                                        .H = {1},
                                        .phi = {0.5},
                                        .v = {1},
                                        .eta = 1.1,
                                        .delta = 1.4,
                                        .rho = 1.2,
                                        .sigma = 0.3,
                                        .q0 = {0.9},
                                        .m0 = {0.35}};
static const linear_flow two_students = {.k = 2,
                                         .A = {0.7, -0.3, 0.5, 0.4},
                                         .S = {0.6, 0.2, 0.2, 0.5},
                                         .H = {1, 0.4, 0.4, 0.7},
                                         .phi = {0.5, -0.2},
                                         .v = {1, -0.35},
                                         .eta = 0.9,
                                         .delta = 1.4,
                                         .rho = 1.2,
                                         .sigma = 0.3,
                                         .q0 = {0.9, 0.1, 0.1, 1.1},
                                         .m0 = {0.35, 0.2}};

static const char one_problem[] = "delta: 1.4, eta: 1.1, "
                                  "model: {label: \"s + 0.3*eps\", loss: \"(r - y)^2/2\"}, "
                                  "initial: {q: 0.9, m: 0.35, rho: 1.2}, ";
static const char two_problem[] = "delta: 1.4, eta: 0.9, model: {students: 2, "
                                  "label: \"s + 0.3*eps\", "
                                  "loss: \"(r1 - y)^2/2 + 0.4*r1*r2 + 0.35*r2^2 + 0.35*r2*y\"}, "
                                  "initial: {q: [[0.9, 0.1], [0.1, 1.1]], m: [[0.35], [0.2]], rho: 1.2}, ";

void flow_case_init(flow_case *c, const sample_process *process, int students, double horizon, const char *format, ...)
{
    char *numerics = NULL;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&numerics, format, args) >= 0);
    va_end(args);
    sgdmft_context *ctx = check_context(1);
    c->flow = students == 1 ? one_student : two_students;
    sgdmft_problem *problem = test_problem(ctx, "{horizon: %g, %snumerics: {%s, grading: 1.2}}", horizon,
                                           students == 1 ? one_problem : two_problem, numerics);
    if (process)
        problem->process = process;
    test_plan_init(&c->t, problem);
    sgdmft_context_free(ctx);
    free(numerics);
}

void flow_case_clear(flow_case *c)
{
    test_plan_clear(&c->t);
}
