/* What the families refuse, and that they stand still then; failing allocations,
 * linked statically with --wrap. */
#include "tests/lab/family_world.h"

#include <stdint.h>

static ng_error error = {NG_OK, ""};

START_TEST(creation)
{
    const uint32_t twice[3] = {3, 5, 3}, empty[2] = {1, 0}, far[1] = {8}, odd[1] = {1};
    const uint32_t even[1] = {3}, high[1] = {(uint32_t)1 << 31 | 1};
    ng_family *f = (ng_family *)&error;
    ng_assert_fails(ng_family_create_ising(&f, 3, twice, 3, &error), NG_EARG, &error, "twice");
    ck_assert_ptr_null(f);
    ng_assert_fails(ng_family_create_ising(&f, 3, empty, 2, &error), NG_EARG, &error, "edges[1]");
    ng_assert_fails(ng_family_create_ising(&f, 3, far, 1, &error), NG_EARG, &error, "not exist");
    ng_assert_fails(ng_family_create_ising(&f, 3, NULL, 0, &error), NG_EARG, &error, "edges");
    ng_assert_fails(ng_family_create_ising(&f, 27, odd, 1, &error), NG_ERANGE, &error, "27 free");
    ng_assert_fails(ng_family_create_ising(&f, 28, even, 1, &error), NG_ERANGE, &error, "27 free");
    ng_assert_fails(ng_family_create_ising(&f, 32, high, 1, &error), NG_ERANGE, &error, "31 free");
    ng_assert_fails(ng_family_create_ising(&f, 33, even, 1, &error), NG_ERANGE, &error, "33 spins");
    ng_assert_fails(ng_family_create_categorical(&f, 1, &error), NG_EARG, &error, "1 outcomes");
    ng_assert_fails(ng_family_create_bernoulli(&f, 0, &error), NG_EARG, &error, "0 bits");
    ng_assert_fails(ng_family_create_gaussian(&f, 0, 1, &error), NG_ERANGE, &error, "0 dim");
    ng_assert_fails(ng_family_create_gaussian(NULL, 1, 1, &error), NG_EARG, &error, "family");
    ck_assert_ptr_null(f);
    ng_family_destroy(NULL);
    ck_assert_uint_eq(ng_family_ising_memory(28, even, 1), SIZE_MAX);
    ck_assert_uint_ge(ng_family_ising_memory(27, even, 1), (size_t)8 << 26);
    ck_assert_uint_le(ng_family_ising_memory(27, even, 1), ((size_t)8 << 26) + 1000);
    ck_assert_uint_ge(ng_family_ising_memory(26, odd, 1), (size_t)8 << 26);
}
END_TEST

START_TEST(edges)
{
    const size_t vertices[4] = {4, 0, 4, 31}, far[1] = {32};
    uint32_t edge = 77;
    ng_assert_fails(ng_family_edge(&edge, far, 1, &error), NG_ERANGE, &error, "vertices[0] = 32");
    ck_assert_uint_eq(edge, 77);
    ng_assert_ok(ng_family_edge(&edge, vertices, 4, &error), &error);
    ck_assert_uint_eq(edge, (uint32_t)1 << 31 | 1);
}
END_TEST

static void samples_refused(world *w)
{
    ng_family *f = w->family;
    size_t width = ng_family_sample_size(f);
    double moments[WORLD_N];
    ng_mat x = test_mat(2, width, 0, NG_F64);
    ng_random nothing = {0};
    ng_assert_fails(ng_family_sample(f, x, &nothing, &error), NG_EARG, &error, "random");
    ng_mat_set(x, 1, width - 1, w->shape.kind == ISING ? 0.5 : (double)NAN);
    for (size_t j = 0; j < width && w->shape.kind == ISING; j++)
        ng_mat_set(x, 0, j, 1), ng_mat_set(x, 1, j, j + 1 < width ? 1 : 0.5);
    ng_assert_fails(ng_family_moments(f, moments, x, &error), NG_EARG, &error, "row 1");
    x.rows = 0;
    ng_assert_fails(ng_family_moments(f, moments, x, &error), NG_ENODATA, &error, "no rows");
    x.rows = 2;
    test_free(x);
}

/* Every refused call leaves theta, eta and log Z, bit for bit. */
START_TEST(refusals)
{
    world *w = world_create(world_shapes[_i], 1);
    ng_family *f = w->family;
    size_t n = w->n;
    double bad[WORLD_N], theta[WORLD_N], eta[WORLD_N], log_z = ng_family_log_z(f), value;
    ng_mat good = test_mat(n, n, 0, NG_F64), wide = test_mat(n, n + 1, 0, NG_F64);
    ng_mat narrow = test_mat(n, n, 0, NG_F32);
    ng_family *other;
    memcpy(theta, ng_family_theta(f), n * sizeof *theta);
    memcpy(eta, ng_family_mean(f), n * sizeof *eta);
    memcpy(bad, theta, n * sizeof *theta);
    bad[n - 1] = NAN;
    ng_assert_fails(ng_family_set(f, bad, &error), NG_ENONFINITE, &error, "theta[");
    ng_assert_fails(ng_family_fit(f, NULL, bad, NULL, &error), NG_ENONFINITE, &error, "moments[");
    ng_assert_fails(ng_family_cross_entropy(f, &value, bad, &error), NG_ENONFINITE, &error, "mom");
    bad[n - 1] = 1e200;
    ng_assert_fails(ng_family_set(f, bad, &error), NG_ERANGE, &error, "theta");
    if (world_gaussian(w->shape)) {
        bad[n - 1] = 0.5;
        ng_assert_fails(ng_family_set(f, bad, &error), NG_ESINGULAR, &error, "precision");
    }
    ng_assert_fails(ng_family_set(f, NULL, &error), NG_EARG, &error, "theta");
    ng_assert_fails(ng_family_set(NULL, bad, &error), NG_EARG, &error, "family");
    ng_assert_fails(ng_family_fisher(f, wide, &error), NG_ESHAPE, &error, "f is");
    ng_assert_fails(ng_family_fisher(f, narrow, &error), NG_EDTYPE, &error, "f:");
    ng_assert_fails(ng_family_third(f, n, good, &error), NG_EARG, &error, "c:");
    ng_assert_fails(ng_family_third(f, 0, wide, &error), NG_ESHAPE, &error, "slab");
    samples_refused(w);
    ng_assert_ok(ng_family_create_bernoulli(&other, 7, &error), &error);
    ng_assert_fails(ng_family_divergence(f, &value, other, &error), NG_EARG, &error, "different");
    ck_assert(memcmp(theta, ng_family_theta(f), n * sizeof *theta) == 0);
    ck_assert(memcmp(eta, ng_family_mean(f), n * sizeof *eta) == 0);
    ck_assert(log_z == ng_family_log_z(f));
    ng_family_destroy(other);
    test_free(good);
    test_free(wide);
    test_free(narrow);
    world_destroy(w);
}
END_TEST

START_TEST(options)
{
    ng_family *f = world_family(world_shapes[2]);
    const double moments[3] = {0.1, 0.1, 0.1};
    ng_fit_options o = {.max_steps = 7};
    ck_assert_int_eq(ng_fit_init_sized(&o, sizeof o - 1), NG_EOPTION);
    ck_assert_int_eq(ng_fit_init(NULL), NG_EOPTION);
    ck_assert_uint_eq(o.max_steps, 7);
    ck_assert_int_eq(ng_fit_init(&o), NG_OK);
    o.size = 3;
    ng_assert_fails(ng_family_fit(f, NULL, moments, &o, &error), NG_EOPTION, &error, "size");
    ng_fit_init(&o);
    o.lr = 0;
    ng_assert_fails(ng_family_fit(f, NULL, moments, &o, &error), NG_EOPTION, &error, "lr");
    o.lr = 1;
    o.tolerance = 1;
    ng_assert_fails(ng_family_fit(f, NULL, moments, &o, &error), NG_EOPTION, &error, "tolerance");
    o.tolerance = 1e-9;
    o.method = (ng_fit_method)7;
    ng_assert_fails(ng_family_fit(f, NULL, moments, &o, &error), NG_EOPTION, &error, "method");
    ng_family_destroy(f);
}
END_TEST

/* Edges that differ make different families, even with equal numbers. */
START_TEST(other_edges)
{
    const uint32_t a[2] = {3, 6}, b[2] = {3, 5};
    ng_family *f, *g;
    double value = 77;
    ng_assert_ok(ng_family_create_ising(&f, 3, a, 2, &error), &error);
    ng_assert_ok(ng_family_create_ising(&g, 3, b, 2, &error), &error);
    ng_assert_fails(ng_family_divergence(f, &value, g, &error), NG_EARG, &error, "different");
    ck_assert(value == 77);
    ng_family_destroy(f);
    ng_family_destroy(g);
}
END_TEST

static ng_status make(ng_family **f, world_shape s)
{
    if (s.kind == ISING)
        return ng_family_create_ising(f, s.size, s.edge, s.edges, &error);
    if (s.kind == CATEGORICAL)
        return ng_family_create_categorical(f, s.size, &error);
    if (s.kind == BERNOULLI)
        return ng_family_create_bernoulli(f, s.size, &error);
    return ng_family_create_gaussian(f, s.size, s.kind == GAUSSIAN, &error);
}

START_TEST(creation_without_memory)
{
    ng_family *f = NULL;
    ng_status status = NG_ENOMEM;
    for (long k = 0; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = make(&f, world_shapes[_i]);
        fault_over();
        ck_assert_msg(status == NG_OK ? k >= 3 && f != NULL : status == NG_ENOMEM && f == NULL,
                      "%ld: %s", k, ng_status_name(status));
    }
    ng_family_destroy(f);
}
END_TEST

START_TEST(fit_without_memory)
{
    world *w = world_create(world_shapes[_i], 2);
    ng_family *f = world_family(w->shape);
    ng_mat x = test_mat(3, ng_family_sample_size(f), 0, NG_F64);
    double moments[WORLD_N], before = ng_family_theta(f)[0];
    ng_random random;
    ng_assert_ok(ng_rng_create(&random, 1, &error), &error);
    for (int what = 0; what < 3; what++) {
        ng_status status = NG_ENOMEM;
        for (long k = 0; status != NG_OK; k++) {
            fault_once(FAULT_MEMORY, k + 1, FAIL);
            status = what == 0   ? ng_family_sample(f, x, &random, &error)
                     : what == 1 ? ng_family_moments(f, moments, x, &error)
                                 : ng_family_fit(f, NULL, ng_family_mean(w->family), NULL, &error);
            fault_over();
            ck_assert(status == NG_OK || status == NG_ENOMEM);
            ck_assert(status == NG_OK || ng_family_theta(f)[0] == before);
        }
    }
    ng_rng_destroy(&random);
    test_free(x);
    ng_family_destroy(f);
    world_destroy(w);
}
END_TEST

TEST_SUITE(family_errors)
{
    TCase *tcase = tcase_create("family_errors");
    tcase_add_test(tcase, creation);
    tcase_add_test(tcase, edges);
    tcase_add_loop_test(tcase, refusals, 0, WORLD_SHAPES);
    tcase_add_test(tcase, options);
    tcase_add_test(tcase, other_edges);
    tcase_add_loop_test(tcase, creation_without_memory, 0, WORLD_SHAPES);
    tcase_add_loop_test(tcase, fit_without_memory, 0, WORLD_SHAPES);
    suite_add_tcase(suite, tcase);
}
