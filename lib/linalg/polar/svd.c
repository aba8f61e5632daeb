/* Polar factor from the thin SVD: U = sum over kept i of u_i v_i^T. */
#include "lib/linalg/polar/routes.h"

#include "lib/core/size.h"
#include "lib/core/try.h"

size_t ngi_polar_svd_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    size_t left = ngi_size_add(ng_work_mat_size(m, k, dtype), ng_work_mat_size(1, k, dtype));
    return ngi_size_add(ngi_size_add(left, ng_work_mat_size(k, n, dtype)),
                        ng_svd_work(m, n, dtype));
}

ng_status ngi_polar_svd(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                        const ng_polar_options *options, ng_work *work, ng_error *error)
{
    size_t m = x.rows, n = x.cols, k = ngi_smaller(m, n), r = 0, mark = work->used;
    (void)unit, (void)options;
    ng_mat left, s, right;
    TRY(ng_work_mat(work, &left, m, k, x.dtype, error));
    TRY(ng_work_mat(work, &s, 1, k, x.dtype, error));
    TRY(ng_work_mat(work, &right, k, n, x.dtype, error));
    TRY(ng_svd(left, s, right, NULL, x, work, error));
    double s1 = ng_mat_get(s, 0, 0), tau = ngi_polar_threshold(m, n, x.dtype) * s1;
    while (r < k && ng_mat_get(s, 0, r) > tau)
        r++;
    TRY(ng_gemm(u, ng_mat_block(left, 0, 0, m, r), NG_NOTRANS, ng_mat_block(right, 0, 0, r, n),
                NG_NOTRANS, 1, 0, error));
    info->route = "svd";
    info->rank = r;
    info->condition = s1 / ng_mat_get(s, 0, r - 1);
    work->used = mark;
    return NG_OK;
}
