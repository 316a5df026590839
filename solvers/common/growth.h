/* Bounds beyond which the dynamics count as diverging: a stable solution of a problem in natural units stays below. */
#ifndef SGDMFT_SOLVERS_COMMON_GROWTH_H
#define SGDMFT_SOLVERS_COMMON_GROWTH_H

typedef struct growth_limits {
    double step;   /* of the mean squared step E|eta g|^2 */
    double moment; /* of the mean square of theta */
} growth_limits;

/* `scale`: mean squares of student and teacher at the start and, where it is known, of the first step. */
static inline growth_limits growth_limits_of(double scale)
{
    return (growth_limits){.step = 1e4 * scale, .moment = 1e8 * scale};
}

#endif
