/* The loops of the simulator, written once: VEC_LANES floats a vector, tiles of 4 rows by TILE_COLUMNS vectors, LOOPS the
   name of the table to define. Included once per instruction set, hence without an include guard. */
#include <math.h>
#include <string.h>

#include "validation/simulator/loops.h"

typedef float vec __attribute__((vector_size(4 * VEC_LANES), may_alias));

/* Templates: every call has constant sizes, so that the loops over rows and students vanish. */
#define TEMPLATE static inline __attribute__((always_inline))

enum { TILE_ROWS = 4, VISIT_STUDENTS = 4 };

TEMPLATE vec load(const float *from)
{
    return *(const vec *)(const void *)from;
}

TEMPLATE void store(vec v, float *to)
{
    *(vec *)(void *)to = v;
}

TEMPLATE float lane_sum(vec v)
{
    float s[VEC_LANES];
    memcpy(s, &v, sizeof s);
    for (int width = VEC_LANES / 2; width > 0; width /= 2)
        for (int l = 0; l < width; l++)
            s[l] += s[l + width];
    return s[0];
}

/* What a visit is to all students. */
typedef struct visit_rows {
    const float *cur, *next, *ahead;
    float brake, shrink;
} visit_rows;

/* Two accumulators for each student: one alone would wait for its own additions. */
TEMPLATE void visit_students(int k, int coasts, size_t length, const visit_rows *rows, const float *coef,
                             float *velocity, float *theta, float *r)
{
    const vec zero = {0}, brake = zero + rows->brake, shrink = zero + rows->shrink;
    const float *cur = rows->cur, *next = rows->next, *ahead = rows->ahead;
    vec sum[VISIT_STUDENTS][2], step[VISIT_STUDENTS];
    for (int a = 0; a < k; a++) {
        sum[a][0] = sum[a][1] = zero;
        step[a] = zero + coef[a];
    }
    for (size_t j = 0; j < length; j += 2 * VEC_LANES) {
        __builtin_prefetch(ahead + j, 0, 2);
        if (VEC_LANES > 8)
            __builtin_prefetch(ahead + j + VEC_LANES, 0, 2);
        for (int half = 0; half < 2; half++) {
            size_t at = j + (size_t)half * VEC_LANES;
            vec x = load(cur + at), y = load(next + at);
            for (int a = 0; a < k; a++) {
                float *place = theta + (size_t)a * length + at;
                vec moved = load(place);
                if (coasts) {
                    float *speed = velocity + (size_t)a * length + at;
                    vec v = load(speed);
                    v -= brake * v + shrink * moved + step[a] * x;
                    store(v, speed);
                    moved += v;
                } else {
                    moved -= step[a] * x;
                }
                store(moved, place);
                sum[a][half] += moved * y;
            }
        }
    }
    for (int a = 0; a < k; a++)
        r[a] = lane_sum(sum[a][0] + sum[a][1]);
}

/* More students than registers hold take turns; the rows stay in the nearest cache meanwhile. */
TEMPLATE void visit_all(int k, int coasts, size_t length, const visit_rows *rows, const float *coef, float *velocity,
                        float *theta, float *r)
{
    for (; k > VISIT_STUDENTS; k -= VISIT_STUDENTS) {
        visit_students(VISIT_STUDENTS, coasts, length, rows, coef, velocity, theta, r);
        coef += VISIT_STUDENTS;
        velocity += coasts ? VISIT_STUDENTS * length : 0;
        theta += VISIT_STUDENTS * length;
        r += VISIT_STUDENTS;
    }
    switch (k) {
    case 1: visit_students(1, coasts, length, rows, coef, velocity, theta, r); break;
    case 2: visit_students(2, coasts, length, rows, coef, velocity, theta, r); break;
    case 3: visit_students(3, coasts, length, rows, coef, velocity, theta, r); break;
    default: visit_students(VISIT_STUDENTS, coasts, length, rows, coef, velocity, theta, r); break;
    }
}

static void visit(int k, size_t length, const float *cur, const float *coef, const float *next, const float *ahead,
                  float *theta, float *r)
{
    visit_rows rows = {.cur = cur, .next = next, .ahead = ahead};
    visit_all(k, 0, length, &rows, coef, NULL, theta, r);
}

static void coast(int k, size_t length, const float *cur, const float *coef, float brake, float shrink,
                  const float *next, const float *ahead, float *velocity, float *theta, float *r)
{
    visit_rows rows = {.cur = cur, .next = next, .ahead = ahead, .brake = brake, .shrink = shrink};
    visit_all(k, 1, length, &rows, coef, velocity, theta, r);
}

/* Calls f(m, n, ...) with constants for m = 1 .. TILE_ROWS. */
#define ROWS(f, m, n, ...)                                                                                             \
    switch (m) {                                                                                                       \
    case 1: f(1, n, __VA_ARGS__); break;                                                                               \
    case 2: f(2, n, __VA_ARGS__); break;                                                                               \
    case 3: f(3, n, __VA_ARGS__); break;                                                                               \
    default: f(4, n, __VA_ARGS__); break;                                                                              \
    }

/* out[i * columns + c] += row_i . vector_c over `count` coordinates from `from` on, i < m, c < n. */
TEMPLATE void project_tile(int m, int n, const float *const *row, size_t from, size_t count, const float *vectors,
                           size_t length, float *out, size_t columns)
{
    const vec zero = {0};
    vec sum[TILE_ROWS][TILE_COLUMNS];
    for (int i = 0; i < m; i++)
        for (int c = 0; c < n; c++)
            sum[i][c] = zero;
    for (size_t j = from; j < from + count; j += VEC_LANES) {
        vec v[TILE_COLUMNS];
        for (int c = 0; c < n; c++)
            v[c] = load(vectors + (size_t)c * length + j);
        for (int i = 0; i < m; i++) {
            vec x = load(row[i] + j);
            for (int c = 0; c < n; c++)
                sum[i][c] += x * v[c];
        }
    }
    for (int i = 0; i < m; i++)
        for (int c = 0; c < n; c++)
            out[(size_t)i * columns + (size_t)c] += lane_sum(sum[i][c]);
}

static void project_strip(size_t rows, const float *const *row, size_t from, size_t count, size_t n,
                          const float *vectors, size_t length, float *out, size_t columns)
{
    for (size_t i = 0; i < rows; i += TILE_ROWS) {
        size_t m = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
        float *to = out + i * columns;
        switch (n) {
        case 1: ROWS(project_tile, m, 1, row + i, from, count, vectors, length, to, columns); break;
#if TILE_COLUMNS > 2
        case 2: ROWS(project_tile, m, 2, row + i, from, count, vectors, length, to, columns); break;
        case 3: ROWS(project_tile, m, 3, row + i, from, count, vectors, length, to, columns); break;
#endif
        default: ROWS(project_tile, m, TILE_COLUMNS, row + i, from, count, vectors, length, to, columns); break;
        }
    }
}

/* Many vectors: in pieces of the coordinates, so that those of a tile stay in the nearest cache for all rows. */
static void project(size_t rows, const float *const *row, size_t length, size_t columns, const float *vectors,
                    float *out)
{
    enum { PIECE = 1024 };
    size_t piece = columns > SIMULATOR_STUDENTS ? PIECE : length;
    memset(out, 0, rows * columns * sizeof *out);
    for (size_t c = 0; c < columns; c += TILE_COLUMNS) {
        size_t n = columns - c < TILE_COLUMNS ? columns - c : TILE_COLUMNS;
        for (size_t j = 0; j < length; j += piece) {
            size_t count = length - j < piece ? length - j : piece;
            project_strip(rows, row, j, count, n, vectors + c * length, length, out + c, columns);
        }
    }
}

/* target_a -= sum_i coef[i * k + a] row_i over part of the coordinates, i < m, a < n. */
TEMPLATE void accumulate_tile(int m, int n, const float *const *row, size_t from, size_t count, const float *coef,
                              int k, float *target, size_t length)
{
    const vec zero = {0};
    vec step[TILE_ROWS][TILE_COLUMNS];
    for (int i = 0; i < m; i++)
        for (int a = 0; a < n; a++)
            step[i][a] = zero + coef[i * k + a];
    for (size_t j = from; j < from + count; j += VEC_LANES) {
        vec x[TILE_ROWS];
        for (int i = 0; i < m; i++)
            x[i] = load(row[i] + j);
        for (int a = 0; a < n; a++) {
            float *place = target + (size_t)a * length + j;
            vec moved = load(place);
            for (int i = 0; i < m; i++)
                moved -= step[i][a] * x[i];
            store(moved, place);
        }
    }
}

static void accumulate_strip(size_t m, const float *const *row, size_t from, size_t count, int n, const float *coef,
                             int k, float *target, size_t length)
{
    switch (n) {
    case 1: ROWS(accumulate_tile, m, 1, row, from, count, coef, k, target, length); break;
#if TILE_COLUMNS > 2
    case 2: ROWS(accumulate_tile, m, 2, row, from, count, coef, k, target, length); break;
    case 3: ROWS(accumulate_tile, m, 3, row, from, count, coef, k, target, length); break;
#endif
    default: ROWS(accumulate_tile, m, TILE_COLUMNS, row, from, count, coef, k, target, length); break;
    }
}

/* In pieces of the coordinates, so that the target stays in the nearest cache for all rows. */
static void accumulate(size_t rows, const float *const *row, size_t length, int k, const float *coef, float *target)
{
    enum { PIECE = 4096 };
    for (size_t j = 0; j < length; j += PIECE) {
        size_t count = length - j < PIECE ? length - j : PIECE;
        for (size_t i = 0; i < rows; i += TILE_ROWS) {
            size_t m = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
            for (int a = 0; a < k; a += TILE_COLUMNS)
                accumulate_strip(m, row + i, j, count, k - a < TILE_COLUMNS ? k - a : TILE_COLUMNS,
                                 coef + i * (size_t)k + a, k, target + (size_t)a * length, length);
        }
    }
}

TEMPLATE uint32_t rotate(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

/* The state is copied so that it stays in registers. */
static void words(word_stream *stream, size_t groups, uint32_t *restrict out)
{
    enum { LANES = SIMULATOR_LANES };
    uint32_t s0[LANES], s1[LANES], s2[LANES], s3[LANES];
    memcpy(s0, stream->s[0], sizeof s0);
    memcpy(s1, stream->s[1], sizeof s1);
    memcpy(s2, stream->s[2], sizeof s2);
    memcpy(s3, stream->s[3], sizeof s3);
    for (size_t g = 0; g < groups; g++, out += LANES)
        for (int l = 0; l < LANES; l++) {
            uint32_t shifted = s1[l] << 9;
            out[l] = rotate(s0[l] + s3[l], 7) + s0[l];
            s2[l] ^= s0[l];
            s3[l] ^= s1[l];
            s1[l] ^= s2[l];
            s0[l] ^= s3[l];
            s2[l] ^= shifted;
            s3[l] = rotate(s3[l], 11);
        }
    memcpy(stream->s[0], s0, sizeof s0);
    memcpy(stream->s[1], s1, sizeof s1);
    memcpy(stream->s[2], s2, sizeof s2);
    memcpy(stream->s[3], s3, sizeof s3);
}

TEMPLATE float as_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

TEMPLATE uint32_t as_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* log x for x in [2^-32, 1]: x = 2^e m, m in [sqrt(1/2), sqrt 2); polynomial of Cephes' logf. */
TEMPLATE float log_of(float x)
{
    const uint32_t sqrt_half = 0x3f3504f3u, one = 0x3f800000u;
    uint32_t shifted = as_bits(x) - sqrt_half + one;
    float m = as_float((shifted & 0x7fffffu) + sqrt_half) - 1.0f, m2 = m * m;
    float e = (float)((int32_t)(shifted >> 23) - 127);
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    return e * 0.69314718f + (m - 0.5f * m2 + m2 * m * p);
}

/* sqrt(-2 log u), u uniform on a grid of 2^31 cells: reaches 6.6. */
TEMPLATE float radius(uint32_t word)
{
    float u = ((float)(int32_t)(word >> 1) + 0.5f) * 0x1p-31f;
    float square = -2.0f * log_of(u);
    return sqrtf(square > 0.0f ? square : 0.0f);
}

/* A point on a circle: angle in the first octant from 29 bits, then the bits above mirror it into the other seven. */
TEMPLATE void on_circle(float r, uint32_t word, float *first, float *second)
{
    float angle = ((float)(int32_t)(word & 0x1fffffffu) + 0.5f) * (float)(0.78539816339744831 * 0x1p-29);
    float q = angle * angle;
    float sine = angle * (1.0f + q * (-1.6666654611e-1f + q * (8.3321608736e-3f - 1.9515295891e-4f * q)));
    float cosine =
        1.0f + q * (-0.5f + q * (4.166664568298827e-2f + q * (-1.388731625493765e-3f + 2.443315711809948e-5f * q)));
    uint32_t a = as_bits(r * sine), b = as_bits(r * cosine);
    uint32_t swapped = (a ^ b) & (0u - (word >> 29 & 1u));
    *first = as_float(a ^ swapped ^ (word & 0x80000000u));
    *second = as_float(b ^ swapped ^ (word << 1 & 0x80000000u));
}

static void normals(size_t groups, float sigma, const uint32_t *restrict w, float *restrict out)
{
    enum { LANES = SIMULATOR_LANES };
    for (size_t g = 0; g < groups; g++, w += 2 * LANES, out += 2 * LANES)
        for (int l = 0; l < LANES; l++)
            on_circle(sigma * radius(w[l]), w[LANES + l], &out[l], &out[LANES + l]);
}

static void uniforms(size_t groups, float sigma, const uint32_t *restrict w, float *restrict out)
{
    float scale = sigma * (float)(1.7320508075688772 * 0x1p-31);
    for (size_t i = 0; i < groups * SIMULATOR_LANES; i++)
        out[i] = scale * ((float)(int32_t)w[i] + 0.5f);
}

static void signs(size_t groups, float sigma, const uint32_t *restrict w, float *restrict out)
{
    enum { LANES = SIMULATOR_LANES };
    uint32_t size = as_bits(sigma);
    for (size_t g = 0; g < groups; g++, w += LANES)
        for (int bit = 0; bit < 32; bit++, out += LANES)
            for (int l = 0; l < LANES; l++)
                out[l] = as_float(size ^ (w[l] << bit & 0x80000000u));
}

const simulator_loops LOOPS = {
    .visit = visit,
    .coast = coast,
    .project = project,
    .accumulate = accumulate,
    .words = words,
    .normals = normals,
    .uniforms = uniforms,
    .signs = signs,
};
