/* Loading a plug-in (model.plugin); sgdmft/plugin.h is its interface. */
#ifndef SGDMFT_MODEL_PLUGIN_H
#define SGDMFT_MODEL_PLUGIN_H

#include "model/callbacks.h"

/* Loads problem->model.plugin, a path relative to the folder of the problem file, and fills *out in, which is to be
   released by the caller on failure too. Error: SGDMFT_ERR_PLUGIN. */
sgdmft_status plugin_load(sgdmft_context *ctx, const sgdmft_problem *problem, callbacks *out);

#endif
