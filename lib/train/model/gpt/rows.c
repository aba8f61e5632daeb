/* The transformer's loops for both dtypes. */
#include "lib/train/model/gpt/gpt.h"

#include <math.h>

#define TABLE(K)                                                                                   \
    {                                                                                              \
        .tokens = K(tokens), .embed = K(embed), .embed_backward = K(embed_backward),               \
        .add_bias = K(add_bias), .column_sums = K(column_sums), .norm = K(norm),                   \
        .norm_backward = K(norm_backward), .norm_tangent = K(norm_tangent),                        \
        .causal_softmax = K(causal_softmax), .softmax_jacobian = K(softmax_jacobian)               \
    }

#define T float
#define K(name) f32_##name
#define M(name) name##f
#include "lib/train/model/gpt/rows_kernels.h"
const ngi_gpt_kernels ngi_gpt_f32 = TABLE(K);
#undef T
#undef K
#undef M

#define T double
#define K(name) f64_##name
#define M(name) name
#include "lib/train/model/gpt/rows_kernels.h"
const ngi_gpt_kernels ngi_gpt_f64 = TABLE(K);
#undef T
#undef K
#undef M
