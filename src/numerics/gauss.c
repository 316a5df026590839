#include "numerics/gauss.h"

#include <gsl/gsl_integration.h>
#include <math.h>

/* GSL has the weight exp(-z^2/2). Its nodes and weights are symmetric to rounding only, and averages over symmetric
   laws are to vanish exactly. */
int gauss_hermite(int order, double *node, double *weight)
{
    gsl_integration_fixed_workspace *rule =
        gsl_integration_fixed_alloc(gsl_integration_fixed_hermite, (size_t)order, 0, 0.5, 0, 0);
    if (!rule)
        return -1;
    const double *x = gsl_integration_fixed_nodes(rule), *w = gsl_integration_fixed_weights(rule);
    for (int i = 0; i < order; i++) {
        int mirror = order - 1 - i;
        node[i] = 0.5 * (x[i] - x[mirror]);
        weight[i] = 0.5 * (w[i] + w[mirror]) / sqrt(2 * M_PI);
    }
    gsl_integration_fixed_free(rule);
    return 0;
}

int gauss_legendre(int order, double *node, double *weight)
{
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc((size_t)order);
    if (!table)
        return -1;
    for (int i = 0; i < order; i++)
        gsl_integration_glfixed_point(0, 1, (size_t)i, &node[i], &weight[i], table);
    gsl_integration_glfixed_table_free(table);
    return 0;
}
