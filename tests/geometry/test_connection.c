/* Connections, their curvature, torsion and non-metricity, against closed forms and against the
 * formulas of natural coordinates. */
#include "tests/geometry/connection_worlds.h"

static ng_error error;

static void reseed(void)
{
    dense_release();
}

static ng_mat riemann_at(ng_mat x, ng_mat step, ng_tensor_fill fill, const void *data)
{
    ng_mat r = dense_mat(x.cols * x.cols, x.cols * x.cols);
    ng_assert_ok(ng_connection_curvature(r, x, step, fill, (void *)data, &error), &error);
    return r;
}

/* R_abcd from R^a_bcd */
static ng_mat lowered(ng_mat riemann, ng_mat g)
{
    const size_t n = g.rows;
    return dense_of(
        ng_f64(dense_mul(g, 0, ng_f64(riemann.data, n, n * n * n), 0).data, n * n, n * n));
}

/* K (g_ac g_bd - g_ad g_bc) */
static ng_mat constant_curvature(double k, ng_mat g)
{
    const size_t n = g.rows;
    ng_mat r = dense_mat(n * n, n * n);
    for (size_t i = 0; i < n * n; i++)
        for (size_t j = 0; j < n * n; j++)
            ng_mat_set(r, i, j,
                       k * (ng_mat_get(g, i / n, j / n) * ng_mat_get(g, i % n, j % n) -
                            ng_mat_get(g, i / n, j % n) * ng_mat_get(g, i % n, j / n)));
    return r;
}

static double largest(ng_mat a, ng_mat b)
{
    return ng_max_abs(dense_add(1, a, -1, b));
}

static ng_mat value(ng_tensor_fill fill, ng_mat x, size_t rows, size_t cols)
{
    ng_mat v = dense_mat(rows, cols);
    ng_assert_ok(fill(NULL, v, x, &error), &error);
    return v;
}

static const double alphas[] = {-1, 0, 0.5, 1, 2};

/* _i: of alphas. Gamma^m_ms = p/s, Gamma^s_mm = (1 - alpha)/(2 s), Gamma^s_ss = q/s with
 * p = -1 - alpha, q = -1 - 2 alpha; K = -(1 - alpha^2)/2. */
START_TEST(normal)
{
    const double a = alphas[_i], s = 0.3;
    double at[2] = {-1.7, s}, h[2] = {0.003, 0.003 / sqrt(2)}, expected[8] = {0};
    ng_mat x = ng_f64(at, 1, 2), step = ng_f64(h, 1, 2);
    ng_alpha_connection c = normal_laws(step, a);
    ng_mat gamma = test_mat(2, 4, 3, NG_F64), q = dense_mat(2, 4), t = dense_mat(2, 4);
    ng_mat g = value(normal_metric, x, 2, 2), cubic = value(normal_cubic, x, 2, 4);
    expected[1] = expected[2] = (-1 - a) / s;
    expected[4] = (1 - a) / (2 * s);
    expected[7] = (-1 - 2 * a) / s;
    ng_assert_ok(ng_connection_alpha(&c, gamma, x, &error), &error);
    ng_assert_le(largest(dense_of(gamma), ng_f64(expected, 2, 4)), 1e-10);
    ng_assert_ok(ng_connection_torsion(t, gamma, g, &error), &error);
    ng_assert_le(ng_max_abs(t), 1e-12);
    ng_assert_ok(ng_connection_nonmetricity(q, gamma, x, step, normal_metric, NULL, &error),
                 &error);
    ng_assert_le(largest(q, dense_scale(a, cubic)), 1e-8);
    ng_mat r = lowered(riemann_at(x, step, ng_connection_alpha, &c), g);
    ng_assert_le(largest(r, constant_curvature(-(1 - a * a) / 2, g)), 2e-7);
    test_free(gamma);
}
END_TEST

/* _i: of alphas. The simplex: flat in these coordinates at alpha = -1, K = (1 - alpha^2)/4. */
START_TEST(categorical)
{
    const double a = alphas[_i];
    double p[4] = {0.1, 0.3, 0.25, 0.15}, h[4];
    ng_mat x = ng_f64(p, 1, 4), step = ng_f64(h, 1, 4), g = value(categorical_metric, x, 4, 4);
    for (size_t i = 0; i < 4; i++)
        h[i] = 0.005 / sqrt(ng_mat_get(g, i, i));
    ng_alpha_connection c = categorical_laws(step, a);
    ng_mat gamma = dense_mat(4, 16), q = dense_mat(4, 16);
    ng_assert_ok(ng_connection_alpha(&c, gamma, x, &error), &error);
    if (a == -1)
        ng_assert_le(ng_max_abs(gamma), 1e-10);
    ng_assert_ok(ng_connection_nonmetricity(q, gamma, x, step, categorical_metric, NULL, &error),
                 &error);
    ng_assert_mat(dense_add(1, q, -a - 1, value(categorical_cubic, x, 4, 16)),
                  dense_scale(-1, value(categorical_cubic, x, 4, 16)), 1e-10);
    ng_mat r = lowered(riemann_at(x, step, ng_connection_alpha, &c), g);
    ng_assert_le(largest(r, constant_curvature((1 - a * a) / 4, g)), 1e-8);
}
END_TEST

/* ---- Against natural coordinates --------------------------------------------------------- */

static ng_status natural_fill(ng_mat g, ng_mat cubic, ng_mat x)
{
    const size_t n = x.cols;
    double p[8], z = 1;
    for (size_t i = 0; i < n; i++)
        z += exp(ng_mat_get(x, 0, i));
    for (size_t i = 0; i < n; i++)
        p[i] = exp(ng_mat_get(x, 0, i)) / z;
    family w = family_categorical(p, n + 1);
    if (g.data != NULL)
        ng_copy(g, w.f, NULL);
    if (cubic.data != NULL)
        ng_copy(cubic, ng_f64(w.kappa, n, n * n), NULL);
    free(w.kappa);
    return NG_OK;
}

static ng_status natural_metric(void *data, ng_mat g, ng_mat x, ng_error *e)
{
    (void)data, (void)e;
    return natural_fill(g, ng_mat_none(), x);
}

static ng_status natural_cubic(void *data, ng_mat cubic, ng_mat x, ng_error *e)
{
    (void)data, (void)e;
    return natural_fill(ng_mat_none(), cubic, x);
}

/* _i: of alphas. The same family by its log-odds: what natgrad/curvature.h says. */
START_TEST(natural_coordinates)
{
    double theta[3] = {0.4, -0.8, 0.1}, h[3] = {0.02, 0.02, 0.02};
    ng_mat x = ng_f64(theta, 1, 3), step = ng_f64(h, 1, 3), gamma = dense_mat(3, 9);
    ng_mat g = value(natural_metric, x, 3, 3), cubic = value(natural_cubic, x, 3, 9);
    ng_mat expected = dense_mat(3, 9), riemann = dense_mat(9, 9);
    ng_alpha_connection c = {natural_metric, natural_cubic, NULL, step, alphas[_i]};
    ng_assert_ok(ng_connection_alpha(&c, gamma, x, &error), &error);
    ng_assert_ok(ng_curvature_christoffel(expected, g, alphas[_i], ng_cumulants_fill_stored,
                                          cubic.data, &error),
                 &error);
    ng_assert_le(largest(gamma, expected), 1e-11);
    ng_assert_ok(
        ng_curvature_riemann(riemann, g, alphas[_i], ng_cumulants_fill_stored, cubic.data, &error),
        &error);
    ng_assert_le(largest(lowered(riemann_at(x, step, ng_connection_alpha, &c), g), riemann), 1e-10);
}
END_TEST

/* ---- Frames ------------------------------------------------------------------------------ */

/* of the sphere by (theta, phi): d theta and sin theta d phi */
static ng_status sphere_frame(void *data, ng_mat e, ng_mat x, ng_error *er)
{
    (void)data, (void)er;
    ng_fill(e, 0);
    ng_mat_set(e, 0, 0, 1);
    ng_mat_set(e, 1, 1, sin(ng_mat_get(x, 0, 0)));
    return NG_OK;
}

static ng_status sphere_metric(void *data, ng_mat g, ng_mat x, ng_error *er)
{
    (void)data, (void)er;
    ng_fill(g, 0);
    ng_mat_set(g, 0, 0, 1);
    ng_mat_set(g, 1, 1, pow(sin(ng_mat_get(x, 0, 0)), 2));
    return NG_OK;
}

/* Parallel by the frame: no curvature, torsion T_ptp = sin cos. By the metric alone: K = 1. */
START_TEST(sphere)
{
    double at[2] = {0.7, 0.2}, h[2] = {0.02, 0.02};
    ng_mat x = ng_f64(at, 1, 2), step = ng_f64(h, 1, 2), g = value(sphere_metric, x, 2, 2);
    ng_mat gamma = dense_mat(2, 4), q = dense_mat(2, 4), t = dense_mat(2, 4);
    ng_frame_connection f = {sphere_frame, NULL, step};
    ng_alpha_connection c = {sphere_metric, NULL, NULL, step, 0.3};
    ng_assert_ok(ng_connection_frame(&f, gamma, x, &error), &error);
    ng_assert_le(ng_max_abs(riemann_at(x, step, ng_connection_frame, &f)), 1e-10);
    ng_assert_ok(ng_connection_torsion(t, gamma, g, &error), &error);
    const double expected = sin(at[0]) * cos(at[0]);
    ng_assert_rel(ng_mat_get(t, 1, 1), expected, 1e-11);
    ng_assert_rel(ng_mat_get(t, 1, 2), -expected, 1e-11);
    ng_assert_le(fabs(ng_mat_get(t, 0, 1)), 1e-13);
    ng_assert_ok(ng_connection_nonmetricity(q, gamma, x, step, sphere_metric, NULL, &error),
                 &error);
    ng_assert_le(ng_max_abs(q), 1e-12);
    ng_mat r = lowered(riemann_at(x, step, ng_connection_alpha, &c), g);
    ng_assert_le(largest(r, constant_curvature(1, g)), 1e-9);
}
END_TEST

/* A frame turned and sheared everywhere, not diagonal: e_A^c d_a e^A_b, by hand. */
static ng_status bent_frame(void *data, ng_mat e, ng_mat x, ng_error *er)
{
    double u = ng_mat_get(x, 0, 0), v = ng_mat_get(x, 0, 1);
    (void)data, (void)er;
    ng_mat_set(e, 0, 0, 1 + v * v);
    ng_mat_set(e, 0, 1, u * v);
    ng_mat_set(e, 1, 0, u);
    ng_mat_set(e, 1, 1, 2 - v);
    return NG_OK;
}

START_TEST(any_frame)
{
    double at[2] = {0.4, -0.3}, h[2] = {0.02, 0.02};
    const double u = at[0], v = at[1], det = (1 + v * v) * (2 - v) - u * v * u;
    const double inverse[2][2] = {{(2 - v) / det, -u * v / det}, {-u / det, (1 + v * v) / det}};
    const double d[2][2][2] = {{{0, v}, {1, 0}}, {{2 * v, u}, {0, -1}}}; /* a, A, b */
    ng_mat gamma = dense_mat(2, 4), x = ng_f64(at, 1, 2);
    ng_frame_connection f = {bent_frame, NULL, ng_f64(h, 1, 2)};
    ng_assert_ok(ng_connection_frame(&f, gamma, x, &error), &error);
    for (size_t c = 0; c < 2; c++)
        for (size_t a = 0; a < 2; a++)
            for (size_t b = 0; b < 2; b++)
                ng_assert_le(fabs(ng_mat_get(gamma, c, 2 * a + b) - inverse[c][0] * d[a][0][b] -
                                  inverse[c][1] * d[a][1][b]),
                             1e-12);
    ng_assert_le(ng_max_abs(riemann_at(x, f.step, ng_connection_frame, &f)), 1e-10);
}
END_TEST

/* Gamma^c_ab given outright, with torsion, not of a metric. */
static ng_status odd_connection(void *data, ng_mat gamma, ng_mat x, ng_error *er)
{
    double u = ng_mat_get(x, 0, 0), v = ng_mat_get(x, 0, 1);
    (void)data, (void)er;
    ng_fill(gamma, 0);
    ng_mat_set(gamma, 0, 1, u * v); /* Gamma^0_01 */
    ng_mat_set(gamma, 1, 2, u + v); /* Gamma^1_10 */
    ng_mat_set(gamma, 1, 0, v);     /* Gamma^1_00 */
    return NG_OK;
}

/* R^a_b01 of it: R^0_001 = d_0 G^0_10 - d_1 G^0_00 + G^0_0m G^m_10 - G^0_1m G^m_00 = u v (u + v),
 * R^0_101 = -u, R^1_001 = 1 - 1 + 0, R^1_101 = G^1_0m G^m_11 - G^1_1m G^m_01 = -(u + v) u v. */
START_TEST(given_outright)
{
    double at[2] = {0.4, -0.3}, h[2] = {0.02, 0.02};
    const double u = at[0], v = at[1], uv = u * v;
    ng_mat r = riemann_at(ng_f64(at, 1, 2), ng_f64(h, 1, 2), odd_connection, NULL);
    const double expected[4] = {uv * (u + v), -u, 0, -(u + v) * uv};
    for (size_t ab = 0; ab < 4; ab++) {
        ng_assert_le(fabs(ng_mat_get(r, ab, 1) - expected[ab]), 1e-12);
        ng_assert_le(fabs(ng_mat_get(r, ab, 2) + expected[ab]), 1e-12);
        ck_assert_double_eq(ng_mat_get(r, ab, 0), 0);
    }
}
END_TEST

/* n = 1: sigma alone; outputs that are inputs. */
static ng_status scale_metric(void *data, ng_mat g, ng_mat x, ng_error *er)
{
    (void)data, (void)er;
    ng_mat_set(g, 0, 0, 2 * pow(ng_mat_get(x, 0, 0), -2));
    return NG_OK;
}

START_TEST(line)
{
    double s = 0.5, h = 0.005;
    ng_mat x = ng_f64(&s, 1, 1), step = ng_f64(&h, 1, 1), gamma = dense_mat(1, 1);
    ng_alpha_connection c = {scale_metric, NULL, NULL, step, 0};
    ng_assert_ok(ng_connection_alpha(&c, gamma, x, &error), &error);
    ng_assert_rel(ng_mat_get(gamma, 0, 0), -2, 1e-11);
    ng_assert_le(ng_max_abs(riemann_at(x, step, ng_connection_alpha, &c)), 1e-9);
    ng_assert_ok(ng_connection_nonmetricity(gamma, gamma, x, step, scale_metric, NULL, &error),
                 &error);
    ng_assert_le(ng_max_abs(gamma), 1e-9);
    ng_mat g = value(scale_metric, x, 1, 1);
    ng_assert_ok(ng_connection_torsion(g, g, g, &error), &error);
    ck_assert_double_eq(ng_mat_get(g, 0, 0), 0);
}
END_TEST

TEST_SUITE(connection)
{
    TCase *tc = tcase_create("connections");
    const int count = sizeof alphas / sizeof *alphas;
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_add_loop_test(tc, normal, 0, count);
    tcase_add_loop_test(tc, categorical, 0, count);
    tcase_add_loop_test(tc, natural_coordinates, 0, count);
    tcase_add_test(tc, sphere);
    tcase_add_test(tc, any_frame);
    tcase_add_test(tc, given_outright);
    tcase_add_test(tc, line);
    suite_add_tcase(suite, tc);
}
