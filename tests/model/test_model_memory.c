/* Every allocation of model_new and model_work_new fails once: the call returns "out of memory" and leaks nothing.
   The linker sends the library's allocations through tests/support/failing_memory.h. argv[1] is the example plug-in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/model.h"
#include "problem/problem.h"
#include "../support/failing_job.h"

static const char *example_plugin;

WRAP(char *, strndup, (const char *text, size_t n), (text, n), NULL)
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)
WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL)

static problem_text item(const char *text, const char *key)
{
    return (problem_text){.text = (char *)(uintptr_t)text, .where = {"model.yaml", 3, 7, key}};
}

static sgdmft_status build(sgdmft_context *ctx, const char *loss, const char *plugin)
{
    problem_text label[] = {item("tanh(s1) + 0.25*eps2", "model.label"), item("sign(s1)", "model.label")};
    problem_text predict[] = {item("erf(r1) + r2^3", "model.predict")};
    problem_text losses[] = {item(loss, "model.loss")}, observables[] = {item("y*r1", "observables.a")};
    sgdmft_problem problem = {.source = (char *)(uintptr_t)"model.yaml", .horizon = 2};
    problem.model.students = plugin ? 1 : 2;
    problem.model.teachers = 1;
    problem.observables = (problem_texts){plugin ? 1 : 0, observables};
    problem.model.plugin = (char *)(uintptr_t)plugin;
    problem.model.plugin_where = (origin){"model.yaml", 2, 2, "model.plugin"};
    if (!plugin) {
        problem.model.label = (problem_texts){2, label};
        problem.model.predict = (problem_texts){1, predict};
        problem.model.loss = (problem_texts){1, losses};
    }
    model *m = NULL;
    model_work *work = NULL;
    sgdmft_status status = model_new(ctx, &problem, &m);
    if ((status == SGDMFT_OK) != (m != NULL))
        abort();
    if (status == SGDMFT_OK)
        status = model_check_smooth(ctx, m, &problem);
    if (status == SGDMFT_OK)
        status = model_work_new(ctx, m, 100, &work);
    model_work_free(work);
    model_free(m);
    return status;
}

static sgdmft_status build_smooth(sgdmft_context *ctx) { return build(ctx, "(f - y1)^2/2 + y2*relu(r1)^2", NULL); }
static sgdmft_status build_kinked(sgdmft_context *ctx) { return build(ctx, "(f - y1)^2/2 + abs(r2 - y2)", NULL); }
static sgdmft_status build_unknown(sgdmft_context *ctx) { return build(ctx, "(f - yy)^2/2", NULL); }
static sgdmft_status build_plugin(sgdmft_context *ctx) { return build(ctx, NULL, example_plugin); }
static sgdmft_status build_missing(sgdmft_context *ctx) { return build(ctx, NULL, "/no/such/plugin.so"); }

static void smooth_loss(void **state) { fail_each(build_smooth, SGDMFT_OK); }
static void kinked_loss(void **state) { fail_each(build_kinked, SGDMFT_ERR_KINK); }
static void unknown_name(void **state) { fail_each(build_unknown, SGDMFT_ERR_UNKNOWN_NAME); }
static void plugin(void **state) { fail_each(build_plugin, SGDMFT_OK); }
static void missing_plugin(void **state) { fail_each(build_missing, SGDMFT_ERR_PLUGIN); }

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    example_plugin = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooth_loss),  cmocka_unit_test(kinked_loss),    cmocka_unit_test(unknown_name),
        cmocka_unit_test(plugin),       cmocka_unit_test(missing_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
