/* A model by call-backs: one table of functions, whether it comes from a plug-in (model.plugin) or from the program
   that calls the library (model.callbacks). */
#ifndef SGDMFT_MODEL_CALLBACKS_H
#define SGDMFT_MODEL_CALLBACKS_H

#include "core/context.h"
#include "problem/problem.h"
#include "sgdmft/model.h"

typedef struct callbacks {
    sgdmft_model table; /* `name` is not used */
    char *subject;      /* start of messages: "plug-in ./counts.so", "model 'counts'" */
    void *handle;       /* shared object of a plug-in */
} callbacks;

/* 1 if the problem has its model from call-backs. */
int callbacks_wanted(const sgdmft_problem *problem);

/* Loads the plug-in or takes the program's table, and checks both against the problem and with random samples
   (callbacks_probe.h). Errors: SGDMFT_ERR_PLUGIN; SGDMFT_ERR_MISSING if the problem has the name of a
   model but not its table. */
sgdmft_status callbacks_new(sgdmft_context *ctx, const sgdmft_problem *problem, callbacks **out);
void callbacks_free(callbacks *c);

/* Returns 1 and a description in `text` if a number of a table is out of range or a function missing, otherwise 0. */
int callbacks_find_defect(const sgdmft_model *table, char text[128]);

/* SGDMFT_ERR_PLUGIN with the place in the problem file, if there is one, and the subject in front of the message. */
sgdmft_status callbacks_fail(sgdmft_context *ctx, const sgdmft_problem *problem, const char *subject,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
