/* Plug-ins: a label and a loss that expressions cannot say, as a C shared object (problem key model.plugin).
   The object exports one function, sgdmft_plugin_entry, of type sgdmft_plugin_entry_fn.

   Block layout: arrays are component-major, component c of sample p of a block of n samples at x[c * n + p].
   The call-backs run on several threads at once and must keep no mutable state. They return 0, or non-zero to
   abort the solve. */
#ifndef SGDMFT_PLUGIN_H
#define SGDMFT_PLUGIN_H

#include <stddef.h>

#include "export.h"

SGDMFT_BEGIN_DECLS

#define SGDMFT_PLUGIN_ABI 1

typedef struct sgdmft_plugin {
    int abi;      /* SGDMFT_PLUGIN_ABI */
    int students; /* k, 1..8 */
    int teachers; /* k*, 1..8 */
    int noises;   /* number of independent standard normals eps of a label, 0..8 */
    int labels;   /* number of components of y, 1..8 */

    /* y[labels * n] from s[teachers * n] and eps[noises * n]. */
    int (*label)(size_t n, const double *s, const double *eps, double *y);

    /* Any of loss[n], g[students * n] (d loss/dr) and G[students * students * n] (d^2 loss/dr_a dr_b at
       component a * students + b, symmetric) may be NULL when not wanted. t[n] is the time of each sample. */
    int (*loss)(size_t n, const double *t, const double *r, const double *y, double *loss, double *g, double *G);
} sgdmft_plugin;

typedef const sgdmft_plugin *(*sgdmft_plugin_entry_fn)(void);

SGDMFT_END_DECLS

#endif
