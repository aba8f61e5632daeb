/* Element-wise operations and norms of matrix views. */
#include <natgrad/linalg.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "lib/core/clones.h"
#include "lib/core/half.h"
#include "lib/core/mat.h"
#include "lib/core/try.h"
#include "lib/linalg/signs.h"

typedef struct {
    void (*lincomb)(size_t n, void *z, double a, const void *x, double b, const void *y);
    void (*scale)(size_t n, double a, void *x);
    void (*fill)(size_t n, double value, void *x);
    void (*clamp)(size_t n, double limit, void *x);
    void (*sign)(size_t n, const void *x, void *y);
    void (*agreeing)(size_t n, double a, const void *x, double b, void *y);
    double (*dot)(size_t n, const void *x, const void *y, double scale);
    double (*max_abs)(size_t n, const void *x);
    void (*from_f32)(size_t n, const float *x, void *y);
    void (*from_f64)(size_t n, const double *x, void *y);
    void (*transpose)(size_t rows, size_t cols, const void *x, size_t ldx, void *y, size_t ldy);
} vec_table;

#define T float
#define B int32_t
#define K(name) f32_##name
#include "lib/linalg/vec_kernels.h"
#undef T
#undef B
#undef K

#define T double
#define B int64_t
#define K(name) f64_##name
#include "lib/linalg/vec_kernels.h"
#undef T
#undef B
#undef K

static const vec_table *const vec[2] = {[NG_F32] = &f32_table, [NG_F64] = &f64_table};

/* A dense view is one long row; so loops over rows run once. */
static ng_mat flattened(ng_mat m)
{
    if (m.rows > 1 && m.stride == m.cols) {
        m.cols *= m.rows;
        m.stride = m.cols;
        m.rows = 1;
    }
    return m;
}

static void *row(ng_mat m, size_t i)
{
    return (char *)m.data + i * m.stride * ng_dtype_size(m.dtype);
}

/* Both flattened if both are dense. */
static void flatten_pair(ng_mat *y, ng_mat *x)
{
    ng_mat fy = flattened(*y), fx = flattened(*x);
    if (fy.rows == fx.rows) {
        *y = fy;
        *x = fx;
    }
}

/* z <- a x + b y for views known to be alike; what a 0 multiplies is not read */
static void lincomb(ng_mat z, double a, ng_mat x, double b, ng_mat y)
{
    ng_mat fz = flattened(z), fx = flattened(x), fy = flattened(y);
    if (fz.rows == fx.rows && fz.rows == fy.rows) {
        z = fz;
        x = fx;
        y = fy;
    }
    for (size_t i = 0; i < z.rows; i++)
        vec[z.dtype]->lincomb(z.cols, row(z, i), a, row(x, i), b, row(y, i));
}

ng_status ng_lincomb(ng_mat z, double a, ng_mat x, double b, ng_mat y, ng_error *error)
{
    TRY(ngi_check_same(z, "z", x, "x", error));
    TRY(ngi_check_same(y, "y", x, "x", error));
    lincomb(z, a, x, b, y);
    return NG_OK;
}

ng_status ng_axpby(ng_mat y, ng_mat x, double a, double b, ng_error *error)
{
    TRY(ngi_check_same(y, "y", x, "x", error));
    lincomb(y, a, x, b, y);
    return NG_OK;
}

ng_status ng_copy(ng_mat y, ng_mat x, ng_error *error)
{
    TRY(ngi_mat_check_any(y, "y", error));
    TRY(ngi_mat_check_any(x, "x", error));
    if (y.rows != x.rows || y.cols != x.cols)
        return ng_error_set(error, NG_ESHAPE, "y is %zu x %zu, expected %zu x %zu", y.rows, y.cols,
                            x.rows, x.cols);
    flatten_pair(&y, &x);
    for (size_t i = 0; i < y.rows && y.cols > 0; i++) {
        if (ngi_is_half(y.dtype) || ngi_is_half(x.dtype))
            ngi_half_copy(y.cols, row(y, i), y.dtype, row(x, i), x.dtype);
        else if (y.dtype == x.dtype)
            memmove(row(y, i), row(x, i), y.cols * ng_dtype_size(y.dtype));
        else if (x.dtype == NG_F32)
            vec[y.dtype]->from_f32(y.cols, row(x, i), row(y, i));
        else
            vec[y.dtype]->from_f64(y.cols, row(x, i), row(y, i));
    }
    return NG_OK;
}

void ng_fill(ng_mat x, double value)
{
    x = flattened(x);
    for (size_t i = 0; i < x.rows; i++)
        vec[x.dtype]->fill(x.cols, value, row(x, i));
}

void ng_scale(ng_mat x, double a)
{
    x = flattened(x);
    for (size_t i = 0; i < x.rows; i++)
        vec[x.dtype]->scale(x.cols, a, row(x, i));
}

void ng_clamp(ng_mat x, double limit)
{
    x = flattened(x);
    for (size_t i = 0; i < x.rows; i++)
        vec[x.dtype]->clamp(x.cols, limit, row(x, i));
}

void ngi_sign(ng_mat y, ng_mat x)
{
    flatten_pair(&y, &x);
    for (size_t i = 0; i < y.rows; i++)
        vec[y.dtype]->sign(y.cols, row(x, i), row(y, i));
}

void ngi_axpby_agreeing(ng_mat y, ng_mat x, double a, double b)
{
    flatten_pair(&y, &x);
    for (size_t i = 0; i < y.rows; i++)
        vec[y.dtype]->agreeing(y.cols, a, row(x, i), b, row(y, i));
}

static size_t diagonal_length(ng_mat x)
{
    return x.rows < x.cols ? x.rows : x.cols;
}

void ng_add_diagonal(ng_mat x, double a)
{
    for (size_t i = 0; i < diagonal_length(x); i++)
        ng_mat_set(x, i, i, ng_mat_get(x, i, i) + a);
}

void ng_set_identity(ng_mat x)
{
    ng_fill(x, 0);
    ng_add_diagonal(x, 1);
}

ng_status ng_transpose(ng_mat y, ng_mat x, ng_error *error)
{
    TRY(ng_mat_check(x, "x", error));
    TRY(ngi_check_shape(y, "y", x.cols, x.rows, x.dtype, error));
    vec[x.dtype]->transpose(x.rows, x.cols, x.data, x.stride, y.data, y.stride);
    return NG_OK;
}

static double row_max(ng_mat x, size_t i)
{
    return ngi_is_half(x.dtype) ? ngi_half_of(x.dtype)->max_abs(x.cols, row(x, i))
                                : vec[x.dtype]->max_abs(x.cols, row(x, i));
}

static double row_squares(ng_mat x, size_t i, double scale)
{
    return ngi_is_half(x.dtype) ? ngi_half_of(x.dtype)->squares(x.cols, row(x, i), scale)
                                : vec[x.dtype]->dot(x.cols, row(x, i), row(x, i), scale);
}

double ng_max_abs(ng_mat x)
{
    double max = 0;
    x = flattened(x);
    for (size_t i = 0; i < x.rows; i++) {
        double m = row_max(x, i);
        if (!(m <= max)) /* also true for NaN, which then stays */
            max = m;
        if (isnan(max))
            break;
    }
    return max;
}

int ng_is_finite(ng_mat x)
{
    return isfinite(ng_max_abs(x));
}

double ng_norm(ng_mat x)
{
    double max = ng_max_abs(x), sum = 0, scale = 1;
    if (max == 0 || !isfinite(max))
        return max;
    if (max > 1e140 || max < 1e-140) { /* squares of doubles would leave their range */
        int exponent;
        frexp(max, &exponent);
        scale = ldexp(1, exponent > 1000 ? -1000 : exponent < -1000 ? 1000 : -exponent);
    }
    x = flattened(x);
    for (size_t i = 0; i < x.rows; i++)
        sum += row_squares(x, i, scale);
    return sqrt(sum) / scale;
}

/* flattened alike */
static double dot_of(ng_mat x, ng_mat y, double scale)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        sum += vec[x.dtype]->dot(x.cols, row(x, i), row(y, i), scale);
    return sum;
}

double ng_dot(ng_mat x, ng_mat y)
{
    if (ngi_check_same(y, "y", x, "x", NULL) != NG_OK)
        return NAN;
    flatten_pair(&y, &x);
    double sum = dot_of(x, y, 1);
    /* a sum that has a place may have terms that have none */
    return isfinite(sum) || x.dtype == NG_F32 ? sum : dot_of(x, y, 0x1p-550) * 0x1p550 * 0x1p550;
}

static double trace_of(ng_mat x, double scale)
{
    double sum = 0;
    for (size_t i = 0; i < diagonal_length(x); i++)
        sum += scale * ng_mat_get(x, i, i);
    return sum;
}

double ng_trace(ng_mat x)
{
    double sum = trace_of(x, 1);
    return isfinite(sum) ? sum : trace_of(x, 0x1p-60) * 0x1p60;
}
