/* The layouts of samples in memory, and how a batch is filled from each. */
#include "lib/train/data/dataset.h"

#include <math.h>
#include <string.h>

/* 1/255 = 2^-8 + 2^-16 + ...: two terms and the rest, six terms and the rest */
#define T float
#define HEAD ((T)0x1.01p-8)
#define TAIL ((T)(0x1p-16 / 255))
#define K(name) f32_##name
#include "lib/train/data/gather_kernels.h"
#undef T
#undef HEAD
#undef TAIL
#undef K

#define T double
#define HEAD 0x1.0101010101p-8
#define TAIL (0x1p-48 / 255)
#define K(name) f64_##name
#include "lib/train/data/gather_kernels.h"
#undef T
#undef HEAD
#undef TAIL
#undef K

const ngi_layout ngi_bytes = {.gather = {[NG_F32] = f32_bytes, [NG_F64] = f64_bytes}};
const ngi_layout ngi_tables = {.gather = {[NG_F32] = f32_tables, [NG_F64] = f64_tables},
                               .table = 1};
const ngi_layout ngi_windows = {.gather = {[NG_F32] = f32_windows, [NG_F64] = f64_windows},
                                .text = 1};
const ngi_layout ngi_sequences = {.gather = {[NG_F32] = f32_sequences, [NG_F64] = f64_sequences},
                                  .text = 1};
