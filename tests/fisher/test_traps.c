/* Hosts that trap: every representation fed with zeros, asked everything, with the floating-point
 * exceptions that stand for a mistake enabled. A trap ends the test. */
#define _GNU_SOURCE /* feenableexcept */
#include "tests/fisher/worlds.h"

#include <fenv.h>

#include <natgrad/linalg.h>

#ifdef __GLIBC__

static test_rng rng;

static void reseed(void)
{
    rng.state = 78;
}

static void feed(ng_fisher *f, int zeros, size_t n, size_t outputs, ng_dtype dtype)
{
    size_t c = n / outputs, inputs = c > 1 ? c - 1 : c;
    ng_mat x = world_normal(7, n, dtype, &rng), a = world_normal(7, inputs, dtype, &rng);
    ng_mat g = world_normal(7, outputs, dtype, &rng);
    if (zeros)
        ng_fill(x, 0), ng_fill(a, 0), ng_fill(g, 0);
    if (ng_fisher_can(f, NG_FISHER_ACCUMULATE_LAYER))
        ng_fisher_accumulate_layer(f, a, g, ng_mat_none(), NULL, NULL);
    if (ng_fisher_can(f, NG_FISHER_ACCUMULATE))
        ng_fisher_accumulate(f, x, ng_mat_none(), NULL, NULL);
    test_free(x), test_free(a), test_free(g);
}

/* _i: representation, size and dtype; zeros first, then ordinary numbers on top of them */
START_TEST(everything)
{
    world w = world_open(_i, 1, NULL, 0, &rng); /* F of the matrix-free ones */
    ng_fisher *f = world_empty(_i / 2 % REPRESENTATIONS, w.dtype, w.n, w.outputs);
    ng_mat x = world_normal(2, w.n, w.dtype, &rng), y = test_mat(2, w.n, 0, w.dtype);
    ng_mat dense = test_mat(w.n, w.n, 0, w.dtype), values = test_mat(1, w.n, 0, w.dtype);
    for (int round = 0; round < 4; round++)
        for (int k = 0; k < 2; k++) {
            double number, damping = k ? 0.5 : 0;
            if (round == 3)
                ng_fill(x, 0);
            feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
            feed(f, round < 2, w.n, w.outputs, w.dtype);
            ng_fisher_mul(f, y, x, NULL); /* calls may fail, and may not trap */
            ng_fisher_solve(f, y, x, damping, NULL);
            ng_fisher_power(f, y, x, -0.5, damping, NULL);
            ng_fisher_power(f, y, x, 0.5, damping, NULL);
            ng_fisher_logdet(f, &number, damping, NULL);
            ng_fisher_trace(f, &number, NULL);
            ng_fisher_quadratic(f, &number, ng_mat_block(x, 0, 0, 1, w.n), NULL);
            ng_fisher_to_dense(f, dense, NULL);
            ng_fisher_eigen(f, values, ng_mat_none(), NULL);
            fedisableexcept(FE_ALL_EXCEPT);
            ng_error error = {NG_OK, ""};
            if (k == 1)
                ng_assert_ok(ng_fisher_solve(f, y, x, damping, &error), &error);
        }
    ng_fisher_destroy(f);
    test_free(x), test_free(y), test_free(dense), test_free(values);
    world_close(&w);
}
END_TEST

#endif

TEST_SUITE(traps)
{
    TCase *tc = tcase_create("traps");
#ifdef __GLIBC__
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, everything, 0, WORLDS);
#endif
    suite_add_tcase(suite, tc);
}
