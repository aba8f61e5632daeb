/* The table of activations. A new one: its two scalars in
 * activation_kernels.h, a row here, a name in the public enum. */
#include <math.h>

#include "lib/train/model/model.h"

#define T float
#define K(name) f32_##name
#define M(name) name##f
#include "lib/train/model/activation_kernels.h"
#undef T
#undef K
#undef M

#define T double
#define K(name) f64_##name
#define M(name) name
#include "lib/train/model/activation_kernels.h"
#undef T
#undef K
#undef M

/* He et al. 2015, eq. 10: a rectified input has half the second moment. */
static double he(double in, double out)
{
    (void)out;
    return 2 / in;
}

/* Glorot and Bengio 2010, eq. 12: between what keeps the variance of the
 * activations (1 / in) and that of the gradients (1 / out). */
static double glorot(double in, double out)
{
    return 2 / (in + out);
}

#define KERNELS(name)                                                                              \
    .forward = {[NG_F32] = f32_##name##_forward, [NG_F64] = f64_##name##_forward},                 \
    .backward = {[NG_F32] = f32_##name##_backward, [NG_F64] = f64_##name##_backward}

static const ngi_activation activations[] = {
    [NG_ACTIVATION_LINEAR] = {"linear", glorot, KERNELS(linear)},
    [NG_ACTIVATION_RELU] = {"relu", he, KERNELS(relu)},
    [NG_ACTIVATION_TANH] = {"tanh", glorot, KERNELS(tanh)},
    [NG_ACTIVATION_SIGMOID] = {"sigmoid", glorot, KERNELS(sigmoid)},
    [NG_ACTIVATION_GELU] = {"gelu", he, KERNELS(gelu)},
};

const ngi_activation *ngi_activation_find(ng_activation activation)
{
    size_t i = (size_t)activation;
    return i < sizeof activations / sizeof *activations ? &activations[i] : NULL;
}

const char *ng_activation_name(ng_activation activation)
{
    const ngi_activation *found = ngi_activation_find(activation);
    return found != NULL ? found->name : NULL;
}
