/* Connections: what is refused, and every allocation failing once. */
#include "tests/geometry/connection_worlds.h"

static ng_error error;

static ng_status unreadable(void *data, ng_mat tensor, ng_mat x, ng_error *e)
{
    (void)data, (void)tensor, (void)x;
    return ng_error_set(e, NG_EIO, "the field cannot be read");
}

static ng_status infinite(void *data, ng_mat tensor, ng_mat x, ng_error *e)
{
    (void)data, (void)x, (void)e;
    ng_fill(tensor, INFINITY);
    return NG_OK;
}

static ng_status huge(void *data, ng_mat tensor, ng_mat x, ng_error *e)
{
    (void)data, (void)x, (void)e;
    ng_fill(tensor, 1e300);
    return NG_OK;
}

static ng_status zero(void *data, ng_mat tensor, ng_mat x, ng_error *e)
{
    (void)data, (void)x, (void)e;
    ng_fill(tensor, 0);
    return NG_OK;
}

static double at[2] = {0.1, 0.5}, steps[2] = {0.005, 0.005};

START_TEST(refused)
{
    ng_mat x = ng_f64(at, 1, 2), step = ng_f64(steps, 1, 2), gamma = dense_mat(2, 4);
    ng_mat riemann = dense_mat(4, 4), wrong = dense_mat(3, 4), single = test_mat(2, 4, 0, NG_F32);
    ng_alpha_connection c = normal_laws(step, 0), d = c;
    double far[2] = {1e20, 0.5}, nan[2] = {NAN, 1}, negative[2] = {0.1, -1};
#define ALPHA(out, x) ng_connection_alpha(&d, out, x, &error)
    ng_assert_fails(ng_connection_alpha(NULL, gamma, x, &error), NG_EARG, &error, "data");
    ng_assert_fails(ng_connection_frame(NULL, gamma, x, &error), NG_EARG, &error, "data");
    ng_assert_fails(ALPHA(wrong, x), NG_ESHAPE, &error, "gamma");
    ng_assert_fails(ALPHA(single, x), NG_EDTYPE, &error, "gamma");
    ng_assert_fails(ALPHA(gamma, ng_f64(nan, 1, 2)), NG_ENONFINITE, &error, "x");
    ng_assert_fails(ALPHA(gamma, ng_f64(NULL, 1, 0)), NG_ESHAPE, &error, "x");
    ng_assert_fails(ALPHA(gamma, ng_f64(far, 1, 2)), NG_EARG, &error, "coordinate 0");
    d.step = ng_f64(negative, 1, 2);
    ng_assert_fails(ALPHA(gamma, x), NG_EARG, &error, "step -1 of coordinate 1");
    d.step = ng_f64(steps, 1, 1);
    ng_assert_fails(ALPHA(gamma, x), NG_ESHAPE, &error, "step");
    d = c, d.amari_alpha = NAN;
    ng_assert_fails(ALPHA(gamma, x), NG_EARG, &error, "amari_alpha");
    d = c, d.metric = NULL;
    ng_assert_fails(ALPHA(gamma, x), NG_EARG, &error, "metric");
    d = c, d.metric = unreadable;
    ng_assert_fails(ALPHA(gamma, x), NG_EIO, &error, "cannot be read");
    d = c, d.cubic = infinite;
    ng_assert_fails(ALPHA(gamma, x), NG_ENONFINITE, &error, "cubic tensor");
    d = c, d.metric = zero;
    ng_assert_fails(ALPHA(gamma, x), NG_ESINGULAR, &error, "");
    d = c, d.cubic = huge, d.amari_alpha = 1e20;
    ng_assert_fails(ALPHA(gamma, x), NG_ERANGE, &error, "gamma");
    ng_assert_fails(ng_connection_curvature(riemann, x, step, NULL, NULL, &error), NG_EARG, &error,
                    "connection");
    ng_assert_fails(ng_connection_curvature(wrong, x, step, ng_connection_alpha, &c, &error),
                    NG_ESHAPE, &error, "riemann");
    ng_assert_fails(ng_connection_curvature(riemann, x, step, huge, NULL, &error), NG_ERANGE,
                    &error, "");
    ng_assert_le(ng_max_abs(gamma) + ng_max_abs(riemann), 0);
    test_free(single);
}
END_TEST

START_TEST(points_refused)
{
    ng_mat x = ng_f64(at, 1, 2), step = ng_f64(steps, 1, 2), t = dense_mat(2, 4),
           g = dense_mat(2, 2);
    ng_mat out = dense_mat(2, 4), wrong = dense_mat(2, 3), bad = dense_mat(2, 4);
    ng_torsion_parts parts = {.axial = out}, odd = {.axial = wrong};
    double product = 7;
    ng_fill(bad, NAN);
    ng_assert_fails(ng_connection_product(&product, t, t, g, &error), NG_ESINGULAR, &error, "");
    normal_metric(NULL, g, x, NULL);
    ng_assert_fails(ng_connection_product(NULL, t, t, g, &error), NG_EARG, &error, "product");
    ng_assert_fails(ng_connection_product(&product, t, bad, g, &error), NG_ENONFINITE, &error, "t");
    ng_assert_fails(ng_connection_torsion(out, bad, g, &error), NG_ENONFINITE, &error, "gamma");
    ng_assert_fails(ng_connection_torsion(out, t, wrong, &error), NG_ESHAPE, &error, "g");
    ng_assert_fails(ng_connection_torsion(out, t, ng_f64(NULL, 0, 0), &error), NG_ESHAPE, &error,
                    "g");
    ng_assert_fails(ng_connection_nonmetricity(wrong, t, x, step, normal_metric, NULL, &error),
                    NG_ESHAPE, &error, "q");
    ng_assert_fails(ng_connection_nonmetricity(out, wrong, x, step, normal_metric, NULL, &error),
                    NG_ESHAPE, &error, "gamma");
    ng_assert_fails(ng_connection_traces(out, ng_mat_none(), t, g, &error), NG_ESHAPE, &error,
                    "first");
    ng_assert_fails(ng_connection_traces(ng_mat_none(), ng_mat_none(), wrong, g, &error), NG_ESHAPE,
                    &error, "t");
    ng_assert_fails(ng_connection_split_torsion(NULL, t, g, &error), NG_EARG, &error, "parts");
    ng_assert_fails(ng_connection_split_nonmetricity(NULL, t, g, &error), NG_EARG, &error, "parts");
    ng_assert_fails(ng_connection_split_torsion(&odd, t, g, &error), NG_ESHAPE, &error, "parts");
    ng_assert_fails(ng_connection_split_torsion(&parts, bad, g, &error), NG_ENONFINITE, &error,
                    "torsion");
    ng_fill(bad, 1e308);
    ng_assert_fails(ng_connection_product(&product, bad, bad, g, &error), NG_ERANGE, &error,
                    "too large");
    ng_fill(bad, 1e308);
    ng_mat_set(bad, 0, 1, -1e308);
    ng_assert_fails(ng_connection_split_torsion(&parts, bad, g, &error), NG_ERANGE, &error,
                    "torsion");
    ck_assert(product == 7 && ng_max_abs(out) == 0);
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------- */

static ng_status frame(void *data, ng_mat e, ng_mat x, ng_error *er)
{
    (void)data, (void)x, (void)er;
    ng_set_identity(e);
    return NG_OK;
}

static ng_status run(int which, ng_mat out)
{
    ng_mat x = ng_f64(at, 1, 2), step = ng_f64(steps, 1, 2), small = ng_mat_block(out, 0, 0, 2, 4);
    ng_alpha_connection c = normal_laws(step, 1);
    ng_frame_connection f = {frame, NULL, step};
    ng_torsion_parts torsion = {.axial = small};
    ng_nonmetricity_parts q = {.weyl = small};
    double numbers[12] = {1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}, product;
    ng_mat g = ng_f64(numbers, 2, 2), t = ng_f64(numbers + 4, 2, 4);
    switch (which) {
    case 0:
        return ng_connection_alpha(&c, small, x, &error);
    case 1:
        return ng_connection_frame(&f, small, x, &error);
    case 2:
        return ng_connection_curvature(out, x, step, ng_connection_alpha, &c, &error);
    case 3:
        return ng_connection_torsion(small, t, g, &error);
    case 4:
        return ng_connection_nonmetricity(small, t, x, step, normal_metric, NULL, &error);
    case 5:
        return ng_connection_traces(ng_mat_block(out, 0, 0, 1, 2), ng_mat_none(), t, g, &error);
    case 6:
        return ng_connection_product(&product, t, t, g, &error);
    case 7:
        return ng_connection_split_torsion(&torsion, t, g, &error);
    default:
        return ng_connection_split_nonmetricity(&q, t, g, &error);
    }
}

/* _i: the call */
START_TEST(every_allocation_fails_once)
{
    for (long i = 1;; i++) {
        ng_mat out = dense_mat(4, 4);
        fault_once(FAULT_MEMORY, i, FAIL);
        ng_status status = run(_i, out);
        if (fault_over() < i) {
            ng_assert_ok(status, &error);
            ck_assert_int_gt(i, 1);
            break;
        }
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert_double_eq(ng_max_abs(out), 0);
    }
}
END_TEST

TEST_SUITE(connection_errors)
{
    TCase *tc = tcase_create("refusals");
    tcase_add_checked_fixture(tc, dense_release, dense_release);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, points_refused);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, 9);
    suite_add_tcase(suite, tc);
}
