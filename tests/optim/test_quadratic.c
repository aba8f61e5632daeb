/* rate = quadratic: the minimum of a quadratic model along the direction and the last step. On a
 * quadratic loss with F its Hessian and no damping that is the method of conjugate gradients. */
#include "tests/optim/quadratic_world.h"

#include <stdio.h>

enum { STEPS = 6 };

static test_rng rng;

static void reseed(void)
{
    rng.state = 91;
}

static ng_mat definite(size_t n)
{
    ng_mat b = dense_normal(n + 3, n, &rng);
    return dense_add(1, dense_mul(b, 1, b, 0), 1, dense_identity(n));
}

/* ---- On a quadratic loss -----------------------------------------------------------------------
 */

/* Gradient descent with rate = quadratic, its iterates those of conjugate gradients. */
START_TEST(conjugate_gradients)
{
    ng_dtype dtype = _i ? NG_F32 : NG_F64;
    ng_mat h = definite(PLAIN), w = dense_normal(1, PLAIN, &rng), p = dense_mat(1, PLAIN);
    ng_fisher *f = fisher_of(h, dtype);
    team t;
    double square = 0;
    team_open(&t, "muon", "ball=none nesterov=no momentum=0 lr=1 rate=quadratic model_damping=0",
              dtype);
    ng_assert_ok(ng_group_set_fisher(t.group, f), NULL);
    team_put(&t, t.w, w);
    for (int k = 0; k < STEPS; k++) {
        ng_mat g = dense_mul(w, 0, h, 0);
        double now = dense_dot(g, g);
        p = dense_add(-1, g, k > 0 ? now / square : 0, p);
        square = now;
        w = dense_add(1, w, now / dense_dot(p, dense_mul(p, 0, h, 0)), p);
        team_step(&t, dense_mul(team_get(&t, t.w), 0, h, 0), k);
        ng_assert_mat(team_get(&t, t.w), w, dtype == NG_F64 ? 1e-10 : 2e-3);
    }
    team_close(&t);
    ng_fisher_destroy(f);
}
END_TEST

/* K-FAC's direction, weights with a bias: behind a step the gradient has nothing along the step nor
 * along the one before, which span both directions. rho is 1 whatever the damping of the model. */
START_TEST(minimum)
{
    double damping = _i ? 0.7 : 0, rho = NAN;
    char settings[80];
    ng_mat h = definite(BIASED), last = dense_mat(1, BIASED);
    ng_fisher *f = fisher_of(h, NG_F64);
    team t;
    snprintf(settings, sizeof settings, "model_damping=%g trial_interval=0", damping);
    team_open(&t, "kfac_auto", settings, NG_F64);
    ng_assert_ok(ng_group_set_fisher(t.group, f), NULL);
    team_put(&t, t.w, dense_normal(1, BIASED, &rng));
    for (int k = 0; k < STEPS; k++) {
        ng_mat w = team_get(&t, t.w), g = dense_mul(w, 0, h, 0);
        double lambda = option(&t, "model_damping");
        team_step(&t, g, k);
        ng_mat after = team_get(&t, t.w), d = dense_add(1, after, -1, w);
        ng_mat slope = dense_add(1, dense_mul(after, 0, h, 0), lambda, d);
        double scale = sqrt(dense_dot(g, g));
        ck_assert(fabs(dense_dot(slope, d)) <= 1e-10 * scale * sqrt(dense_dot(d, d)));
        ck_assert(fabs(dense_dot(slope, last)) <= 1e-10 * scale * sqrt(dense_dot(last, last)));
        last = d;
        ng_assert_ok(ng_group_adapt_damping(t.group, &rho, 0.5 * dense_dot(w, g),
                                            0.5 * dense_dot(after, dense_mul(after, 0, h, 0))),
                     NULL);
        ng_assert_rel(rho, 1, 1e-8);
        ng_assert_rel(option(&t, "model_damping"), fmax(lambda * 0.95, 1e-8), 1e-14);
    }
    team_close(&t);
    ng_fisher_destroy(f);
}
END_TEST

/* Without a Fisher matrix: D as rate = fixed makes it, as far as its metric and lambda say. */
START_TEST(own_metric)
{
    ng_dtype dtype = _i ? NG_F32 : NG_F64;
    ng_mat g = dense_normal(1, BIASED, &rng);
    const char *const same = " damping=0.3 update_interval=1 inverse_interval=1 lr=1 momentum=0 ";
    char fixed[120], quadratic[120];
    team a, b;
    snprintf(fixed, sizeof fixed, "%skl_clip=0", same);
    snprintf(quadratic, sizeof quadratic, "%smodel_damping=0.4", same);
    team_open(&a, "kfac", fixed, dtype);
    team_open(&b, "kfac_auto", quadratic, dtype);
    for (int k = 0; k < 2; k++) {
        ng_mat before = team_get(&a, a.w), from = team_get(&b, b.w);
        team_step(&a, g, k);
        team_step(&b, g, k);
        ng_mat d = dense_add(1, before, -1, team_get(&a, a.w));
        double along = dense_dot(d, g), rate = along / (along + 0.4 * dense_dot(d, d));
        ng_assert_mat(team_get(&b, b.w), dense_add(1, from, -rate, d),
                      dtype == NG_F64 ? 1e-12 : 1e-5);
    }
    team_close(&a);
    team_close(&b);
}
END_TEST

/* ---- Dampings on trial ------------------------------------------------------------------------
 */

/* M of the step that took w there */
static double promise(ng_mat h, ng_mat g, ng_mat d, double lambda)
{
    return -dense_dot(g, d) - 0.5 * dense_dot(d, dense_mul(d, 0, h, 0)) -
           0.5 * lambda * dense_dot(d, d);
}

/* The step is, to the bit, the best of three optimizers with a damping each. */
START_TEST(trials)
{
    static const double starts[] = {1e-4, 0.05, 3, 300};
    double factor = pow(0.95, 4), gains[3], best = -INFINITY;
    ng_mat h = definite(BIASED), w = dense_normal(1, BIASED, &rng), g = dense_mul(w, 0, h, 0),
           to[3];
    ng_fisher *f = fisher_of(h, NG_F64);
    char settings[120];
    team t;
    int choice = 0;
    for (int i = 0; i < 3; i++) {
        double damping = starts[_i] * (i == 0 ? 1 : i == 1 ? 1 / factor : factor);
        snprintf(settings, sizeof settings, "trial_interval=0 damping=%.17g", damping);
        team_open(&t, "kfac_auto", settings, NG_F64);
        ng_assert_ok(ng_group_set_fisher(t.group, f), NULL);
        team_put(&t, t.w, w);
        team_step(&t, g, 0);
        to[i] = team_get(&t, t.w);
        gains[i] = promise(h, g, dense_add(1, to[i], -1, w), 1);
        if (gains[i] > best) {
            best = gains[i];
            choice = i;
        }
        team_close(&t);
    }
    snprintf(settings, sizeof settings, "trial_interval=4 inverse_interval=4 damping=%.17g",
             starts[_i]);
    team_open(&t, "kfac_auto", settings, NG_F64);
    ng_assert_ok(ng_group_set_fisher(t.group, f), NULL);
    team_put(&t, t.w, w);
    team_step(&t, g, 0);
    ng_assert_mat(team_get(&t, t.w), to[choice], 1e-15);
    ng_assert_rel(option(&t, "damping"),
                  starts[_i] * (choice == 0   ? 1
                                : choice == 1 ? 1 / factor
                                              : factor),
                  1e-14);
    team_step(&t, g, 1); /* no trial */
    ng_assert_rel(option(&t, "damping"),
                  starts[_i] * (choice == 0   ? 1
                                : choice == 1 ? 1 / factor
                                              : factor),
                  1e-14);
    team_close(&t);
    ng_fisher_destroy(f);
}
END_TEST

/* ---- Steps that never were
 * ------------------------------------------------------------------------ */

START_TEST(retraction)
{
    ng_dtype dtype = _i ? NG_F32 : NG_F64;
    double rho = NAN;
    ng_mat h = definite(BIASED), g = dense_normal(1, BIASED, &rng);
    ng_mat start = dense_normal(1, BIASED, &rng), other = dense_normal(1, BIASED, &rng);
    ng_fisher *f = fisher_of(h, dtype);
    team t;
    team_open(&t, "kfac_auto", "retract=yes trial_interval=0 inverse_interval=100", dtype);
    ng_assert_ok(ng_group_set_fisher(t.group, f), NULL);
    team_put(&t, t.w, start);
    start = team_get(&t, t.w);
    team_step(&t, g, 0);
    ng_assert_ok(ng_group_adapt_damping(t.group, &rho, 2, 1), NULL);
    ng_mat before = team_get(&t, t.w);
    double lambda = option(&t, "model_damping");
    team_step(&t, other, 1);
    ng_assert_ok(ng_group_adapt_damping(t.group, &rho, 1, 2), NULL);
    ck_assert(rho < 0);
    ng_assert_mat(team_get(&t, t.w), before, 0);
    ng_assert_rel(option(&t, "model_damping"), lambda / 0.95, 1e-14);
    /* the last step is 0 now: the coming one, with the first one's roots and gradient, is along
     * that */
    team_step(&t, g, 2);
    ng_mat d = dense_add(1, team_get(&t, t.w), -1, before), first = dense_add(1, before, -1, start);
    double cosine = dense_dot(d, first) / sqrt(dense_dot(d, d) * dense_dot(first, first));
    ng_assert_rel(cosine, 1, dtype == NG_F64 ? 1e-12 : 1e-5);
    team_close(&t);
    ng_fisher_destroy(f);
}
END_TEST

/* A product that works `left` times, then says NaN. */
static ng_status failing(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    int *left = data;
    ng_assert_ok(ng_copy(y, x, error), NULL);
    if ((*left)-- <= 0)
        ng_mat_set(y, 0, 0, NAN);
    return NG_OK;
}

/* In whichever of the trials a product fails: weights, dampings and what comes after are as if the
 * step had not been asked for. */
START_TEST(failed_trial)
{
    int left = _i, forever = 1 << 20;
    ng_mat g = dense_normal(1, BIASED, &rng), w = dense_normal(1, BIASED, &rng), after[2];
    const ng_fisher_product bad = {.mul = failing, .data = &left},
                            good = {.mul = failing, .data = &forever};
    ng_fisher *f[2];
    ng_assert_ok(ng_fisher_create_matrix_free(&f[0], BIASED, NG_F64, NULL, &bad, NULL), NULL);
    ng_assert_ok(ng_fisher_create_matrix_free(&f[1], BIASED, NG_F64, NULL, &good, NULL), NULL);
    for (int fails = 0; fails < 2; fails++) {
        team t;
        team_open(&t, "kfac_auto", "trial_interval=1 inverse_interval=1", NG_F64);
        team_put(&t, t.w, w);
        if (fails) {
            ng_assert_ok(ng_group_set_fisher(t.group, f[0]), NULL);
            team_put(&t, t.dw, g);
            team_capture(&t, 0);
            double damping = option(&t, "damping");
            ck_assert_int_eq(ng_optimizer_step(t.opt), NG_ENONFINITE);
            ng_assert_mat(team_get(&t, t.w), w, 0);
            ck_assert(option(&t, "damping") == damping);
            ng_assert_ok(ng_group_set_fisher(t.group, f[1]), NULL);
            ck_assert_msg(ng_optimizer_step(t.opt) == NG_OK, "%s", ng_optimizer_error(t.opt));
        } else {
            ng_assert_ok(ng_group_set_fisher(t.group, f[1]), NULL);
            team_step(&t, g, 0);
        }
        after[fails] = team_get(&t, t.w);
        team_close(&t);
    }
    ng_assert_mat(after[1], after[0], 0);
    ng_fisher_destroy(f[0]);
    ng_fisher_destroy(f[1]);
}
END_TEST

/* ---- What is refused
 * -------------------------------------------------------------------------------- */

START_TEST(refusals)
{
    ng_fisher *f;
    team t;
    test_options_refused("kfac_auto", "ball=spectral", "ball = none");
    test_options_refused("kfac_auto", "momentum=0.5", "momentum = 0");
    test_options_refused("kfac_auto", "weight_decay=0.1", "weight_decay = 0");
    test_options_refused("kfac_auto", "kl_clip=0.1", "kl_clip = 0");
    test_options_refused("kfac_auto", "damping_min=2 damping_max=1", "damping_min");
    test_options_refused("kfac_auto", "metric=identity", "trial_interval");
    team_open(&t, "kfac_auto", "", NG_F64);
    ng_assert_ok(ng_fisher_create_dense(&f, 12, NG_F64, NULL), NULL);
    ng_mat h = definite(12);
    ng_assert_ok(ng_fisher_set(f, h, 1, NULL), NULL);
    ng_assert_ok(ng_group_set_fisher(t.group, f), NULL);
    team_put(&t, t.dw, dense_normal(1, BIASED, &rng));
    team_capture(&t, 0);
    ck_assert_int_eq(ng_optimizer_step(t.opt), NG_ESHAPE);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(t.opt), "12"));
    ck_assert_int_eq(ng_group_freeze(t.group, 0, 1), NG_EUNSUPPORTED);
    team_close(&t);
    team_open(&t, "kfac", "", NG_F64);
    ck_assert_int_eq(ng_group_set_fisher(t.group, f), NG_EUNSUPPORTED);
    ck_assert_int_eq(ng_group_adapt_damping(t.group, NULL, 1, 1), NG_ENODATA);
    team_close(&t);
    ng_fisher_destroy(f);
}
END_TEST

/* A zero gradient is no step, first and later. */
START_TEST(nothing)
{
    ng_mat h = definite(BIASED), zero = dense_mat(1, BIASED), w = dense_normal(1, BIASED, &rng);
    ng_fisher *f = fisher_of(h, NG_F64);
    team t;
    team_open(&t, "kfac_auto", "", NG_F64);
    ng_assert_ok(ng_group_set_fisher(t.group, f), NULL);
    team_put(&t, t.w, w);
    for (int k = 0; k < 2; k++) {
        team_step(&t, zero, k);
        ng_assert_mat(team_get(&t, t.w), w, 0);
    }
    team_close(&t);
    ng_fisher_destroy(f);
}
END_TEST

TEST_SUITE(quadratic)
{
    TCase *c = tcase_create("rate");
    tcase_add_checked_fixture(c, reseed, dense_release);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, conjugate_gradients, 0, 2);
    tcase_add_loop_test(c, minimum, 0, 2);
    tcase_add_loop_test(c, own_metric, 0, 2);
    tcase_add_loop_test(c, trials, 0, 4);
    tcase_add_loop_test(c, retraction, 0, 2);
    tcase_add_loop_test(c, failed_trial, 0, 4);
    tcase_add_test(c, refusals);
    tcase_add_test(c, nothing);
    suite_add_tcase(suite, c);
}
