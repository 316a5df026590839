/* Turns a failure of the YAML parser into a message with position and advice. */
#ifndef SGDMFT_PROBLEM_YAML_ERROR_H
#define SGDMFT_PROBLEM_YAML_ERROR_H

#include <yaml.h>

#include "problem/yaml_tree.h"

sgdmft_status yaml_error(sgdmft_context *ctx, const yaml_source *source, const yaml_parser_t *parser);

#endif
