/* The polar factor's ladder, one rung failing after the other: eigen-solvers,
 * then DWH's Cholesky factors, then the SVDs (tests/support/faults.h). */
#include "tests/linalg/common.h"
#include "tests/linalg/plans.h"
#include "tests/linalg/routes.h"

/* ---- The ladder -------------------------------------------------------------------------- */

enum { WELL, NO_SYEVD, NO_EIGEN, NO_CHOLESKY, NO_GESDD, NOTHING, RUNGS };

static void break_down_to(int rung, fault_kind kind)
{
    all_well();
    if (rung >= NO_SYEVD)
        expect_after(ON_SYEVD, kind, 0);
    if (rung >= NO_EIGEN)
        expect_after(ON_SYEVR, kind, 0);
    if (rung >= NO_CHOLESKY)
        expect_after(ON_POTRF, kind == FAIL ? FAIL : NAN_VALUES, 0);
    if (rung >= NO_GESDD)
        expect_after(ON_GESDD, kind, 0);
    if (rung >= NOTHING)
        expect_after(ON_GESVD, kind, 0);
}

static ng_polar_options options_of(int fast)
{
    ng_polar_options o;
    ng_polar_init(&o);
    o.route = fast ? NG_ROUTE_GRAM_FAST : NG_ROUTE_AUTO;
    o.kappa_max = 50; /* the Gram form in f64 too */
    return o;
}

/* One call in exactly the promised bytes. */
static ng_status call(ng_mat u, ng_polar_info *info, ng_mat x, const ng_polar_options *o,
                      ng_error *err)
{
    size_t size = ng_polar_work(x.rows, x.cols, x.dtype, o);
    void *block = aligned_alloc(64, size);
    ng_work work = ng_work_on(block, size);
    ng_status status = ng_polar(u, info, x, o, &work, err);
    ck_assert_uint_eq(work.used, 0);
    free(block);
    return status;
}

static void check_rung(ng_mat x, int rung, fault_kind kind, int fast)
{
    static const char *const names[2][RUNGS] = {{"gram", "gram", "dwh", "svd", "svd"},
                                                {"gram fast", "gram fast", "dwh", "svd", "svd"}};
    ng_error err = {NG_OK, ""};
    ng_polar_info info = {"", 0, 0, 0};
    ng_polar_options o = options_of(fast);
    ng_mat u = test_mat(x.rows, x.cols, PAD, x.dtype), before = test_copy(x);
    break_down_to(rung, kind);
    ng_status status = call(u, &info, x, &o, &err);
    all_well();
    if (rung == NOTHING) {
        ck_assert_int_eq(status, NG_ENOCONV);
        ck_assert_msg(strstr(err.text, "gesvd") != NULL, "%s", err.text);
        ng_assert_ok(call(u, &info, x, &o, &err), &err);
        rung = WELL;
    } else
        ng_assert_ok(status, &err);
    ck_assert_msg(strcmp(info.route, names[fast][rung]) == 0, "rung %d: %s", rung, info.route);
    ck_assert_uint_eq(info.rank, x.rows < x.cols ? x.rows : x.cols);
    ng_assert_mat(u, dense_polar(x, 0), x.dtype == NG_F32 ? 2e-5 : 1e-12);
    ck_assert(test_same_bits(x, before));
    test_free(u), test_free(before);
}

START_TEST(ladder)
{
    static const fault_kind kinds[] = {FAIL, NAN_VALUES, NAN_LEFT};
    test_rng rng = {51 + (unsigned)_i};
    for (int i = 0; i < 4 * RUNGS * 3; i++) {
        ng_mat x = padded(graded(shapes[_i][0], shapes[_i][1], 8, &rng), (ng_dtype)(i % 2));
        check_rung(x, i / 12, kinds[i / 4 % 3], i / 2 % 2);
        test_free(x);
        dense_release();
    }
}
END_TEST

/* The fast route's second eigenproblem, that of the small directions, fails:
 * its half-finished u is thrown away. */
START_TEST(second_eigenproblem)
{
    test_rng rng = {52 + (unsigned)_i};
    for (int dtype = 0; dtype < 2; dtype++) {
        size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
        ng_error err = {NG_OK, ""};
        ng_polar_info info;
        ng_polar_options o = options_of(1);
        ng_mat x = padded(graded(m, n, 200, &rng), (ng_dtype)dtype);
        ng_mat u = test_mat(m, n, PAD, x.dtype);
        all_well();
        expect_after(ON_SYEVD, FAIL, 1);
        expect_after(ON_SYEVR, FAIL, 0);
        ng_assert_ok(call(u, &info, x, &o, &err), &err);
        ck_assert_int_eq(plan[ON_SYEVD].calls, k > 1 ? 2 : 1);
        ck_assert_str_eq(info.route, k > 1 ? "dwh" : "gram fast");
        ck_assert_uint_eq(info.rank, k);
        ng_assert_mat(u, dense_polar(x, 0), dtype == NG_F32 ? 1e-6 : 1e-11);
        test_free(x), test_free(u);
        dense_release();
    }
    all_well();
}
END_TEST

/* Not of full rank: whatever rung is reached gives the same partial isometry. */
START_TEST(rank_deficient)
{
    static const size_t of[][3] = {{6, 6, 2}, {5, 17, 4}, {17, 5, 1}, {19, 31, 9}};
    test_rng rng = {53 + (unsigned)_i};
    for (int rung = NO_EIGEN; rung < NOTHING; rung++) {
        size_t m = of[_i / 2][0], n = of[_i / 2][1], r = of[_i / 2][2];
        ng_error err = {NG_OK, ""};
        ng_polar_info info;
        ng_polar_options o = options_of(0);
        ng_mat x = padded(dense_rank(m, n, r, &rng), (ng_dtype)(_i % 2));
        ng_mat u = test_mat(m, n, PAD, x.dtype);
        break_down_to(rung, FAIL);
        ng_assert_ok(call(u, &info, x, &o, &err), &err);
        all_well();
        ck_assert_uint_eq(info.rank, r);
        ng_assert_mat(u, dense_polar(x, 1e-6), x.dtype == NG_F32 ? 1e-5 : 1e-11);
        ng_assert_le(info.orthogonality_error, x.dtype == NG_F32 ? 1e-5 : 1e-11);
        test_free(x), test_free(u);
        dense_release();
    }
}
END_TEST

/* A forced route that has no eigen-solver does not care. */
START_TEST(untouched)
{
    test_rng rng = {54};
    for (int i = 0; i < 2 * ROUTES; i++) {
        int eigen =
            routes[i / 2].route == NG_ROUTE_GRAM || routes[i / 2].route == NG_ROUTE_GRAM_FAST;
        ng_error err = {NG_OK, ""};
        ng_polar_info info;
        ng_polar_options o = forced(routes[i / 2].route);
        ng_mat x = padded(graded(5, 17, 8, &rng), (ng_dtype)(i % 2)), u = test_copy(x);
        break_down_to(NO_EIGEN, FAIL);
        ng_assert_ok(call(u, &info, x, &o, &err), &err);
        all_well();
        ck_assert_str_eq(info.route, eigen ? "dwh" : routes[i / 2].name);
        test_free(x), test_free(u);
        dense_release();
    }
}
END_TEST

TEST_SUITE(polar_fallback)
{
    TCase *tcase = tcase_create("injected failures");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, all_well, unhook);
    tcase_add_loop_test(tcase, ladder, 0, SHAPES);
    tcase_add_loop_test(tcase, second_eigenproblem, 0, SHAPES);
    tcase_add_loop_test(tcase, rank_deficient, 0, 8);
    tcase_add_test(tcase, untouched);
    suite_add_tcase(suite, tcase);
}
