/* Which random number serves which purpose: changing a number here changes every result. */
#ifndef SGDMFT_PATHS_PURPOSES_H
#define SGDMFT_PATHS_PURPOSES_H

#include <stdint.h>

enum {
    PURPOSE_SOBOL = 1,       /* scrambled quasi-random points, shared by fields and visits through their dimension */
    PURPOSE_VISITS = 2,      /* times of visits beyond the quasi-random ones */
    PURPOSE_INNOVATIONS = 3, /* fine modes of the innovations */
    PURPOSE_BRIDGE = 4,      /* Brownian bridges at events */
    PURPOSE_DIFFUSION = 5,   /* fine modes of the Brownian motion of a process that diffuses */
    PURPOSE_COORDINATES = 6, /* the law of (theta0, theta*), where it is not Gaussian */
    PURPOSE_LABEL_AXES = 7   /* points that show in which direction a label changes */
};

/* The coordinates of a replica are drawn like a replica of its own. */
#define PURPOSE_COORDINATES_REPLICA UINT32_C(0x80000000)

/* The solve that finds the principal directions of the field is a replica of its own. */
#define PURPOSE_PILOT_REPLICA UINT32_C(0x40000000)

#endif
