/* The Nystrom approximation (nystrom.h): products with k x k eigenvectors, which are taken in
 * double. */
#include "lib/linalg/nystrom.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

/* In eps of the largest eigenvalue: below the first there is nothing to be known, above the second
 * there is. */
enum { ROUNDING = 32, CLEAR = 1000 };

/* What the two halves need, all k x k but for values (1 x k). */
typedef struct {
    ng_mat square, turn;            /* in the dtype of y */
    ng_mat values, vectors, scaled; /* in double */
} scratch;

static ng_status take(scratch *s, size_t k, ng_dtype dtype, ng_work *work, ng_error *error)
{
    TRY(ng_work_mat(work, &s->square, k, k, dtype, error));
    TRY(ng_work_mat(work, &s->turn, k, k, dtype, error));
    TRY(ng_work_mat(work, &s->values, 1, k, NG_F64, error));
    TRY(ng_work_mat(work, &s->vectors, k, k, NG_F64, error));
    return ng_work_mat(work, &s->scaled, k, k, NG_F64, error);
}

/* turn <- the first `count` eigenvectors of square from the largest on, each over the root of its
 * value; what is rounding becomes 0. */
static ng_status inverse_root(scratch *s, size_t count, ng_work *work, ng_error *error)
{
    size_t k = s->square.rows;
    TRY(ngi_eigen_of(s->values, s->vectors, s->square, work, error));
    double least = ROUNDING * ng_dtype_eps(s->square.dtype) * ng_mat_get(s->values, 0, k - 1);
    for (size_t i = 0; i < count; i++) {
        double value = ng_mat_get(s->values, 0, k - 1 - i);
        int there = value > 0 && value >= least;
        ng_mat row = ng_mat_block(s->scaled, i, 0, 1, k);
        TRY(ng_axpby(row, ng_mat_block(s->vectors, k - 1 - i, 0, 1, k), there ? 1 / sqrt(value) : 0,
                     0, error));
        if (!there)
            ng_mat_set(s->values, 0, k - 1 - i, 0);
    }
    return ng_copy(s->turn, s->scaled, error);
}

/* square <- v A v^T, which rounding has left a little off symmetry */
static ng_status middle(scratch *s, ng_mat y, ng_mat v, ng_error *error)
{
    TRY(ng_gemm(s->turn, y, NG_NOTRANS, v, NG_TRANS, 0.5, 0, error));
    TRY(ng_transpose(s->square, s->turn, error));
    return ng_axpby(s->square, s->turn, 1, 1, error);
}

/* w <- square^(-1/2) y up to a rotation: by a Cholesky factor, which is cheap, where the pivots are
 * far from rounding, else by eigenvectors. */
static ng_status whiten(ng_mat w, scratch *s, ng_mat y, ng_work *work, ng_error *error)
{
    double least = INFINITY, largest = 0;
    size_t k = y.rows;
    TRY(ng_copy(s->scaled, s->square, error));
    ng_status status = ng_cholesky(s->vectors, NULL, s->scaled, error);
    if (status != NG_OK && status != NG_ESINGULAR)
        return status;
    for (size_t i = 0; i < k && status == NG_OK; i++) {
        least = fmin(least, ng_mat_get(s->vectors, i, i));
        largest = fmax(largest, ng_mat_get(s->vectors, i, i));
    }
    if (status == NG_OK && least * least > CLEAR * ng_dtype_eps(y.dtype) * largest * largest) {
        TRY(ng_copy(s->turn, s->vectors, error));
        TRY(ng_copy(w, y, error));
        return ng_trsm(w, NG_LEFT, s->turn, NG_NOTRANS, 1, error);
    }
    TRY(inverse_root(s, k, work, error));
    return ng_gemm(w, s->turn, NG_NOTRANS, y, NG_NOTRANS, 1, 0, error);
}

static ng_status approximate(ng_mat values, ng_mat vectors, ng_mat y, ng_mat v, ng_work *work,
                             ng_error *error)
{
    scratch s;
    ng_mat w;
    size_t k = y.rows, r = vectors.rows;
    TRY(take(&s, k, y.dtype, work, error));
    TRY(ng_work_mat(work, &w, k, y.cols, y.dtype, error));
    TRY(middle(&s, y, v, error));
    TRY(whiten(w, &s, y, work, error)); /* w^T w is what is sought */
    TRY(ng_syrk(s.square, w, NG_NOTRANS, 1, 0, error));
    TRY(inverse_root(&s, r, work, error));
    for (size_t i = 0; i < r; i++)
        ng_mat_set(values, 0, i, ng_mat_get(s.values, 0, k - 1 - i));
    return ng_gemm(vectors, ng_mat_block(s.turn, 0, 0, r, k), NG_NOTRANS, w, NG_NOTRANS, 1, 0,
                   error);
}

ng_status ngi_nystrom(ng_mat values, ng_mat vectors, ng_mat y, ng_mat v, ng_work *work,
                      ng_error *error)
{
    size_t mark = work->used;
    ng_status status = approximate(values, vectors, y, v, work, error);
    work->used = mark;
    return status;
}

size_t ngi_nystrom_work(size_t k, size_t n, ng_dtype dtype)
{
    size_t own =
        ngi_size_add(ngi_size_mul(2, ng_work_mat_size(k, k, dtype)), ng_work_mat_size(k, n, dtype));
    size_t wide = ngi_size_add(ng_work_mat_size(1, k, NG_F64),
                               ngi_size_mul(2, ng_work_mat_size(k, k, NG_F64)));
    return ngi_size_add(ngi_size_add(own, wide), ngi_eigen_of_work(k));
}
