/* The polar factor against constructed ones: accuracy, orthogonality, rank. */
#include "tests/support/dense.h"

#include <natgrad/polar.h>

static const size_t shapes[][2] = {{1, 1},  {1, 9},  {9, 1},   {2, 2},   {6, 6},
                                   {5, 17}, {17, 5}, {24, 40}, {40, 24}, {33, 33}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], MAX_K = 64 };

enum { RANDOM, LOG1, LOG2, LOG3, LOG4, LOG5, OUTLIER, CLUSTERS, EXACT_SPECTRA };
/* below the rank threshold of f32: for the fast route, which has none */
enum { LOG6 = EXACT_SPECTRA, SPECTRA };

/* k singular values, descending; none is near a rank threshold (the largest
 * here is eps_f32 sqrt(40) = 7.5e-7) */
static double spectrum(double *s, int kind, size_t k, test_rng *rng)
{
    for (size_t i = 0; i < k; i++) {
        double t = k > 1 ? (double)i / (double)(k - 1) : 0;
        if (kind == RANDOM)
            s[i] = i == 0 ? 1 : s[i - 1] * (0.9 + 0.1 * test_uniform(rng));
        else if (kind == OUTLIER)
            s[i] = i == 0 ? 1 : 1e-3;
        else if (kind == CLUSTERS)
            s[i] = i <= k / 2 ? 1 : 0.01 * (1 + 1e-9 * (double)i);
        else
            s[i] = pow(10, -(kind == LOG6 ? 6 : kind - LOG1 + 1) * t);
    }
    double least = s[0];
    for (size_t i = 0; i < k; i++)
        least = fmin(least, s[i]);
    return s[0] / least;
}

static size_t smaller(ng_mat x)
{
    return x.rows < x.cols ? x.rows : x.cols;
}

/* ||U U^T - I||_F / sqrt(k) on the smaller side */
static double orthogonality(ng_mat u)
{
    ng_mat wide = dense_of(u);
    ng_mat gram =
        wide.rows <= wide.cols ? dense_mul(wide, 0, wide, 1) : dense_mul(wide, 1, wide, 0);
    return test_norm(dense_add(1, gram, -1, dense_identity(gram.rows))) / sqrt((double)gram.rows);
}

/* the polar factor of x rounded to dtype, strided views; x is rounded too */
static ng_mat call(ng_mat x, ng_dtype dtype, ng_polar_options options, ng_polar_info *info)
{
    ng_error err = {NG_OK, ""};
    ng_mat in = test_mat(x.rows, x.cols, 3, dtype), out = test_mat(x.rows, x.cols, 5, dtype);
    test_assign(in, x);
    ng_mat before = test_copy(in);
    ng_assert_ok(ng_polar(out, info, in, &options, NULL, &err), &err);
    ck_assert_msg(test_same_bits(in, before), "the input was written");
    test_assign(x, in);
    ng_mat u = dense_of(out);
    test_free(before);
    test_free(in);
    test_free(out);
    return u;
}

static ng_mat polar(ng_mat x, ng_dtype dtype, ng_polar_accuracy accuracy, double kappa_max,
                    ng_polar_info *info)
{
    ng_polar_options options;
    ng_polar_init(&options);
    ck_assert_int_eq(options.accuracy, NG_POLAR_EXACT);
    options.accuracy = accuracy;
    options.kappa_max = kappa_max;
    return call(x, dtype, options, info);
}

static ng_mat by_route(ng_mat x, ng_dtype dtype, ng_polar_route route, ng_polar_info *info)
{
    ng_polar_options options;
    ng_polar_init(&options);
    options.route = route;
    return call(x, dtype, options, info);
}

/* ---- Exact -------------------------------------------------------------------- */

START_TEST(exact_f64)
{
    test_rng rng = {11 + (unsigned)_i};
    double s[MAX_K];
    for (int kind = 0; kind < EXACT_SPECTRA; kind++) {
        size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
        double kappa = spectrum(s, kind, k, &rng);
        dense_svd_result f = dense_frame(m, n, s, &rng);
        ng_polar_info info;
        ng_mat u = polar(dense_compose(f), NG_F64, NG_POLAR_EXACT, 0, &info);
        ng_assert_le(orthogonality(u), 1e-13);
        ng_assert_le(test_rel_error(u, dense_isometry(f)), 20 * 0x1p-52 * kappa);
        ck_assert_uint_eq(info.rank, k);
        ng_assert_rel(info.condition, kappa, 1e-9);
        dense_release();
    }
}
END_TEST

START_TEST(bounded_condition_f64)
{
    test_rng rng = {12 + (unsigned)_i};
    double s[MAX_K];
    int kinds[] = {RANDOM, LOG1, LOG2, CLUSTERS};
    for (int i = 0; i < 4; i++) {
        size_t m = shapes[_i][0], n = shapes[_i][1];
        double kappa = spectrum(s, kinds[i], m < n ? m : n, &rng);
        dense_svd_result f = dense_frame(m, n, s, &rng);
        ng_polar_info info;
        ng_mat u = polar(dense_compose(f), NG_F64, NG_POLAR_EXACT, 100, &info);
        /* the Gram form squares the condition; a handful of roundings each */
        ng_assert_le(test_rel_error(u, dense_isometry(f)), 20 * 0x1p-52 * kappa * kappa);
        dense_release();
    }
}
END_TEST

/* Rounding X to f32 moves its polar factor by about eps kappa; the promise is
 * about the matrix that was given, so the oracle factors the rounded one. */
START_TEST(exact_f32)
{
    test_rng rng = {13 + (unsigned)_i};
    double s[MAX_K];
    for (int kind = 0; kind < EXACT_SPECTRA; kind++) {
        size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
        double kappa = spectrum(s, kind, k, &rng);
        ng_polar_info info;
        ng_mat x = dense_compose(dense_frame(m, n, s, &rng));
        ng_mat u = polar(x, NG_F32, NG_POLAR_EXACT, 0, &info);
        ng_assert_le(orthogonality(u), 1e-6);
        ng_assert_le(test_rel_error(u, dense_polar(x, 0)), kappa <= 1.01e4 ? 1e-6 : 1e-5);
        ck_assert_uint_eq(info.rank, k);
        dense_release();
    }
}
END_TEST

/* ---- Rank ---------------------------------------------------------------------- */

static void check_rank(size_t m, size_t n, size_t r, ng_dtype dtype, test_rng *rng)
{
    ng_mat x = dense_rank(m, n, r, rng);
    dense_svd_result f = dense_svd(x);
    r = test_norm(x) > 0 ? r : 0;
    if (r > 0 && ng_mat_get(f.s, 0, r - 1) < 1e-3 * ng_mat_get(f.s, 0, 0))
        return; /* the integers happened to be nearly dependent */
    ng_polar_info info;
    ng_mat u = polar(x, dtype, NG_POLAR_EXACT, 0, &info);
    double tol = dtype == NG_F32 ? 1e-6 : 1e-12;
    ck_assert_msg(info.rank == r, "rank %zu of a %zu x %zu matrix of rank %zu", info.rank, m, n, r);
    ng_assert_mat(u, dense_polar(x, 1e-6), tol);
    ng_mat again = dense_mul(dense_mul(u, 0, u, 1), 0, u, 0);
    ng_assert_mat(again, u, tol); /* a partial isometry */
    ng_assert_le(info.orthogonality_error, tol);
    if (r == 0)
        ck_assert_msg(test_norm(u) == 0 && strcmp(info.route, "zero") == 0, "%s", info.route);
    dense_release();
}

START_TEST(rank_deficient)
{
    test_rng rng = {14 + (unsigned)_i};
    size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
    for (int dtype = 0; dtype < 2; dtype++) {
        size_t ranks[] = {0, 1, k / 2, k - 1, k};
        for (int i = 0; i < 5; i++)
            check_rank(m, n, ranks[i], (ng_dtype)dtype, &rng);
    }
    dense_release();
}
END_TEST

/* ---- Fast and Newton-Schulz -------------------------------------------------------- */

/* The promise of the eigendecomposition is of singular values from 3e-3 s_1 up,
 * whatever the spectrum and the shape. In double the small directions have no wider type to go
 * to: s_1/20 is their largest, so about n eps / 400 (s_1/s)^2 is lost, 1e-5 at 1e-6 s_1.
 * Below the floor of 32 eps on eigenvalues they fall linearly. */
static void check_gram_fast(size_t m, size_t n, int kind, ng_dtype dtype, test_rng *rng)
{
    double s[MAX_K], floor = dtype == NG_F32 ? 3e-3 : 1e-6, tol = dtype == NG_F32 ? 1e-3 : 1e-5;
    spectrum(s, kind, m < n ? m : n, rng);
    ng_mat x = dense_compose(dense_frame(m, n, s, rng));
    ng_polar_info info;
    ng_mat u = by_route(x, dtype, NG_ROUTE_GRAM_FAST, &info);
    dense_svd_result f = dense_svd(x), of_u = dense_svd(u);
    ng_mat inner = dense_mul(dense_mul(f.u, 1, u, 0), 0, f.vt, 1);
    double soft = sqrt(32 * ng_dtype_eps(dtype));
    size_t above = 0, least = 0, most = 0;
    for (size_t j = 0; j < f.s.cols; j++) {
        double ratio = ng_mat_get(f.s, 0, j) / ng_mat_get(f.s, 0, 0);
        above += ratio >= floor;
        least += ratio > 1.02 * soft; /* the rank: those above the soft floor */
        most += ratio > 0.98 * soft;
        ng_assert_le(fabs(ng_mat_get(inner, j, j) - fmin(1, ratio / soft)), tol);
    }
    for (size_t j = 0; j < above; j++)
        ng_assert_le(1 - ng_mat_get(of_u.s, 0, j), tol);
    if (above == f.s.cols)
        ng_assert_le(ng_mat_get(of_u.s, 0, 0) - 1, tol);
    ng_assert_le(ng_mat_get(of_u.s, 0, 0), 1.1);
    ck_assert(least <= info.rank && info.rank <= most);
    ck_assert_str_eq(info.route, "gram fast");
    dense_release();
}

/* The promise of fast: singular values from 3e-3 s_1 up come within 5e-3 of 1, and in their own
 * directions; below they fall to 0 and never exceed 1.005. */
static void check_fast(size_t m, size_t n, int kind, ng_dtype dtype, test_rng *rng)
{
    double s[MAX_K], tol = 5e-3;
    spectrum(s, kind, m < n ? m : n, rng);
    ng_mat x = dense_compose(dense_frame(m, n, s, rng));
    ng_polar_info info;
    ng_mat u = polar(x, dtype, NG_POLAR_FAST, 0, &info);
    dense_svd_result f = dense_svd(x), of_u = dense_svd(u);
    ng_mat inner = dense_mul(dense_mul(f.u, 1, u, 0), 0, f.vt, 1);
    double sum = 0;
    for (size_t j = 0; j < f.s.cols; j++) {
        double ratio = ng_mat_get(f.s, 0, j) / ng_mat_get(f.s, 0, 0), got = ng_mat_get(inner, j, j);
        if (ratio >= 3e-3)
            ng_assert_le(fabs(got - 1), tol);
        ng_assert_le(got, 1 + tol);
        ng_assert_le(-got, tol);
        sum += pow(ng_mat_get(of_u.s, 0, j), 2);
    }
    ng_assert_le(ng_mat_get(of_u.s, 0, 0), 1 + tol);
    ng_assert_le(fabs((double)info.rank - sum), 0.51);
    ck_assert_str_eq(info.route, "gram fractions");
    dense_release();
}

START_TEST(fast)
{
    test_rng rng = {15 + (unsigned)_i};
    for (int i = 0; i < 2 * SPECTRA; i++) {
        check_fast(shapes[_i][0], shapes[_i][1], i / 2, (ng_dtype)(i % 2), &rng);
        check_gram_fast(shapes[_i][0], shapes[_i][1], i / 2, (ng_dtype)(i % 2), &rng);
    }
}
END_TEST

/* Sums of more terms, and more small directions at once. */
START_TEST(fast_large)
{
    static const size_t large[][2] = {{40, 100}, {100, 40}, {56, 56}};
    test_rng rng = {18 + (unsigned)_i};
    for (int kind = 0; kind < SPECTRA; kind++) {
        check_fast(large[_i][0], large[_i][1], kind, NG_F32, &rng);
        check_gram_fast(large[_i][0], large[_i][1], kind, NG_F32, &rng);
    }
}
END_TEST

/* Muon's five steps, naively, with the guard of natgrad/polar.h */
static ng_mat naive_newton_schulz(ng_mat x)
{
    double norm = test_norm(x);
    ng_mat y = dense_scale(1 / (norm + (norm < 0.01 ? 1e-5 * norm : 1e-7)), x);
    for (int i = 0; i < 5; i++) {
        ng_mat a = dense_mul(y, 0, y, 1);
        ng_mat b = dense_add(-4.7750, a, 2.0315, dense_mul(a, 0, a, 0));
        y = dense_add(3.4445, y, 1, dense_mul(b, 0, y, 0));
    }
    return y;
}

START_TEST(newton_schulz)
{
    test_rng rng = {16 + (unsigned)_i};
    double s[MAX_K];
    static const double scales[] = {1, 1e-6, 1e6};
    for (int i = 0; i < 6; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
        spectrum(s, LOG1, k, &rng);
        ng_mat x = dense_compose(dense_frame(m, n, s, &rng));
        x = dense_scale(scales[i / 2], x);
        ng_polar_info info;
        ng_mat u = polar(x, dtype, NG_POLAR_NEWTON_SCHULZ, 0, &info);
        ng_assert_mat(u, naive_newton_schulz(x), dtype == NG_F32 ? 2e-5 : 1e-12);
        ck_assert_ptr_nonnull(strstr(info.route, "newton-schulz")); /* on X or on its Gram matrix */
        ck_assert_uint_eq(info.rank, k);
        ck_assert(isnan(info.condition));
        dense_svd_result f = dense_svd(u);
        ng_assert_le(ng_mat_get(f.s, 0, 0), 1.25);
        ng_assert_le(0.65, ng_mat_get(f.s, 0, k - 1));
        dense_release();
    }
}
END_TEST

/* ---- What info says ------------------------------------------------------------------ */

START_TEST(info_fields)
{
    test_rng rng = {17 + (unsigned)_i};
    double s[MAX_K];
    for (int i = 0; i < 6; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n;
        double kappa = spectrum(s, i < 2 ? LOG2 : LOG1, k, &rng);
        ng_polar_accuracy accuracy = (ng_polar_accuracy)(i / 2);
        ng_polar_info info;
        ng_mat u = polar(dense_compose(dense_frame(m, n, s, &rng)), dtype, accuracy, 0, &info);
        ck_assert_uint_eq(info.rank, k);
        /* ours in double of the rounded U; theirs rounds U U^T as well: eps times its norm */
        ng_assert_le(fabs(info.orthogonality_error - orthogonality(u)),
                     4 * sqrt((double)smaller(u)) * ng_dtype_eps(dtype));
        if (accuracy == NG_POLAR_EXACT)
            ng_assert_rel(info.condition, kappa, dtype == NG_F32 ? 1e-3 : 1e-10);
        else
            ck_assert(isnan(info.condition));
        by_route(dense_compose(dense_frame(m, n, s, &rng)), dtype, NG_ROUTE_GRAM_FAST, &info);
        ng_assert_rel(info.condition, kappa, dtype == NG_F32 ? 1e-3 : 1e-10);
        dense_release();
    }
}
END_TEST

TEST_SUITE(polar)
{
    TCase *tcase = tcase_create("accuracy");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, exact_f64, 0, SHAPES);
    tcase_add_loop_test(tcase, bounded_condition_f64, 0, SHAPES);
    tcase_add_loop_test(tcase, exact_f32, 0, SHAPES);
    tcase_add_loop_test(tcase, rank_deficient, 0, SHAPES);
    tcase_add_loop_test(tcase, fast, 0, SHAPES);
    tcase_add_loop_test(tcase, fast_large, 0, 3);
    tcase_add_loop_test(tcase, newton_schulz, 0, SHAPES);
    tcase_add_loop_test(tcase, info_fields, 0, SHAPES);
    suite_add_tcase(suite, tcase);
}
