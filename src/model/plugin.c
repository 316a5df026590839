#include "model/plugin.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/origin.h"
#include "model/model_parts.h"

#define ENTRY "sgdmft_plugin_entry"

sgdmft_status plugin_fail(sgdmft_context *ctx, const sgdmft_problem *problem, const char *path, const char *format,
                          ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return context_out_of_memory(ctx, "a message", 0);
    sgdmft_status status = origin_fail_at(ctx, SGDMFT_ERR_PLUGIN, &problem->model.plugin_where, problem->model.plugin, 0, "plug-in %s: %s", path, text);
    free(text);
    return status;
}

/* The path as seen from the current directory. A bare file name gets "./", or the loader would search elsewhere. */
static char *resolve(const sgdmft_problem *problem)
{
    const char *path = problem->model.plugin, *source = problem->source ? problem->source : "";
    const char *slash = strrchr(source, '/');
    char *resolved = NULL;
    int length;
    if (path[0] == '/')
        return strdup(path);
    if (slash)
        length = asprintf(&resolved, "%.*s/%s", (int)(slash - source), source, path);
    else
        length = asprintf(&resolved, "./%s", path);
    return length < 0 ? NULL : resolved;
}

static sgdmft_status check_count(sgdmft_context *ctx, const sgdmft_problem *problem, const plugin *p, const char *what,
                                 int value, int least)
{
    if (value >= least && value <= MODEL_MOST)
        return SGDMFT_OK;
    return plugin_fail(ctx, problem, p->path, "field %s is %d; allowed: %d to %d", what, value, least, MODEL_MOST);
}

static sgdmft_status check_match(sgdmft_context *ctx, const sgdmft_problem *problem, const plugin *p, const char *what,
                                 int value, int wanted)
{
    if (value == wanted)
        return SGDMFT_OK;
    return plugin_fail(ctx, problem, p->path, "it is made for %d %s, but model.%s is %d; set model.%s: %d", value, what,
                       what, wanted, what, value);
}

static sgdmft_status check_table(sgdmft_context *ctx, const sgdmft_problem *problem, const plugin *p)
{
    const sgdmft_plugin *table = p->table;
    if (!table)
        return plugin_fail(ctx, problem, p->path, "%s() returned NULL; it must return a sgdmft_plugin", ENTRY);
    if (table->abi != SGDMFT_PLUGIN_ABI)
        return plugin_fail(ctx, problem, p->path,
                           "field abi is %d, but this program has version %d of the interface; set abi to "
                           "SGDMFT_PLUGIN_ABI and build it against this program's sgdmft/plugin.h",
                           table->abi, SGDMFT_PLUGIN_ABI);
    sgdmft_status status = check_match(ctx, problem, p, "students", table->students, problem->model.students);
    if (status == SGDMFT_OK)
        status = check_match(ctx, problem, p, "teachers", table->teachers, problem->model.teachers);
    if (status == SGDMFT_OK)
        status = check_count(ctx, problem, p, "noises", table->noises, 0);
    if (status == SGDMFT_OK)
        status = check_count(ctx, problem, p, "labels", table->labels, 1);
    if (status == SGDMFT_OK && (!table->label || !table->loss))
        status = plugin_fail(ctx, problem, p->path, "call-back %s is NULL; both label and loss are required",
                             table->label ? "loss" : "label");
    return status;
}

static sgdmft_status open_object(sgdmft_context *ctx, const sgdmft_problem *problem, plugin *p)
{
    if (access(p->path, F_OK) != 0)
        return plugin_fail(ctx, problem, p->path,
                           "no such file; a relative path starts at the folder of the problem file");
    p->handle = dlopen(p->path, RTLD_NOW | RTLD_LOCAL);
    if (!p->handle)
        return plugin_fail(ctx, problem, p->path, "cannot be loaded: %s; build it as a shared object (cc -shared -fPIC)",
                           dlerror());
    void *symbol = dlsym(p->handle, ENTRY);
    if (!symbol)
        return plugin_fail(ctx, problem, p->path,
                           "has no function %s; export one (default visibility) that returns a sgdmft_plugin", ENTRY);
    sgdmft_plugin_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function pointers */
    p->table = entry();
    return check_table(ctx, problem, p);
}

sgdmft_status plugin_open(sgdmft_context *ctx, const sgdmft_problem *problem, plugin **out)
{
    plugin *p = calloc(1, sizeof *p);
    if (p)
        p->path = resolve(problem);
    if (!p || !p->path) {
        plugin_close(p);
        return context_out_of_memory(ctx, "the plug-in", sizeof *p);
    }
    sgdmft_status status = open_object(ctx, problem, p);
    if (status != SGDMFT_OK) {
        plugin_close(p);
        return status;
    }
    *out = p;
    return SGDMFT_OK;
}

void plugin_close(plugin *p)
{
    if (!p)
        return;
    if (p->handle)
        dlclose(p->handle);
    free(p->path);
    free(p);
}
