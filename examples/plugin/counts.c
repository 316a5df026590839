/* A plug-in: learning rates from photon counts.

   The teacher sets the mean of a Poisson count, y ~ Poisson(rate(s)); the student is fitted by maximum likelihood. An
   expression cannot draw a Poisson number, a loop can. The link is a softplus with a small dark rate,

       rate(x) = dark + log(1 + exp(1 + x)),

   and the loss is half the deviance of a count y from the rate mu = rate(r), which is 0 for a perfect fit:

       loss = mu - y + y log(y/mu),   g = mu' (1 - y/mu),   G = mu'' (1 - y/mu) + mu'^2 y/mu^2.

   Build it next to counts.yaml and solve:

       cc -O2 -shared -fPIC -o counts.so counts.c $(pkg-config --cflags sgdmft) -lm
       sgdmft solve counts.yaml

   What to mind in a plug-in of your own:
   - arrays are component-major: component c of sample p is x[c * n + p] (here there is one component only);
   - loss, g and G are asked for in any combination, the others are NULL;
   - the call-backs run on several threads at once: no static or global variables that change;
   - g must not jump in r (G would have a delta function, which averages over samples cannot see): nobody can check
     that for you. All else is checked with random samples when the plug-in is loaded. */
#include <math.h>
#include <sgdmft/plugin.h>

#define DARK_RATE 0.05

/* Counts beyond this have no noticeable probability at the rates that occur. */
#define LARGEST_COUNT 10000

static double sigmoid(double x)
{
    double e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static double rate(double x)
{
    x += 1;
    return DARK_RATE + fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* The smallest count whose cumulative probability reaches that of the normal number eps. */
static double poisson_quantile(double mean, double eps)
{
    double target = 0.5 * erfc(-eps / sqrt(2)), probability = exp(-mean), cumulative = probability;
    int count = 0;
    while (cumulative < target && count < LARGEST_COUNT) {
        count++;
        probability *= mean / count;
        cumulative += probability;
        if (count > mean && probability < 1e-18) /* the sum has stopped growing */
            break;
    }
    return count;
}

static int label(size_t n, const double *s, const double *eps, double *y)
{
    for (size_t p = 0; p < n; p++)
        y[p] = poisson_quantile(rate(s[p]), eps[p]);
    return 0;
}

static int loss(size_t n, const double *t, const double *r, const double *y, double *loss_out, double *g, double *G)
{
    (void)t;
    for (size_t p = 0; p < n; p++) {
        double mu = rate(r[p]), slope = sigmoid(r[p] + 1), bend = slope * (1 - slope);
        if (loss_out)
            loss_out[p] = mu - y[p] + (y[p] > 0 ? y[p] * log(y[p] / mu) : 0);
        if (g)
            g[p] = slope * (1 - y[p] / mu);
        if (G)
            G[p] = bend * (1 - y[p] / mu) + slope * slope * y[p] / (mu * mu);
    }
    return 0;
}

__attribute__((visibility("default"))) const sgdmft_plugin *sgdmft_plugin_entry(void);

const sgdmft_plugin *sgdmft_plugin_entry(void)
{
    static const sgdmft_plugin table = {
        .abi = SGDMFT_PLUGIN_ABI,
        .students = 1,
        .teachers = 1,
        .noises = 1,
        .labels = 1,
        .label = label,
        .loss = loss,
    };
    return &table;
}
