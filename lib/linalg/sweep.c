#include "lib/linalg/sweep.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"

/* Fused multiply-add is welcome here, and -ffp-contract=off of the rest is not: the bits are this
 * processor's anyway, as with the BLAS. */
#ifdef __clang__
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif

enum {
    WIDTH = 16,     /* pivots of a panel ... */
    WIDE_FROM = 256 /* ... from this many rows on; eight below */
};

typedef struct {
    size_t lanes; /* of few */
    void (*load)(void *a, size_t np, size_t n, const void *x, size_t ldx, double t, const void *p,
                 size_t ldp);
    int (*sweep)(void *a, void *p, void *c, size_t np);
    void (*mirror)(void *x, size_t ld, size_t n);
    void (*add)(void *k, size_t ldk, double w, const void *a, size_t np, size_t n);
    int (*few)(void *k, size_t ldk, size_t n, const void *x, size_t ldx, const void *p, size_t ldp,
               const double *t, const double *w, size_t terms, void *work);
} ngi_sweep_table;

#define SHUFFLE __builtin_shufflevector

#define T float
#define BITS int32_t
#define SQRT sqrtf
#define LARGEST FLT_MAX
#define CPU
#define LANES 4
#define K(name) f32_plain_##name
#include "lib/linalg/sweep_kernels.h"
#undef CPU
#undef LANES
#undef K
#ifdef __x86_64__
#define CPU __attribute__((target("avx2,fma")))
#define LANES 8
#define K(name) f32_avx2_##name
#include "lib/linalg/sweep_kernels.h"
#undef CPU
#undef LANES
#undef K
#define CPU __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma")))
#define LANES 16
#define K(name) f32_avx512_##name
#include "lib/linalg/sweep_kernels.h"
#undef CPU
#undef LANES
#undef K
#endif
#undef T
#undef BITS
#undef SQRT
#undef LARGEST

#define T double
#define BITS int64_t
#define SQRT sqrt
#define LARGEST DBL_MAX
#define CPU
#define LANES 2
#define K(name) f64_plain_##name
#include "lib/linalg/sweep_kernels.h"
#undef CPU
#undef LANES
#undef K
#ifdef __x86_64__
#define CPU __attribute__((target("avx2,fma")))
#define LANES 4
#define K(name) f64_avx2_##name
#include "lib/linalg/sweep_kernels.h"
#undef CPU
#undef LANES
#undef K
#define CPU __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma")))
#define LANES 8
#define K(name) f64_avx512_##name
#include "lib/linalg/sweep_kernels.h"
#undef CPU
#undef LANES
#undef K
#endif

#define TABLE(set, lanes)                                                                          \
    {                                                                                              \
        lanes, set##_load, set##_sweep, set##_mirror, set##_add, set##_few                         \
    }

/* The best this processor has. Six or eight terms fill eight lanes, not sixteen. */
static const ngi_sweep_table *table(ng_dtype dtype)
{
    static const ngi_sweep_table plain[2] = {
        [NG_F32] = TABLE(f32_plain, 4), [NG_F64] = TABLE(f64_plain, 2)};
#ifdef __x86_64__
    static const ngi_sweep_table avx2[2] = {
        [NG_F32] = TABLE(f32_avx2, 8), [NG_F64] = TABLE(f64_avx2, 4)};
    static const ngi_sweep_table avx512[2] = {
        [NG_F32] = TABLE(f32_avx512, 8), [NG_F64] = TABLE(f64_avx512, 8)};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
        return &avx512[dtype];
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &avx2[dtype];
#endif
    return &plain[dtype];
}

enum { MOST_LANES = 16, MOST_OF_FEW = 8, TRIES = 6 };

/* what few() takes for n rows */
static size_t lanes(size_t n)
{
    size_t rows = (n + 3) / 4 * 4;
    return rows * (rows + 10) / 2;
}

static size_t padded(size_t n)
{
    return ngi_size_add(n, MOST_LANES - 1) / MOST_LANES * MOST_LANES;
}

size_t ngi_shifted_inverses_work(size_t n, ng_dtype dtype)
{
    size_t np = padded(n);
    if (n <= NGI_FEW)
        return ng_work_mat_size(lanes(n), MOST_OF_FEW, dtype);
    return ngi_size_add(ng_work_mat_size(np, np, dtype),
                        ngi_size_mul(2, ng_work_mat_size(WIDTH, np, dtype)));
}

void ng_mirror(ng_mat x)
{
    size_t n = x.rows < x.cols ? x.rows : x.cols;
    table(x.dtype)->mirror(x.data, x.stride, n);
}

static ng_status not_positive(ng_error *error, double t)
{
    return ng_error_set(error, NG_ESINGULAR, "A + %g P is not positive definite", t);
}

static ng_status few(ng_mat k, ng_mat a, ng_mat p, const double *t, const double *w, size_t terms,
                     ng_work *work, ng_error *error)
{
    const ngi_sweep_table *kernels = table(k.dtype);
    size_t n = k.rows;
    ng_mat room;
    TRY(ng_work_mat(work, &room, lanes(n), MOST_OF_FEW, k.dtype, error));
    for (size_t j = 0; j < terms; j += kernels->lanes) {
        size_t some = terms - j < kernels->lanes ? terms - j : kernels->lanes;
        if (!kernels->few(k.data, k.stride, n, a.data, a.stride, p.data, p.stride, t + j, w + j,
                          some, room.data))
            return not_positive(error, t[j]);
    }
    return NG_OK;
}

static ng_status many(ng_mat k, ng_mat a, ng_mat p, const double *t, const double *w, size_t terms,
                      ng_work *work, ng_error *error)
{
    const ngi_sweep_table *kernels = table(k.dtype);
    size_t n = k.rows, np = padded(n);
    ng_mat swept, panel, pivots;
    TRY(ng_work_mat(work, &swept, np, np, k.dtype, error));
    TRY(ng_work_mat(work, &panel, WIDTH, np, k.dtype, error));
    TRY(ng_work_mat(work, &pivots, WIDTH, np, k.dtype, error));
    for (size_t j = 0; j < terms; j++) {
        kernels->load(swept.data, np, n, a.data, a.stride, t[j], p.data, p.stride);
        if (!kernels->sweep(swept.data, panel.data, pivots.data, np))
            return not_positive(error, t[j]);
        kernels->add(k.data, k.stride, w[j], swept.data, np, n);
    }
    return NG_OK;
}

ng_status ngi_shifted_inverses(ng_mat k, ng_mat a, ng_mat p, const double *t, const double *w,
                               size_t terms, ng_work *work, ng_error *error)
{
    size_t mark = work->used;
    ng_fill(k, 0);
    ng_status status = (k.rows <= NGI_FEW ? few : many)(k, a, p, t, w, terms, work, error);
    ng_mirror(k);
    work->used = mark;
    return status;
}

/* ---- One inverse -------------------------------------------------------------------------- */

size_t ngi_spd_inverse_work(size_t n, ng_dtype dtype)
{
    return ngi_shifted_inverses_work(n, dtype);
}

ng_status ngi_spd_inverse(ng_mat b, ng_mat a, ng_work *work, ng_error *error)
{
    const ng_mat identity = {.dtype = a.dtype};
    const double one = 1;
    double jitter = 0, next = a.rows > 0 ? ng_dtype_eps(a.dtype) * ng_trace(a) / (double)a.rows : 0;
    ng_status status = NG_ESINGULAR;
    for (int attempt = 0; attempt <= TRIES && status == NG_ESINGULAR; attempt++) {
        status = ngi_shifted_inverses(b, a, identity, &jitter, &one, 1, work, error);
        jitter = next;
        next *= 10;
    }
    return status;
}

/* Is b swept where it lies? */
static int sweeps_in_place(size_t n)
{
    return n > NGI_FEW && padded(n) == n;
}

size_t ngi_spd_inverse_again_work(size_t n, ng_dtype dtype)
{
    size_t panels = ngi_size_mul(2, ng_work_mat_size(WIDTH, n, dtype));
    return sweeps_in_place(n)
               ? panels
               : ngi_size_add(ng_work_mat_size(n, n, dtype), ngi_spd_inverse_work(n, dtype));
}

/* b <- (b + jitter)^-1, n > NGI_FEW a multiple of what is padded to */
static ng_status sweep_in_place(ng_mat b, double jitter, ng_work *work, ng_error *error)
{
    const ngi_sweep_table *kernels = table(b.dtype);
    size_t n = b.rows, mark = work->used;
    ng_mat panel, pivots;
    TRY(ng_work_mat(work, &panel, WIDTH, n, b.dtype, error));
    TRY(ng_work_mat(work, &pivots, WIDTH, n, b.dtype, error));
    work->used = mark;
    for (size_t i = 0; i + 1 < n; i++)
        ng_fill(ng_mat_block(b, i, i + 1, 1, n - i - 1), 0);
    ng_add_diagonal(b, jitter);
    if (!kernels->sweep(b.data, panel.data, pivots.data, n))
        return not_positive(error, jitter);
    ng_fill(pivots, 0);
    for (size_t i = 0; i < n; i++) { /* 0 less the swept one, so that no zero gets a sign */
        ng_mat row = ng_mat_block(b, i, 0, 1, i + 1);
        ng_lincomb(row, -1, row, 1, ng_mat_block(pivots, 0, 0, 1, i + 1), NULL);
    }
    ng_mirror(b);
    return NG_OK;
}

static ng_status inverse_aside(ng_mat b, double jitter, ng_work *work, ng_error *error)
{
    const ng_mat identity = {.dtype = b.dtype};
    const double one = 1;
    size_t mark = work->used;
    ng_mat a;
    TRY(ng_work_mat(work, &a, b.rows, b.rows, b.dtype, error));
    ngi_copy_lower(a, b);
    ng_status status = ngi_shifted_inverses(b, a, identity, &jitter, &one, 1, work, error);
    work->used = mark;
    return status;
}

ng_status ngi_spd_inverse_again(ng_mat b, ngi_maker a, ng_work *work, ng_error *error)
{
    double jitter = 0, next = b.rows > 0 ? ng_dtype_eps(b.dtype) * ng_trace(b) / (double)b.rows : 0;
    ng_status status = NG_ESINGULAR;
    for (int attempt = 0; attempt <= TRIES && status == NG_ESINGULAR; attempt++) {
        if (attempt > 0)
            TRY(a.make(a.data, b, error));
        status = sweeps_in_place(b.rows) ? sweep_in_place(b, jitter, work, error)
                                         : inverse_aside(b, jitter, work, error);
        jitter = next;
        next *= 10;
    }
    return status;
}
