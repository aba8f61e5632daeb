/* Most numbers of a table are few digits and a small power of ten, both exact
 * in a register: one product or quotient, rounded once (Clinger, "How to read
 * floating point numbers accurately", PLDI 1990). With up to 19 digits the same
 * in a long double of 64 bits or more leaves an error below its last bit; where
 * that cannot change the double, done. What remains goes to ng_number_read. */
#include "lib/train/data/decimal.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#include <natgrad/number.h>

enum {
    DIGITS = 19,   /* of a number that fits 64 bits whatever they are */
    KEPT = 800,    /* more than the 768 that can decide a double */
    FAR = 1 << 30, /* an exponent beyond any double */
};

typedef struct {
    uint64_t digits;      /* the first DIGITS significant ones */
    int64_t exponent;     /* value = digits 10^exponent, if there are no more */
    long count;           /* of significant digits */
    const char *at, *end; /* from the first significant digit to the last */
    int negative;
} decimal;

/* Past the digits; `shift` is what each does to the exponent (-1 behind the
 * point) as long as it is among those kept. */
static const char *read_digits(decimal *d, const char *at, const char *end, int behind)
{
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        if (d->count == 0 && *at == '0') {
            d->exponent -= behind;
            continue;
        }
        if (d->count == 0)
            d->at = at;
        d->end = at + 1;
        if (d->count < DIGITS) {
            d->digits = 10 * d->digits + (uint64_t)(*at - '0');
            d->exponent -= behind;
        } else
            d->exponent += !behind;
        d->count++;
    }
    return at;
}

/* e[+-]digits up to the end; 0 if it is not that. */
static int read_exponent(decimal *d, const char *at, const char *end)
{
    int64_t exponent = 0;
    if (at == end)
        return 1;
    if (*at != 'e' && *at != 'E')
        return 0;
    at++;
    int minus = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
        return 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        exponent = exponent < FAR ? 10 * exponent + (*at - '0') : exponent;
    d->exponent += minus ? -exponent : exponent;
    return at == end;
}

/* The digits once more, without point and zeros before, and their exponent. */
static int read_slowly(double *value, const decimal *d, char point)
{
    char text[KEPT + 32];
    size_t n = 0;
    long kept = d->count < KEPT ? d->count : KEPT;
    const char *at = d->at;
    int rest = 0;
    for (long i = 0; i < kept; at++)
        if (*at != point) {
            text[n++] = *at;
            i++;
        }
    for (; at < d->end && !rest; at++)
        rest = *at != point && *at != '0';
    text[n++] = rest ? '1' : '0'; /* more than a tie, if anything is behind */
    int64_t exponent = d->exponent + (d->count < DIGITS ? d->count : DIGITS) - kept - 1;
    if (exponent > FAR || exponent < -FAR)
        exponent = exponent < 0 ? -FAR : FAR;
    text[n++] = 'e';
    text[n++] = exponent < 0 ? '-' : '+';
    uint64_t e = (uint64_t)(exponent < 0 ? -exponent : exponent);
    for (uint64_t unit = 10000000000u; unit > 0; unit /= 10)
        text[n++] = (char)('0' + e / unit % 10);
    text[n] = '\0';
    double magnitude;
    if (ng_number_read(&magnitude, text) != n || !isfinite(magnitude))
        return 0;
    *value = d->negative ? -magnitude : magnitude;
    return 1;
}

#if LDBL_MANT_DIG >= 64
/* 1 if digits 10^exponent is decided by a product in long double. */
static int read_wide(double *value, const decimal *d)
{
    static const long double tens[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                       1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                       1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                       1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    if (d->count > DIGITS || d->exponent > 27 || d->exponent < -27)
        return 0;
    long double x = (long double)d->digits;
    x = d->exponent < 0 ? x / tens[-d->exponent] : x * tens[d->exponent];
    double below = (double)(x - x * 0x1p-63L), above = (double)(x + x * 0x1p-63L);
    *value = d->negative ? -below : below;
    return below == above;
}
#else
static int read_wide(double *value, const decimal *d)
{
    (void)value;
    (void)d;
    return 0;
}
#endif

int ngi_decimal(double *value, const char *at, const char *end, char point)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    decimal d = {0};
    d.negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    const char *first = at;
    at = read_digits(&d, at, end, 0);
    long digits = at - first;
    if (at < end && *at == point) {
        first = ++at;
        at = read_digits(&d, at, end, 1);
        digits += at - first;
    }
    if (digits == 0 || !read_exponent(&d, at, end))
        return 0;
    if (d.digits >> 53 == 0 && d.count <= DIGITS && d.exponent <= 22 && d.exponent >= -22) {
        double x = (double)d.digits;
        x = d.exponent < 0 ? x / tens[-d.exponent] : x * tens[d.exponent];
        *value = d.negative ? -x : x;
        return 1;
    }
    if (d.count == 0) { /* zero, whatever its exponent */
        *value = d.negative ? -0.0 : 0.0;
        return 1;
    }
    return read_wide(value, &d) || read_slowly(value, &d, point);
}
