/* Numerical helpers of the representations. */
#include "lib/fisher/fisher.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

/* l (double, lower triangle) <- its Cholesky factor after damping is added */
static ng_status factor_damped(ng_mat l, double damping, ng_dtype dtype, ng_error *error)
{
    size_t n = l.rows;
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, ng_mat_get(l, i, i));
    ng_add_diagonal(l, damping);
    ng_status status = ng_cholesky(l, NULL, l, error);
    if (status == NG_ESINGULAR)
        return ng_error_set(error, status, "F + %g I is singular (%zu x %zu, largest element %g)",
                            damping, n, n, largest);
    TRY(status);
    /* Without damping the rounding of a singular matrix may pass for a pivot. */
    double tiny = damping > 0 ? 0 : (double)n * ng_dtype_eps(dtype) * largest;
    for (size_t i = 0; i < n; i++) {
        double pivot = ng_mat_get(l, i, i);
        if (!(pivot * pivot > tiny))
            return ng_error_set(error, NG_ESINGULAR,
                                "F + %g I is singular: pivot %zu is %g, the largest element %g",
                                damping, i, pivot * pivot, largest);
    }
    return NG_OK;
}

/* y <- x (L L^T)^-1 row by row is x L^-T L^-1 */
ng_status ngi_solve_damped(ng_mat y, ng_mat x, ng_mat l, double damping, ng_dtype dtype,
                           ng_error *error)
{
    TRY(factor_damped(l, damping, dtype, error));
    TRY(ng_copy(y, x, error));
    TRY(ng_trsm(y, NG_RIGHT, l, NG_TRANS, 1, error));
    return ng_trsm(y, NG_RIGHT, l, NG_NOTRANS, 1, error);
}

static double largest_of(const double *w, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, w[i]);
    return largest;
}

static ng_status singular(double w, double damping, double largest, ng_error *error)
{
    return ng_error_set(error, NG_ESINGULAR,
                        "F + %g I is singular: F has the eigenvalue %g, the largest is %g", damping,
                        w, largest);
}

ng_status ngi_shifted_power(double *w, size_t n, double exponent, double damping, double tiny,
                            ng_error *error)
{
    double largest = largest_of(w, n), least = damping > 0 ? 0 : tiny * largest;
    for (size_t i = 0; i < n; i++) {
        double shifted = w[i] + damping;
        if (exponent < 0 && !(shifted > least))
            return singular(w[i], damping, largest, error);
        w[i] = exponent == 0 ? 1 : pow(shifted > 0 ? shifted : 0, exponent);
        if (!isfinite(w[i]))
            return ng_error_set(error, NG_ERANGE, "power %g of the eigenvalue %g overflows",
                                exponent, shifted);
    }
    return NG_OK;
}

ng_status ngi_shifted_logdet(double *value, const double *w, size_t n, double damping, double tiny,
                             ng_error *error)
{
    double largest = largest_of(w, n), least = damping > 0 ? 0 : tiny * largest, sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(w[i] + damping > least))
            return singular(w[i], damping, largest, error);
        sum += log(w[i] + damping);
    }
    *value = sum;
    return NG_OK;
}

ng_status ngi_apply_basis(ng_mat y, ng_mat x, ng_mat v, const double *w, ng_mat t, ng_error *error)
{
    TRY(ng_gemm(t, x, NG_NOTRANS, v, NG_TRANS, 1, 0, error));
    for (size_t i = 0; i < t.rows; i++) {
        double *row = (double *)t.data + i * t.stride;
        for (size_t j = 0; j < t.cols; j++)
            row[j] *= w[j];
    }
    return ng_gemm(y, t, NG_NOTRANS, v, NG_NOTRANS, 1, 0, error);
}

typedef struct {
    double value;
    size_t index;
} ranked;

/* Ties go by index, so that the order is the same everywhere. */
static int by_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

ng_status ngi_ascending(size_t **order, const double *w, size_t n, ngi_pool *pool, ng_error *error)
{
    ranked *list;
    TRY(ngi_pool_array(pool, order, n, sizeof **order, "places of eigenvalues", error));
    TRY(ngi_pool_array(pool, &list, n, sizeof *list, "eigenvalues to sort", error));
    for (size_t i = 0; i < n; i++) {
        list[i].value = w[i];
        list[i].index = i;
    }
    qsort(list, n, sizeof *list, by_value);
    for (size_t i = 0; i < n; i++)
        (*order)[i] = list[i].index;
    return NG_OK;
}

ng_status ngi_forms_by_product(ng_fisher *f, ng_mat a, ng_mat x, ngi_pool *pool, ng_error *error)
{
    ng_mat y;
    TRY(ngi_pool_mat(pool, &y, x.rows, f->n, f->dtype, error));
    TRY(f->table->mul(f, y, x, pool, error));
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.rows; j++)
            ng_mat_set(a, i, j,
                       ng_dot(ng_mat_block(x, i < j ? j : i, 0, 1, f->n),
                              ng_mat_block(y, i < j ? i : j, 0, 1, f->n)));
    return NG_OK;
}
