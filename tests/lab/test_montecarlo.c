/* Wolff's chains against exact curvatures, and that neither threads nor stops
 * change a bit. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/lattice_world.h"

static ng_error err;

static ng_wolff_options options_of(ng_lattice_model model, size_t length, size_t samples)
{
    ng_wolff_options o;
    ng_wolff_options_init(&o);
    o.lattice = lattice_critical(model, length);
    o.samples = samples;
    return o;
}

static ng_wolff_result run(const ng_wolff_options *o)
{
    ng_wolff_result r;
    ng_assert_ok(ng_wolff(&r, o, &err), &err);
    ck_assert_double_eq(r.difference, r.plain - r.corrected);
    ck_assert_uint_ge(r.samples, o->samples);
    ck_assert_uint_lt(r.samples, o->samples + 32 * o->chains);
    ck_assert(r.tau_energy >= 0.5 && r.tau_mode >= 0.5 && r.sigma > 0);
    return r;
}

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
    ng_assert_ok(ng_transfer(&exact, &o.lattice, (size_t)1 << 24, &err), &err);
    ng_assert_le(fabs(r.mean - exact.mean), 0.003);
    ng_cumulants_destroy(&exact);
}
END_TEST

/* ---- The same bits ------------------------------------------------------------- */

static void assert_same(const ng_wolff_result *x, const ng_wolff_result *y)
{
    const double a[] = {x->plain, x->cross,      x->corrected, x->sigma,
                        x->mean,  x->tau_energy, x->tau_mode};
    const double b[] = {y->plain, y->cross,      y->corrected, y->sigma,
                        y->mean,  y->tau_energy, y->tau_mode};
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_uint_eq(x->samples, y->samples);
}

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

typedef struct {
    size_t stop, calls, last;
} watcher;

static int watch(void *data, size_t done, size_t total)
{
    watcher *w = data;
    ck_assert_uint_eq(total, 20480);
    ck_assert(w->calls == 0 || done > w->last);
    w->calls++;
    w->last = done;
    return done >= w->stop;
}

static char path[64];

static void scratch_path(void)
{
    snprintf(path, sizeof path, "wolff-%ld.checkpoint", (long)getpid());
    remove(path);
}

/* A run stopped after the first rounds leaves a checkpoint at `path`. */
static ng_wolff_options stopped(watcher *w)
{
    ng_wolff_options o = options_of(NG_LATTICE_ISING2D, 4, 20480);
    ng_wolff_result r = {.plain = 7};
    *w = (watcher){.stop = 6000};
    scratch_path();
    o.checkpoint = path;
    o.progress = watch;
    o.data = w;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_STOPPED, &err, "of 20480 samples");
    ck_assert(w->last >= 6000 && w->last < 20480);
    ck_assert_double_eq(r.plain, 7);
    return o;
}

START_TEST(resume_changes_nothing)
{
    watcher w;
    ng_wolff_options o = stopped(&w), plain = options_of(NG_LATTICE_ISING2D, 4, 20480);
    size_t before = w.last;
    w = (watcher){.stop = SIZE_MAX};
    ng_wolff_result whole = run(&plain), resumed = run(&o);
    ck_assert_int_eq(whole.resumed, 0);
    ck_assert_int_eq(resumed.resumed, 1);
    assert_same(&whole, &resumed);
    ck_assert_uint_eq(w.last, 20480);
    ck_assert_uint_lt(w.calls, 20480 / before + 2); /* it did not begin again */
    w = (watcher){.stop = SIZE_MAX};
    resumed = run(&o); /* done: one call, the result again */
    ck_assert_uint_eq(w.calls, 1);
    assert_same(&whole, &resumed);
    remove(path);
}
END_TEST

static int die(void *data, size_t done, size_t total)
{
    (void)total;
    if (done >= *(size_t *)data)
        raise(SIGKILL);
    return 0;
}

/* Killed in the second round, its file from the first: and what a kill while
 * writing leaves beside it does no harm. */
START_TEST(killed_run_resumes)
{
    size_t at = 10000;
    ng_wolff_options plain = options_of(NG_LATTICE_ISING2D, 4, 20480), o = plain;
    int how;
    scratch_path();
    o.checkpoint = path;
    o.interval = 0;
    o.progress = die;
    o.data = &at;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        ng_wolff_result r;
        _exit(ng_wolff(&r, &o, &err) == NG_OK);
    }
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    char part[80];
    snprintf(part, sizeof part, "%s.part", path);
    FILE *file = fopen(part, "wb");
    ck_assert_ptr_nonnull(file);
    fputs("half", file);
    fclose(file);
    watcher w = {.stop = SIZE_MAX};
    o.progress = watch;
    o.data = &w;
    ng_wolff_result whole = run(&plain), resumed = run(&o);
    ck_assert_int_eq(resumed.resumed, 1);
    ck_assert_uint_eq(w.calls, 4); /* at 5120, 10240, 15360, 20480 */
    assert_same(&whole, &resumed);
    ck_assert_ptr_null(fopen(part, "rb"));
    remove(path);
}
END_TEST

START_TEST(damaged_checkpoint)
{
    watcher w;
    ng_wolff_result r;
    ng_wolff_options o = stopped(&w), other = o;
    other.flips = 4;
    ng_assert_fails(ng_wolff(&r, &other, &err), NG_EFORMAT, &err, "options");
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, -4000, SEEK_END);
    int byte = fgetc(file);
    fseek(file, -4000, SEEK_END);
    fputc(byte ^ 1, file);
    fclose(file);
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EFORMAT, &err, "damaged");
    ck_assert_int_eq(truncate(path, 5000), 0);
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EFORMAT, &err, "truncated");
    remove(path);
    o.checkpoint = "no-such-directory/wolff";
    w = (watcher){.stop = 6000};
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EIO, &err, "no-such-directory");
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------ */

START_TEST(refusals)
{
    ng_wolff_result r;
    const ng_wolff_options good = options_of(NG_LATTICE_ISING2D, 10, 200000);
    ng_wolff_options o = good;
    o.samples = 0;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "20 n^2 = 200000");
    o.samples = 199999;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "samples: 199999");
    o = good;
    o.flips = 0;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "flips: 0");
    o = good;
    o.chains = 19;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "chains: 19");
    o = good;
    o.threads = 0;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "threads: 0");
    o = good;
    o.lattice.coupling = -0.1;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "-0.1");
    o = good;
    o.lattice.length = 2;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EARG, &err, "L = 2");
    o = good;
    o.lattice.model = NG_LATTICE_POTTS3;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EUNSUPPORTED, &err, "potts3");
    o = good;
    o.memory = 1000;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_ENOMEM, &err, "the limit is 1000");
    o = good;
    o.interval = NAN;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "interval");
    o.size = 3;
    ng_assert_fails(ng_wolff(&r, &o, &err), NG_EOPTION, &err, "size: 3");
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
    tcase_add_test(tcase, resume_changes_nothing);
    tcase_add_test(tcase, killed_run_resumes);
    tcase_add_test(tcase, damaged_checkpoint);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
}
