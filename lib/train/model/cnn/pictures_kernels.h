/* The convolutional net's loops for one dtype; what they do is said in cnn.h.
 * Included by pictures.c once per dtype with T the type and K(name) our static
 * name. */

/* PLACES(p) runs over the places of all pictures with the tap (ky, kx): `at` is the number in
 * channel 0 under the tap, `patch` the place's row, `inside` whether there is a number. */
#define PLACES(body)                                                                               \
    for (size_t i = 0; i < p.count; i++)                                                           \
        for (size_t y = 0; y < p.height; y++)                                                      \
            for (size_t x = 0; x < p.width; x++)                                                   \
                for (size_t tap = 0; tap < NGI_TAPS; tap++) {                                      \
                    size_t v = y + tap / NGI_KERNEL, u = x + tap % NGI_KERNEL; /* one too large */ \
                    int inside = v >= 1 && v <= p.height && u >= 1 && u <= p.width;                \
                    size_t place = (i * p.height + y) * p.width + x;                               \
                    size_t patch = place * p.channels * NGI_TAPS + tap;                            \
                    size_t at = inside ? i * p.height * p.width * p.channels + (v - 1) * p.row +   \
                                             (u - 1) * p.column                                    \
                                       : 0;                                                        \
                    body                                                                           \
                }

static void K(patches)(ngi_pictures p, void *patchesv, const void *picturesv)
{
    T *restrict to = patchesv;
    const T *restrict from = picturesv;
    PLACES(for (size_t c = 0; c < p.channels; c++) to[patch + c * NGI_TAPS] =
               inside ? from[at + c * p.channel] : 0;)
}

static void K(gather)(ngi_pictures p, void *picturesv, const void *patchesv)
{
    T *restrict to = picturesv;
    const T *restrict from = patchesv;
    memset(to, 0, p.count * p.height * p.width * p.channels * sizeof *to); /* +0 in IEEE */
    PLACES(for (size_t c = 0; c < p.channels && inside; c++) to[at + c * p.channel] +=
           from[patch + c * NGI_TAPS];)
}
#undef PLACES

/* The four numbers of a 2 x 2 block lie at these distances. */
#define BLOCKS(body)                                                                               \
    const size_t corner[4] = {0, p.channels, p.width * p.channels, (p.width + 1) * p.channels};    \
    for (size_t i = 0; i < p.count; i++)                                                           \
        for (size_t y = 0; y < p.height / 2; y++)                                                  \
            for (size_t x = 0; x < p.width / 2; x++)                                               \
                for (size_t c = 0; c < p.channels; c++) {                                          \
                    size_t at = ((i * p.height + 2 * y) * p.width + 2 * x) * p.channels + c;       \
                    size_t k = ((i * (p.height / 2) + y) * (p.width / 2) + x) * p.channels + c;    \
                    size_t best = at;                                                              \
                    for (size_t n = 1; n < 4; n++)                                                 \
                        best = in[at + corner[n]] > in[best] ? at + corner[n] : best;              \
                    body                                                                           \
                }

static void K(pool)(ngi_pictures p, void *outv, const void *inv)
{
    T *restrict out = outv;
    const T *restrict in = inv;
    BLOCKS(out[k] = in[best];)
}

static void K(pool_backward)(ngi_pictures p, void *dinv, const void *inv, const void *doutv)
{
    T *restrict din = dinv;
    const T *restrict in = inv, *restrict dout = doutv;
    memset(din, 0, p.count * p.height * p.width * p.channels * sizeof *din); /* +0 in IEEE */
    BLOCKS(din[best] = dout[k];)
}
#undef BLOCKS
