/* Whether the equations can have a solution: the gradient needs a second moment, E g^2, at all times. What of its
   growth forbids it depends on how many kicks a path may have (kick_number in process/process.h):

     repeated growth faster than linear: each of n visits enlarges r to a power or more, so that r grows like an n-fold
       iterate, against the probability e^-T T^n/n! of n visits; no second moment if their number is unbounded
     growth faster than linear on one side, Brownian motion: the density of r falls like g^-2 there, at any t > 0
     growth away from 0, gradient flow: some paths are infinite at any t > 0
     in the Gaussian variables, after n visits: faster than the Gaussian density falls
     poles at values that s and eps come arbitrarily close to. */
#ifndef SGDMFT_MODEL_LIMIT_H
#define SGDMFT_MODEL_LIMIT_H

#include "model/model_programs.h"

typedef struct limit_obstacle {
    const problem_text *of; /* the expression to blame */
    char text[640];         /* what is wrong with it, why, and what helps */
} limit_obstacle;

/* 1 if it is certain that there is no limit. The problem has label and loss as expressions. */
int limit_obstacle_find(const sgdmft_problem *problem, const model_programs *programs, limit_obstacle *out);

#endif
