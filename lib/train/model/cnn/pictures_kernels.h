/* The convolutional net's loops for one dtype; what they do is said in cnn.h.
 * Included by pictures.c once per dtype with T the type and K(name) our static
 * name. */

static void K(patches)(ngi_pictures p, void *patchesv, const void *picturesv)
{
    const size_t size = p.channels * NGI_TAPS;
    for (size_t i = 0; i < p.count * p.height; i++)
        for (size_t tap = 0; tap < NGI_TAPS; tap++) {
            const span s = span_of(&p, i, tap);
            T *restrict to = (T *)patchesv + i * p.width * size + tap;
            const T *restrict from = (const T *)picturesv + s.number;
            for (size_t x = 0; x < p.width; x++)
                for (size_t c = 0; c < p.channels && (x < s.first || x >= s.end); c++)
                    to[x * size + c * NGI_TAPS] = 0;
            for (size_t x = s.first; x < s.end; x++)
                for (size_t c = 0; c < p.channels; c++)
                    to[x * size + c * NGI_TAPS] = from[(x - s.first) * p.column + c * p.channel];
        }
}

static void K(gather)(ngi_pictures p, void *picturesv, const void *patchesv)
{
    const size_t size = p.channels * NGI_TAPS;
    memset(picturesv, 0, p.count * p.height * p.width * p.channels * sizeof(T)); /* +0 in IEEE */
    for (size_t i = 0; i < p.count * p.height; i++)
        for (size_t tap = 0; tap < NGI_TAPS; tap++) {
            const span s = span_of(&p, i, tap);
            T *restrict to = (T *)picturesv + s.number;
            const T *restrict from = (const T *)patchesv + i * p.width * size + tap;
            for (size_t x = s.first; x < s.end; x++)
                for (size_t c = 0; c < p.channels; c++)
                    to[(x - s.first) * p.column + c * p.channel] += from[x * size + c * NGI_TAPS];
        }
}

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

static void K(pool)(ngi_pictures p, void *outv, const void *fromv, const void *inv)
{
    T *restrict out = outv;
    const T *restrict from = fromv, *restrict in = inv;
    BLOCKS(out[k] = from[best];)
}

static void K(pool_backward)(ngi_pictures p, void *dinv, const void *inv, const void *doutv)
{
    T *restrict din = dinv;
    const T *restrict in = inv, *restrict dout = doutv;
    memset(din, 0, p.count * p.height * p.width * p.channels * sizeof *din); /* +0 in IEEE */
    BLOCKS(din[best] = dout[k];)
}
#undef BLOCKS
