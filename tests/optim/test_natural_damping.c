/* The natural gradient's adaptive damping: Levenberg and Marquardt's rule, and
 * how it asks for losses. */
#include "tests/optim/natural_world.h"

enum { N = 12 };
static const size_t (*const shapes)[2] = crew_shapes[2];

static test_rng rng;

static void reseed(void)
{
    rng.state = 43;
}

static ng_natural_options lm(double lr, double damping, double factor)
{
    ng_natural_options o;
    ng_natural_init(&o);
    o.damping_mode = NG_DAMPING_MODE_LM;
    o.lr = lr;
    o.damping = damping;
    o.damping_factor = factor;
    return o;
}

static double damping_of(const crew *c)
{
    double damping = NAN;
    ng_assert_ok(ng_group_get(c->group, "damping", &damping), NULL);
    return damping;
}

/* ---- Levenberg-Marquardt ----------------------------------------------------------------- */

/* The loss w h w^T / 2 where h is the damped Fisher matrix: the model is the
 * loss, rho is 1 for every lr and under the trust region. */
START_TEST(exact_model)
{
    static const double lrs[] = {1, 0.3, 1.7};
    double damping = 0.8, rho = NAN;
    ng_mat h = crew_definite(N, &rng);
    ng_fisher *f = crew_fisher(crew_damped(h, -damping), NG_F64);
    ng_natural_options o = lm(lrs[_i % 3], damping, 0.5);
    crew c;
    o.kl_radius = _i / 3 ? 0.1 : 0;
    crew_open(&c, &o, NG_F64, shapes, f);
    crew_write(&c, c.w, dense_normal(1, N, &rng));
    ng_mat w = crew_weights(&c);
    double before = 0.5 * crew_form(w, h);
    crew_step(&c, dense_mul(w, 0, h, 0));
    double after = 0.5 * crew_form(crew_weights(&c), h);
    ng_assert_ok(ng_group_adapt_damping(c.group, &rho, before, after), NULL);
    ng_assert_rel(rho, 1, 1e-12);
    ck_assert(damping_of(&c) == damping * 0.5);
    crew_close(&c);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* Where the damping goes for the actual reduction rho * prediction. */
START_TEST(rule)
{
    static const struct {
        double rho, damping, then;
    } cases[] = {{0.8, 1, 0.5},    {0.7, 1, 1}, {0.3, 1, 1},      {0.2, 1, 2}, {-50, 1, 2},
                 {0.9, 0.3, 0.25}, {-1, 3, 4},  {0.5, 0.1, 0.25}, {0.5, 9, 4}, {1e9, 1, 0.5}};
    double predicted, rho;
    ng_mat h = crew_definite(N, &rng), g = dense_normal(1, N, &rng);
    ng_fisher *f = crew_fisher(h, NG_F64);
    ng_natural_options o = lm(0.5, cases[_i].damping, 0.5);
    crew c;
    o.damping_min = 0.25;
    o.damping_max = 4;
    crew_open(&c, &o, NG_F64, shapes, f);
    crew_step(&c, g);
    ng_mat inverse = dense_power(crew_damped(h, cases[_i].damping), -1);
    predicted = 0.5 * 0.75 * crew_form(g, inverse);
    ng_assert_ok(ng_group_adapt_damping(c.group, &rho, 100, 100 - cases[_i].rho * predicted), NULL);
    ng_assert_rel(rho, cases[_i].rho, 1e-9);
    ck_assert(damping_of(&c) == cases[_i].then);
    /* and the next step uses it */
    ng_mat w = crew_weights(&c);
    inverse = dense_power(crew_damped(h, cases[_i].then), -1);
    crew_step(&c, g);
    ng_assert_mat(crew_weights(&c), dense_add(1, w, -0.5, dense_mul(g, 0, inverse, 0)), 1e-12);
    crew_close(&c);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* A Fisher matrix of a twentieth of the curvature: steps overshoot until the
 * damping is right, and bad ones are taken back, to the bit. */
START_TEST(finds_its_damping)
{
    ng_mat h = crew_definite(N, &rng);
    ng_fisher *f = crew_fisher(dense_scale(0.05, h), NG_F64);
    ng_natural_options o = lm(1, 1e-3, 0.5);
    double start, loss, rho;
    int bad = 0;
    crew c;
    crew_open(&c, &o, NG_F64, shapes, f);
    crew_write(&c, c.w, dense_normal(1, N, &rng));
    start = loss = 0.5 * crew_form(crew_weights(&c), h);
    for (int k = 0; k < 300; k++) {
        ng_mat w = crew_weights(&c);
        double damping = damping_of(&c);
        crew_step(&c, dense_mul(w, 0, h, 0));
        double after = 0.5 * crew_form(crew_weights(&c), h);
        ng_assert_ok(ng_group_adapt_damping(c.group, &rho, loss, after), NULL);
        ck_assert_int_eq(damping_of(&c) > damping, rho < 0.25);
        ck_assert_int_eq(damping_of(&c) < damping, rho > 0.75);
        ck_assert_int_eq(test_same_bits(crew_weights(&c), w), after > loss);
        bad += after > loss;
        loss = fmin(loss, after);
    }
    ck_assert_int_ge(bad, 5);
    ng_assert_le(loss, 1e-8 * start);
    crew_close(&c);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* A step that promises nothing, or less than losses can show, moves no damping. */
START_TEST(nothing_promised)
{
    ng_fisher *f = crew_fisher(crew_definite(N, &rng), NG_F64);
    ng_natural_options o = lm(1, 0.5, 0.5);
    double rho = 0;
    crew c;
    crew_open(&c, &o, NG_F64, shapes, f);
    crew_step(&c, dense_mat(1, N));
    ng_assert_ok(ng_group_adapt_damping(c.group, &rho, 3, 3), NULL);
    ck_assert(rho == 1 && damping_of(&c) == 0.5);
    ng_mat g = dense_normal(1, N, &rng);
    crew_step(&c, dense_scale(1e-9, g));
    ng_assert_ok(ng_group_adapt_damping(c.group, NULL, 3, 3 + 1e-15), NULL);
    ck_assert(damping_of(&c) == 0.5);
    crew_close(&c);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* Losses are asked for: after every step, once, finite, under lm. */
START_TEST(losses)
{
    ng_fisher *f = crew_fisher(crew_definite(N, &rng), NG_F64);
    ng_natural_options o = lm(1, 0.5, 0.5), fixed;
    ng_natural_init(&fixed);
    double rho = 77;
    crew c, d;
    crew_open(&c, &o, NG_F64, shapes, f);
    ng_mat g = dense_normal(1, N, &rng);
    crew_refuse(&c, ng_group_adapt_damping(c.group, &rho, 1, 0), NG_ENODATA, "no step");
    crew_step(&c, g);
    ng_mat w = crew_weights(&c);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ENODATA, "losses");
    ck_assert(test_same_bits(w, crew_weights(&c)));
    crew_refuse(&c, ng_group_adapt_damping(c.group, &rho, NAN, 0), NG_ENONFINITE, "nan");
    crew_refuse(&c, ng_group_adapt_damping(c.group, &rho, 1, INFINITY), NG_ENONFINITE, "inf");
    ck_assert(damping_of(&c) == 0.5 && rho == 77);
    ng_assert_ok(ng_group_adapt_damping(c.group, &rho, 1, 2), NULL);
    crew_refuse(&c, ng_group_adapt_damping(c.group, &rho, 1, 0), NG_ENODATA, "no step");
    ck_assert(damping_of(&c) == 1);
    crew_step(&c, g);
    crew_refuse(&c, ng_group_set(c.group, "damping_mode", NG_DAMPING_MODE_FIXED), NG_EOPTION,
                "damping_mode");
    crew_open(&d, &fixed, NG_F64, shapes, f);
    crew_step(&d, g);
    crew_step(&d, g);
    crew_refuse(&d, ng_group_adapt_damping(d.group, NULL, 1, 0), NG_EUNSUPPORTED, "fixed");
    ck_assert_int_eq(ng_group_adapt_damping(NULL, NULL, 1, 0), NG_EARG);
    crew_close(&c), crew_close(&d);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

START_TEST(options)
{
    ng_error err;
    ng_natural_options o = lm(1, 0, 0.5);
    ng_assert_ok(ng_options_check(&o, &err), &err);
    o.momentum = 0.5;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "momentum");
    o = lm(2, 0, 0.5);
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "lr");
    o = lm(1, 0, 0.5);
    o.weight_decay = 1;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "weight_decay");
    o = lm(1, 0, 1);
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "damping_factor");
    o = lm(1, -1, 0.5);
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "damping");
    o = lm(1, 1, 0.5);
    o.damping_min = 2 * o.damping_max;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "damping_min");
    ck_assert_str_eq(ng_method_name(o.method), "natural");
    ck_assert_int_eq(ng_method_elementwise(o.method), 1);
}
END_TEST

TEST_SUITE(natural_damping)
{
    TCase *tcase = tcase_create("damping");
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, exact_model, 0, 6);
    tcase_add_loop_test(tcase, rule, 0, 10);
    tcase_add_test(tcase, finds_its_damping);
    tcase_add_test(tcase, nothing_promised);
    tcase_add_test(tcase, losses);
    tcase_add_test(tcase, options);
    suite_add_tcase(suite, tcase);
}
