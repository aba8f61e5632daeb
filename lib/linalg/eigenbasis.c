/* Eigenbases of Kronecker pairs (eigenbasis.h). */
#include "lib/linalg/eigenbasis.h"

#include <limits.h>
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/scratch.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/blas.h"
#include "lib/linalg/check.h"
#include "lib/linalg/lower.h"

enum { BLOCK = 64 };

void ngi_square(ng_mat x)
{
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double value = ng_mat_get(x, i, j);
            ng_mat_set(x, i, j, value * value);
        }
}

size_t ngi_eigen_of_work(size_t n)
{
    return ngi_size_add(ng_work_mat_size(n, n, NG_F64), ng_eigh_work(n, NG_F64));
}

static ng_status eigen_of(ng_mat values, ng_mat vectors, ng_mat a, ng_work *work, ng_error *error)
{
    ng_mat wide;
    TRY(ng_work_mat(work, &wide, a.rows, a.rows, NG_F64, error));
    ngi_copy_lower(wide, a);
    return ng_eigh(values, vectors, NULL, wide, work, error);
}

ng_status ngi_eigen_of(ng_mat values, ng_mat vectors, ng_mat a, ng_work *work, ng_error *error)
{
    ngi_scratch s;
    TRY(ngi_scratch_open(&s, work, ngi_eigen_of_work(a.rows), error));
    return ngi_scratch_close(&s, eigen_of(values, vectors, a, s.work, error));
}

ng_status ngi_factor_eigen(ng_mat values, ng_mat vectors, ng_mat factor, ng_work *work,
                           ng_error *error)
{
    TRY(ngi_eigen_of(values, vectors, factor, work, error));
    for (size_t i = 0; i < values.cols; i++)
        ng_mat_set(values, 0, i, fmax(0, ng_mat_get(values, 0, i)));
    return NG_OK;
}

void ngi_basis_products(ng_mat d, ng_mat left, ng_mat right)
{
    for (size_t i = 0; i < d.rows; i++)
        for (size_t j = 0; j < d.cols; j++)
            ng_mat_set(d, i, j, ng_mat_get(left, 0, i) * ng_mat_get(right, 0, j));
}

/* out (k x n) <- squares of [rows, a column of `one` if they are narrower] in the basis (n x n) */
static ng_status squares(ng_mat out, ng_mat rows, ng_mat basis, double one, ng_error *error)
{
    size_t n = basis.rows, k = rows.cols;
    TRY(ng_gemm(out, rows, NG_NOTRANS, ng_mat_block(basis, 0, 0, n, k), NG_TRANS, 1, 0, error));
    for (size_t i = 0; i < out.rows && k < n; i++)
        for (size_t j = 0; j < n; j++)
            ng_mat_set(out, i, j, ng_mat_get(out, i, j) + one * ng_mat_get(basis, j, k));
    ngi_square(out);
    return NG_OK;
}

ng_status ngi_basis_moments(ng_mat d, ng_mat left, ng_mat right, ng_mat u, ng_mat v, double one,
                            double add, double keep, ng_mat l, ng_mat r, ng_error *error)
{
    TRY(squares(l, left, u, one, error));
    TRY(squares(r, right, v, one, error));
    return ng_gemm(d, l, NG_TRANS, r, NG_NOTRANS, add, keep, error);
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
