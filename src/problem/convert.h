/* From settings to fields of the problem, with checks of type, shape and range of each option by itself. */
#ifndef SGDMFT_PROBLEM_CONVERT_H
#define SGDMFT_PROBLEM_CONVERT_H

#include "problem/settings.h"

/* Fills the field of one option, from its default if it was not given. Matrices need model.students and
   model.teachers filled before. An option without value and default leaves its field as it is. */
sgdmft_status convert_option(sgdmft_context *ctx, const settings *s, option_id id, sgdmft_problem *problem);

/* Observables, in the order of the file and then of the overrides. */
sgdmft_status convert_observables(sgdmft_context *ctx, const settings *s, sgdmft_problem *problem);

#endif
