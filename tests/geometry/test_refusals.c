/* What the creation of a regime refuses, by name and number. */
#include "tests/geometry/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 11;
    dense_release();
}

START_TEST(refusals_name_eigenvalues)
{
    ng_regime *r = (ng_regime *)&rng;
    ng_regime_options o;
    ng_error error = {NG_OK, ""};
    double singular[] = {0, 1, 2}, indefinite[] = {-0.5, 1, 2}, nothing[] = {0, 0, 0};
    double rough[] = {-1e-4, 1e-3, 2};
    ng_mat f = world_spd(singular, 3, &rng);
    ng_assert_fails(ng_regime_create(&r, f, NULL, &error), NG_ESINGULAR, &error,
                    "eigenvalue 0 of 3");
    ck_assert_ptr_null(r);
    f = world_spd(indefinite, 3, &rng);
    ng_assert_fails(ng_regime_create(&r, f, NULL, &error), NG_EINDEFINITE, &error, "is -0.5");
    ng_regime_init(&o);
    o.rcond = 0.1;
    ng_assert_fails(ng_regime_create(&r, f, &o, &error), NG_EINDEFINITE, &error, "largest 2");
    ng_assert_fails(ng_regime_create(&r, dense_mat(3, 3), &o, &error), NG_ESINGULAR, &error,
                    "is 0");
    ng_assert_fails(ng_regime_create_spectrum(&r, ng_f64(nothing, 1, 3), &o, &error), NG_ESINGULAR,
                    &error, "largest 0");
    f = dense_scale(-1, dense_identity(2));
    ng_assert_fails(ng_regime_create(&r, f, &o, &error), NG_EINDEFINITE, &error, "is -1");
    f = world_spd(rough, 3, &rng);
    ng_assert_fails(ng_regime_create(&r, f, NULL, &error), NG_EINDEFINITE, &error, "-0.0001");
    o.rcond = 1e-3; /* 1e-3 > 1e-3 * 2 is not */
    ng_assert_ok(ng_regime_create(&r, f, &o, &error), &error);
    ck_assert(r->rank == 1 && r->cond == 1);
    ng_regime_destroy(r);
    o.rcond = 1e-4;
    ng_assert_ok(ng_regime_create(&r, f, &o, &error), &error);
    ck_assert_uint_eq(r->rank, 2);
    ng_regime_destroy(r);
}
END_TEST

START_TEST(refusals_of_arguments)
{
    ng_regime *r;
    ng_regime_options o;
    ng_error error = {NG_OK, ""};
    ng_mat f = dense_identity(3), nan = dense_identity(3), wide = dense_mat(2, 3);
    double values[] = {1, HUGE_VAL};
    ng_mat_set(nan, 2, 1, (double)NAN);
    ng_assert_fails(ng_regime_create(&r, nan, NULL, &error), NG_ENONFINITE, &error, "F");
    ng_mat_set(nan, 2, 1, -HUGE_VAL);
    ng_assert_fails(ng_regime_create(&r, nan, NULL, &error), NG_ENONFINITE, &error, "F");
    ng_assert_fails(ng_regime_create_kron(&r, f, nan, NULL, &error), NG_ENONFINITE, &error, "Q");
    ng_assert_fails(ng_regime_create_kron(&r, wide, f, NULL, &error), NG_ESHAPE, &error, "P");
    ng_assert_fails(ng_regime_create_spectrum(&r, ng_f64(values, 1, 2), NULL, &error),
                    NG_ENONFINITE, &error, "values");
    ng_assert_fails(ng_regime_create_spectrum(&r, ng_f64(values, 1, 0), NULL, &error), NG_ESHAPE,
                    &error, "values");
    ng_assert_fails(ng_regime_create_spectrum(&r, ng_f64(values, 2, 1), NULL, &error), NG_ESHAPE,
                    &error, "values");
    ng_assert_fails(ng_regime_create(&r, wide, NULL, &error), NG_ESHAPE, &error, "2 x 3");
    ng_assert_fails(ng_regime_create(&r, ng_f64(NULL, 0, 0), NULL, &error), NG_ESHAPE, &error, "F");
    ng_assert_fails(ng_regime_create(NULL, f, NULL, &error), NG_EARG, &error, "NULL");
    ck_assert_ptr_null(r);
    double *field[] = {&o.rcond, &o.rcond, &o.rcond, &o.beta, &o.alpha_c, &o.alpha_c};
    double bad[] = {-1, 1, (double)NAN, HUGE_VAL, 0, 1};
    for (int i = 0; i < 6; i++) {
        ng_regime_init(&o);
        *field[i] = bad[i];
        ng_assert_fails(ng_regime_create(&r, f, &o, &error), NG_EOPTION, &error, "out of range");
    }
    ng_regime_init(&o);
    o.size--;
    ng_assert_fails(ng_regime_create(&r, f, &o, &error), NG_EOPTION, &error, "size");
    double far[] = {1e-310, 1e10};
    ng_assert_fails(ng_regime_create_spectrum(&r, ng_f64(far, 1, 2), NULL, &error), NG_ERANGE,
                    &error, "condition number");
    double huge[] = {1e160, 1e170};
    ng_assert_fails(ng_regime_create_spectrum(&r, ng_f64(huge, 1, 2), NULL, &error), NG_ERANGE,
                    &error, "overflows");
    ng_regime_destroy(NULL);
}
END_TEST

/* Options of another library's size are refused before a byte is written. */
START_TEST(option_sizes)
{
    union {
        ng_regime_options options;
        unsigned char bytes[256];
    } o;
    static const size_t sizes[] = {0, 8, sizeof o.options - 8, sizeof o.options + 8, 256};
    memset(&o, 0x5a, sizeof o);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        ck_assert_int_eq(ng_regime_init_sized(&o.options, sizes[k]), NG_EOPTION);
    for (size_t i = 0; i < sizeof o; i++)
        ck_assert_uint_eq(o.bytes[i], 0x5a);
    ck_assert_int_eq(ng_regime_init_sized(NULL, sizeof o.options), NG_EOPTION);
}
END_TEST

TEST_SUITE(refusals)
{
    TCase *tc = tcase_create("refusals");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_add_test(tc, refusals_name_eigenvalues);
    tcase_add_test(tc, refusals_of_arguments);
    tcase_add_test(tc, option_sizes);
    suite_add_tcase(suite, tc);
}
