/* Which random number serves which purpose: changing a number here changes every result. */
#ifndef SGDMFT_PATHS_DRAWS_H
#define SGDMFT_PATHS_DRAWS_H

#include <stdint.h>

enum {
    DRAW_SOBOL = 1,       /* scrambled quasi-random points, shared by fields and visits through their dimension */
    DRAW_VISITS = 2,      /* waiting times beyond the quasi-random ones */
    DRAW_INNOVATIONS = 3, /* fine modes of the innovations */
    DRAW_BRIDGE = 4,      /* Brownian bridges at events */
    DRAW_DRIVER = 5,      /* fine modes of a driver that diffuses */
    DRAW_COORDINATES = 6, /* the law of (theta0, theta*), where it is not Gaussian */
    DRAW_LABEL_AXES = 7   /* points that show in which direction a label changes */
};

/* The most leading modes that are quasi-random: of one component of the innovations, and of all. */
enum { QUASI_MODES = 64, QUASI_MODES_ALL = 192 };

static inline unsigned quasi_modes(unsigned components)
{
    unsigned share = QUASI_MODES_ALL / components;
    return share < QUASI_MODES ? share : QUASI_MODES;
}

/* Coordinates of a replica draw as a replica of its own. */
#define DRAW_COORDINATES_REPLICA UINT32_C(0x80000000)

/* The solve that finds the principal directions of the field is a replica of its own. */
#define DRAW_PILOT_REPLICA UINT32_C(0x40000000)

#endif
