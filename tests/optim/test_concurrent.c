/* Several optimizers at once, each in a thread of the host's: the bits of one that is alone. To be
 * run under ThreadSanitizer, too. */
#include "tests/optim/threads_world.h"

#include <sched.h>

#include "lib/core/try.h"

enum { STEPS = 12 };

/* ---- Steps ------------------------------------------------------------------------------------
 */

static _Thread_local int expected = 1; /* OpenBLAS's count as this thread must see it; helpers: 1 */
static atomic_int wrong, looks;

static fault_kind compare(fault_call call)
{
    if (call != ON_SYEVD)
        return SPARE;
    looks++;
    wrong += openblas_get_num_threads() != expected;
    sched_yield(); /* the other thread's turn, if it has one now */
    wrong += openblas_get_num_threads() != expected;
    return SPARE;
}

typedef struct {
    ng_optimizer *opt;
    int count;        /* OpenBLAS's, as its steps must see it */
    ng_group *layers; /* NULL: nothing is captured */
    ng_mat a, g;
} side;

static ng_status steps(void *data)
{
    side *s = data;
    expected = s->count;
    for (int i = 0; i < STEPS; i++) {
        if (s->layers != NULL) {
            TRY(ng_group_capture(s->layers, 0, s->a, s->g, 1));
            TRY(ng_group_capture(s->layers, 0, s->a, s->g, 2));
        }
        TRY(ng_optimizer_step(s->opt));
    }
    return NG_OK;
}

/* _i: threads of three optimizers. Each sees its own count in every eigenproblem. */
static const int threads[][3] = {{0, 0, 0}, {0, 2, 0}, {2, 0, 3}, {2, 3, 2}};

START_TEST(each_its_count)
{
    side s[3];
    world t[3], alone;
    openblas_set_num_threads(2);
    wrong = looks = 0;
    fault_hook = compare;
    for (int i = 0; i < 3; i++) {
        open_world(&t[i], threads[_i][i]);
        gradients(&t[i], 6);
        s[i] = (side){.opt = t[i].opt, .count = threads[_i][i] > 0 ? 1 : 2};
    }
    test_together(steps, s, sizeof *s, 3);
    fault_hook = note_threads;
    ck_assert_int_gt(looks, 0);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(openblas_get_num_threads(), 2);
    for (int i = 0; i < 3; i++) {
        openblas_set_num_threads(s[i].count);
        open_world(&alone, 0);
        gradients(&alone, 6);
        s[i].opt = alone.opt;
        ng_assert_ok(steps(&s[i]), NULL);
        assert_same(&alone, &t[i]);
        close_world(&t[i]), close_world(&alone);
    }
}
END_TEST

/* ---- Captures ---------------------------------------------------------------------------------
 */

enum { M = 7, N = 5, ROWS = 40 };

static side open_captures(test_run *run, const char *preset, ng_mat a, ng_mat g)
{
    test_rng rng = {73};
    test_run_open(run, preset, "inverse_interval=1", M, N, (test_setup){NG_F32, NG_OUT_IN, 1});
    test_fill_normal(run->dw, &rng);
    return (side){run->opt, 1, run->group, a, g};
}

/* beside steps over threads, of which captures keep clear */
START_TEST(captures)
{
    static const char *const presets[] = {"kfac", "ekfac"};
    test_rng rng = {74};
    ng_mat a = test_mat(ROWS, N, 0, NG_F32), g = test_mat(ROWS, M, 0, NG_F32);
    test_run run[2], alone;
    world t;
    test_fill_normal(a, &rng), test_fill_normal(g, &rng);
    open_world(&t, 2);
    gradients(&t, 8);
    side s[3] = {open_captures(&run[0], presets[_i], a, g),
                 {.opt = t.opt, .count = 1},
                 open_captures(&run[1], presets[_i], a, g)};
    side last = open_captures(&alone, presets[_i], a, g);
    test_together(steps, s, sizeof *s, 3);
    ng_assert_ok(steps(&last), NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert(test_same_bits(alone.w, run[i].w));
        test_run_close(&run[i]);
    }
    test_run_close(&alone), close_world(&t);
    test_free(a), test_free(g);
}
END_TEST

TEST_SUITE(concurrent)
{
    TCase *tcase = tcase_create("optimizers");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, reset, unhook);
    tcase_add_loop_test(tcase, each_its_count, 0, 4);
    tcase_add_loop_test(tcase, captures, 0, 2);
    suite_add_tcase(suite, tcase);
}
