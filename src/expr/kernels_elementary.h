/* Elementary functions of kernels_body.h, written here rather than taken from a library: those which solutions spend
   their time in. Both sides of a choice are computed in every lane. Polynomials are minimax fits of
   scripts/fit-kernels.py; "within" is their own error, to which rounding adds. */

/* A call would store and load constants and registers anew for every vector. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Added and subtracted, it rounds to an integer, which stands in the lowest bits of the sum. */
#define TO_INTEGER 0x1.8p52

#define LOG2 0.693147180559945309417232121458

/* The smaller and the larger one; b if one of them is NaN. */
#ifndef vec_min
#define vec_min(a, b) choose((a) < (b), a, b)
#define vec_max(a, b) choose((a) > (b), a, b)
#endif

/* Polynomial in x with these coefficients, constant first. */
#define POLYNOMIAL(x, ...) \
    polynomial(x, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

/* In pairs of powers: they do not wait for each other, and where signs alternate each sum stays small. */
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

/* 2^k from k + TO_INTEGER, -1022 <= k <= 1023 */
ALWAYS_INLINE vec power_of_two(vec k_bits)
{
    return (vec)(((vec_mask)k_bits << 52) + (vec_mask)all(1));
}

/* x 2^k for an integer k: in two factors, of which only the last can round. */
#ifndef vec_scale
ALWAYS_INLINE vec vec_scale(vec x, vec k)
{
    vec half = vec_fma(k, all(0.5), all(TO_INTEGER)), k_bits = k + TO_INTEGER;
    vec rest = (vec)((vec_mask)k_bits - (vec_mask)half);
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

/* log(1 + e) for 0 <= e <= 1: e + e^2 P(e), within 1e-17 of its value */
ALWAYS_INLINE vec log1p_unit(vec e)
{
    vec p = POLYNOMIAL(e, -0.4999999999999946, 0.3333333333323505, -0.24999999993676908, 0.19999999791333933,
                       -0.16666662498712326, 0.14285658899742065, -0.12499479633682545, 0.11107506122498512,
                       -0.09981015502262348, 0.09013155718798307, -0.08081217317510109, 0.0703555508795774,
                       -0.057502239726128467, 0.04230040975753876, -0.026744249052451055, 0.013838793505183772,
                       -0.005543213333237317, 0.0015957776838481615, -0.0002917690705309496, 2.533071850328319e-05);
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

/* x + x P(x^2) below 1, within 7e-18 of its value. From there on 1 - (1 - q)^4 with a polynomial q, within 7e-18: it
   falls no faster than exp(-x^2/4), so one polynomial reaches to where erf is 1. Squaring 1 - q, which makes q into
   2 q - q^2, damps the error that q has. */
ALWAYS_INLINE vec vec_erf(vec x)
{
    vec size = vec_min(all(6), absolute(x));
    vec p = POLYNOMIAL(size * size, 0.12837916709551256, -0.3761263890318352, 0.112837916709442, -0.02686617064311335,
                       0.005223977606130268, -0.0008548325929740128, 0.00012055293586284461, -1.4924712430410149e-05,
                       1.6447132634136242e-06, -1.620631861379817e-07, 1.3710989610315908e-08, -7.779467277702093e-10);
    vec q = POLYNOMIAL(size, 1.4803159218739224e-07, 0.2820932147026501, 0.11937408141648956, -0.015486715780155926,
                       -0.018573307679138, 0.0011365277034968047, 0.002051874747311499, -0.00031926230712689445,
                       -4.2515247643144335e-05, -1.9617393415277025e-05, 2.3964869174604763e-05,
                       -1.102409190685694e-05, 4.1922448932180385e-06, -1.3583986782030192e-06,
                       3.3676119773405713e-07, -6.058829551510129e-08, 7.758128358687482e-09, -6.914966818116682e-10,
                       4.094130349655114e-11, -1.4520969404990884e-12, 2.3399152612543978e-14);
    q = vec_fma(-q, q, q + q);
    q = vec_fma(-q, q, q + q);
    return with_sign_of(x, choose(size < 1, vec_fma(size, p, size), q));
}

#undef ALWAYS_INLINE
#undef POLYNOMIAL
#undef LOG2
#undef TO_INTEGER
