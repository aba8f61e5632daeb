/* The convolutional net's loops for both dtypes. */
#include "lib/train/model/cnn/cnn.h"

#include <string.h>

/* Places x = first ... end - 1 of one row of a picture have a number under a tap, the first of
 * them at `number` in channel 0; the others look over the border. */
typedef struct {
    size_t first, end, number;
} span;

/* row: of all pictures, one after another */
static span span_of(const ngi_pictures *p, size_t row, size_t tap)
{
    size_t picture = row / p->height, v = row % p->height + tap / NGI_KERNEL; /* one too large */
    size_t shift = tap % NGI_KERNEL;
    span s = {shift == 0, shift == 2 ? p->width - 1 : p->width, 0};
    if (v == 0 || v > p->height)
        s.first = s.end = 0;
    else
        s.number = picture * p->height * p->width * p->channels + (v - 1) * p->row +
                   (s.first + shift - 1) * p->column;
    return s;
}

#define TABLE(K)                                                                                   \
    {                                                                                              \
        .patches = K(patches), .gather = K(gather), .pool = K(pool),                               \
        .pool_backward = K(pool_backward)                                                          \
    }

#define T float
#define K(name) f32_##name
#include "lib/train/model/cnn/pictures_kernels.h"
const ngi_cnn_kernels ngi_cnn_f32 = TABLE(K);
#undef T
#undef K

#define T double
#define K(name) f64_##name
#include "lib/train/model/cnn/pictures_kernels.h"
const ngi_cnn_kernels ngi_cnn_f64 = TABLE(K);
#undef T
#undef K
