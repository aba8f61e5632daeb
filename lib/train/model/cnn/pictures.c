/* The convolutional net's loops for both dtypes. */
#include "lib/train/model/cnn/cnn.h"

#include <string.h>

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
