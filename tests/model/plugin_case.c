/* Plug-ins for test_model.c: a good one for two students, and one for every way of breaking the interface. The build
   defines CASE_... to choose. */
#include <math.h>
#include <string.h>

#include <sgdmft/plugin.h>

#if defined(CASE_WRONG_ABI)
#define ABI (SGDMFT_PLUGIN_ABI + 41)
#else
#define ABI SGDMFT_PLUGIN_ABI
#endif

#if defined(CASE_NO_LOSS)
#define LOSS NULL
#else
#define LOSS loss
#endif

#if defined(CASE_TOO_MANY_LABELS)
#define LABELS 9
#else
#define LABELS 2
#endif

/* y1 = s1 s2 + 0.1 eps, y2 = sign(s1) */
static int label(size_t n, const double *s, const double *eps, double *y)
{
#if defined(CASE_LABEL_FAILS)
    return 23;
#endif
    for (size_t p = 0; p < n; p++) {
        y[p] = s[p] * s[n + p] + 0.1 * eps[p];
        y[n + p] = (s[p] > 0) - (s[p] < 0);
#if defined(CASE_LABEL_NAN)
        y[n + p] = s[p] > 1 ? NAN : 1;
#endif
    }
#if defined(CASE_LABEL_OVERRUN)
    for (size_t p = 0; p < n; p++)
        y[2 * n + p % 4] = 0;
#endif
    return 0;
}

/* loss = (r1 r2 - y1)^2/2 + log(1 + exp(-y2 (r1 + 2 r2))) + 0.25 t r1^2 */
static int loss(size_t n, const double *t, const double *r, const double *y, double *loss_out, double *g, double *G)
{
#if defined(CASE_LOSS_FAILS)
    return -4;
#endif
#if defined(CASE_NULL_FAILS)
    if (!loss_out)
        return 5;
#endif
    for (size_t p = 0; p < n; p++) {
#if defined(CASE_LAYOUT)
        double a = r[2 * p], b = r[2 * p + 1], u = a * b - y[2 * p], label2 = y[2 * p + 1];
#else
        double a = r[p], b = r[n + p], u = a * b - y[p], label2 = y[n + p];
#endif
        double z = -label2 * (a + 2 * b), e = exp(-fabs(z)), s = (z < 0 ? e : 1) / (1 + e);
        double curve = label2 * label2 * s * (1 - s);
        if (loss_out)
            loss_out[p] = u * u / 2 + fmax(z, 0) + log1p(e) + 0.25 * t[p] * a * a;
        if (g) {
            g[p] = u * b - label2 * s + 0.5 * t[p] * a;
            g[n + p] = u * a - 2 * label2 * s;
#if defined(CASE_WRONG_GRADIENT)
            g[n + p] = u * a - label2 * s;
#endif
#if defined(CASE_ALONE_DIFFERS)
            if (!G)
                g[p] *= 1.001;
#endif
        }
        if (G) {
            G[p] = b * b + curve + 0.5 * t[p];
            G[n + p] = G[2 * n + p] = u + a * b + 2 * curve;
            G[3 * n + p] = a * a + 4 * curve;
#if defined(CASE_WRONG_HESSIAN)
            G[3 * n + p] = a * a + 2 * curve;
#elif defined(CASE_ASYMMETRIC)
            G[2 * n + p] += 0.01;
#elif defined(CASE_HALF_WRITTEN)
            if (p % 2)
                G[2 * n + p] = NAN;
#endif
        }
    }
    return 0;
}

#if defined(CASE_NO_ENTRY)
#define sgdmft_plugin_entry another_name
#endif

__attribute__((visibility("default"))) const sgdmft_plugin *sgdmft_plugin_entry(void);

const sgdmft_plugin *sgdmft_plugin_entry(void)
{
    (void)loss;
    static const sgdmft_plugin table = {
        .abi = ABI,
        .students = 2,
        .teachers = 2,
        .noises = 1,
        .labels = LABELS,
        .label = label,
        .loss = LOSS,
    };
#if defined(CASE_NULL_TABLE)
    (void)table;
    return NULL;
#else
    return &table;
#endif
}
