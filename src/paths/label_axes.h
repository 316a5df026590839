/* The axes along which the normals (z*, eps) of a label are drawn. Quasi-random points integrate a function with a jump best
   if it jumps across one coordinate: so the first axis is the direction in which the label changes most,

       b = E[y z],   z = (z*, eps),

   which by Stein's lemma is its mean gradient. For labels such as sign(s + sigma eps) they then depend on the first
   coordinate alone. Standard normals stay so under any rotation: the law of the paths does not change. */
#ifndef SGDMFT_PATHS_LABEL_AXES_H
#define SGDMFT_PATHS_LABEL_AXES_H

#include "model/data_law.h"
#include "model/model.h"

enum { LABEL_DIMS_MAX = 16 };

typedef struct label_axes {
    int dims;                                     /* of z; 0: coordinates are drawn as they are */
    double turn[LABEL_DIMS_MAX * LABEL_DIMS_MAX]; /* [dims][dims] orthogonal: z = turn x of what is drawn, x */
} label_axes;

/* Depends on the model and the law of the signal alone. */
sgdmft_status label_axes_find(sgdmft_context *ctx, const model *m, const data_law *law, label_axes *out);

/* In place: x -> turn x on z*[k*][n] and eps[noises][n]. */
void label_axes_apply(const label_axes *axes, int kstar, size_t n, double *zstar, double *eps);

#endif
