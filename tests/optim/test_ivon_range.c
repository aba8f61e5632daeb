/* IVON's steps by pieces and by bounds: parameters longer than a piece, and numbers near the ends
 * of their range. */
#include <math.h>
#include <string.h>

#include "tests/support/run.h"

static void fill_normal(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_normal(data);
}

static const char settings[] = "ess=50 hess_init=0.7 beta2=0.99 weight_decay=1e-3 clip_radius=2";

/* a slope that depends on the weights */
static double slope(double w, size_t i)
{
    return sin(w + (double)i) + 0.3 * w;
}

/* ---- However a parameter is cut ---------------------------------------------------------------
 */

enum { LONG = 1300 };

/* LONG elements as parameters of `first` and the others, the second's rows not dense: w after
 * three steps of two samples. */
static void step_in_parts(double *w, size_t first, ng_dtype dtype)
{
    ng_mat part[2] = {test_mat(1, first, 0, dtype), test_mat(2, (LONG - first) / 2, 3, dtype)};
    ng_mat slope_of[2] = {test_mat(1, first, 0, dtype), test_mat(2, (LONG - first) / 2, 0, dtype)};
    ng_optimizer *opt;
    ng_group *group;
    test_rng values = {4};
    const ng_random random = {.fill_normal = fill_normal, .data = &values};
    void *o = test_options("ivon", settings);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, o), NULL);
    for (int k = 0; k < 2; k++) {
        test_fill_normal(part[k], &values);
        ng_assert_ok(ng_group_add(group, NULL, k ? "b" : "a", part[k], slope_of[k]), NULL);
    }
    for (int t = 0; t < 6; t++) {
        ng_assert_ok(ng_optimizer_sample(opt, &random), NULL);
        for (size_t e = 0; e < LONG; e++) {
            const ng_mat x = part[e >= first], g = slope_of[e >= first];
            const size_t at = e >= first ? e - first : e, i = at / x.cols, j = at % x.cols;
            ng_mat_set(g, i, j, slope(ng_mat_get(x, i, j), e));
        }
        ng_assert_ok(t % 2 ? ng_optimizer_step(opt) : ng_optimizer_accumulate(opt), NULL);
        for (size_t e = 0; e < LONG; e++) {
            const ng_mat x = part[e >= first];
            const size_t at = e >= first ? e - first : e;
            w[e] = ng_mat_get(x, at / x.cols, at % x.cols);
        }
    }
    ng_optimizer_destroy(opt);
    free(o);
    for (int k = 0; k < 2; k++)
        test_free(part[k]), test_free(slope_of[k]);
}

/* The element-wise pieces of a step end where they may. */
START_TEST(in_parts)
{
    double whole[LONG], cut[LONG];
    step_in_parts(whole, 2, (ng_dtype)_i);
    for (size_t first = 100; first < LONG; first += 414) {
        step_in_parts(cut, first, (ng_dtype)_i);
        ck_assert(memcmp(whole, cut, sizeof cut) == 0);
    }
}
END_TEST

/* ---- The range of numbers ---------------------------------------------------------------------
 */

static void fill_hessian(test_run *run, double value)
{
    const char *parameter, *name;
    ng_mat state;
    for (size_t k = 0; ng_optimizer_tensor(run->opt, &parameter, &name, &state, k) == NG_OK; k++)
        if (strcmp(name, "hessian") == 0)
            ng_fill(state, value);
}

/* What bounds do not promise is tried: a precision near the end of the range steps all the same,
 * and one too small for the gradient is an error that changes nothing. */
START_TEST(what_bounds_do_not_promise)
{
    test_rng rng = {8};
    test_run run;
    test_run_open(&run, "ivon", "hess_init=1e-30 weight_decay=0 ess=1", 5, 7,
                  (test_setup){.dtype = NG_F32, .pad = 2});
    test_fill_normal(run.w, &rng);
    fill_hessian(&run, 1e-32);
    ng_fill(run.dw, 0);
    ng_mat before = test_copy(run.w);
    ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    ck_assert(test_same_bits(run.w, before));
    ng_mat_set(run.dw, 4, 6, 1e20);
    ck_assert_int_eq(ng_optimizer_step(run.opt), NG_ERANGE);
    ck_assert(test_same_bits(run.w, before));
    ng_mat_set(run.dw, 4, 6, 0);
    ng_assert_ok(ng_optimizer_step(run.opt), NULL);
    ck_assert(test_same_bits(run.w, before));
    test_free(before);
    test_run_close(&run);
}
END_TEST

TEST_SUITE(ivon_range)
{
    TCase *tc = tcase_create("ivon_range");
    tcase_add_loop_test(tc, in_parts, 0, 2);
    tcase_add_test(tc, what_bounds_do_not_promise);
    suite_add_tcase(suite, tc);
}
