/* Orthonormal bases (eigenbasis.h). */
#include "lib/linalg/eigenbasis.h"

#include <limits.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
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
    TRY(ngi_check_blas(x, "x", x.rows, x.rows, x.dtype, error));
    TRY(ngi_check_finite(x, "x", error));
    if (x.rows > INT_MAX / BLOCK)
        return ng_error_set(error, NG_ERANGE, "a %zu x %zu basis exceeds the BLAS integer", x.rows,
                            x.rows);
    TRY(ng_work_mat(work, &tau, 1, x.rows, x.dtype, error));
    TRY(ng_work_mat(work, &scratch, BLOCK, x.rows, x.dtype, error));
    if (n > 0)
        info = blas->geqrf(n, n, x.data, ngi_ld(x), tau.data, scratch.data, n * BLOCK);
    if (n > 0 && info == 0)
        info = blas->orgqr(n, n, n, x.data, ngi_ld(x), tau.data, scratch.data, n * BLOCK);
    if (info != 0 || !ng_is_finite(x))
        return ng_error_set(error, NG_ENOCONV, "QR of a %zu x %zu matrix failed (info %d)", x.rows,
                            x.rows, (int)info);
    work->used = mark;
    return NG_OK;
}

ng_status ngi_basis_rotate(ng_mat x, ng_mat u, ng_mat v, int back, ng_mat scratch, ng_error *error)
{
    if (u.data == NULL && v.data == NULL)
        return NG_OK;
    if (u.data == NULL)
        TRY(ng_copy(scratch, x, error));
    else
        TRY(ng_gemm(scratch, u, back ? NG_TRANS : NG_NOTRANS, x, NG_NOTRANS, 1, 0, error));
    if (v.data == NULL)
        return ng_copy(x, scratch, error);
    return ng_gemm(x, scratch, NG_NOTRANS, v, back ? NG_NOTRANS : NG_TRANS, 1, 0, error);
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
    TRY(ng_work_mat(work, r, next.rows, next.rows, next.dtype, error));
    TRY(ng_gemm(*r, next, NG_NOTRANS, old, NG_TRANS, 1, 0, error));
    ngi_square(*r);
    return NG_OK;
}

ng_status ngi_basis_carry(ng_mat d, ng_mat next_u, ng_mat next_v, ng_mat u, ng_mat v, ng_work *work,
                          ng_error *error)
{
    size_t mark = work->used;
    ng_mat left = u, right = v, scratch;
    TRY(ng_work_mat(work, &scratch, d.rows, d.cols, d.dtype, error));
    TRY(turned(&left, next_u, u, work, error));
    TRY(turned(&right, next_v, v, work, error));
    TRY(ngi_basis_rotate(d, left, right, 0, scratch, error));
    work->used = mark;
    return NG_OK;
}
