/* The routes of ng_polar by name: iterations against naive dense ones, what
 * Polar Express and DWH promise, and invariances of every route. */
#include "tests/linalg/routes.h"

/* ||U U^T - I||_F / sqrt(k) on the smaller side */
static double orthogonality(ng_mat u)
{
    ng_mat gram = u.rows <= u.cols ? dense_mul(u, 0, u, 1) : dense_mul(u, 1, u, 0);
    return test_norm(dense_add(1, gram, -1, dense_identity(gram.rows))) / sqrt((double)gram.rows);
}

/* ---- Newton-Schulz against the same written out -------------------------------------- */

static ng_mat naive(ng_mat x, const ng_polar_options *o, int steps)
{
    double p[32][3];
    double safety = o->iteration == NG_ITERATION_POLAR_EXPRESS ? 1.01 : 1;
    ng_assert_ok(ng_polar_coefficients(p, o->iteration, steps, o->lower_bound, NULL), NULL);
    double guard = o->iteration == NG_ITERATION_MUON ? 1e-7 : 0;
    ng_mat y = dense_scale(1 / (safety * test_norm(x) + guard), x);
    for (int t = 0; t < steps; t++) {
        ng_mat a = dense_mul(y, 0, y, 1);
        ng_mat b = dense_add(p[t][1], a, p[t][2], dense_mul(a, 0, a, 0));
        y = dense_add(p[t][0], y, 1, dense_mul(b, 0, y, 0));
    }
    return y;
}

/* How far roundings of relative size eps in every term of every step may carry
 * the value of the composition, worst over the singular values 0.05 ... 1: slopes
 * reach 24 at the upper end of the first steps of polar_express. */
static double propagated(const ng_polar_options *o, int steps, double eps)
{
    double p[32][3], worst = 0;
    ng_assert_ok(ng_polar_coefficients(p, o->iteration, steps, o->lower_bound, NULL), NULL);
    for (double s = 0.05; s <= 1; s += 0.001) {
        double x = s, e = eps * s;
        for (int t = 0; t < steps; t++) {
            double a = p[t][0], b = p[t][1] * x * x, c = p[t][2] * x * x * x * x;
            e = fabs(a + 3 * b + 5 * c) * e + eps * x * (fabs(a) + fabs(b) + fabs(c));
            x *= a + b + c;
        }
        worst = fmax(worst, e);
    }
    return worst;
}

/* Sums of up to 31 terms lose some eps more than one; the Gram form squares the condition of the
 * factor it collects within two steps. */
START_TEST(newton_schulz_is_itself)
{
    test_rng rng = {31 + (unsigned)_i};
    size_t m = shapes[_i][0], n = shapes[_i][1];
    for (int i = 0; i < 2 * 3 * 9; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        int steps = i / 6 + 1;
        double sum = 0;
        ng_mat x = graded(m, n, 5, &rng), u[2];
        for (int r = 0; r < 2; r++) {
            ng_polar_info info;
            ng_polar_options o = forced(r ? NG_ROUTE_GRAM_NEWTON_SCHULZ : NG_ROUTE_NEWTON_SCHULZ);
            o.iteration = (ng_polar_iteration)(i / 2 % 3);
            o.steps = steps;
            u[r] = polar(x, dtype, &o, &info);
            double tol = (r ? 24 : 12) * propagated(&o, steps, ng_dtype_eps(dtype));
            sum += tol;
            ng_assert_mat(u[r], naive(x, &o, steps), tol);
            ck_assert_str_eq(info.route, r ? "gram newton-schulz" : "newton-schulz");
            ck_assert_uint_eq(info.rank, m < n ? m : n);
            ck_assert(isnan(info.condition));
        }
        ng_assert_mat(u[1], u[0], sum);
        dense_release();
    }
}
END_TEST

/* steps = 0 is five, for polar_express eight; the shape chooses the form. */
START_TEST(defaults)
{
    test_rng rng = {32 + (unsigned)_i};
    size_t m = shapes[_i][0], n = shapes[_i][1], k = m < n ? m : n, l = m < n ? n : m;
    for (int iteration = 0; iteration < 3; iteration++) {
        ng_polar_info info;
        ng_polar_options o;
        ng_polar_init(&o);
        ck_assert(o.size == sizeof o && o.accuracy == NG_POLAR_EXACT && o.kappa_max == 0);
        ck_assert(o.iteration == NG_ITERATION_MUON && o.steps == 0 && o.route == NG_ROUTE_AUTO);
        ck_assert(o.lower_bound == 1e-3);
        o.accuracy = NG_POLAR_NEWTON_SCHULZ;
        o.iteration = (ng_polar_iteration)iteration;
        ng_mat x = graded(m, n, 5, &rng), u = polar(x, NG_F64, &o, &info);
        ck_assert_str_eq(info.route, l >= 2 * k ? "gram newton-schulz" : "newton-schulz");
        ng_mat ref = naive(x, &o, iteration == NG_ITERATION_POLAR_EXPRESS ? 8 : 5);
        ng_assert_mat(u, ref, 400 * 0x1p-52);
        dense_release();
    }
}
END_TEST

/* Singular values at lower_bound times ||X||_F and above: after eight steps
 * rounding for 1e-3 (natgrad/polar.h), from 1e-4 on 6.8e-4. On the Gram matrix
 * in f32 the small ones are known to eps / ratio^2 only. */
START_TEST(polar_express)
{
    static const double bounds[] = {1e-1, 1e-2, 1e-3, 1e-4},
                        errors[] = {1e-13, 1e-13, 1e-13, 6.8e-4};
    test_rng rng = {33 + (unsigned)_i};
    for (int i = 0; i < 16; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        double bound = bounds[i / 2 % 4], s[3] = {1, bound * 1.5, bound * 1.02};
        ng_polar_options o = forced(i / 8 ? NG_ROUTE_GRAM_NEWTON_SCHULZ : NG_ROUTE_NEWTON_SCHULZ);
        o.lower_bound = bound;
        double eps = ng_dtype_eps(dtype), rounding = i / 8 ? eps / (bound * bound) : eps / bound;
        if (rounding > 0.01)
            continue;
        size_t m = _i ? 3 : 8, n = _i ? 8 : 3;
        ng_mat u = polar(dense_compose(dense_frame(m, n, s, &rng)), dtype, &o, NULL);
        dense_svd_result f = dense_svd(u);
        for (size_t j = 0; j < 3; j++)
            ng_assert_le(fabs(ng_mat_get(f.s, 0, j) - 1), errors[i / 2 % 4] + 40 * rounding);
        dense_release();
    }
}
END_TEST

/* ---- DWH ----------------------------------------------------------------------------------- */

static const double kappas[] = {1, 10, 1e2, 1e3, 1e4, 1e5};

START_TEST(dwh_f32)
{
    test_rng rng = {34 + (unsigned)_i};
    ng_polar_options o = forced(NG_ROUTE_DWH);
    for (int i = 0; i < 6; i++) {
        ng_polar_info info;
        ng_mat x = graded(shapes[_i][0], shapes[_i][1], kappas[i], &rng);
        ng_mat u = polar(x, NG_F32, &o, &info);
        ng_assert_le(orthogonality(u), 1e-6);
        ng_assert_mat(u, dense_polar(x, 0), kappas[i] <= 1e4 ? 1e-6 : 1e-5);
        ck_assert_str_eq(info.route, "dwh");
        ck_assert_uint_eq(info.rank, x.rows < x.cols ? x.rows : x.cols);
        dense_release();
    }
}
END_TEST

/* The Gram form in f64 loses some eps kappa^2, and sums of up to 31 terms a few eps more. */
START_TEST(dwh_f64)
{
    test_rng rng = {35 + (unsigned)_i};
    ng_polar_options o = forced(NG_ROUTE_DWH);
    for (int i = 0; i < 4; i++) {
        ng_polar_info info;
        ng_mat x = graded(shapes[_i][0], shapes[_i][1], kappas[i], &rng);
        ng_mat u = polar(x, NG_F64, &o, &info);
        ng_assert_mat(u, dense_polar(x, 0), 20 * 0x1p-52 * (1 + kappas[i] * kappas[i]));
        ck_assert_str_eq(info.route, "dwh");
        ck_assert_uint_eq(info.rank, x.rows < x.cols ? x.rows : x.cols);
        dense_release();
    }
}
END_TEST

/* How far a route may be from the polar factor of a well conditioned matrix; fractions promise
 * 5e-3 for every singular value, the others rounding. */
static double promise(ng_polar_route route, ng_dtype dtype)
{
    return route == NG_ROUTE_GRAM_FRACTIONS ? 5e-3 : dtype == NG_F32 ? 1e-5 : 5e-13;
}

/* ---- Names and invariances ------------------------------------------------------------------ */

START_TEST(names)
{
    test_rng rng = {37 + (unsigned)_i};
    for (int i = 0; i < 2 * ROUTES; i++) {
        ng_polar_info info;
        ng_polar_options o = forced(routes[i / 2].route);
        for (int accuracy = 0; accuracy < 3; accuracy++) {
            o.accuracy = (ng_polar_accuracy)accuracy; /* the route overrules it */
            ng_mat x = graded(shapes[_i][0], shapes[_i][1], 3, &rng);
            ng_mat u = polar(x, (ng_dtype)(i % 2), &o, &info);
            ck_assert_str_eq(info.route, routes[i / 2].name);
            ng_assert_mat(u, dense_polar(x, 0), 2 * promise(routes[i / 2].route, (ng_dtype)(i % 2)));
            dense_release();
        }
    }
    ng_polar_info info;
    ng_polar_options o = forced(NG_ROUTE_GRAM);
    ng_mat x = graded(6, 9, 100, &rng);
    polar(x, NG_F32, &o, &info); /* s_1/s_r > 10: directions applied in double */
    ck_assert_str_eq(info.route, "gram split");
    dense_release();
}
END_TEST

/* X times a power of two, also where X becomes subnormal: the same bits by every route. Muon's
 * iteration alone is given 1e-4 for its guard; for Newton-Schulz the iteration varies. */
START_TEST(scale)
{
    static const int powers[] = {-100, -37, 37, 100};
    test_rng rng = {38 + (unsigned)_i};
    for (int i = 0; i < 2 * ROUTES * 4; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        ng_polar_options o = forced(routes[i / 2 % ROUTES].route);
        int power = powers[i / 2 / ROUTES];
        o.iteration = (ng_polar_iteration)(i / 2 / ROUTES % 3);
        ng_mat x = test_convert(graded(shapes[_i][0], shapes[_i][1], 20, &rng), dtype);
        ng_mat y = test_copy(x), u = test_copy(x), v = test_copy(x);
        for (size_t r = 0; r < x.rows; r++)
            for (size_t c = 0; c < x.cols; c++)
                ng_mat_set(y, r, c, ldexp(ng_mat_get(x, r, c), power));
        ng_assert_ok(ng_polar(u, NULL, x, &o, NULL, NULL), NULL);
        ng_assert_ok(ng_polar(v, NULL, y, &o, NULL, NULL), NULL);
        if (!iterates(o.route) || o.iteration != NG_ITERATION_MUON)
            ck_assert_msg(test_same_bits(u, v), "%s, 2^%d", routes[i / 2 % ROUTES].name, power);
        else
            ng_assert_mat(v, u, 1e-4);
        test_free(x), test_free(y), test_free(u), test_free(v);
        dense_release();
    }
}
END_TEST

/* A caller's numbers that small: 1e-20 and, subnormal in f32, 1e-38 and 1e-42. U is not smaller for
 * it, by any iteration. */
START_TEST(tiny)
{
    static const double scales[] = {1e-14, 1e-20, 1e-38, 1e-42};
    test_rng rng = {48 + (unsigned)_i};
    for (int i = 0; i < 2 * 2 * 3 * 4; i++) {
        ng_dtype dtype = (ng_dtype)(i % 2);
        ng_polar_options o =
            forced(i / 2 % 2 ? NG_ROUTE_GRAM_NEWTON_SCHULZ : NG_ROUTE_NEWTON_SCHULZ);
        o.iteration = (ng_polar_iteration)(i / 4 % 3);
        double factor = scales[i / 12];
        ng_mat x = graded(shapes[_i][0], shapes[_i][1], 5, &rng), small = dense_scale(factor, x);
        ng_mat u = polar(x, dtype, &o, NULL), v = polar(small, dtype, &o, NULL);
        /* what is left of the mantissas: 2^-149 is the unit of subnormal floats */
        double rounding = dtype == NG_F32 ? 6e-8 + 0x1p-149 / factor : 1e-16;
        double muon = o.iteration == NG_ITERATION_MUON ? 1e-4 : 0;
        ng_assert_mat(v, u, 1000 * rounding + muon);
        dense_release();
    }
}
END_TEST

START_TEST(transpose)
{
    test_rng rng = {39 + (unsigned)_i};
    for (int i = 0; i < 2 * ROUTES; i++) {
        ng_polar_options o = forced(routes[i / 2].route);
        ng_mat x = graded(shapes[_i][0], shapes[_i][1], 10, &rng);
        ng_mat u = polar(x, (ng_dtype)(i % 2), &o, NULL);
        ng_mat v = polar(dense_transpose(x), (ng_dtype)(i % 2), &o, NULL);
        ng_assert_mat(dense_transpose(v), u, 2 * promise(routes[i / 2].route, (ng_dtype)(i % 2)));
        dense_release();
    }
}
END_TEST

/* X = H U, H = sym(X U^T) without negative eigenvalues, and nothing antisymmetric lost */
START_TEST(hermitian_factor)
{
    test_rng rng = {40 + (unsigned)_i};
    for (int i = 0; i < 2 * ROUTES; i++) {
        ng_polar_options o = forced(routes[i / 2].route);
        ng_mat x = graded(shapes[_i][0], shapes[_i][1], 30, &rng), l;
        ng_mat u = polar(x, (ng_dtype)(i % 2), &o, NULL);
        int wide = x.rows <= x.cols;
        double tol = (i % 2 ? 1e-12 : 2e-5) * test_norm(x);
        double of_u = 2 * promise(routes[i / 2].route, (ng_dtype)(i % 2)) * test_norm(x);
        ng_mat h = wide ? dense_mul(x, 0, u, 1) : dense_mul(u, 1, x, 0);
        ng_assert_le(dense_asymmetry(h), tol);
        h = dense_add(0.5, h, 0.5, dense_transpose(h));
        dense_eigh(&l, NULL, h);
        ng_assert_le(-ng_mat_get(l, 0, 0), tol);
        ng_mat back = wide ? dense_mul(h, 0, u, 0) : dense_mul(u, 0, h, 0);
        ng_assert_le(test_norm(dense_add(1, back, -1, x)), of_u);
        dense_release();
    }
}
END_TEST

TEST_SUITE(polar_routes)
{
    TCase *tcase = tcase_create("routes");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, newton_schulz_is_itself, 0, SHAPES);
    tcase_add_loop_test(tcase, defaults, 0, SHAPES);
    tcase_add_loop_test(tcase, polar_express, 0, 2);
    tcase_add_loop_test(tcase, dwh_f32, 0, SHAPES);
    tcase_add_loop_test(tcase, dwh_f64, 0, SHAPES);
    tcase_add_loop_test(tcase, names, 0, SHAPES);
    tcase_add_loop_test(tcase, scale, 0, SHAPES);
    tcase_add_loop_test(tcase, tiny, 0, SHAPES);
    tcase_add_loop_test(tcase, transpose, 0, SHAPES);
    tcase_add_loop_test(tcase, hermitian_factor, 0, SHAPES);
    suite_add_tcase(suite, tcase);
}
