/* Wolff's chains against exact curvatures, and that threads do not change a bit. */
#include "tests/lab/wolff_world.h"

/* (R_MC - R)/sigma over 100 seeds: Student's t of 19 degrees of freedom has the
 * deviation 1.06; the mean of 100 then 0.11, and the rms about 0.08. */
START_TEST(calibration)
{
    enum { SEEDS = 100 };
    double mean = 0, square = 0;
    ng_wolff_options o = options_of(NG_LATTICE_ISING2D, 4, 8000);
    for (o.seed = 1; o.seed <= SEEDS; o.seed++) {
        ng_wolff_result r = run(&o);
        double z = (r.corrected - lattice_ising[4]) / r.sigma;
        mean += z / SEEDS;
        square += z * z / SEEDS;
    }
    ng_assert_le(fabs(mean), 0.55);
    ng_assert_le(0.75, sqrt(square));
    ng_assert_le(sqrt(square), 1.4);
}
END_TEST

/* Where sigma is a part in 200 a wrong average shows itself: 3-D too. The mean
 * of two seeds' t has the deviation 0.75; sigma's own is a sixth of it. The
 * exact numbers: lattice_world.h; 2^26 states. */
START_TEST(precise)
{
    static const struct {
        ng_lattice_model model;
        size_t length, samples;
        double curvature;
    } cases[] = {{NG_LATTICE_ISING2D, 4, 300000, -265.312142793519},
                 {NG_LATTICE_ISING2D, 5, 200000, -446.2377606735},
                 {NG_LATTICE_ISING3D, 3, 100000, -262.9051548176}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ng_wolff_options o = options_of(cases[i].model, cases[i].length, cases[i].samples);
        double mean = 0;
        for (o.seed = 1; o.seed <= 2; o.seed++) {
            ng_wolff_result r = run(&o);
            mean += (r.corrected - cases[i].curvature) / r.sigma / 2;
            ng_assert_le(r.sigma, 0.0145 * fabs(cases[i].curvature));
        }
        ng_assert_le(fabs(mean), 3);
    }
}
END_TEST

/* Off the critical point R is positive; <T> by the transfer matrix. */
START_TEST(hot)
{
    ng_wolff_options o = options_of(NG_LATTICE_ISING2D, 3, 100000);
    ng_cumulants exact;
    o.lattice.coupling = 0.2;
    o.flips = 6;
    ng_wolff_result r = run(&o);
    ng_assert_le(fabs(r.corrected - 8.0327), 4.5 * r.sigma); /* t of 19: 2e-4 */
    ng_assert_le(r.sigma, 1);
    ng_assert_ok(ng_lattice_transfer(&exact, &o.lattice, (size_t)1 << 24, &err), &err);
    ng_assert_le(fabs(r.mean - exact.mean), 0.003);
    ng_cumulants_destroy(&exact);
}
END_TEST

/* The same bits, however many threads. */
START_TEST(threads_change_nothing)
{
    ng_wolff_options o = options_of(NG_LATTICE_ISING2D, 4, 20000);
    ng_wolff_result one = run(&o), other;
    o.threads = 3;
    other = run(&o);
    assert_same(&one, &other);
    o.seed = 2;
    other = run(&o);
    ck_assert_double_ne(one.corrected, other.corrected);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------ */

START_TEST(refusals)
{
    ng_wolff_result r;
    const ng_wolff_options good = options_of(NG_LATTICE_ISING2D, 10, 200000);
    ng_wolff_options o = good;
    o.samples = 0;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "20 n^2 = 200000");
    o.samples = 199999;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "samples: 199999");
    o = good;
    o.flips = 0;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "flips: 0");
    o = good;
    o.chains = 19;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "chains: 19");
    o = good;
    o.threads = 0;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "threads: 0");
    o = good;
    o.lattice.coupling = -0.1;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "-0.1");
    o = good;
    o.lattice.length = 2;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EARG, &err, "L = 2");
    o = good;
    o.lattice.model = NG_LATTICE_POTTS3;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EUNSUPPORTED, &err, "potts3");
    o = good;
    o.memory = 1000;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_ENOMEM, &err, "the limit is 1000");
    o = good;
    o.interval = NAN;
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "interval");
    o.size = 3;
    ck_assert_uint_eq(ng_wolff_memory(&o), SIZE_MAX);
    ck_assert_uint_eq(ng_wolff_memory(NULL), SIZE_MAX);
    ck_assert_int_eq(ng_wolff_init_sized(&o, sizeof o + 8), NG_EOPTION);
    ck_assert_int_eq(ng_wolff_init(NULL), NG_EOPTION);
    ck_assert_uint_eq(o.size, 3);
    ng_assert_fails(ng_wolff_run(&r, &o, &err), NG_EOPTION, &err, "size: 3");
}
END_TEST

TEST_SUITE(montecarlo)
{
    TCase *tcase = tcase_create("montecarlo");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, calibration);
    tcase_add_test(tcase, precise);
    tcase_add_test(tcase, hot);
    tcase_add_test(tcase, threads_change_nothing);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
}
