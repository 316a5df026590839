/* Elementary functions of loops_body.h: from the SLEEF library, and our own for those in which solutions spend their
   time. Our own compute both sides of a choice in every lane. Their polynomials are minimax fits of
   scripts/fit-kernels.py; "within" is the error of the fit, to which rounding adds: tests/expr/test_elementary.c bounds
   the sum. */

#ifdef SLEEF

/* The reproducible family of the library. Only that family decides lane by lane; the faster one picks a formula for a
   whole vector by its largest argument, so that a lane would depend on its neighbours. It also gives equal bits with
   AVX2 and AVX-512. */
typedef double sleef_vec __attribute__((vector_size(8 * VEC_LANES)));

/* sleef.h declares a function only if the whole file is compiled for its instruction set. */
#define DECLARE(name, accuracy) sleef_vec SLEEF(name, accuracy)(sleef_vec);
DECLARE(log, u10)
DECLARE(log1p, u10)
DECLARE(sinh, u35)
DECLARE(sin, u10)
DECLARE(cos, u10)
DECLARE(tan, u10)
DECLARE(atan, u10)
DECLARE(erfc, u15)
sleef_vec SLEEF(pow, u10)(sleef_vec, sleef_vec);
#undef DECLARE

#define vec_log(x) SLEEF(log, u10)(x)
#define vec_log1p(x) SLEEF(log1p, u10)(x)
#define vec_sinh_small(x) SLEEF(sinh, u35)(x)
#define vec_sin(x) SLEEF(sin, u10)(x)
#define vec_cos(x) SLEEF(cos, u10)(x)
#define vec_tan(x) SLEEF(tan, u10)(x)
#define vec_atan(x) SLEEF(atan, u10)(x)
#define vec_erfc(x) SLEEF(erfc, u15)(x)
#define vec_pow(x, y) SLEEF(pow, u10)(x, y)

#endif

/* A call would save and reload registers and constants for every vector. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Adding it rounds to an integer, which stands in the lowest bits of the sum; subtracting it leaves that integer. */
#define TO_INTEGER 0x1.8p52

#define LOG2 0.693147180559945309417232121458

/* The smaller and the larger one; b if one of them is NaN. */
#ifndef vec_min
#define vec_min(a, b) choose((a) < (b), a, b)
#define vec_max(a, b) choose((a) > (b), a, b)
#endif

/* Polynomial in x with these coefficients, constant first. */
#define POLYNOMIAL(x, ...)                                                                                             \
    polynomial(x, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

/* In pairs of powers, which do not depend on each other; and where signs alternate, each sum stays small. */
ALWAYS_INLINE vec polynomial(vec x, const double *c, size_t n)
{
    vec square = x * x, sum = all(c[n - 1]);
    size_t k = n - 1;
    if (n % 2 == 0) {
        k = n - 2;
        sum = vec_fma(sum, x, all(c[k]));
    }
#pragma GCC unroll 16
    for (; k > 0; k -= 2)
        sum = vec_fma(sum, square, vec_fma(x, all(c[k - 1]), all(c[k - 2])));
    return sum;
}

ALWAYS_INLINE vec with_sign_of(vec x, vec size)
{
    return (vec)((vec_mask)size | ((vec_mask)x & (vec_mask)all(-0.0)));
}

/* Unsigned, so that the bits of a NaN wrap around instead of overflowing. */
typedef unsigned long long vec_bits __attribute__((vector_size(8 * VEC_LANES)));

/* 2^k from k + TO_INTEGER, -1022 <= k <= 1023 */
ALWAYS_INLINE vec power_of_two(vec k_bits)
{
    return (vec)(((vec_bits)k_bits << 52) + (vec_bits)all(1));
}

/* x 2^k for an integer k, in two factors of which only the last can round. */
#ifndef vec_scale
ALWAYS_INLINE vec vec_scale(vec x, vec k)
{
    vec half = vec_fma(k, all(0.5), all(TO_INTEGER)), k_bits = k + TO_INTEGER;
    vec rest = (vec)((vec_bits)k_bits - (vec_bits)half);
    return (x * power_of_two(half)) * power_of_two(rest);
}
#endif

/* exp(r) - 1 for |r| <= log(2)/2: r + r^2 P(r), within 1.8e-17 |r| */
ALWAYS_INLINE vec expm1_near_zero(vec r)
{
    vec p = POLYNOMIAL(r, 0.5000000000000006, 0.16666666666666685, 0.04166666666657364, 0.008333333333314603,
                       0.0013888888932372953, 0.000198412699029971, 2.4801504453185135e-05, 2.755722799119846e-06,
                       2.762632354811968e-07, 2.5114459291496562e-08);
    return vec_fma(r * r, p, r);
}

/* 2^k exp(r) with k = x/log(2), rounded */
ALWAYS_INLINE vec vec_exp(vec x)
{
    /* 0 or infinite beyond these */
    x = vec_max(all(-746), vec_min(all(710), x));
    vec k = vec_fma(x, all(1 / LOG2), all(TO_INTEGER)) - TO_INTEGER;
    /* log(2) in two parts: the product with the first one is exact */
    vec r = vec_fma(k, all(-0x1.62e42fefa38p-1), x);
    r = vec_fma(k, all(-0x1.ef35793c7673p-45), r);
    return vec_scale(1 + expm1_near_zero(r), k);
}

/* log(1 + e) for 0 <= e <= 1: e + e^2 P(e - 1/2), within 1e-17 of its value */
ALWAYS_INLINE vec log1p_unit(vec e)
{
    vec p = POLYNOMIAL(e - 0.5, -0.37813956756734246, 0.1792249369360372, -0.09323036636366905, 0.051083446105400214,
                       -0.02894318316441649, 0.016788742491280418, -0.009909900766998093, 0.005929011560857328,
                       -0.0035856647731512792, 0.00218764757763431, -0.00134453118249529, 0.0008313430276230933,
                       -0.0005165390447430698, 0.00032346588808109, -0.00020487953651213023, 0.0001254494533862182,
                       -7.108668962659119e-05, 5.27442650849712e-05, -5.1127244749759326e-05, 2.533071850328319e-05);
    return vec_fma(e * e, p, e);
}

/* (1 - E)/(1 + E) with E = exp(-2|x|) = 2^k (1 + m); 1 - E keeps its digits near zero */
ALWAYS_INLINE vec vec_tanh(vec x)
{
    vec z = -2 * vec_min(all(20), absolute(x));
    vec k_bits = vec_fma(z, all(1 / LOG2), all(TO_INTEGER)), k = k_bits - TO_INTEGER;
    /* one part of log(2) will do: the error grows as k, but E falls faster */
    vec m = expm1_near_zero(vec_fma(k, all(-LOG2), z)), power = power_of_two(k_bits);
    return with_sign_of(x, vec_fma(-power, m, 1 - power) / vec_fma(power, m, 1 + power));
}

/* x + x P(x^2) below 17/16, within 1e-18 of its value. From there on 1 - (1 - q)^4 with a polynomial q, within 4e-18:
   1 - q falls no faster than exp(-x^2/4), so one polynomial reaches to where erf is 1. Squaring 1 - q, which makes q
   into 2 q - q^2, damps the error that q has. */
ALWAYS_INLINE vec vec_erf(vec x)
{
    vec size = vec_min(all(6), absolute(x));
    vec p = POLYNOMIAL(size * size, 0.1283791670955126, -0.3761263890318373, 0.11283791670954155, -0.02686617064494426,
                       0.00522397762356602, -0.0008548326911126333, 0.00012055328653504041, -1.4925538247331376e-05,
                       1.6460118680427316e-06, -1.6341309356684615e-07, 1.460149761678067e-08, -1.1156189375735802e-09,
                       5.604808376416532e-11);
    vec q = POLYNOMIAL(size, 2.2998348794172633e-07, 0.2820924139035911, 0.11937774662886104, -0.015497161416947817,
                       -0.018552521998451036, 0.0011058344783643548, 0.0020867678670865764, -0.00035053076247658983,
                       -2.008491911587945e-05, -3.262384282092093e-05, 3.0094341750644616e-05, -1.3375767027735451e-05,
                       4.925504279568005e-06, -1.543198238853434e-06, 3.740397362281387e-07, -6.65150836001798e-08,
                       8.483417238485277e-09, -7.573442644123928e-10, 4.511406537101015e-11, -1.6166852072373943e-12,
                       2.643851933242993e-14);
    q = vec_fma(-q, q, q + q);
    q = vec_fma(-q, q, q + q);
    return with_sign_of(x, choose(size < 1.0625, vec_fma(size, p, size), q));
}

#undef ALWAYS_INLINE
#undef POLYNOMIAL
#undef LOG2
#undef TO_INTEGER
