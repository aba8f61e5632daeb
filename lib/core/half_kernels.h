/* Loops over numbers of sixteen bits. Included by half.c once per dtype with K(name) our static
 * name; K(from), K(to) and K(throw) convert one number, as bits, K(is) compares. */

NGI_CLONES
static void K(widen)(size_t n, void *yv, const void *xv)
{
    const uint16_t *x = xv;
    float *y = yv;
    for (size_t i = 0; i < n; i++)
        y[i] = value_of(K(from)(x[i]));
}

NGI_CLONES
static void K(narrow)(size_t n, void *yv, const void *xv)
{
    const float *x = xv;
    uint16_t *y = yv;
    for (size_t i = 0; i < n; i++)
        y[i] = K(to)(bits_of(x[i]));
}

NGI_CLONES
static void K(dice)(size_t n, void *yv, const void *xv, ngi_dice dice)
{
    const float *x = xv;
    uint16_t *y = yv;
    for (size_t i = 0; i < n; i++)
        y[i] = K(throw)(bits_of(x[i]), hash(dice.key, dice.first + i));
}

NGI_CLONES
static void K(follow)(size_t n, void *yv, const void *xv)
{
    const uint16_t *x = xv;
    float *y = yv;
    for (size_t i = 0; i < n; i++)
        y[i] = K(is)(bits_of(y[i]), x[i]) ? y[i] : value_of(K(from)(x[i]));
}

/* The order of magnitudes is that of their bits, NaN above infinity. */
NGI_CLONES
static double K(max_abs)(size_t n, const void *xv)
{
    const uint16_t *x = xv;
    uint16_t max = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t bits = x[i] & 0x7fff;
        max = bits > max ? bits : max;
    }
    return value_of(K(from)(max));
}

NGI_CLONES
static double K(squares)(size_t n, const void *xv, double scale)
{
    const uint16_t *x = xv;
    double s[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++) {
            double t = scale * (double)value_of(K(from)(x[i + j]));
            s[j] += t * t;
        }
    for (; i < n; i++) {
        double t = scale * (double)value_of(K(from)(x[i]));
        s[0] += t * t;
    }
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

static const ngi_half K(table) = {
    .widen = K(widen),
    .narrow = K(narrow),
    .dice = K(dice),
    .follow = K(follow),
    .max_abs = K(max_abs),
    .squares = K(squares),
};
