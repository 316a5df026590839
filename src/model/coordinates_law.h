/* The law of the coordinates (theta0, theta*) at t = 0 as a map from uniform numbers, so that it can be sampled with
   Sobol' points and with streams of random numbers alike. It is one of

       Gaussian      second moments initial.q, m, rho
       expressions   initial.teacher, initial.student: functions of standard normals z1, z2, ... and uniforms u1, u2, ...
       samples       initial.samples: rows of equal weight from a file

   Immutable: threads share it, each with its own work space. */
#ifndef SGDMFT_MODEL_COORDINATES_LAW_H
#define SGDMFT_MODEL_COORDINATES_LAW_H

#include <stddef.h>

#include "core/context.h"
#include "core/origin.h"
#include "sgdmft/problem.h"

typedef struct coordinates_law coordinates_law;

/* Errors: 203, 300..302 (expressions), 204, 205, 207, 501 (samples), 500. *out is NULL on failure. */
sgdmft_status coordinates_law_new(sgdmft_context *ctx, const sgdmft_problem *problem, coordinates_law **out);
void coordinates_law_free(coordinates_law *law); /* NULL is allowed */

/* Uniforms that a draw consumes, 0 .. 48; 0 if the coordinates are constants. */
int coordinates_law_dims(const coordinates_law *law);

/* Doubles of work space of one thread. */
size_t coordinates_law_work(const coordinates_law *law);

/* Lane p: (theta0, theta*) from u[.][p] in (0,1), arrays u [dims][n], theta0 [k][n], thetastar [k*][n]. A lane does not
   depend on n or on its neighbours. Expressions may give values that are not finite; for a problem that has been read,
   no draw of its moments did. */
void coordinates_law_map(const coordinates_law *law, double *work, size_t n, const double *u, double *theta0,
                         double *thetastar);

/* 1 if the problem states a law other than the Gaussian one. */
int coordinates_law_is_given(const sgdmft_problem *problem);

/* Where that law is stated: samples, else the teacher, else the student. */
origin coordinates_law_origin(const sgdmft_problem *problem);

/* Replaces initial.q, m, rho, which are allocated, by the moments of the law. For samples they are the averages over
   the rows. For expressions they are averages over 16 independent scrambles of 65536 or more Sobol' points, always the
   same ones; initial.moments_se gets the largest standard error, relative to the sizes of the coordinates. A value that
   is not finite, or moments not known to 1%, are errors (204) that name the expression. */
sgdmft_status coordinates_law_fill_moments(sgdmft_context *ctx, sgdmft_problem *problem);

#endif
