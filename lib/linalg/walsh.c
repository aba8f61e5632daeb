/* The fast Walsh-Hadamard transform, in place, radix 4, depth first: the upper
 * stages run through memory, everything below a block stays in the cache. */
#include "lib/linalg/walsh.h"

/* Numbers in a block that the first-level cache holds. */
enum { BLOCK = 2048 };

/* The bodies of loops for AVX2 where the loader can choose. */
#if defined(NG_HAVE_CLONES)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

/* Two stages at once over four rows of `quarter` numbers. */
CLONES static void butterfly4(double *restrict a, double *restrict b, double *restrict c,
                              double *restrict d, size_t quarter)
{
    for (size_t i = 0; i < quarter; i++) {
        double ab = a[i] + b[i], ab_ = a[i] - b[i], cd = c[i] + d[i], cd_ = c[i] - d[i];
        a[i] = ab + cd;
        b[i] = ab_ + cd_;
        c[i] = ab - cd;
        d[i] = ab_ - cd_;
    }
}

/* Groups of four neighbours, then of sixteen, ...; length is a power of 4. */
static void transform_block(double *x, size_t length)
{
    for (size_t i = 0; i < length; i += 4) {
        double ab = x[i] + x[i + 1], ab_ = x[i] - x[i + 1];
        double cd = x[i + 2] + x[i + 3], cd_ = x[i + 2] - x[i + 3];
        x[i] = ab + cd;
        x[i + 1] = ab_ + cd_;
        x[i + 2] = ab - cd;
        x[i + 3] = ab_ - cd_;
    }
    for (size_t q = 4; q < length; q *= 4)
        for (size_t i = 0; i < length; i += 4 * q)
            butterfly4(x + i, x + i + q, x + i + 2 * q, x + i + 3 * q, q);
}

static void transform4(double *x, size_t length)
{
    if (length <= BLOCK) {
        transform_block(x, length);
        return;
    }
    size_t q = length / 4;
    butterfly4(x, x + q, x + 2 * q, x + 3 * q, q);
    for (int k = 0; k < 4; k++)
        transform4(x + (size_t)k * q, q);
}

void ngi_walsh_hadamard(double *x, size_t length)
{
    int bits = 0;
    while (length >> bits > 1)
        bits++;
    if (bits == 0)
        return;
    if (bits % 2 == 0) {
        transform4(x, length);
        return;
    }
    size_t half = length / 2;
    for (size_t i = 0; i < half; i++) {
        double sum = x[i] + x[i + half], difference = x[i] - x[i + half];
        x[i] = sum;
        x[i + half] = difference;
    }
    if (half > 1) {
        transform4(x, half);
        transform4(x + half, half);
    }
}
