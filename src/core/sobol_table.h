/* The data from which direction numbers are computed; see sobol_table.c for its origin and licence. */
#ifndef SGDMFT_CORE_SOBOL_TABLE_H
#define SGDMFT_CORE_SOBOL_TABLE_H

#include <stdint.h>

#include "core/random.h"

enum { SOBOL_MAX_DEGREE = 11 };

typedef struct sobol_entry {
    uint8_t degree;                     /* s; 0 in dimension 0 only */
    uint16_t inner;                     /* a_1 .. a_{s-1} of x^s + a_1 x^{s-1} + .. + a_{s-1} x + 1, a_1 highest */
    uint16_t initial[SOBOL_MAX_DEGREE]; /* m_1 .. m_s */
} sobol_entry;

extern const sobol_entry sobol_table[SOBOL_DIMENSIONS];

#endif
