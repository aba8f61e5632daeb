/* Injected failures: LAPACK routines that do not converge and allocations that fail. Whatever
 * fails, nothing has changed and the next step is the one that would have been. */
#include "tests/support/kfac.h"

/* ---- The subjects --------------------------------------------------------------------- */

static const struct {
    const char *preset, *settings;
} kinds[] = {{"sgd", ""},
             {"adamw", ""},
             {"muon", "polar=exact"},
             {"muon", ""},
             {"fismo", "polar=exact root=cholesky"},
             {"fismo", "root=cholesky"},
             {"fismo", "polar=exact root=symmetric"},
             {"fismo", ""},
             {"fismo", "polar=exact"},
             {"fismo_paper", ""},
             {"kfac", "inverse_interval=1"},
             {"kfac", "inverse_interval=1 damping_kind=exact_eigen"},
             {"kfac_muon", "inverse_interval=1 polar=fast"},
             {"kfac", "metric=type2 inverse_interval=1"},
             {"ekfac", "inverse_interval=1 eigenbasis=eigh"},
             {"ekfac", "inverse_interval=1 eigenbasis=qr"},
             {"shampoo", "inverse_interval=1"},
             {"shampoo", "inverse_interval=1 grafting=none ball=spectral polar=fast"},
             {"soap", "inverse_interval=1 eigenbasis=eigh"},
             {"soap", "inverse_interval=1 eigenbasis=qr ball=spectral"},
             {"normuon", "length=dual"},
             {"fismo", "ball=rows"},
             {"muon", "ball=columns row_normalisation=yes agreement=yes"},
             {"muon", "ball=sign"},
             {"kfac", "inverse_interval=1 damping_kind=diagonal"},
             {"fismo", "rank=2 refresh_p=1 refresh_q=1"},
             {"kfac", "rank=3 inverse_interval=1"}};
enum { KINDS = sizeof kinds / sizeof kinds[0], M = 4, N = 6 };

static int captures(int kind)
{
    return strstr(kinds[kind].preset, "kfac") != NULL;
}

typedef struct {
    test_run run, twin; /* the twin never suffers */
    test_rng rng;
} pair;

static void open_pair(pair *p, int kind, ng_dtype dtype)
{
    test_setup setup = {dtype, NG_OUT_IN, 2};
    test_rng rng = {81};
    p->rng = rng;
    test_run_open(&p->run, kinds[kind].preset, kinds[kind].settings, M, N, setup);
    test_run_open(&p->twin, kinds[kind].preset, kinds[kind].settings, M, N, setup);
}

static void close_pair(pair *p)
{
    test_run_close(&p->run);
    test_run_close(&p->twin);
    dense_release();
}

/* Statistics for both, where they are wanted; a failed step keeps them. */
static void both_capture(pair *p, int kind)
{
    kfac_batch batch = kfac_random(9, M, N, &p->rng);
    if (!captures(kind))
        return;
    ng_assert_ok(kfac_capture(&p->run, batch, 1), NULL);
    ng_assert_ok(kfac_capture(&p->twin, batch, 1), NULL);
}

static void both_step(pair *p, int kind, int count)
{
    for (int i = 0; i < count; i++) {
        both_capture(p, kind);
        ng_mat g = dense_normal(M, N, &p->rng);
        test_run_step(&p->run, g);
        test_run_step(&p->twin, g);
        ck_assert_msg(test_same_bits(p->run.w, p->twin.w), "a failed step left traces");
        dense_release();
    }
}

/* A step with the fault armed. If it fails nothing has changed. */
static ng_status faulty_step(pair *p, int kind, int what, int at, int onward)
{
    both_capture(p, kind);
    ng_mat before = test_copy(p->run.w);
    test_run_gradient(&p->run, dense_normal(M, N, &p->rng));
    (onward ? fault_from : fault_once)(what, at, FAIL);
    ng_status status = ng_optimizer_step(p->run.opt);
    fault_over();
    if (status != NG_OK) {
        ck_assert(test_same_bits(before, p->run.w));
        ck_assert_msg(what == FAULT_MEMORY || strstr(ng_optimizer_error(p->run.opt), "'w'") != NULL,
                      "%s", ng_optimizer_error(p->run.opt));
        ck_assert(ng_optimizer_error(p->run.opt)[0] != '\0');
    }
    test_free(before);
    return status;
}

/* ---- LAPACK ------------------------------------------------------------------------------ */

/* Cholesky belongs to every solver: the polar factor's last resort but the FAULT_SVD
 * needs nothing else. */
enum { EVERY = FAULT_EIGEN | FAULT_EIGEN_RETRY | FAULT_SVD | FAULT_SVD_RETRY | FAULT_CHOLESKY };

/* From the k-th call on every solver fails: NG_ENOCONV, or NG_ESINGULAR where a
 * Cholesky root is met first; Cholesky alone: NG_ESINGULAR. k grows until the
 * step needs fewer calls. */
START_TEST(lapack)
{
    static const int what[] = {EVERY, FAULT_CHOLESKY};
    static const ng_status expected[] = {NG_ENOCONV, NG_ESINGULAR};
    for (int i = 0; i < 4; i++)
        for (int at = 1, done = 0; !done; at++) {
            pair p;
            open_pair(&p, _i, (ng_dtype)(i % 2));
            both_step(&p, _i, 2);
            ng_status status = faulty_step(&p, _i, what[i / 2], at, 1);
            done = status == NG_OK;
            if (!done) {
                ck_assert_msg(status == expected[i / 2] || status == NG_ESINGULAR, "%s %s: %s",
                              kinds[_i].preset, kinds[_i].settings, ng_status_name(status));
                both_step(&p, _i, 3);
            }
            ck_assert_int_lt(at, 50);
            close_pair(&p);
        }
}
END_TEST

/* Whether the method used the routine at all, so that the loop above is known
 * to have seen failures where there is something to fail. */
START_TEST(lapack_is_reached)
{
    static const int used[KINDS] = {
        0, 0, 1, 0, 3, 3, 1, 0, 3, 1, 3, 0, 0,
        0, 0, 0, 0, 0, 0, 1, 0, 3, 0, 0, 3, 0, 3}; /* 1: any solver, 2: Cholesky */
    for (int i = 0; i < 4; i++) {
        pair p;
        open_pair(&p, _i, (ng_dtype)(i % 2));
        int what = i / 2 ? FAULT_CHOLESKY : EVERY;
        ck_assert_int_eq(faulty_step(&p, _i, what, 1, 1) != NG_OK, (used[_i] >> (i / 2)) & 1);
        close_pair(&p);
    }
}
END_TEST

/* One call fails: the next rung of the ladder gives the same step. */
START_TEST(ladders)
{
    static const int what[] = {FAULT_EIGEN, FAULT_SVD, FAULT_CHOLESKY};
    for (int i = 0; i < 6; i++)
        for (int at = 1; at < 6; at++) {
            pair p;
            open_pair(&p, _i, (ng_dtype)(i % 2));
            both_step(&p, _i, 2);
            ng_assert_ok(faulty_step(&p, _i, what[i / 2], at, 0), NULL);
            ng_assert_ok(ng_copy(p.twin.dw, p.run.dw, NULL), NULL);
            ng_assert_ok(ng_optimizer_step(p.twin.opt), NULL);
            /* Cholesky's first retry adds eps tr/n to the diagonal */
            ng_assert_mat(p.run.w, p.twin.w, i % 2 ? 1e-11 : 1e-4);
            close_pair(&p);
        }
}
END_TEST

static int note_stale(const ng_event *event, void *data)
{
    if (event->kind == NG_EVENT_PARAMETER)
        *(int *)data = event->stale;
    return 0;
}

/* Both eigen-solvers fail: the last good inverse serves once more, as if it had not been its
 * turn, and the event says so. */
START_TEST(stale)
{
    static const struct {
        const char *preset, *settings;
    } metrics[] = {{"kfac", "inverse_interval=1 damping_kind=exact_eigen"},
                   {"kfac", "metric=type2 inverse_interval=1"},
                   {"ekfac", "inverse_interval=1 eigenbasis=eigh"},
                   {"shampoo", "inverse_interval=1"},
                   {"soap", "inverse_interval=1 eigenbasis=eigh"}};
    for (int i = 0; i < 10; i++) {
        int kind = 0, seen = -1;
        pair p;
        while (strcmp(kinds[kind].preset, metrics[i / 2].preset) != 0 ||
               strcmp(kinds[kind].settings, metrics[i / 2].settings) != 0)
            kind++;
        open_pair(&p, kind, (ng_dtype)(i % 2));
        ng_assert_ok(ng_optimizer_add_monitor(p.run.opt, note_stale, &seen), NULL);
        both_step(&p, kind, 3);
        ck_assert_int_eq(seen, 0);
        ng_assert_ok(faulty_step(&p, kind, FAULT_EIGEN | FAULT_EIGEN_RETRY, 1, 1), NULL);
        ck_assert_int_eq(seen, 2);
        ng_assert_ok(ng_copy(p.twin.dw, p.run.dw, NULL), NULL);
        ng_assert_ok(ng_group_set(p.twin.group, "inverse_interval", 1000), NULL);
        ng_assert_ok(ng_optimizer_step(p.twin.opt), NULL);
        ck_assert(test_same_bits(p.run.w, p.twin.w));
        ng_assert_ok(ng_group_set(p.twin.group, "inverse_interval", 1), NULL);
        both_step(&p, kind, 2);
        close_pair(&p);
    }
}
END_TEST

/* ---- Memory ------------------------------------------------------------------------------- */

/* the k-th allocation of each call fails, for k = 1, 2, ... until none does */
START_TEST(memory_create)
{
    ng_optimizer *opt = NULL;
    int at = 0;
    ng_status status;
    do {
        fault_once(FAULT_MEMORY, ++at, FAIL);
        status = ng_optimizer_create(&opt, NULL);
        fault_over();
        ck_assert(status == NG_OK || (status == NG_ENOMEM && opt == NULL));
    } while (status != NG_OK);
    ck_assert_int_ge(at, 2);
    ng_optimizer_destroy(opt);
}
END_TEST

START_TEST(memory_groups)
{
    void *options = test_options(kinds[_i].preset, kinds[_i].settings);
    ng_optimizer *opt;
    ng_group *group = NULL;
    ng_mat w = test_mat(M, N, 0, NG_F32), dw = test_mat(M, N, 0, NG_F32);
    ng_mat bias = test_mat(1, M, 0, NG_F32), dbias = test_mat(1, M, 0, NG_F32);
    size_t index = 77, memory;
    ng_status status;
    int at;
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    for (at = 0, status = NG_ENOMEM; status != NG_OK;) {
        fault_once(FAULT_MEMORY, ++at, FAIL);
        status = ng_optimizer_add_group(opt, &group, options);
        fault_over();
        ck_assert(status == NG_OK || (status == NG_ENOMEM && group == NULL));
        ck_assert(status == NG_OK || ng_optimizer_error(opt)[0] != '\0');
    }
    ck_assert_int_ge(at, 3);
    for (at = 0, status = NG_ENOMEM; status != NG_OK;) {
        fault_once(FAULT_MEMORY, ++at, FAIL);
        status = ng_group_add(group, &index, "w", w, dw);
        fault_over();
        ck_assert(status == NG_OK || (status == NG_ENOMEM && index == 77));
    }
    ck_assert_int_ge(at, 4);
    ck_assert_uint_eq(index, 0);
    for (at = 0, status = NG_ENOMEM; status == NG_ENOMEM;) {
        fault_once(FAULT_MEMORY, ++at, FAIL);
        status = ng_group_add_bias(group, 0, bias, dbias);
        fault_over();
    }
    int layer = captures(_i);
    ck_assert_int_eq(status, layer ? NG_OK : NG_EUNSUPPORTED);
    ck_assert_int_ge(at, layer ? 9 : 1);
    memory = ng_optimizer_memory(opt);
    ck_assert_int_eq(ng_optimizer_step(opt), layer ? NG_ENODATA : NG_OK);
    ck_assert_uint_ge(ng_optimizer_memory(opt), memory);
    ng_optimizer_destroy(opt);
    free(options);
    test_free(w);
    test_free(dw);
    test_free(bias);
    test_free(dbias);
}
END_TEST

static int ignore(const ng_event *event, void *data)
{
    (void)event, (void)data;
    return 0;
}

START_TEST(memory_monitor)
{
    ng_optimizer *opt;
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_status status = ng_optimizer_add_monitor(opt, ignore, NULL);
    fault_over();
    ck_assert_int_eq(status, NG_ENOMEM);
    ng_assert_ok(ng_optimizer_add_monitor(opt, ignore, NULL), NULL);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ng_optimizer_destroy(opt);
}
END_TEST

START_TEST(memory_step)
{
    for (int warm = 0; warm < 2; warm++)
        for (int at = 1, done = 0; !done; at++) {
            pair p;
            open_pair(&p, _i, NG_F32);
            both_step(&p, _i, warm);
            ng_status status = faulty_step(&p, _i, FAULT_MEMORY, at, 0);
            ck_assert(status == NG_OK || status == NG_ENOMEM);
            done = status == NG_OK;
            if (!done)
                both_step(&p, _i, 3);
            else
                ck_assert_msg(warm == 0 || at == 1, "a later step allocates");
            close_pair(&p);
        }
}
END_TEST

TEST_SUITE(faults)
{
    TCase *tcase = tcase_create("faults");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, lapack, 0, KINDS);
    tcase_add_loop_test(tcase, lapack_is_reached, 0, KINDS);
    tcase_add_loop_test(tcase, ladders, 0, KINDS);
    tcase_add_test(tcase, stale);
    tcase_add_test(tcase, memory_create);
    tcase_add_loop_test(tcase, memory_groups, 0, KINDS);
    tcase_add_test(tcase, memory_monitor);
    tcase_add_loop_test(tcase, memory_step, 0, KINDS);
    suite_add_tcase(suite, tcase);
}
