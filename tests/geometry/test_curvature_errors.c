/* Curvature: what is refused, and every allocation failing once. Linked
 * statically with --wrap, so that the library's allocations arrive here. */
#include "tests/geometry/curvature_worlds.h"

#include <natgrad/linalg.h>

static ng_error error;

static void done(family w)
{
    free(w.kappa);
    dense_release();
}

/* ---- Refusals ------------------------------------------------------------------------ */

static ng_status unreadable(void *data, ng_mat slab, size_t c, ng_error *e)
{
    ng_cumulants_fill_stored(data, slab, c, NULL);
    return c < 2 ? NG_OK : ng_error_set(e, NG_EIO, "slab %zu cannot be read", c);
}

START_TEST(scalar_refused)
{
    const double p[4] = {0.1, 0.2, 0.3, 0.4};
    family w = family_categorical(p, 4);
    ng_curvature r = {7, 7, 7};
    ng_mat single = test_convert(w.f, NG_F32);
#define SCALAR(f, third, data) ng_curvature_scalar(&r, f, 0, 0, third, data, &error)
    ng_assert_fails(SCALAR(single, ng_cumulants_fill_stored, w.kappa), NG_EDTYPE, &error, "f");
    ng_assert_fails(SCALAR(dense_mat(2, 3), ng_cumulants_fill_stored, w.kappa), NG_ESHAPE, &error,
                    "f");
    ng_assert_fails(SCALAR(dense_mat(3, 3), ng_cumulants_fill_stored, w.kappa), NG_ESINGULAR,
                    &error, "positive definite");
    ng_assert_fails(SCALAR(ng_f64(NULL, 0, 0), ng_cumulants_fill_stored, w.kappa), NG_ESHAPE,
                    &error, "f");
    ng_assert_fails(SCALAR(w.f, NULL, w.kappa), NG_EARG, &error, "callback");
    ng_assert_fails(SCALAR(w.f, ng_cumulants_fill_stored, NULL), NG_EARG, &error, "NULL");
    ng_assert_fails(SCALAR(w.f, unreadable, w.kappa), NG_EIO, &error, "slab 2");
    ng_assert_fails(ng_curvature_scalar(NULL, w.f, 0, 0, unreadable, w.kappa, &error), NG_EARG,
                    &error, "result");
    ng_assert_fails(ng_curvature_scalar(&r, w.f, NAN, 0, unreadable, w.kappa, &error), NG_EARG,
                    &error, "amari_alpha");
    w.kappa[13] = NAN;
    ng_assert_fails(SCALAR(w.f, ng_cumulants_fill_stored, w.kappa), NG_ENONFINITE, &error,
                    "parameter 1");
    ck_assert(r.scalar == 7 && r.square == 7);
    test_free(single);
    done(w);
}
END_TEST

START_TEST(tensors_refused)
{
    const double p[4] = {0.1, 0.2, 0.3, 0.4};
    family w = family_categorical(p, 4);
    double k = 7, u[3] = {1, 2, 3}, v[3] = {2, 4, 6};
    ng_mat wrong = dense_mat(2, 2), riemann = dense_mat(9, 9), row = dense_mat(1, 3);
    ng_ricci terms = {.ricci = wrong};
    ng_assert_fails(ng_curvature_riemann(riemann, w.f, NAN, unreadable, w.kappa, &error), NG_EARG,
                    &error, "amari_alpha");
    ng_assert_fails(ng_curvature_christoffel(wrong, w.f, 0, unreadable, w.kappa, &error), NG_ESHAPE,
                    &error, "gamma");
    ng_assert_fails(ng_curvature_riemann(wrong, w.f, 0, unreadable, w.kappa, &error), NG_ESHAPE,
                    &error, "riemann");
    ng_assert_fails(ng_curvature_ricci(&terms, w.f, unreadable, w.kappa, &error), NG_ESHAPE, &error,
                    "result");
    ng_assert_fails(ng_curvature_trace(wrong, w.f, unreadable, w.kappa, &error), NG_ESHAPE, &error,
                    "trace");
    ng_assert_fails(ng_curvature_trace(row, w.f, unreadable, w.kappa, &error), NG_EIO, &error,
                    "slab");
    ng_assert_fails(ng_curvature_sectional(&k, w.f, ng_f64(u, 1, 3), ng_f64(v, 1, 3),
                                           ng_cumulants_fill_stored, w.kappa, &error),
                    NG_EARG, &error, "plane");
    w.kappa[13] = NAN;
    ng_assert_fails(
        ng_curvature_riemann(riemann, w.f, 0, ng_cumulants_fill_stored, w.kappa, &error),
        NG_ENONFINITE, &error, "parameter 1");
    ck_assert(k == 7 && ng_max_abs(riemann) == 0);
    done(w);
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------- */

static ng_status run(int which, family w, ng_mat out, double *k)
{
    double u[3] = {1, 2, 3}, v[3] = {2, 4, -6};
    ng_ricci terms = {.ricci = ng_mat_block(out, 0, 0, 3, 3)};
    ng_curvature r;
    switch (which) {
    case 0:
        return ng_curvature_scalar(&r, w.f, 0, 0, ng_cumulants_fill_stored, w.kappa, &error);
    case 1:
        return ng_curvature_trace(ng_mat_block(out, 0, 0, 1, 3), w.f, ng_cumulants_fill_stored,
                                  w.kappa, &error);
    case 2:
        return ng_curvature_sectional(k, w.f, ng_f64(u, 1, 3), ng_f64(v, 1, 3),
                                      ng_cumulants_fill_stored, w.kappa, &error);
    case 3:
        return ng_curvature_ricci(&terms, w.f, ng_cumulants_fill_stored, w.kappa, &error);
    case 4:
        return ng_curvature_riemann(out, w.f, 0, ng_cumulants_fill_stored, w.kappa, &error);
    default:
        return ng_curvature_christoffel(ng_mat_block(out, 0, 0, 3, 9), w.f, 0,
                                        ng_cumulants_fill_stored, w.kappa, &error);
    }
}

START_TEST(every_allocation_fails_once)
{
    const double p[4] = {0.1, 0.2, 0.3, 0.4};
    family w = family_categorical(p, 4);
    ng_mat out = dense_mat(9, 9);
    double k = 0;
    ng_status status = NG_ENOMEM;
    for (long i = 0; status != NG_OK; i++) {
        fault_once(FAULT_MEMORY, i + 1, FAIL);
        status = run(_i, w, out, &k);
        long counted = fault_over();
        ck_assert(status == NG_OK ? counted == i && i > 0 : counted == i + 1);
        ck_assert(status == NG_OK || status == NG_ENOMEM);
        if (status != NG_OK)
            ck_assert(ng_max_abs(out) == 0 && k == 0);
    }
    done(w);
}
END_TEST

TEST_SUITE(curvature_errors)
{
    TCase *tcase = tcase_create("curvature errors");
    tcase_add_test(tcase, scalar_refused);
    tcase_add_test(tcase, tensors_refused);
    tcase_add_loop_test(tcase, every_allocation_fails_once, 0, 6);
    suite_add_tcase(suite, tcase);
}
