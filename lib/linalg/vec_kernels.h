/* Loops over contiguous elements of one dtype. Included by vec.c once per
 * dtype with T the type, B the signed integer of the same size, K(name) our
 * static name. Sums run over eight independent partial sums so that they
 * vectorise without -ffast-math; the order is fixed, so the bits are too. */

static void K(fill)(size_t n, double value, void *xv)
{
    T *x = xv, t = (T)value;
    for (size_t i = 0; i < n; i++)
        x[i] = t;
}

/* z is x, is y or overlaps neither. What a 0 multiplies is not read. */
NGI_CLONES
static void K(lincomb)(size_t n, void *zv, double a, const void *xv, double b, const void *yv)
{
    const T *x = xv, *y = yv;
    T *z = zv, ta = (T)a, tb = (T)b;
    if (a == 0 && b == 0)
        K(fill)(n, 0, z);
    else if (a == 0)
        for (size_t i = 0; i < n; i++)
            z[i] = tb * y[i];
    else if (tb == 0)
        for (size_t i = 0; i < n; i++)
            z[i] = ta * x[i];
    else
        for (size_t i = 0; i < n; i++)
            z[i] = ta * x[i] + tb * y[i];
}

NGI_CLONES
static void K(scale)(size_t n, double a, void *xv)
{
    T *x = xv, ta = (T)a;
    for (size_t i = 0; i < n; i++)
        x[i] *= ta;
}

static void K(clamp)(size_t n, double limit, void *xv)
{
    T *restrict x = xv, high = (T)limit, low = -high;
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > high ? high : x[i] < low ? low : x[i];
}

NGI_CLONES
static void K(sign)(size_t n, const void *xv, void *yv)
{
    const T *x = xv;
    T *y = yv;
    for (size_t i = 0; i < n; i++)
        y[i] = (T)((x[i] > 0) - (x[i] < 0));
}

/* y <- a x + (b where the signs of x and y are not opposite, 1 elsewhere) y */
NGI_CLONES
static void K(agreeing)(size_t n, double a, const void *xv, double b, void *yv)
{
    const T *x = xv;
    T *y = yv, ta = (T)a, tb = (T)b;
    for (size_t i = 0; i < n; i++) {
        int opposite = ((x[i] > 0) & (y[i] < 0)) | ((x[i] < 0) & (y[i] > 0));
        y[i] = ta * x[i] + (opposite ? (T)1 : tb) * y[i];
    }
}

NGI_CLONES
static double K(dot)(size_t n, const void *xv, const void *yv, double scale)
{
    const T *x = xv, *y = yv;
    double s[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            s[j] += (scale * (double)x[i + j]) * (scale * (double)y[i + j]);
    for (; i < n; i++)
        s[0] += (scale * (double)x[i]) * (scale * (double)y[i]);
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* With the sign bit cleared, the order of IEEE numbers is the order of their
 * bits, infinity above all numbers and NaN above infinity. */
NGI_CLONES
static double K(max_abs)(size_t n, const void *xv)
{
    const unsigned char *x = xv;
    const B mask = (B)((((B)1 << (8 * sizeof(B) - 2)) - 1) * 2 + 1);
    B max = 0;
    for (size_t i = 0; i < n; i++) {
        B bits;
        memcpy(&bits, x + i * sizeof bits, sizeof bits);
        bits &= mask;
        max = bits > max ? bits : max;
    }
    T value;
    memcpy(&value, &max, sizeof value);
    return (double)value;
}

static void K(from_f32)(size_t n, const float *x, void *yv)
{
    T *y = yv;
    for (size_t i = 0; i < n; i++)
        y[i] = (T)x[i];
}

static void K(from_f64)(size_t n, const double *x, void *yv)
{
    T *y = yv;
    for (size_t i = 0; i < n; i++)
        y[i] = (T)x[i];
}

/* y (cols x rows) <- x^T, in tiles that stay in the first-level cache */
static void K(transpose)(size_t rows, size_t cols, const void *xv, size_t ldx, void *yv, size_t ldy)
{
    enum { TILE = 32 };
    const T *x = xv;
    T *y = yv;
    for (size_t i0 = 0; i0 < rows; i0 += TILE)
        for (size_t j0 = 0; j0 < cols; j0 += TILE)
            for (size_t i = i0; i < i0 + TILE && i < rows; i++)
                for (size_t j = j0; j < j0 + TILE && j < cols; j++)
                    y[j * ldy + i] = x[i * ldx + j];
}

static const vec_table K(table) = {
    .lincomb = K(lincomb),
    .scale = K(scale),
    .fill = K(fill),
    .clamp = K(clamp),
    .sign = K(sign),
    .agreeing = K(agreeing),
    .dot = K(dot),
    .max_abs = K(max_abs),
    .from_f32 = K(from_f32),
    .from_f64 = K(from_f64),
    .transpose = K(transpose),
};
