/* Numbers of sixteen bits (half.h). They are handled as bits, but for the two places where an
 * addition of floats does the rounding. */
#include "lib/core/half.h"

#include <math.h>
#include <string.h>

#include "lib/core/clones.h"

const char *ngi_dtype_name(ng_dtype dtype)
{
    static const char *const names[] = {
        [NG_F32] = "f32", [NG_F64] = "f64", [NG_F16] = "f16", [NG_BF16] = "bf16"};
    return (unsigned)dtype < sizeof names / sizeof *names ? names[dtype] : "unknown";
}

static inline float value_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* 32 bits for element i: a mixer of 32-bit words (two multiplications, three shifts; Wellons'
 * constants of least bias) over the counter, twice, each time with half of the key. */
static inline uint32_t mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352dU;
    x = (x ^ x >> 15) * 0x846ca68bU;
    return x ^ x >> 16;
}

static inline uint32_t hash(uint64_t key, uint64_t i)
{
    uint32_t low = mix((uint32_t)i + (uint32_t)key);
    return mix(low ^ (uint32_t)(key >> 32) ^ (uint32_t)(i >> 32) * 0x9e3779b9U);
}

/* ---- bfloat16 ---------------------------------------------------------------------------- */

enum { INFINITE = 0x7f800000, MAGNITUDE = 0x7fffffff };

static inline uint32_t bf16_from(uint16_t h)
{
    return (uint32_t)h << 16;
}

static inline uint16_t bf16_to(uint32_t u)
{
    float x = value_of(u);
    return (uint16_t)((x != x ? u | 0x400000 : u + 0x7fff + (u >> 16 & 1)) >> 16);
}

/* Does the number, which is finite, round to half? */
static inline int bf16_is(uint32_t u, uint16_t half)
{
    return ((u + 0x7fff + (u >> 16 & 1)) ^ bf16_from(half)) < 0x10000;
}

/* What is cut off carries into what stays when the random bits added to it do. */
static inline uint16_t bf16_throw(uint32_t u, uint32_t random)
{
    uint32_t rounded = (u + (random >> 16)) >> 16;
    return (u & MAGNITUDE) > 0x7f7f0000 ? bf16_to(u) : (uint16_t)rounded;
}

/* ---- binary16 ------------------------------------------------------------------------------ */

enum {
    F16_BIAS = (127 - 15) << 23,            /* of exponents, in place */
    F16_NORMAL = 113 << 23,                 /* 2^-14, the smallest normal number */
    F16_BEYOND = (127 + 16) << 23,          /* 2^16 */
    F16_LARGEST = 0x477fe000,               /* 65504 */
    F16_ROUNDER = (127 - 15 + 13 + 1) << 23 /* 0.5, whose last bit is 2^-24, that of subnormals */
};

/* A subnormal number is 2^-14 more and less: the subtraction is exact. */
static inline uint32_t f16_from(uint16_t h)
{
    uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13, sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t normal = magnitude + F16_BIAS;
    uint32_t subnormal = bits_of(value_of(magnitude + F16_NORMAL) - value_of(F16_NORMAL));
    uint32_t infinite = magnitude + 2 * (uint32_t)F16_BIAS;
    return sign | (magnitude < 0x00800000 ? subnormal : magnitude < 0x0f800000 ? normal : infinite);
}

static inline uint16_t f16_to(uint32_t u)
{
    uint32_t sign = u >> 16 & 0x8000, x = u & MAGNITUDE;
    uint32_t nan = 0x7e00 | (x >> 13 & 0x3ff);
    uint32_t subnormal = bits_of(value_of(x) + value_of(F16_ROUNDER)) - F16_ROUNDER;
    uint32_t normal = (x - F16_BIAS + 0xfff + (x >> 13 & 1)) >> 13;
    uint32_t large = x > INFINITE ? nan : 0x7c00;
    return (uint16_t)(sign | (x >= F16_BEYOND ? large : x < F16_NORMAL ? subnormal : normal));
}

static inline int f16_is(uint32_t u, uint16_t half)
{
    return f16_to(u) == half;
}

/* The mantissa, shifted to where the last bit that stays is bit 45: 13 bits of a normal number are
 * cut off, and one more for each power of two below. */
static inline uint16_t f16_throw(uint32_t u, uint32_t random)
{
    uint32_t sign = u >> 16 & 0x8000, x = u & MAGNITUDE, exponent = x >> 23;
    uint32_t below = exponent < 113 ? 113 - exponent : 0,
             base = exponent < 113 ? 0 : exponent - 113;
    uint64_t mantissa = (uint64_t)((x & 0x7fffff) | 0x800000) << 32 >> (below < 63 ? below : 63);
    uint32_t rounded = (base << 10) + (uint32_t)((mantissa + ((uint64_t)random << 13)) >> 45);
    return x > F16_LARGEST || x == 0 ? f16_to(u) : (uint16_t)(sign | rounded);
}

/* ---- Arrays ------------------------------------------------------------------------------ */

#define K(name) f16_##name
#include "lib/core/half_kernels.h"
#undef K

#define K(name) bf16_##name
#include "lib/core/half_kernels.h"
#undef K

const ngi_half *ngi_half_of(ng_dtype dtype)
{
    return dtype == NG_F16 ? &f16_table : &bf16_table;
}

/* x cut off, its last bit set where something was: rounded once more this is x rounded once. */
static float to_odd(double x)
{
    float f = (float)x;
    uint32_t bits = bits_of(f);
    if ((double)f == x || x != x)
        return f;
    if (fabs((double)f) > fabs(x))
        bits--;
    return value_of(bits | 1);
}

enum { CHUNK = 256 };

static void chunk_to_f32(size_t n, float *f, const void *x, size_t start, ng_dtype dtype)
{
    if (ngi_is_half(dtype))
        ngi_half_of(dtype)->widen(n, f, (const uint16_t *)x + start);
    else if (dtype == NG_F32)
        memcpy(f, (const float *)x + start, n * sizeof *f);
    else
        for (size_t i = 0; i < n; i++)
            f[i] = to_odd(((const double *)x)[start + i]);
}

static void chunk_from_f32(size_t n, void *y, size_t start, ng_dtype dtype, const float *f)
{
    if (ngi_is_half(dtype))
        ngi_half_of(dtype)->narrow(n, (uint16_t *)y + start, f);
    else if (dtype == NG_F32)
        memcpy((float *)y + start, f, n * sizeof *f);
    else
        for (size_t i = 0; i < n; i++)
            ((double *)y)[start + i] = f[i];
}

void ngi_half_copy(size_t n, void *y, ng_dtype y_dtype, const void *x, ng_dtype x_dtype)
{
    float f[CHUNK];
    if (y_dtype == x_dtype) {
        memmove(y, x, n * sizeof(uint16_t));
        return;
    }
    for (size_t i = 0; i < n; i += CHUNK) {
        size_t count = n - i < CHUNK ? n - i : CHUNK;
        chunk_to_f32(count, f, x, i, x_dtype);
        chunk_from_f32(count, y, i, y_dtype, f);
    }
}

double ng_half_value(ng_dtype dtype, uint16_t bits)
{
    return value_of(dtype == NG_F16 ? f16_from(bits) : bf16_from(bits));
}

uint16_t ng_half_bits(ng_dtype dtype, double value)
{
    uint32_t bits = bits_of(to_odd(value));
    return dtype == NG_F16 ? f16_to(bits) : bf16_to(bits);
}
