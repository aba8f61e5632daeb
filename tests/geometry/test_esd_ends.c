/* ESDs of matrices that have none, refusals, and want of memory. */
#include "tests/geometry/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 41;
    dense_release();
}

static void fill_uniform(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_uniform(data);
}

static ng_random uniform(void)
{
    return (ng_random){.fill_uniform = fill_uniform, .data = &rng};
}

START_TEST(small_and_empty)
{
    ng_mat zero = dense_mat(20, 12), one = dense_identity(1);
    ng_esd e;
    ng_random random = uniform();
    ng_esd_options o;
    ng_esd_init(&o);
    o.random = &random;
    ng_assert_ok(ng_esd_measure(&e, ng_mat_none(), zero, &o, NULL), NULL);
    ck_assert(isnan(e.tail.alpha) && isnan(e.log_norm) && isnan(e.stable_rank) &&
              isnan(e.bulk.edge));
    ck_assert_uint_eq(e.kept, 0);
    ng_assert_ok(ng_esd_measure(&e, ng_mat_none(), one, &o, NULL), NULL);
    ck_assert(isnan(e.tail.alpha) && e.stable_rank == 1 && e.erg.count == 1);
    o.least = 2;
    ng_assert_ok(ng_esd_measure(&e, ng_mat_none(), dense_identity(5), &o, NULL), NULL);
    ck_assert(isnan(e.tail.alpha) && e.erg.count == 5 && isnan(e.erg.gap));
}
END_TEST

START_TEST(refusals)
{
    ng_mat w = dense_normal(20, 12, &rng), values = dense_mat(1, 11);
    ng_esd e = {.n = 77};
    ng_esd_options o, bad;
    ng_random none = {NULL};
    ng_error error = {NG_OK, ""};
    ng_esd_init(&o);
    ng_assert_fails(ng_esd_measure(NULL, ng_mat_none(), w, &o, &error), NG_EARG, &error, "esd");
    ng_assert_fails(ng_esd_measure(&e, values, w, &o, &error), NG_ESHAPE, &error, "values");
    ng_assert_fails(ng_esd_measure(&e, ng_mat_none(), ng_f64(w.data, 0, 12), &o, &error), NG_ESHAPE,
                    &error, "w is 0 x 12");
    bad = o, bad.size = 1;
    ng_assert_fails(ng_esd_measure(&e, ng_mat_none(), w, &bad, &error), NG_EOPTION, &error, "size");
    bad = o, bad.least = 1;
    ng_assert_fails(ng_esd_measure(&e, ng_mat_none(), w, &bad, &error), NG_EOPTION, &error,
                    "least");
    bad = o, bad.floor = (double)NAN;
    ng_assert_fails(ng_esd_measure(&e, ng_mat_none(), w, &bad, &error), NG_EOPTION, &error,
                    "floor");
    bad = o, bad.random = &none;
    ng_assert_fails(ng_esd_measure(&e, ng_mat_none(), w, &bad, &error), NG_EARG, &error, "random");
    ng_mat_set(w, 7, 3, 1e200);
    ng_assert_fails(ng_esd_measure(&e, ng_mat_none(), w, &o, &error), NG_ERANGE, &error,
                    "overflow");
    ng_mat_set(w, 7, 3, (double)NAN);
    ng_assert_fails(ng_esd_measure(&e, ng_mat_none(), w, &o, &error), NG_ENONFINITE, &error, "w");
    ck_assert_uint_eq(e.n, 77);
    ck_assert_int_eq(ng_esd_init(NULL), NG_EOPTION);
    ck_assert_int_eq(ng_esd_init_sized(&o, 3), NG_EOPTION);
}
END_TEST

START_TEST(every_allocation_fails_once)
{
    ng_mat w = test_mat(20, 12, 0, NG_F32), values = dense_mat(1, 12);
    ng_random random = uniform();
    ng_esd_options o;
    test_fill_normal(w, &rng);
    ng_esd_init(&o);
    o.random = &random;
    long at = 1;
    for (; at < 100; at++) {
        ng_esd e = {.n = 77};
        ng_error error = {NG_OK, ""};
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_esd_measure(&e, values, w, &o, &error);
        if (fault_over() < at)
            break;
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert(error.text[0] != 0 && e.n == 77);
    }
    ck_assert(at > 5 && at < 100);
    test_free(w);
}
END_TEST

TEST_SUITE(esd_ends)
{
    TCase *tc = tcase_create("ends of spectral densities");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_add_test(tc, small_and_empty);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, every_allocation_fails_once);
    suite_add_tcase(suite, tc);
}
