/* The axes along which the normals (z*, eps) of a label are drawn. Quasi-random points integrate a function with a jump
   best if it jumps across a coordinate. The first axis is therefore the direction in which the label changes most,

     b = E[y z],   z = (z*, eps),

   which by Stein's lemma is the mean gradient of y. A label such as sign(s + sigma eps) then depends on the first
   coordinate alone. Standard normals remain standard normals under a rotation, so the law of the paths does not
   change. */
#ifndef SGDMFT_PATHS_LABEL_AXES_H
#define SGDMFT_PATHS_LABEL_AXES_H

#include "model/data_law.h"
#include "model/model.h"

enum { LABEL_DIMS_MAX = 16 };

typedef struct label_axes {
    int dims; /* of z; 0: z is drawn along its own coordinates */
    /* [dims][dims] orthogonal: z = rotation x with the drawn numbers x. */
    double rotation[LABEL_DIMS_MAX * LABEL_DIMS_MAX];
} label_axes;

/* Finds the axes, which depend on the model and the law of the signal alone. */
sgdmft_status label_axes_find(sgdmft_context *ctx, const model *m, const data_law *law, label_axes *out);

/* Replaces x by rotation x in place: x is z*[k*][n] and eps[noises][n]. */
void label_axes_apply(const label_axes *axes, int kstar, size_t n, double *zstar, double *eps);

#endif
