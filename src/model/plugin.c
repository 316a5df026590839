#include "model/plugin.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sgdmft/plugin.h"

#define ENTRY "sgdmft_plugin_entry"

/* Version 1 of the interface has no user pointer; its table takes that place. */
static int label(void *user, size_t n, const double *s, const double *eps, double *y)
{
    const sgdmft_plugin *table = user;
    return table->label(n, s, eps, y);
}

static int loss(void *user, size_t n, const double *t, const double *r, const double *y, double *value, double *g,
                double *G)
{
    const sgdmft_plugin *table = user;
    return table->loss(n, t, r, y, value, g, G);
}

static sgdmft_model adapt(const sgdmft_plugin *table)
{
    return (sgdmft_model){.abi = SGDMFT_MODEL_ABI,
                          .students = table->students,
                          .teachers = table->teachers,
                          .noises = table->noises,
                          .labels = table->labels,
                          .user = (void *)(uintptr_t)table, /* read only */
                          .label = table->label ? label : NULL,
                          .loss = table->loss ? loss : NULL};
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

static sgdmft_status take_table(sgdmft_context *ctx, const sgdmft_problem *problem, const sgdmft_plugin *table,
                                callbacks *out)
{
    if (!table)
        return callbacks_fail(ctx, problem, out->subject, "%s() returned NULL; it must return a sgdmft_plugin", ENTRY);
    if (table->abi != SGDMFT_PLUGIN_ABI)
        return callbacks_fail(ctx, problem, out->subject,
                              "field abi is %d, but this program has version %d of the interface; set abi to "
                              "SGDMFT_PLUGIN_ABI and build it against this program's sgdmft/plugin.h",
                              table->abi, SGDMFT_PLUGIN_ABI);
    out->table = adapt(table);
    return SGDMFT_OK;
}

static sgdmft_status open_object(sgdmft_context *ctx, const sgdmft_problem *problem, const char *path, callbacks *out)
{
    if (access(path, F_OK) != 0)
        return callbacks_fail(ctx, problem, out->subject,
                              "no such file; a relative path starts at the folder of the problem file");
    out->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!out->handle)
        return callbacks_fail(ctx, problem, out->subject,
                              "cannot be loaded: %s; build it as a shared object (cc -shared -fPIC)", dlerror());
    void *symbol = dlsym(out->handle, ENTRY);
    if (!symbol)
        return callbacks_fail(ctx, problem, out->subject,
                              "has no function %s; export one (default visibility) that returns a sgdmft_plugin",
                              ENTRY);
    sgdmft_plugin_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function pointers */
    return take_table(ctx, problem, entry(), out);
}

sgdmft_status plugin_load(sgdmft_context *ctx, const sgdmft_problem *problem, callbacks *out)
{
    char *path = resolve(problem);
    if (!path || asprintf(&out->subject, "plug-in %s", path) < 0) {
        out->subject = NULL;
        free(path);
        return context_out_of_memory(ctx, "the plug-in", 0);
    }
    sgdmft_status status = open_object(ctx, problem, path, out);
    free(path);
    return status;
}
