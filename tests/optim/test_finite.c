/* Numbers leave finite or not at all: steps, sums and averages of huge numbers. */
#include "tests/optim/finite_world.h"

#include <float.h>

/* ---- Huge numbers ------------------------------------------------------------------------ */

static void sweep(ng_dtype dtype, const char *preset, double weights, double gradients, double lr,
                  double decay, int *done)
{
    world x;
    test_rng rng = {7};
    char what[160], settings[96];
    /* the model of rate = quadratic knows no decay */
    snprintf(settings, sizeof settings, "lr=%.17g weight_decay=%.17g", lr,
             strcmp(preset, "kfac_auto") == 0 ? 0 : decay);
    snprintf(what, sizeof what, "%s f%d, weights %g, gradients %g, %s", preset,
             dtype == NG_F32 ? 32 : 64, weights, gradients, settings);
    open_world(&x, preset, settings, dtype);
    fill(x.w, weights, &rng);
    for (int t = 0; t < 4; t++) {
        fill(x.dw, t == 2 ? 0 : gradients, &rng);
        ng_assert_ok(feed(&x, 1, fmin(gradients, dtype == NG_F32 ? 1e15 : 1e150), 1, &rng), NULL);
        *done += check_step(&x, what);
    }
    close_world(&x);
}

START_TEST(huge)
{
    int done = 0, all = 0;
    for (int dtype = 0; dtype < 2; dtype++) {
        double max = dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX, root = sqrt(max);
        const double weights[] = {0, 1, max / 4, max}, rates[] = {0.01, root, max / 2, DBL_MAX};
        const double gradients[] = {0, 1, root / 8, max / 64, max}, decays[] = {0, 1, root};
        for (size_t i = 0; i < 4 * 5 * 4 * 3; i++, all += 4)
            sweep((ng_dtype)dtype, presets[_i], weights[i % 4], gradients[i / 4 % 5],
                  rates[i / 20 % 4], decays[i / 80], &done);
    }
    ck_assert_msg(done > all / 20 && done < all, "%d of %d steps were done", done, all);
}
END_TEST

/* sgd's coupled decay multiplies weights into the buffer */
START_TEST(coupled)
{
    for (int dtype = 0; dtype < 2; dtype++)
        for (int i = 0; i < 16; i++) {
            double max = dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
            const double weights[] = {1, max / 16, max / 4, max}, decays[] = {0.1, 0.9, 3, max};
            world x;
            test_rng rng = {8};
            open_world(&x, "sgd", "lr=0.5 weight_decay_kind=coupled nesterov=yes", (ng_dtype)dtype);
            ng_assert_ok(ng_group_set(x.group, "weight_decay", decays[i / 4]), NULL);
            fill(x.w, weights[i % 4], &rng);
            for (int t = 0; t < 20; t++) {
                fill(x.dw, 1, &rng);
                check_step(&x, "coupled");
            }
            close_world(&x);
        }
}
END_TEST

/* State that somebody wrote: bounds are taken anew. */
START_TEST(written_state)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        world x;
        test_rng rng = {9};
        ng_mat views[TENSORS];
        open_world(&x, "adamw", "", (ng_dtype)dtype);
        fill(x.dw, 1, &rng);
        ng_assert_ok(ng_optimizer_step(x.opt), NULL);
        look(&x, views);
        double max = dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
        fill(views[1], max, &rng); /* first moment; the second is small */
        ng_fill(views[2], 0);
        ng_fill(x.dw, 1e-3);
        ck_assert(!check_step(&x, "written moments"));
        fill(views[1], 1, &rng);
        ng_fill(views[2], max);
        look(&x, views);
        check_step(&x, "second moments at the end of the range");
        close_world(&x);
    }
}
END_TEST

/* What no step leaves in a state, written by a host, is refused by the next step. */
START_TEST(illegal_state)
{
    static const char *const cases[][3] = {{"adamw", "second_moment", "numbers >= 0"},
                                           {"kfac", "left_factor", "positive semidefinite"},
                                           {"soap", "diagonal", "numbers >= 0"},
                                           {"sgd", "momentum", "NaN"}};
    for (int dtype = 0; dtype < 2; dtype++)
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            const char *parameter, *name = "";
            world x;
            test_rng rng = {14};
            ng_mat m;
            open_world(&x, cases[c][0], "", (ng_dtype)dtype);
            for (int t = 0; t < 3; t++) {
                fill(x.dw, 1, &rng);
                ng_assert_ok(feed(&x, 1, 1, 1, &rng), NULL);
                if (t < 2)
                    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
            }
            for (size_t i = 0; strcmp(name, cases[c][1]) != 0; i++)
                ng_assert_ok(ng_optimizer_tensor(x.opt, &parameter, &name, &m, i), NULL);
            double value = ng_mat_get(m, 0, 0);
            ng_mat_set(m, 0, 0, strcmp(cases[c][0], "sgd") == 0 ? NAN : -1);
            ng_mat before = test_copy(x.w);
            ng_status status = ng_optimizer_step(x.opt);
            ck_assert_msg(status == (isnan(ng_mat_get(m, 0, 0)) ? NG_ENONFINITE : NG_ERANGE), "%s",
                          ng_status_name(status));
            ck_assert_msg(strstr(ng_optimizer_error(x.opt), cases[c][1]) != NULL &&
                              strstr(ng_optimizer_error(x.opt), cases[c][2]) != NULL,
                          "%s", ng_optimizer_error(x.opt));
            ck_assert(test_same_bits(x.w, before));
            ng_mat_set(m, 0, 0, value); /* put right, it goes on */
            ck_assert_msg(ng_optimizer_step(x.opt) == NG_OK, "%s", ng_optimizer_error(x.opt));
            test_free(before);
            close_world(&x);
        }
}
END_TEST

START_TEST(sums)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        world x;
        test_rng rng = {10};
        double max = dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
        open_world(&x, "sgd", "lr=1e-10 momentum=0", (ng_dtype)dtype);
        fill(x.dw, max / 8, &rng);
        for (int k = 0; k < 8; k++)
            ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
        ck_assert_int_eq(ng_optimizer_accumulate(x.opt), NG_ERANGE);
        ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "'w'"));
        ck_assert_msg(ng_optimizer_step(x.opt) == NG_OK, "%s", ng_optimizer_error(x.opt));
        ng_assert_rel(ng_mat_get(x.w, 0, 0), -1e-10 * max / 8, 1e-5);
        close_world(&x);
    }
}
END_TEST

/* A norm that no double holds still clips. */
START_TEST(clipped_norms)
{
    for (int dtype = 0; dtype < 2; dtype++)
        for (int i = 0; i < 3; i++) {
            const double norms[] = {1, 1e-30, 1e-36};
            double max = dtype == NG_F32 ? 3.3e38 : 1.7e308;
            float *f = malloc(100 * sizeof *f), *df = malloc(100 * sizeof *f);
            double *d = malloc(100 * sizeof *d), *dd = malloc(100 * sizeof *d);
            ng_mat w = dtype == NG_F32 ? ng_f32(f, 10, 10) : ng_f64(d, 10, 10);
            ng_mat dw = dtype == NG_F32 ? ng_f32(df, 10, 10) : ng_f64(dd, 10, 10);
            for (size_t k = 0; k < 100; k++) {
                ng_mat_set(w, k / 10, k % 10, 0);
                ng_mat_set(dw, k / 10, k % 10, max);
            }
            void *o = test_options("sgd", "lr=1 momentum=0");
            ng_optimizer_options options;
            ng_optimizer *opt;
            ng_group *group;
            ng_optimizer_init(&options);
            options.clip_norm = norms[i];
            ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
            ng_assert_ok(ng_optimizer_add_group(opt, &group, o), NULL);
            ng_assert_ok(ng_group_add(group, NULL, "w", w, dw), NULL);
            ck_assert_msg(ng_optimizer_step(opt) == NG_OK, "%s", ng_optimizer_error(opt));
            for (size_t k = 0; k < 100; k++)
                ng_assert_rel(ng_mat_get(w, k / 10, k % 10), -norms[i] / 10, 1e-5);
            ng_mat_set(dw, 3, 3, INFINITY);
            ck_assert_int_eq(ng_optimizer_step(opt), NG_ENONFINITE);
            ng_optimizer_destroy(opt);
            free(o), free(f), free(df), free(d), free(dd);
        }
}
END_TEST

START_TEST(averages)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        world x;
        test_rng rng = {11};
        int refused = 0;
        ng_average *average;
        double max = dtype == NG_F32 ? (double)FLT_MAX : DBL_MAX;
        open_world(&x, "sgd", "", (ng_dtype)dtype);
        ng_assert_ok(ng_average_create(&average, x.opt, 0.9, NULL), NULL);
        for (int t = 0; t < 30; t++) {
            fill(x.w, t % 3 == 0 ? max : t % 3 == 1 ? max / 2 : 1, &rng);
            unsigned long long count = ng_average_count(average);
            ng_mat before = test_copy(x.w);
            ng_status status = ng_average_update(average, NULL);
            ck_assert(status == NG_OK || status == NG_ERANGE);
            refused += status != NG_OK;
            ck_assert_uint_eq(ng_average_count(average), count + (status == NG_OK));
            if (ng_average_count(average) > 0) {
                ng_assert_ok(ng_average_swap(average, NULL), NULL);
                ck_assert(all_finite(x.w));
                ng_assert_ok(ng_average_swap(average, NULL), NULL);
            }
            ck_assert(test_same_bits(x.w, before));
            test_free(before);
        }
        ck_assert_uint_ge(ng_average_count(average), 10);
        ck_assert_int_ge(refused, 1);
        ng_mat_set(x.w, 1, 1, NAN);
        unsigned long long count = ng_average_count(average);
        ck_assert_int_eq(ng_average_update(average, NULL), NG_ENONFINITE);
        ck_assert_uint_eq(ng_average_count(average), count);
        ng_average_destroy(average);
        close_world(&x);
    }
}
END_TEST

/* ---- Small numbers ----------------------------------------------------------------------------
 */

/* Steps whose length does not depend on the gradient's: however small that is, subnormal numbers
 * of which a few bits are left included, the step is that of the ordinary gradient. */
START_TEST(small)
{
    static const char *const what[][2] = {
        {"muon", "momentum=0 polar=newton_schulz"},
        {"muon", "momentum=0 polar=exact"},
        {"muon", "momentum=0 polar=fast"},
        {"muon", "momentum=0 ball=frobenius"},
        {"muon", "momentum=0 ball=sign"},
        {"muon", "momentum=0 ball=rows"},
        {"muon", "momentum=0 ball=columns"},
        {"normuon", "momentum=0"},
        {"fismo", "momentum=0"},
    };
    static const double scales[] = {1e-7, 1e-14, 1e-20, 1e-38, 1e-41};
    ng_dtype dtype = (ng_dtype)(_i % 2);
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        world x[2];
        for (int k = 0; k < 2; k++) {
            test_rng rng = {13};
            open_world(&x[k], what[_i / 2][0], what[_i / 2][1], dtype);
            fill(x[k].w, 0, &rng);
            fill(x[k].dw, 1, &rng);
            for (size_t i = 0; i < ROWS && k == 1; i++)
                for (size_t j = 0; j < COLS; j++)
                    ng_mat_set(x[k].dw, i, j, scales[s] * ng_mat_get(x[k].dw, i, j));
            ck_assert_msg(ng_optimizer_step(x[k].opt) == NG_OK, "%s", ng_optimizer_error(x[k].opt));
        }
        double left = dtype == NG_F32 ? 0x1p-149 / scales[s] : 0; /* of the mantissas */
        ng_assert_mat(x[1].w, x[0].w, 1e-4 + 100 * left);
        close_world(&x[0]), close_world(&x[1]);
    }
}
END_TEST

TEST_SUITE(finite)
{
    TCase *tcase = tcase_create("finite");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, huge, 0, PRESETS);
    tcase_add_test(tcase, coupled);
    tcase_add_loop_test(tcase, small, 0, 2 * 9);
    tcase_add_test(tcase, written_state);
    tcase_add_test(tcase, illegal_state);
    tcase_add_test(tcase, sums);
    tcase_add_test(tcase, clipped_norms);
    tcase_add_test(tcase, averages);
    suite_add_tcase(suite, tcase);
}
