/* Curvature that needs one slab of third cumulants at a time, or a few. */
#include "lib/geometry/curvature.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"
#include "lib/linalg/unit.h"

/* ---- Slabs ----------------------------------------------------------------- */

ng_status ng_cumulants_fill_stored(void *data, ng_mat slab, size_t c, ng_error *error)
{
    size_t square = slab.rows * slab.cols;
    if (data == NULL)
        return ng_error_set(error, NG_EARG, "the stored third cumulants are NULL");
    memcpy(slab.data, (const double *)data + c * square, square * sizeof(double));
    return NG_OK;
}

ng_status ngi_slabs_open(ngi_slabs *s, ng_mat f, const size_t (*shapes)[2], size_t count,
                         ng_cumulants_fill third, void *data, ng_error *error)
{
    size_t n = f.rows, size = 2 * ng_work_mat_size(n, n, NG_F64);
    memset(s, 0, sizeof *s);
    if (third == NULL)
        return ng_error_set(error, NG_EARG, "the callback for third cumulants is NULL");
    TRY(ngi_check_blas(f, "f", n, n, NG_F64, error));
    if (n == 0)
        return ng_error_set(error, NG_ESHAPE, "f has no elements");
    for (size_t i = 0; i < count; i++)
        size = ngi_size_add(size, ng_work_mat_size(shapes[i][0], shapes[i][1], NG_F64));
    s->n = n;
    s->third = third;
    s->data = data;
    TRY(ng_work_create(&s->work, size, error));
    TRY(ng_work_mat(&s->work, &s->root, n, n, NG_F64, error));
    TRY(ng_work_mat(&s->work, &s->slab, n, n, NG_F64, error));
    return ng_cholesky(s->root, NULL, f, error);
}

ng_status ngi_slabs_close(ngi_slabs *s, ng_status status)
{
    ng_work_destroy(&s->work);
    return status;
}

ng_status ngi_slab(ngi_slabs *s, ng_mat slab, size_t c, ng_error *error)
{
    TRY(s->third(s->data, slab, c, error));
    if (!ng_is_finite(slab))
        return ng_error_set(error, NG_ENONFINITE,
                            "third cumulants with parameter %zu are not finite", c);
    return NG_OK;
}

ng_status ngi_slab_whiten(ngi_slabs *s, ng_mat slab, ng_error *error)
{
    TRY(ng_trsm(slab, NG_LEFT, s->root, NG_NOTRANS, 1, error));
    return ng_trsm(slab, NG_RIGHT, s->root, NG_TRANS, 1, error);
}

/* ---- Scalar curvature -------------------------------------------------------- */

/* The lower triangle of a symmetric n x n slab as a row, so scaled that dot
 * products are those of the whole. */
static void pack(ng_mat row, ng_mat slab)
{
    double *to = row.data;
    for (size_t a = 0; a < slab.rows; a++) {
        const double *from = (const double *)slab.data + a * slab.stride;
        for (size_t b = 0; b < a; b++)
            *to++ = 1.41421356237309504880 * from[b];
        *to++ = from[a];
    }
}

static ng_status packed(ngi_slabs *s, ng_mat row, double *trace, size_t c, ng_error *error)
{
    TRY(ngi_slab(s, s->slab, c, error));
    TRY(ngi_slab_whiten(s, s->slab, error));
    pack(row, s->slab);
    *trace = ng_trace(s->slab);
    return NG_OK;
}

/* gram (n x n, lower) <- dot products of whitened slabs, `kept` at a time, and
 * their traces (1 x n). */
static ng_status fill_gram(ngi_slabs *s, ng_mat gram, ng_mat trace, ng_mat kept, ng_mat row,
                           ng_error *error)
{
    double *traces = trace.data;
    for (size_t first = 0; first < s->n; first += kept.rows) {
        size_t count = kept.rows < s->n - first ? kept.rows : s->n - first;
        ng_mat block = ng_mat_block(kept, 0, 0, count, kept.cols);
        for (size_t i = 0; i < count; i++)
            TRY(packed(s, ng_mat_block(block, i, 0, 1, kept.cols), &traces[first + i], first + i,
                       error));
        TRY(ng_syrk(ng_mat_block(gram, first, first, count, count), block, NG_NOTRANS, 1, 0,
                    error));
        for (size_t c = first + count; c < s->n; c++) {
            TRY(packed(s, row, &traces[c], c, error));
            TRY(ng_gemm(ng_mat_block(gram, c, first, 1, count), row, NG_NOTRANS, block, NG_TRANS, 1,
                        0, error));
        }
    }
    return NG_OK;
}

static ng_status scalar(ngi_slabs *s, ng_curvature *result, double amari_alpha, size_t count,
                        size_t packed_size, ng_error *error)
{
    size_t n = s->n;
    ng_mat gram, kept, row, trace;
    TRY(ng_work_mat(&s->work, &gram, n, n, NG_F64, error));
    TRY(ng_work_mat(&s->work, &kept, count, packed_size, NG_F64, error));
    TRY(ng_work_mat(&s->work, &row, 1, packed_size, NG_F64, error));
    TRY(ng_work_mat(&s->work, &trace, 1, n, NG_F64, error));
    TRY(fill_gram(s, gram, trace, kept, row, error));
    ng_mirror(gram); /* |kappa|^2 = tr(L^-1 gram L^-T) */
    TRY(ngi_slab_whiten(s, gram, error));
    TRY(ng_trsm(trace, NG_RIGHT, s->root, NG_TRANS, 1, error));
    ng_curvature r = {.square = ng_trace(gram), .trace = ng_dot(trace, trace)};
    r.scalar = (1 - amari_alpha * amari_alpha) * 0.25 * (r.square - r.trace);
    if (!isfinite(r.scalar))
        return ng_error_set(error, NG_ERANGE, "the curvature is too large");
    *result = r;
    return NG_OK;
}

ng_status ng_curvature_scalar(ng_curvature *result, ng_mat f, double amari_alpha, size_t slabs,
                              ng_cumulants_fill third, void *data, ng_error *error)
{
    ngi_slabs s;
    size_t n = f.rows, packed_size = ngi_size_mul(n, ngi_size_add(n, 1)) / 2;
    size_t count = slabs == 0 || slabs > n ? n : slabs;
    const size_t shapes[][2] = {{n, n}, {count, packed_size}, {1, packed_size}, {1, n}};
    if (result == NULL || !isfinite(amari_alpha))
        return ng_error_set(error, NG_EARG, "result is NULL, or amari_alpha is not finite");
    ng_status opened = ngi_slabs_open(&s, f, shapes, 4, third, data, error);
    return ngi_slabs_close(
        &s, opened != NG_OK ? opened : scalar(&s, result, amari_alpha, count, packed_size, error));
}

/* ---- Trace, sectional curvature ------------------------------------------------ */

static ng_status trace_of(ngi_slabs *s, ng_mat trace, ng_error *error)
{
    ng_mat found;
    TRY(ngi_check_shape(trace, "trace", 1, s->n, NG_F64, error));
    TRY(ng_work_mat(&s->work, &found, 1, s->n, NG_F64, error));
    for (size_t c = 0; c < s->n; c++) {
        TRY(ngi_slab(s, s->slab, c, error));
        TRY(ngi_slab_whiten(s, s->slab, error));
        ng_mat_set(found, 0, c, ng_trace(s->slab));
    }
    return ng_copy(trace, found, error);
}

ng_status ng_curvature_trace(ng_mat trace, ng_mat f, ng_cumulants_fill third, void *data,
                             ng_error *error)
{
    ngi_slabs s;
    const size_t shapes[][2] = {{1, f.rows}};
    ng_status opened = ngi_slabs_open(&s, f, shapes, 1, third, data, error);
    return ngi_slabs_close(&s, opened != NG_OK ? opened : trace_of(&s, trace, error));
}

/* x^T slab y */
static double form(ng_mat x, ng_mat slab, ng_mat y)
{
    double sum = 0;
    for (size_t a = 0; a < slab.rows; a++)
        sum += ng_mat_get(x, 0, a) * ng_dot(ng_mat_block(slab, a, 0, 1, slab.cols), y);
    return sum;
}

/* <u, u>, <u, v>, <v, v> under F */
static void products(double out[3], ng_mat f, ng_mat u, ng_mat v)
{
    out[0] = out[1] = out[2] = 0;
    for (size_t a = 0; a < f.rows; a++)
        for (size_t b = 0; b < f.rows; b++) {
            double g = a >= b ? ng_mat_get(f, a, b) : ng_mat_get(f, b, a);
            double ua = ng_mat_get(u, 0, a), va = ng_mat_get(v, 0, a);
            out[0] += g * ua * ng_mat_get(u, 0, b);
            out[1] += g * ua * ng_mat_get(v, 0, b);
            out[2] += g * va * ng_mat_get(v, 0, b);
        }
}

static ng_status sectional(ngi_slabs *s, double *result, ng_mat f, ng_mat u, ng_mat v,
                           ng_error *error)
{
    ng_mat k, pair[2]; /* k: rows kappa(u, u, .), kappa(u, v, .), kappa(v, v, .) */
    size_t n = s->n;
    double g[3];
    TRY(ngi_check_shape(u, "u", 1, n, NG_F64, error));
    TRY(ngi_check_shape(v, "v", 1, n, NG_F64, error));
    for (int i = 0; i < 2; i++) /* the plane has no scale, their squares have */
        TRY(ng_work_mat(&s->work, &pair[i], 1, n, NG_F64, error));
    ngi_scale_to_unit(pair[0], u, ng_max_abs(u));
    ngi_scale_to_unit(pair[1], v, ng_max_abs(v));
    u = pair[0], v = pair[1];
    products(g, f, u, v);
    double area = g[0] * g[2] - g[1] * g[1];
    if (!(area > 1e-14 * g[0] * g[2])) /* NaN too */
        return ng_error_set(error, NG_EARG, "u and v span no plane: area^2 = %g", area);
    TRY(ng_work_mat(&s->work, &k, 3, n, NG_F64, error));
    for (size_t c = 0; c < n; c++) {
        TRY(ngi_slab(s, s->slab, c, error));
        ng_mat_set(k, 0, c, form(u, s->slab, u));
        ng_mat_set(k, 1, c, form(u, s->slab, v));
        ng_mat_set(k, 2, c, form(v, s->slab, v));
    }
    TRY(ng_trsm(k, NG_RIGHT, s->root, NG_TRANS, 1, error));
    ng_mat uu = ng_mat_block(k, 0, 0, 1, n), uv = ng_mat_block(k, 1, 0, 1, n);
    ng_mat vv = ng_mat_block(k, 2, 0, 1, n);
    *result = 0.25 * (ng_dot(uv, uv) - ng_dot(uu, vv)) / area;
    return NG_OK;
}

ng_status ng_curvature_sectional(double *result, ng_mat f, ng_mat u, ng_mat v,
                                 ng_cumulants_fill third, void *data, ng_error *error)
{
    ngi_slabs s;
    const size_t shapes[][2] = {{3, f.rows}, {1, f.rows}, {1, f.rows}};
    if (result == NULL)
        return ng_error_set(error, NG_EARG, "result is NULL");
    ng_status opened = ngi_slabs_open(&s, f, shapes, 3, third, data, error);
    return ngi_slabs_close(&s, opened != NG_OK ? opened : sectional(&s, result, f, u, v, error));
}
