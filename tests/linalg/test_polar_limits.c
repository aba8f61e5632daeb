/* The routes of ng_polar at their limits: rank-deficient matrices, options out
 * of range, workspaces of exactly the promised size, sizes that do not fit. */
#include <stdint.h>

#include "tests/linalg/routes.h"

/* ---- Rank ------------------------------------------------------------------------------------ */

/* Integer matrices: exact in either dtype, every singular value either zero or
 * far above the threshold eps sqrt(max(m, n)) s_1. Those that happen to be
 * nearly dependent are left out. */
static void check_rank(size_t m, size_t n, size_t r, ng_dtype dtype, int route, test_rng *rng)
{
    ng_mat x = dense_rank(m, n, r, rng);
    ng_polar_info info;
    ng_polar_options o = forced(routes[route].route);
    dense_svd_result f = dense_svd(x);
    r = test_norm(x) > 0 ? r : 0;
    if (r > 0 && ng_mat_get(f.s, 0, r - 1) < 1e-3 * ng_mat_get(f.s, 0, 0))
        return;
    double kappa = r > 0 ? ng_mat_get(f.s, 0, 0) / ng_mat_get(f.s, 0, r - 1) : 1;
    double tol = (20 + (route == 0 ? 2 * kappa : 0)) * ng_dtype_eps(dtype); /* 2.4e-6 in f32 */
    ng_mat u = polar(x, dtype, &o, &info);
    ck_assert_msg(info.rank == r, "%s: rank %zu of a %zu x %zu matrix of rank %zu in %d",
                  routes[route].name, info.rank, m, n, r, dtype);
    ng_assert_mat(u, dense_polar(x, 1e-6), tol);
    ng_mat again = dense_mul(dense_mul(u, 0, u, 1), 0, u, 0);
    ng_assert_mat(again, u, tol);
    ng_assert_le(info.orthogonality_error, tol);
}

/* The Gram routes cannot tell s below sqrt(eps) of their arithmetic from zero: the
 * rule of the dtype is theirs for f32 alone. */
START_TEST(ranks)
{
    test_rng rng = {36 + (unsigned)_i};
    size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
    size_t of[] = {0, 1, k / 2, k - 1, k};
    static const int exact[] = {0, 1, 5};
    for (int i = 0; i < 5; i++)
        for (int e = 0; e < 3; e++) {
            check_rank(m, n, of[i], NG_F32, exact[e], &rng);
            if (exact[e] == 0)
                check_rank(m, n, of[i], NG_F64, exact[e], &rng);
            dense_release();
        }
}
END_TEST

/* ---- Options and workspace ---------------------------------------------------------------------
 */

/* Out of range is NG_EOPTION whatever the route would have read, and u stays; the bound matters
 * with polar_express only. */
START_TEST(bad_options)
{
    static const double bounds[] = {0, -1, 1, 2, NAN};
    ng_mat x = test_mat(3, 5, 0, NG_F32), u = test_mat(3, 5, 0, NG_F32), before;
    test_rng rng = {41};
    test_fill_normal(x, &rng), test_fill_normal(u, &rng);
    before = test_copy(u);
    for (int i = _i > 0 ? 0 : 5; i < 13; i++) {
        ng_error err = {NG_OK, ""};
        ng_polar_options o;
        ng_polar_init(&o);
        if (_i > 0)
            o.accuracy = NG_POLAR_NEWTON_SCHULZ, o.iteration = NG_ITERATION_POLAR_EXPRESS;
        if (i < 5)
            o.lower_bound = bounds[i];
        else if (i < 8)
            o.steps = i == 5 ? -1 : i == 6 ? 33 : 1 << 30;
        else if (i < 10)
            o.iteration = (ng_polar_iteration)(i == 8 ? 3 : -1);
        else
            o.route = (ng_polar_route)(i == 10 ? NG_ROUTE_GRAM_FRACTIONS + 1 : i == 11 ? -1 : 1 << 20);
        const char *culprit = i < 5    ? "lower_bound"
                              : i < 8  ? "steps"
                              : i < 10 ? "iteration"
                                       : "route";
        ng_assert_fails(ng_polar(u, NULL, x, &o, NULL, &err), NG_EOPTION, &err, culprit);
        ck_assert(test_same_bits(u, before));
    }
    test_free(x), test_free(u), test_free(before);
}
END_TEST

/* Every route in exactly the bytes it asked for, with the same bits. */
START_TEST(workspace)
{
    test_rng rng = {42 + (unsigned)_i};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < 2 * ROUTES; i++) {
        ng_polar_info info;
        ng_error err = {NG_OK, ""};
        ng_polar_options o = forced(routes[i / 2].route);
        ng_mat x = test_convert(graded(m, n, 40, &rng), (ng_dtype)(i % 2));
        ng_mat u = test_copy(x), v = test_copy(x);
        ng_work work;
        ng_assert_ok(ng_work_create(&work, ng_polar_work(m, n, x.dtype, &o), &err), &err);
        ng_assert_ok(ng_polar(u, &info, x, &o, &work, &err), &err);
        ck_assert_uint_eq(work.used, 0);
        ng_assert_ok(ng_polar(v, &info, x, &o, NULL, &err), &err);
        ck_assert(test_same_bits(u, v));
        ng_work_destroy(&work);
        test_free(x), test_free(u), test_free(v);
        dense_release();
    }
}
END_TEST

/* Sizes that do not fit a size_t stay at its maximum: no route wraps round. */
START_TEST(impossible_sizes)
{
    static const size_t huge[][2] = {{SIZE_MAX / 4, SIZE_MAX / 4},
                                     {(size_t)1 << 31, (size_t)1 << 31},
                                     {(size_t)1 << 30, (size_t)1 << 31},
                                     {SIZE_MAX / 8 - 7, 1},
                                     {1, SIZE_MAX / 8 - 7}};
    for (int i = 0; i < 2 * ROUTES; i++)
        for (size_t h = 0; h < sizeof huge / sizeof huge[0]; h++) {
            ng_polar_options o = forced(routes[i / 2].route);
            size_t bytes = ng_polar_work(huge[h][0], huge[h][1], (ng_dtype)(i % 2), &o);
            size_t one = ng_work_mat_size(huge[h][0], huge[h][1], (ng_dtype)(i % 2));
            ck_assert_msg(bytes == SIZE_MAX || bytes / 2 > one, "%s: %zu bytes", routes[i / 2].name,
                          bytes);
        }
}
END_TEST

TEST_SUITE(polar_limits)
{
    TCase *tcase = tcase_create("limits");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, ranks, 0, SHAPES);
    tcase_add_loop_test(tcase, bad_options, 0, 2);
    tcase_add_loop_test(tcase, workspace, 0, SHAPES);
    tcase_add_test(tcase, impossible_sizes);
    suite_add_tcase(suite, tcase);
}
