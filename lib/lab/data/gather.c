/* The layouts of samples in memory, and how a batch is filled from each. */
#include "lib/lab/data/dataset.h"

#include <string.h>

#define T float
#define K(name) f32_##name
#include "lib/lab/data/gather_kernels.h"
#undef T
#undef K

#define T double
#define K(name) f64_##name
#include "lib/lab/data/gather_kernels.h"
#undef T
#undef K

const ngi_layout ngi_bytes = {.gather = {[NG_F32] = f32_bytes, [NG_F64] = f64_bytes}};
const ngi_layout ngi_reals = {.gather = {[NG_F32] = f32_reals, [NG_F64] = f64_reals}};
const ngi_layout ngi_windows = {.gather = {[NG_F32] = f32_windows, [NG_F64] = f64_windows}};
