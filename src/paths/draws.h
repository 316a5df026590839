/* Which random number serves which purpose: changing a number here changes every result. */
#ifndef SGDMFT_DRAWS_H
#define SGDMFT_DRAWS_H

enum {
    DRAW_SOBOL = 1,       /* scrambled quasi-random points, shared by fields and visits through their dimension */
    DRAW_VISITS = 2,      /* waiting times beyond the quasi-random ones */
    DRAW_INNOVATIONS = 3, /* fine modes of the innovations */
    DRAW_BRIDGE = 4,      /* Brownian bridges at events */
    DRAW_DRIVER = 5       /* fine modes of a driver that diffuses */
};

#endif
