/* A loaded plug-in (model.plugin): see sgdmft/plugin.h for its interface. */
#ifndef SGDMFT_MODEL_PLUGIN_H
#define SGDMFT_MODEL_PLUGIN_H

#include "core/context.h"
#include "problem/problem.h"
#include "sgdmft/plugin.h"

typedef struct plugin {
    void *handle;
    char *path;
    const sgdmft_plugin *table; /* lives in the shared object */
} plugin;

/* Loads problem->model.plugin (a path relative to the folder of the problem file) and checks version and shape. */
sgdmft_status plugin_open(sgdmft_context *ctx, const sgdmft_problem *problem, plugin **out);
void plugin_close(plugin *p);

/* Calls the plug-in on a block of random samples and compares label, loss, gradient and Hessian with what its
   interface promises: finite values, the same for a sample alone and in a block, derivatives that are the derivatives
   of the loss, a symmetric Hessian. Jumps of the gradient cannot be found like this: they are its author's care. */
sgdmft_status plugin_probe(sgdmft_context *ctx, const sgdmft_problem *problem, const plugin *p);

/* SGDMFT_ERR_PLUGIN with the place of model.plugin and the file's path in front of the message. */
sgdmft_status plugin_fail(sgdmft_context *ctx, const sgdmft_problem *problem, const char *path, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));

#endif
