/* Everything a user of libsgdmft needs. */
#ifndef SGDMFT_H
#define SGDMFT_H

#include "compare.h"
#include "context.h"
#include "io.h"
#include "model.h"
#include "plugin.h"
#include "problem.h"
#include "sample.h"
#include "sgdmft/version.h" /* generated: not beside this file in the build tree */
#include "simulate.h"
#include "solution.h"
#include "solve.h"
#include "status.h"

#endif
