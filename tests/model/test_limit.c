/* Which losses and labels have no limit, under which process; and the argument for it, in numbers. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../support/check.h"
#include "../support/plan.h"
#include "model/model.h"

/* The processes, by letter: S sgd, R reshuffled, M sme, G gradient flow, O online. */
static const char *const settings_of[][2] = {{"S", "sgd, delta: 2"},
                                             {"R", "sgd, delta: 2, sampling: reshuffle"},
                                             {"M", "sme, delta: 2"},
                                             {"G", "gradient-flow, delta: 2"},
                                             {"O", "online"}};

enum { PROCESSES = sizeof settings_of / sizeof *settings_of };

/* The status of model_check_limit, with its message in the context. */
static sgdmft_status verdict(sgdmft_context *ctx, const char *process, int k, int kstar, const char *label,
                             const char *loss)
{
    sgdmft_problem *problem = test_problem(
        ctx, "{dynamics: %s, horizon: 2, model: {students: %d, teachers: %d, label: \"%s\", loss: \"%s\"}}", process, k,
        kstar, label, loss);
    check_ok(ctx, sgdmft_problem_check(ctx, problem));
    model *m = NULL;
    check_ok(ctx, model_new(ctx, problem, &m));
    sgdmft_status status = model_check_limit(ctx, m, problem);
    model_free(m);
    sgdmft_problem_free(problem);
    return status;
}

typedef struct limit_case {
    const char *label, *loss;
    const char *refused; /* letters of the processes without a limit */
} limit_case;

static void check_cases(const limit_case *cases, size_t n, int k, int kstar)
{
    for (size_t i = 0; i < n; i++)
        for (int p = 0; p < PROCESSES; p++) {
            sgdmft_context *ctx = check_context(1);
            sgdmft_status status = verdict(ctx, settings_of[p][1], k, kstar, cases[i].label, cases[i].loss);
            sgdmft_status wanted = strstr(cases[i].refused, settings_of[p][0]) ? SGDMFT_ERR_NO_LIMIT : SGDMFT_OK;
            if (status != wanted)
                fail_msg("label %s, loss %s, dynamics: %s: status %d, expected %d; %s", cases[i].label, cases[i].loss,
                         settings_of[p][1], (int)status, (int)wanted, sgdmft_context_message(ctx));
            sgdmft_context_free(ctx);
        }
}

/* Growth in r. Visits repeat where both sides kick to the other one, or one side kicks outwards. */
static void growth_of_the_loss(void **state)
{
    static const limit_case cases[] = {
        {"s^2", "(r^2 - y)^2/4", "SM"},
        {"s", "(r^3 - y)^2/2", "SM"},
        {"s", "r^4", "SM"},
        {"s^2", "(r^2*tanh(r) - y)^2", "SM"},
        {"s^2", "abs(r - y)^3", "SM"},
        {"s", "abs(r - y)^2.2", "SM"},
        {"s", "r^2*log(1 + r^2)", "SM"},
        {"s", "if(t > 1.5, (r - y)^4, (r - y)^2)", "SM"},
        {"s", "(r - y)^2/2 + 0.000001*r^4", "SM"},
        {"s", "if(y > 1, r^4, (r - y)^2)", "SM"}, /* for some labels */
        {"s", "sqrt(1 + r^6)", "SM"},
        {"s", "r^2*log(2 + r^2)^0.7", "SM"},
        {"s", "r^2*log(2 + r^2)^0.3", ""}, /* |r_n|^2/n! is summable */
        /* two visits, each an exponential, are more than any Gaussian has moments for */
        {"s", "(sinh(r) - y)^2/2", "SRM"},
        {"s", "cosh(r - y)", "SRM"},
        {"s", "exp(r^4)", "SRMGO"},
        /* away from zero */
        {"s", "-r^4", "SMG"},
        {"s", "r^3/3", "SMG"},
        /* one side: the kick lands where the gradient is small */
        {"sign(s)", "exp(-y*r)", "M"},
        {"s", "(exp(r) - y)^2/2", "M"},
        {"s", "exp(r) - y*r", "M"},
        {"s^2", "(relu(r)^2 - y)^2", "M"},
        {"s^2", "(softplus(r)^2 - y)^2", "M"},
        /* at most linear */
        {"s^2", "(r^2 - y)^2/(1 + r^2 + y)", ""},
        {"s^2", "(r^2 - y)^2/(0.5 + r^2 + y)", ""},
        {"s^2", "sqrt(1 + (r^2 - y)^2)", ""},
        {"s^2", "if(abs(r^2 - y) < 1, (r^2 - y)^2/2, abs(r^2 - y) - 0.5)", ""},
        {"s", "(r - y)^2/2", ""},
        {"s", "(tanh(r) - y)^2/2", ""},
        {"s", "(relu(r) - y)^2/2", ""},
        {"s", "(r*sigmoid(r) - y)^2/2", ""},
        {"s", "softplus(r)^2", ""},
        {"sign(s)", "log(1 + exp(-y*r))", ""},
        {"sign(s)", "max(0, 1 - y*r)^2", ""},
        {"s", "log(cosh(r - y))", ""},
        {"s", "(r - y)^2*(1 + sin(r))", ""}, /* oscillates: cannot be told */
        {"s", "(atan(r^3) - y)^2", ""},
        {"s", "if(t > 3, (r - y)^4, (r - y)^2)", ""}, /* after the horizon */
        {"s", "if(y^2 < -1, r^4, (r - y)^2)", ""},    /* never */
        {"s", "r^4/(1 + r^2) + log1p(r^2)", ""},
    };
    check_cases(cases, sizeof cases / sizeof *cases, 1, 1);
}

static void growth_with_two_students(void **state)
{
    static const limit_case cases[] = {
        {"s1^2 + s2^2", "(r1^2 + r2^2 - y)^2", "SM"},
        {"s1*s2", "(r1*r2 - y)^2/2", "SM"},
        {"s1", "r1^3/3 + r2^2", "SM"},
        {"s1", "(r1 - r2)^4 + r2^2", "SM"},
        {"s1", "cosh(r1 - r2)", "SRM"},
        {"erf(s1) + erf(s2)", "(erf(r1) + erf(r2) - y)^2/2", ""},
        {"s1^2", "(r1^2 + r2^2 - y)^2/(1 + r1^2 + r2^2 + y)", ""},
        {"s1^2", "(relu(r1)^2 + relu(r2)^2 - y)^2", ""},
        {"s1 > s2", "logsumexp(r1, r2) - y*r1 - (1 - y)*r2", ""},
        {"s1", "(r1*tanh(r2) - y)^2/2", ""},
    };
    check_cases(cases, sizeof cases / sizeof *cases, 2, 2);
}

/* Labels and losses without a second moment at the first visit have no limit under any process. */
static void moments_of_the_label(void **state)
{
    static const limit_case cases[] = {
        {"1/s", "(r - y)^2/2", "SRMGO"},
        {"1/s^2", "(r - y)^2/2", "SRMGO"},
        {"abs(s)^(-0.5)", "(r - y)^2/2", "SRMGO"},
        {"abs(s)^(-0.4)", "(r - y)^4/(1 + r^2)", "SRMGO"}, /* the gradient has y^3 or more */
        {"s/eps", "(r - y)^2/2", "SRMGO"},
        {"1/(0.5 + s + eps)", "(r - y)^2/2", "SRMGO"},
        {"tan(s)", "(r - y)^2/2", "SRMGO"},
        {"exp(1/s)", "(r - y)^2/2", "SRMGO"},
        {"exp(s^2)", "(r - y)^2/2", "SRMGO"},
        {"exp(0.26*s^2)", "(r - y)^2/2", "SRMGO"},
        {"exp(0.2*s^2 + 0.27*eps^2)", "(r - y)^2/2", "SRMGO"},
        {"exp(abs(s)^2.1)", "(r - y)^2/2", "SRMGO"},
        {"exp(exp(s))", "(r - y)^2/2", "SRMGO"},
        {"exp(s)", "(exp(r) - y)^2/2", "SRM"}, /* at the second visit */
        {"exp(s)", "exp(r) - y*r", "SRM"},
        {"exp(0.24*s^2)", "(r - y)^2/2", ""},
        {"exp(0.24*s^2 + 0.24*eps^2)", "(r - y)^2/2", ""},
        {"exp(s)", "(r - y)^2/2", ""},
        {"s^9", "(r - y)^2/2", ""},
        {"abs(s)^(-0.4)", "(r - y)^2/2", ""},
        {"abs(s)^(-0.49)", "(r - y)^2/2", ""},
        {"log(abs(s))", "(r - y)^2/2", ""},
        {"log(s^2)^3 + eps", "(r - y)^2/2", ""},
        {"1/s", "(r - tanh(y))^2/2", ""}, /* bounded in the end */
        {"1/s", "(r - 1/y)^2/2", ""},
        {"1/(0.5 + s^2)", "(r - y)^2/2", ""},
        {"if(s > 0, 1/(s + 0.1), 0)", "(r - y)^2/2", ""},
        {"sign(s)/sqrt(1 + s^2)", "(r - y)^2/2", ""},
    };
    check_cases(cases, sizeof cases / sizeof *cases, 1, 1);
}

/* With another second moment of the signal, exp(0.26 s^2) has one too. */
static void the_variance_of_the_signal_counts(void **state)
{
    static const double rho[] = {0.9, 1, 2};
    for (int i = 0; i < 3; i++) {
        sgdmft_context *ctx = check_context(1);
        sgdmft_problem *problem = test_problem(
            ctx, "{delta: 2, horizon: 2, initial: {rho: %g}, model: {label: \"exp(0.26*s^2)\", loss: \"(r - y)^2/2\"}}",
            rho[i]);
        check_ok(ctx, sgdmft_problem_check(ctx, problem));
        model *m = NULL;
        check_ok(ctx, model_new(ctx, problem, &m));
        assert_int_equal(model_check_limit(ctx, m, problem), rho[i] < 1 ? SGDMFT_OK : SGDMFT_ERR_NO_LIMIT);
        model_free(m);
        sgdmft_problem_free(problem);
        sgdmft_context_free(ctx);
    }
}

/* What the dynamics never reach does not count: students that are equal and stay so, or that never move. */
static void only_what_is_reached_counts(void **state)
{
    static const struct {
        const char *start, *model;
        int refused;
    } cases[] = {
        {"{q: 1, m: 0.2}", "{label: \"s^2\", loss: \"(r^2 - y)^2\"}", 1},
        {"{q: 0, m: 0}", "{label: \"s^2\", loss: \"(r^2 - y)^2\"}", 0},
        {"{q: 0, m: 0}", "{label: \"s^2\", loss: \"(r^2 + r - y)^2\"}", 1},
        {"{q: 1, m: 1}", "{label: \"s^2\", loss: \"(r^2 - y)^2\"}", 0},
        {"{q: 1, m: 1}", "{label: \"s^2 + 0.1*eps\", loss: \"(r^2 - y)^2\"}", 1},
        {"{q: [[1, 1], [1, 1]], m: [[0.2], [0.2]]}",
         "{students: 2, label: \"s + eps\", loss: \"(r1 + r2 - y)^2 + (r1 - r2)^4\"}", 0},
        {"{q: [[1, 0.9], [0.9, 1]], m: [[0.2], [0.2]]}",
         "{students: 2, label: \"s + eps\", loss: \"(r1 + r2 - y)^2 + (r1 - r2)^4\"}", 1},
        {"{q: [[1, 0], [0, 0]], m: [[0.2], [0]]}", "{students: 2, label: \"s\", loss: \"(r1 - y)^2 + r2^4\"}", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sgdmft_context *ctx = check_context(1);
        sgdmft_problem *problem =
            test_problem(ctx, "{delta: 2, horizon: 2, initial: %s, model: %s}", cases[i].start, cases[i].model);
        check_ok(ctx, sgdmft_problem_check(ctx, problem));
        model *m = NULL;
        check_ok(ctx, model_new(ctx, problem, &m));
        sgdmft_status status = model_check_limit(ctx, m, problem);
        if ((status != SGDMFT_OK) != cases[i].refused)
            fail_msg("%s, %s: status %d", cases[i].start, cases[i].model, (int)status);
        model_free(m);
        sgdmft_problem_free(problem);
        sgdmft_context_free(ctx);
    }
}

static void messages_say_what_and_why(void **state)
{
    static const struct {
        int process;
        const char *label, *loss, *says[4];
    } cases[] = {
        {0,
         "s^2",
         "(r^2 - y)^2/4",
         {"model.loss: its gradient in r grows like |r|^3,", "any number of visits",
          "mean square of the gradient is infinite", "what helps: a loss whose gradient"}},
        {0, "s", "(sinh(r) - y)^2/2", {"grows like exp(2 |r|)", "gradient-flow", "", ""}},
        {1, "s", "(sinh(r) - y)^2/2", {"grows like exp(exp(|r|)) or faster at visit 2", "density of r", "", ""}},
        {2, "s", "exp(r) - y*r", {"grows like exp(|r|) for r > 0", "Brownian motion", "1/g^2", ""}},
        {3, "s", "r^3/3", {"it falls without bound for r < 0", "|r|^2", "bounded from below", ""}},
        {4,
         "exp(s^2)",
         "(r - y)^2/2",
         {"model.label: ", "exp(|s|^2)", "Gaussian density of s and eps", "bounded label"}},
        {0, "1/s", "(r - y)^2/2", {"model.label: ", "a pole", "operator /", "like h^-1,"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int part = 0; part < 4; part++) {
            sgdmft_context *ctx = check_context(1);
            sgdmft_status status = verdict(ctx, settings_of[cases[i].process][1], 1, 1, cases[i].label, cases[i].loss);
            check_failure(ctx, status, SGDMFT_ERR_NO_LIMIT, cases[i].says[part]);
            sgdmft_context_free(ctx);
        }
}

/* The argument: the share of paths with n visits in E g^2 at t = 1, if R = 1 and w is standard normal,

     a_n = e^-1/n! E g(r_n)^2,   r_0 = w, r_(n+1) = r_n - eta g(r_n).

   with |w| up to `largest`. Where there is no limit, a_(n+1)/a_n grows with n, so the sum over n is infinite. Otherwise
   it falls in the end. */
typedef long double (*gradient)(long double r);

static long double quartic(long double r)
{
    return r * (r * r - 1);
}
static long double normalised(long double r)
{
    return 2 * r * (r * r - 1) * (r * r + 3) / ((r * r + 2) * (r * r + 2));
}
static long double rectified(long double r)
{
    return r > 0 ? r * (r * r - 1) : 0;
}
static long double exponential(long double r)
{
    return -expl(-r);
}
static long double hyperbolic(long double r)
{
    return 0.01L * sinhl(r);
}

static void shares(gradient g, int n_shares, long double eta, int largest, double *log_share)
{
    for (int n = 0; n < n_shares; n++) {
        long double sum = 0, step = 1.0L / 64;
        for (int i = -64 * largest; i <= 64 * largest; i++) {
            long double w = i * step, r = w;
            for (int visit = 0; visit < n; visit++)
                r -= eta * g(r);
            sum += step * expl(-w * w / 2 - lgammal(n + 1)) * g(r) * g(r);
        }
        log_share[n] = (double)logl(sum);
    }
}

static void shares_of_visits_show_it(void **state)
{
    enum { SHARES = 5 };
    double share[SHARES];
    shares(quartic, SHARES, 0.1L, 40, share);
    for (int n = 2; n < SHARES; n++)
        assert_true(share[n] - share[n - 1] > 1 + share[n - 1] - share[n - 2]);
    shares(hyperbolic, 2, 0.1L, 14, share); /* numbers end there */
    assert_true(share[1] - share[0] > 100);
    gradient const tame[] = {normalised, rectified, exponential};
    for (int i = 0; i < 3; i++) {
        shares(tame[i], SHARES, 0.1L, 40, share);
        for (int n = 2; n < SHARES; n++)
            assert_true(isfinite(share[n]) && share[n] - share[n - 1] < 1);
    }
}

/* Nothing is known of call-backs, and nothing refused. */
static int labels(void *user, size_t n, const double *s, const double *eps, double *y)
{
    (void)user;
    (void)eps;
    for (size_t p = 0; p < n; p++)
        y[p] = s[p] * s[p];
    return 0;
}

static int quartic_loss(void *user, size_t n, const double *t, const double *r, const double *y, double *loss,
                        double *g, double *G)
{
    (void)user;
    (void)t;
    for (size_t p = 0; p < n; p++) {
        double rest = r[p] * r[p] - y[p];
        if (loss)
            loss[p] = rest * rest / 4;
        if (g)
            g[p] = rest * r[p];
        if (G)
            G[p] = 3 * r[p] * r[p] - y[p];
    }
    return 0;
}

static void call_backs_pass(void **state)
{
    sgdmft_context *ctx = check_context(1);
    const sgdmft_model table = {
        .abi = SGDMFT_MODEL_ABI, .students = 1, .teachers = 1, .labels = 1, .label = labels, .loss = quartic_loss};
    sgdmft_problem *problem = NULL;
    check_ok(ctx, sgdmft_problem_new(ctx, &problem));
    check_ok(ctx, sgdmft_problem_set(ctx, problem, "delta", "2"));
    check_ok(ctx, sgdmft_problem_set(ctx, problem, "horizon", "2"));
    check_ok(ctx, sgdmft_problem_set_model(ctx, problem, &table));
    check_ok(ctx, sgdmft_problem_check(ctx, problem));
    model *m = NULL;
    check_ok(ctx, model_new(ctx, problem, &m));
    check_ok(ctx, model_check_limit(ctx, m, problem));
    model_free(m);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_of_the_loss),          cmocka_unit_test(growth_with_two_students),
        cmocka_unit_test(moments_of_the_label),        cmocka_unit_test(the_variance_of_the_signal_counts),
        cmocka_unit_test(only_what_is_reached_counts), cmocka_unit_test(messages_say_what_and_why),
        cmocka_unit_test(shares_of_visits_show_it),    cmocka_unit_test(call_backs_pass),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
