/* Orthonormal bases (basis.h). */
#include "lib/linalg/eigenbasis.h"

#include <limits.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/linalg/blas.h"
#include "lib/linalg/check.h"

enum { BLOCK = 64 };

void ngi_square(ng_mat x)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double value = ng_mat_get(x, i, j);
            ng_mat_set(x, i, j, value * value);
        }
}

size_t ngi_orthonormal_rows_work(size_t n, ng_dtype dtype)
{
    return ngi_size_add(ng_work_mat_size(1, n, dtype), ng_work_mat_size(BLOCK, n, dtype));
}

/* Fortran sees columns where the rows are. */
ng_status ngi_orthonormal_rows(ng_mat x, ng_work *work, ng_error *error)
{
    const ngi_blas_table *blas = ngi_blas[x.dtype];
    size_t mark = work->used;
    ngi_int n = (ngi_int)x.rows, info = 0;
    ng_mat tau, scratch;
    ng_status status = ngi_check_blas(x, "x", x.rows, x.rows, x.dtype, error);
    if (status == NG_OK)
        status = ngi_check_finite(x, "x", error);
    if (status == NG_OK && x.rows > INT_MAX / BLOCK)
        status = ng_error_set(error, NG_ERANGE, "a %zu x %zu basis exceeds the BLAS integer",
                              x.rows, x.rows);
    if (status == NG_OK)
        status = ng_work_mat(work, &tau, 1, x.rows, x.dtype, error);
    if (status == NG_OK)
        status = ng_work_mat(work, &scratch, BLOCK, x.rows, x.dtype, error);
    if (status == NG_OK && n > 0)
        info = blas->geqrf(n, n, x.data, ngi_ld(x), tau.data, scratch.data, n * BLOCK);
    if (status == NG_OK && n > 0 && info == 0)
        info = blas->orgqr(n, n, n, x.data, ngi_ld(x), tau.data, scratch.data, n * BLOCK);
    if (status == NG_OK && (info != 0 || !ng_is_finite(x)))
        status = ng_error_set(error, NG_ENOCONV, "QR of a %zu x %zu matrix failed (info %d)",
                              x.rows, x.rows, (int)info);
    work->used = mark;
    return status;
}

ng_status ngi_basis_rotate(ng_mat x, ng_mat u, ng_mat v, int back, ng_mat scratch, ng_error *error)
{
    ng_status status = NG_OK;
    if (u.data != NULL) {
        status = ng_gemm(scratch, u, back ? NG_TRANS : NG_NOTRANS, x, NG_NOTRANS, 1, 0, error);
        if (status == NG_OK && v.data == NULL)
            return ng_copy(x, scratch, error);
    } else if (v.data != NULL)
        status = ng_copy(scratch, x, error);
    if (status == NG_OK && v.data != NULL)
        status = ng_gemm(x, scratch, NG_NOTRANS, v, back ? NG_NOTRANS : NG_TRANS, 1, 0, error);
    return status;
}

size_t ngi_basis_carry_work(size_t m, size_t n, ng_dtype dtype)
{
    return ngi_size_add(ng_work_mat_size(m, n, dtype),
                        ngi_size_add(ng_work_mat_size(m, m, dtype), ng_work_mat_size(n, n, dtype)));
}

/* r <- (next old^T) squared element by element; empty if there is no basis */
static ng_status turned(ng_mat *r, ng_mat next, ng_mat old, ng_work *work, ng_error *error)
{
    r->data = NULL;
    if (next.data == NULL)
        return NG_OK;
    ng_status status = ng_work_mat(work, r, next.rows, next.rows, next.dtype, error);
    if (status == NG_OK)
        status = ng_gemm(*r, next, NG_NOTRANS, old, NG_TRANS, 1, 0, error);
    if (status == NG_OK)
        ngi_square(*r);
    return status;
}

ng_status ngi_basis_carry(ng_mat d, ng_mat next_u, ng_mat next_v, ng_mat u, ng_mat v, ng_work *work,
                          ng_error *error)
{
    size_t mark = work->used;
    ng_mat left = u, right = v, scratch;
    ng_status status = ng_work_mat(work, &scratch, d.rows, d.cols, d.dtype, error);
    if (status == NG_OK)
        status = turned(&left, next_u, u, work, error);
    if (status == NG_OK)
        status = turned(&right, next_v, v, work, error);
    if (status == NG_OK)
        status = ngi_basis_rotate(d, left, right, 0, scratch, error);
    work->used = mark;
    return status;
}
