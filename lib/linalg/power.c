/* Real powers of symmetric positive definite matrices. */
#include <natgrad/linalg.h>

#include <math.h>

#include "lib/core/scratch.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"
#include "lib/linalg/lower.h"

size_t ng_spd_power_work(size_t n, ng_dtype dtype)
{
    (void)dtype; /* the work is done in double whatever the dtype */
    size_t mats = ngi_size_mul(2, ng_work_mat_size(n, n, NG_F64));
    size_t rest = ngi_size_add(ng_work_mat_size(1, n, NG_F64), ng_eigh_work(n, NG_F64));
    return ngi_size_add(mats, rest);
}

/* values <- values^(exponent/2) after the floor, so that the power is
 * (V^T values)(V^T values)^T: one symmetric product. */
static ng_status half_powers(ng_mat values, double exponent, double floor, ng_error *error)
{
    double *w = values.data, largest = w[0];
    for (size_t i = 1; i < values.cols; i++)
        largest = fmax(largest, w[i]);
    double singular = (double)values.cols * ng_dtype_eps(NG_F64) * largest;
    for (size_t i = 0; i < values.cols; i++) {
        double w_i = w[i];
        if (floor > 0 && w_i < floor * largest)
            w_i = floor * largest;
        if (exponent < 0 && !(w_i > (floor > 0 ? 0 : singular)))
            return ng_error_set(
                error, NG_ESINGULAR,
                "power %g of a singular matrix: eigenvalue %zu is %g, the largest %g", exponent, i,
                w_i, largest);
        w[i] = exponent == 0 ? 1 : pow(w_i > 0 ? w_i : 0, exponent / 2);
        if (!isfinite(w[i] * w[i]))
            return ng_error_set(error, NG_ERANGE, "power %g of eigenvalue %g overflows", exponent,
                                w_i);
    }
    return NG_OK;
}

/* How far the basis (rows v) diagonalises a (both triangles): the diagonal of v a v^T into values,
 * and the Frobenius norm of the rest relative to that of a. turned: scratch. */
static ng_status off_diagonal(double *part, ng_mat values, ng_mat v, ng_mat a, ng_mat half,
                              ng_mat turned, ng_error *error)
{
    TRY(ng_symm(half, NG_RIGHT, a, v, 1, 0, error));
    TRY(ng_gemm(turned, half, NG_NOTRANS, v, NG_TRANS, 1, 0, error));
    double norm = ng_norm(turned);
    for (size_t i = 0; i < turned.rows; i++) {
        ng_mat_set(values, 0, i, ng_mat_get(turned, i, i));
        ng_mat_set(turned, i, i, 0);
    }
    *part = norm > 0 ? ng_norm(turned) / norm : 0;
    return NG_OK;
}

/* Eigenvalues and the rows of an eigenbasis of a (double, both triangles): the given basis if it
 * still diagonalises a to the tolerance, else a new one. */
static ng_status diagonalise(ng_mat values, ng_mat basis, int *reused, ng_mat a, double tolerance,
                             ng_work *work, ng_error *error)
{
    size_t n = a.rows, mark = work->used;
    ng_mat half, turned;
    double part = INFINITY;
    if (tolerance > 0) {
        TRY(ng_work_mat(work, &half, n, n, NG_F64, error));
        TRY(ng_work_mat(work, &turned, n, n, NG_F64, error));
        TRY(off_diagonal(&part, values, basis, a, half, turned, error));
        work->used = mark;
    }
    *reused = part <= tolerance;
    return *reused ? NG_OK : ng_eigh(values, basis, NULL, a, work, error);
}

/* b <- V^T diag(values^exponent) V for the rows V of the basis */
static ng_status compose(ng_mat b, ng_mat values, ng_mat basis, double exponent, double floor,
                         ng_work *work, ng_error *error)
{
    size_t n = b.rows, mark = work->used;
    ng_mat half, wide;
    TRY(half_powers(values, exponent, floor, error));
    TRY(ng_work_mat(work, &half, n, n, NG_F64, error));
    TRY(ng_work_mat(work, &wide, n, n, NG_F64, error));
    TRY(ng_copy(half, basis, error));
    for (size_t k = 0; k < n; k++)
        ng_scale(ng_mat_block(half, k, 0, 1, n), ng_mat_get(values, 0, k));
    TRY(ng_syrk(wide, half, NG_TRANS, 1, 0, error));
    ng_mirror(wide);
    TRY(ng_copy(b, wide, error));
    work->used = mark;
    return NG_OK;
}

static ng_status power(ng_mat b, ng_mat basis, int *reused, ng_mat a, double exponent, double floor,
                       double tolerance, ng_work *work, ng_error *error)
{
    size_t n = a.rows, mark = work->used;
    ng_mat wide, values;
    TRY(ng_work_mat(work, &wide, n, n, NG_F64, error));
    TRY(ng_work_mat(work, &values, 1, n, NG_F64, error));
    if (basis.data == NULL)
        TRY(ng_work_mat(work, &basis, n, n, NG_F64, error));
    ngi_copy_lower(wide, a);
    ng_mirror(wide);
    TRY(diagonalise(values, basis, reused, wide, tolerance, work, error));
    TRY(compose(b, values, basis, exponent, floor, work, error));
    work->used = mark;
    return NG_OK;
}

static ng_status check(ng_mat b, ng_mat basis, ng_mat a, double exponent, double floor,
                       double tolerance, ng_error *error)
{
    size_t n = a.rows;
    TRY(ngi_check_blas(a, "a", n, n, a.dtype, error));
    TRY(ngi_check_blas(b, "b", n, n, a.dtype, error));
    if (basis.data != NULL)
        TRY(ngi_check_blas(basis, "basis", n, n, NG_F64, error));
    if (!isfinite(exponent) || !(floor >= 0 && floor < 1))
        return ng_error_set(error, NG_EARG, "exponent %g or floor %g out of range", exponent,
                            floor);
    if (!(tolerance >= 0 && tolerance < 1))
        return ng_error_set(error, NG_EARG, "tolerance %g out of range", tolerance);
    return ngi_check_finite_lower(a, "a", error); /* a kept basis meets no eigen-solver */
}

/* basis.data NULL: none to start from and none to keep */
static ng_status run(ng_mat b, ng_mat basis, int *reused, ng_mat a, double exponent, double floor,
                     double tolerance, ng_work *work, ng_error *error)
{
    ngi_scratch s;
    int ignored;
    TRY(check(b, basis, a, exponent, floor, tolerance, error));
    if (a.rows == 0)
        return NG_OK;
    TRY(ngi_scratch_open(&s, work, ng_spd_power_work(a.rows, a.dtype), error));
    return ngi_scratch_close(&s, power(b, basis, reused != NULL ? reused : &ignored, a, exponent,
                                       floor, tolerance, s.work, error));
}

ng_status ng_spd_power(ng_mat b, ng_mat a, double exponent, double floor, ng_work *work,
                       ng_error *error)
{
    return run(b, ng_f64(NULL, 0, 0), NULL, a, exponent, floor, 0, work, error);
}

ng_status ng_spd_power_update(ng_mat b, int *reused, ng_mat basis, ng_mat a, double exponent,
                              double floor, double tolerance, ng_work *work, ng_error *error)
{
    if (basis.data == NULL && a.rows > 0)
        return ng_error_set(error, NG_EARG, "basis: data is NULL");
    return run(b, basis, reused, a, exponent, floor, tolerance, work, error);
}
