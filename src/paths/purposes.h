/* The purposes of random numbers (core/random.h). Changing a value here changes every result. */
#ifndef SGDMFT_PATHS_PURPOSES_H
#define SGDMFT_PATHS_PURPOSES_H

#include <stdint.h>

enum {
    PURPOSE_SOBOL = 1,       /* scrambled quasi-random points; fields and visits use different dimensions of them */
    PURPOSE_VISITS = 2,      /* times of visits beyond the quasi-random ones */
    PURPOSE_INNOVATIONS = 3, /* fine modes of the innovations */
    PURPOSE_BRIDGE = 4,      /* Brownian bridges at events */
    PURPOSE_DIFFUSION = 5,   /* fine modes of the Brownian motion of a process that diffuses */
    PURPOSE_COORDINATES = 6, /* the law of (theta0, theta*), where it is not Gaussian */
    PURPOSE_LABEL_AXES = 7,  /* points from which the direction of the largest change of a label is found */
    PURPOSE_NOISE = 8,       /* points from which the noise of the field at t = 0 is found */
    /* with a merged history (merged/window.h), whose items are times and whose draws are paths */
    PURPOSE_FIRST_VISITS = 16, /* the first visit of every path */
    PURPOSE_LATER_VISITS = 17, /* the others */
    PURPOSE_MOMENTS = 18,      /* moments of the innovations */
    PURPOSE_VISIT_BRIDGE = 19, /* bridges at events */

    PURPOSE_AUDIT = 64       /* samples at which an observable is not finite, for a message */
};

/* Added to the number of a replica for its coordinates, so that their random numbers are not those of its samples. */
#define PURPOSE_COORDINATES_REPLICA UINT32_C(0x80000000)

/* The replica whose solve finds the principal directions of the field (solvers/dmft/pilot.h). */
#define PURPOSE_PILOT_REPLICA UINT32_C(0x40000000)

/* The first replica of pilots that an accuracy is chosen by (solvers/dmft/automatic.h). */
#define PURPOSE_TRIAL_REPLICA UINT32_C(0x20000000)

#endif
