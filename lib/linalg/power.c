/* Real powers of symmetric positive definite matrices. */
#include <natgrad/linalg.h>

#include <math.h>

#include "lib/core/size.h"
#include "lib/linalg/check.h"

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
    double *w = values.data, largest = w[values.cols - 1];
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

static ng_status power(ng_mat b, ng_mat a, double exponent, double floor, ng_work *work,
                       ng_error *error)
{
    size_t n = a.rows, mark = work->used;
    ng_mat wide, vectors, values;
    ng_status status = ng_work_mat(work, &wide, n, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &vectors, n, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &values, 1, n, NG_F64, error);
    if (status == NG_OK)
        status = ng_copy(wide, a, error);
    if (status == NG_OK)
        status = ng_eigh(values, vectors, NULL, wide, work, error);
    if (status == NG_OK)
        status = half_powers(values, exponent, floor, error);
    if (status == NG_OK) {
        for (size_t k = 0; k < n; k++)
            ng_scale(ng_mat_block(vectors, k, 0, 1, n), ((double *)values.data)[k]);
        status = ng_syrk(wide, vectors, NG_TRANS, 1, 0, error);
    }
    if (status == NG_OK) {
        ng_mirror(wide);
        status = ng_copy(b, wide, error);
    }
    work->used = mark;
    return status;
}

ng_status ng_spd_power(ng_mat b, ng_mat a, double exponent, double floor, ng_work *work,
                       ng_error *error)
{
    size_t n = a.rows;
    ng_work own = ng_work_on(NULL, 0);
    ng_status status = ngi_check_blas(a, "a", n, n, a.dtype, error);
    if (status == NG_OK)
        status = ngi_check_blas(b, "b", n, n, a.dtype, error);
    if (status == NG_OK && (!isfinite(exponent) || !(floor >= 0 && floor < 1)))
        status =
            ng_error_set(error, NG_EARG, "exponent %g or floor %g out of range", exponent, floor);
    if (status != NG_OK || n == 0)
        return status;
    if (work == NULL)
        status = ng_work_create(work = &own, ng_spd_power_work(n, a.dtype), error);
    if (status == NG_OK)
        status = ngi_check_work(work, ng_spd_power_work(n, a.dtype), error);
    if (status == NG_OK)
        status = power(b, a, exponent, floor, work, error);
    ng_work_destroy(&own);
    return status;
}
