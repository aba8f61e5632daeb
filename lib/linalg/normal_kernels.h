/* Pairs of words to pairs of normal numbers, for either dtype; included by normal.c. The
 * polynomials interpolate at Chebyshev points.
 *
 * log u = e log 2 + log m with m in [sqrt 1/2, sqrt 2), log m = 2 atanh s, s = (m - 1) / (m + 1);
 * from u = sqrt 1/2 on m is u and 1 - u is taken from the integer, so that small radii are exact
 * too. An angle is half turns and the rest f in turns, at most 1/4: half turns are signs.
 * Inlined whatever their size: only then the clones' loops are vectors. */
#define PAIR static inline __attribute__((always_inline))

PAIR void f32_pair(uint32_t a, uint32_t b, float *x, float *y)
{
    /* integers of 32 bits, rounded once */
    const uint32_t not_a = ~a;
    const float u =
        (float)(int32_t)(a >> 16) * 0x1p-16F + ((float)(int32_t)(a & 0xffff) + 0.5F) * 0x1p-32F;
    const float rest = (float)(int32_t)(not_a >> 16) * 0x1p-16F +
                       ((float)(int32_t)(not_a & 0xffff) + 0.5F) * 0x1p-32F;
    int32_t bits;
    uint32_t signed_r;
    float m, r;
    memcpy(&bits, &u, sizeof bits);
    bits += 0x3f800000 - 0x3f3504f3;
    const float exponent = (float)((bits >> 23) - 127);
    bits = (bits & 0x7fffff) + 0x3f3504f3;
    memcpy(&m, &bits, sizeof m);
    const int far = u < 0x1.6a09e6p-1F;
    const float off = far ? m - 1 : -rest, e = far ? exponent : 0;
    const float s = off / (2 + off), z = s * s;
    const float log4 = ((-5.984878096e-01F * z - 7.994970104e-01F) * z - 1.333336307e+00F) * z - 4;
    r = sqrtf(e * -1.386294361e+00F + s * log4);
    memcpy(&signed_r, &r, sizeof r);
    signed_r ^= (b ^ b << 1) & 0x80000000U;
    memcpy(&r, &signed_r, sizeof r);
    const float f = (float)(int32_t)(b << 1 | 1) * 0x1p-33F, w = f * f;
    const float sine = (((3.975982709e+01F * w - 7.658117264e+01F) * w + 8.160247637e+01F) * w -
                        4.134168061e+01F) *
                           w +
                       6.283185280e+00F;
    const float cosine = ((((-2.498143447e+01F * w + 6.014388956e+01F) * w - 8.545356476e+01F) * w +
                           6.493934648e+01F) *
                              w -
                          1.973920855e+01F) *
                             w +
                         1;
    *x = r * cosine;
    *y = r * (f * sine);
}

PAIR void f64_pair(uint32_t a, uint32_t b, double *x, double *y)
{
    const double u = ((double)(int32_t)(a ^ 0x80000000U) + (0x1p31 + 0.5)) * 0x1p-32;
    uint64_t bits, place;
    double m, exponent;
    memcpy(&bits, &u, sizeof bits);
    bits += 0x3ff0000000000000U - 0x3fe6a09e667f3bcdU;
    place = bits >> 52 | 0x4330000000000000U; /* 2^52 + it */
    memcpy(&exponent, &place, sizeof exponent);
    bits = (bits & 0xfffffffffffffU) + 0x3fe6a09e667f3bcdU;
    memcpy(&m, &bits, sizeof m);
    const int far = u < 0x1.6a09e667f3bcdp-1;
    const double off = (far ? m : u) - 1, e = far ? exponent - (0x1p52 + 1023) : 0;
    const double s = off / (2 + off), z = s * s;
    double log4 = -3.367531994136097606e-01 * z - 3.624386886243042838e-01;
    log4 = (log4 * z - 4.444686909503581251e-01) * z - 5.714283204221534129e-01;
    log4 = (log4 * z - 8.000000012348322809e-01) * z - 1.333333333331058412e+00;
    log4 = log4 * z - 4.000000000000000888e+00;
    const double half_turns = (double)((int32_t)(b ^ b << 1) >> 31 | 1);
    const double r = sqrt(e * -1.386294361119890619e+00 + s * log4) * half_turns;
    const double f = (double)(int32_t)(b << 1 | 1) * 0x1p-33, w = f * f;
    double sine = -6.925067010720716842e-01 * w + 3.817365633469135044e+00;
    sine = (sine * w - 1.509450614073429087e+01) * w + 4.205868995395093890e+01;
    sine = (sine * w - 7.670585968962866730e+01) * w + 8.160524927557976582e+01;
    sine = (sine * w - 4.134170224039828412e+01) * w + 6.283185307179585344e+00;
    double cosine = 2.719458494999812959e-01 * w - 1.713218410700593219e+00;
    cosine = (cosine * w + 7.903462492085097324e+00) * w - 2.642625406669025523e+01;
    cosine = (cosine * w + 6.024464131316040749e+01) * w - 8.545681720598061304e+01;
    cosine = (cosine * w + 6.493939402266394723e+01) * w - 1.973920880217870533e+01;
    *x = r * (cosine * w + 1);
    *y = r * (f * sine);
}

/* out: four numbers a block */
#define TRANSFORM(T, K)                                                                            \
    NGI_CLONES_WIDE                                                                                \
    static void K##_transform(const page *p, size_t blocks, void *outv)                            \
    {                                                                                              \
        T *restrict out = outv, x[2][BLOCKS];                                                      \
        for (size_t k = 0; k < 4; k += 2) {                                                        \
            for (size_t i = 0; i < blocks; i++)                                                    \
                K##_pair(p->word[k][i], p->word[k + 1][i], &x[0][i], &x[1][i]);                    \
            for (size_t i = 0; i < blocks; i++) {                                                  \
                out[4 * i + k] = x[0][i];                                                          \
                out[4 * i + k + 1] = x[1][i];                                                      \
            }                                                                                      \
        }                                                                                          \
    }

TRANSFORM(float, f32)
TRANSFORM(double, f64)
#undef TRANSFORM
#undef PAIR

static void (*const transforms[2])(const page *, size_t, void *) = {f32_transform, f64_transform};
