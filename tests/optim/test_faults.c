/* Injected failures, through the linker's --wrap: LAPACK routines that do not
 * converge and allocations that fail. Whatever fails, nothing has changed and
 * the next step is the one that would have been. */
#include "tests/support/dense.h"
#include "tests/support/run.h"

/* ---- What fails, and when ---------------------------------------------------------- */

enum { EIGEN = 1, EIGEN_RETRY = 2, SVD = 4, SVD_RETRY = 8, CHOLESKY = 16, MEMORY = 32 };

static struct {
    int kinds;  /* which calls count */
    int at;     /* the call that fails, from 1; 0: none */
    int onward; /* and every later one */
    int calls;
} fault;

static void arm(int kinds, int at, int onward)
{
    fault.kinds = kinds;
    fault.at = at;
    fault.onward = onward;
    fault.calls = 0;
}

static int fails(int kind)
{
    if (!(fault.kinds & kind))
        return 0;
    fault.calls++;
    return fault.at > 0 && (fault.calls == fault.at || (fault.onward && fault.calls > fault.at));
}

/* a routine that fails leaves rubbish where its input was */
#define SPOIL(T, n) memset(a, 0xff, ((size_t)(*lda) * (size_t)((n)-1) + 1) * sizeof(T))

#define WRAP_LAPACK(T, potrf, syevd, syevr, gesdd, gesvd)                                          \
    void __real_##potrf(const char *, const int *, T *, const int *, int *, size_t);               \
    void __wrap_##potrf(const char *, const int *, T *, const int *, int *, size_t);               \
    void __wrap_##potrf(const char *u, const int *n, T *a, const int *lda, int *info, size_t l)    \
    {                                                                                              \
        if (!fails(CHOLESKY)) {                                                                    \
            __real_##potrf(u, n, a, lda, info, l);                                                 \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##syevd(const char *, const char *, const int *, T *, const int *, T *, T *,       \
                        const int *, int *, const int *, int *, size_t, size_t);                   \
    void __wrap_##syevd(const char *, const char *, const int *, T *, const int *, T *, T *,       \
                        const int *, int *, const int *, int *, size_t, size_t);                   \
    void __wrap_##syevd(const char *z, const char *u, const int *n, T *a, const int *lda, T *w,    \
                        T *work, const int *lwork, int *iwork, const int *liwork, int *info,       \
                        size_t l1, size_t l2)                                                      \
    {                                                                                              \
        if (!fails(EIGEN)) {                                                                       \
            __real_##syevd(z, u, n, a, lda, w, work, lwork, iwork, liwork, info, l1, l2);          \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##syevr(const char *, const char *, const char *, const int *, T *, const int *,   \
                        const T *, const T *, const int *, const int *, const T *, int *, T *,     \
                        T *, const int *, int *, T *, const int *, int *, const int *, int *,      \
                        size_t, size_t, size_t);                                                   \
    void __wrap_##syevr(const char *, const char *, const char *, const int *, T *, const int *,   \
                        const T *, const T *, const int *, const int *, const T *, int *, T *,     \
                        T *, const int *, int *, T *, const int *, int *, const int *, int *,      \
                        size_t, size_t, size_t);                                                   \
    void __wrap_##syevr(const char *j, const char *r, const char *u, const int *n, T *a,           \
                        const int *lda, const T *vl, const T *vu, const int *il, const int *iu,    \
                        const T *tol, int *m, T *w, T *z, const int *ldz, int *isuppz, T *work,    \
                        const int *lwork, int *iwork, const int *liwork, int *info, size_t l1,     \
                        size_t l2, size_t l3)                                                      \
    {                                                                                              \
        if (!fails(EIGEN_RETRY)) {                                                                 \
            __real_##syevr(j, r, u, n, a, lda, vl, vu, il, iu, tol, m, w, z, ldz, isuppz, work,    \
                           lwork, iwork, liwork, info, l1, l2, l3);                                \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##gesdd(const char *, const int *, const int *, T *, const int *, T *, T *,        \
                        const int *, T *, const int *, T *, const int *, int *, int *, size_t);    \
    void __wrap_##gesdd(const char *, const int *, const int *, T *, const int *, T *, T *,        \
                        const int *, T *, const int *, T *, const int *, int *, int *, size_t);    \
    void __wrap_##gesdd(const char *j, const int *m, const int *n, T *a, const int *lda, T *s,     \
                        T *u, const int *ldu, T *vt, const int *ldvt, T *work, const int *lwork,   \
                        int *iwork, int *info, size_t l)                                           \
    {                                                                                              \
        if (!fails(SVD)) {                                                                         \
            __real_##gesdd(j, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork, info, l);     \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##gesvd(const char *, const char *, const int *, const int *, T *, const int *,    \
                        T *, T *, const int *, T *, const int *, T *, const int *, int *, size_t,  \
                        size_t);                                                                   \
    void __wrap_##gesvd(const char *, const char *, const int *, const int *, T *, const int *,    \
                        T *, T *, const int *, T *, const int *, T *, const int *, int *, size_t,  \
                        size_t);                                                                   \
    void __wrap_##gesvd(const char *j, const char *k, const int *m, const int *n, T *a,            \
                        const int *lda, T *s, T *u, const int *ldu, T *vt, const int *ldvt,        \
                        T *work, const int *lwork, int *info, size_t l1, size_t l2)                \
    {                                                                                              \
        if (!fails(SVD_RETRY)) {                                                                   \
            __real_##gesvd(j, k, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, info, l1, l2);    \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }

WRAP_LAPACK(float, spotrf_, ssyevd_, ssyevr_, sgesdd_, sgesvd_)
WRAP_LAPACK(double, dpotrf_, dsyevd_, dsyevr_, dgesdd_, dgesvd_)

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_aligned_alloc(size_t, size_t);

void *__wrap_malloc(size_t size)
{
    return fails(MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(MEMORY) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(MEMORY) ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return fails(MEMORY) ? NULL : __real_aligned_alloc(align, size);
}

/* ---- The subjects --------------------------------------------------------------------- */

static const struct {
    const char *preset, *settings;
} kinds[] = {{"sgd", ""},
             {"adamw", ""},
             {"muon", ""},
             {"muon", "polar=fast"},
             {"fismo", ""},
             {"fismo", "polar=fast"},
             {"fismo", "root=symmetric"},
             {"fismo_paper", ""}};
enum { KINDS = sizeof kinds / sizeof kinds[0], M = 4, N = 6 };

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

static void both_step(pair *p, int count)
{
    for (int i = 0; i < count; i++) {
        ng_mat g = dense_normal(M, N, &p->rng);
        test_run_step(&p->run, g);
        test_run_step(&p->twin, g);
        ck_assert_msg(test_same_bits(p->run.w, p->twin.w), "a failed step left traces");
        dense_release();
    }
}

/* A step with the fault armed. If it fails nothing has changed. */
static ng_status faulty_step(pair *p, int what, int at, int onward)
{
    ng_mat before = test_copy(p->run.w);
    test_run_gradient(&p->run, dense_normal(M, N, &p->rng));
    arm(what, at, onward);
    ng_status status = ng_optimizer_step(p->run.opt);
    arm(0, 0, 0);
    if (status != NG_OK) {
        ck_assert(test_same_bits(before, p->run.w));
        ck_assert_msg(what == MEMORY || strstr(ng_optimizer_error(p->run.opt), "'w'") != NULL, "%s",
                      ng_optimizer_error(p->run.opt));
        ck_assert(ng_optimizer_error(p->run.opt)[0] != '\0');
    }
    test_free(before);
    return status;
}

/* ---- LAPACK ------------------------------------------------------------------------------ */

/* Cholesky belongs to every solver: the polar factor's last resort but the SVD
 * needs nothing else. */
enum { EVERY = EIGEN | EIGEN_RETRY | SVD | SVD_RETRY | CHOLESKY };

/* From the k-th call on every solver fails: NG_ENOCONV, or NG_ESINGULAR where a
 * Cholesky root is met first; Cholesky alone: NG_ESINGULAR. k grows until the
 * step needs fewer calls. */
START_TEST(lapack)
{
    static const int what[] = {EVERY, CHOLESKY};
    static const ng_status expected[] = {NG_ENOCONV, NG_ESINGULAR};
    for (int i = 0; i < 4; i++)
        for (int at = 1, done = 0; !done; at++) {
            pair p;
            open_pair(&p, _i, (ng_dtype)(i % 2));
            both_step(&p, 2);
            ng_status status = faulty_step(&p, what[i / 2], at, 1);
            done = status == NG_OK;
            if (!done) {
                ck_assert_msg(status == expected[i / 2] || status == NG_ESINGULAR, "%s %s: %s",
                              kinds[_i].preset, kinds[_i].settings, ng_status_name(status));
                both_step(&p, 3);
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
    static const int used[KINDS] = {0, 0, 1, 1, 3, 3, 1, 1}; /* 1: any solver, 2: Cholesky */
    for (int i = 0; i < 4; i++) {
        pair p;
        open_pair(&p, _i, (ng_dtype)(i % 2));
        int what = i / 2 ? CHOLESKY : EVERY;
        ck_assert_int_eq(faulty_step(&p, what, 1, 1) != NG_OK, (used[_i] >> (i / 2)) & 1);
        close_pair(&p);
    }
}
END_TEST

/* One call fails: the next rung of the ladder gives the same step. */
START_TEST(ladders)
{
    static const int what[] = {EIGEN, SVD, CHOLESKY};
    for (int i = 0; i < 6; i++)
        for (int at = 1; at < 6; at++) {
            pair p;
            open_pair(&p, _i, (ng_dtype)(i % 2));
            both_step(&p, 2);
            ng_assert_ok(faulty_step(&p, what[i / 2], at, 0), NULL);
            ng_assert_ok(ng_copy(p.twin.dw, p.run.dw, NULL), NULL);
            ng_assert_ok(ng_optimizer_step(p.twin.opt), NULL);
            /* Cholesky's first retry adds eps tr/n to the diagonal */
            ng_assert_mat(p.run.w, p.twin.w, i % 2 ? 1e-11 : 1e-4);
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
        arm(MEMORY, ++at, 0);
        status = ng_optimizer_create(&opt, NULL);
        arm(0, 0, 0);
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
    size_t index = 77, memory;
    ng_status status;
    int at = 0;
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    do {
        arm(MEMORY, ++at, 0);
        status = ng_optimizer_add_group(opt, &group, options);
        arm(0, 0, 0);
        ck_assert(status == NG_OK || (status == NG_ENOMEM && group == NULL));
        ck_assert(status == NG_OK || ng_optimizer_error(opt)[0] != '\0');
    } while (status != NG_OK);
    ck_assert_int_ge(at, 3);
    at = 0;
    do {
        arm(MEMORY, ++at, 0);
        status = ng_group_add(group, &index, "w", w, dw);
        arm(0, 0, 0);
        ck_assert(status == NG_OK || (status == NG_ENOMEM && index == 77));
    } while (status != NG_OK);
    ck_assert_int_ge(at, 4);
    ck_assert_uint_eq(index, 0);
    memory = ng_optimizer_memory(opt);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ck_assert_uint_ge(ng_optimizer_memory(opt), memory);
    ng_optimizer_destroy(opt);
    free(options);
    test_free(w);
    test_free(dw);
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
    arm(MEMORY, 1, 0);
    ng_status status = ng_optimizer_add_monitor(opt, ignore, NULL);
    arm(0, 0, 0);
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
            both_step(&p, warm);
            ng_status status = faulty_step(&p, MEMORY, at, 0);
            ck_assert(status == NG_OK || status == NG_ENOMEM);
            done = status == NG_OK;
            if (!done)
                both_step(&p, 3);
            else
                ck_assert_msg(warm == 0 || at == 1, "a later step allocates");
            close_pair(&p);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("injected failures");
    TCase *tcase = tcase_create("faults");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, lapack, 0, KINDS);
    tcase_add_loop_test(tcase, lapack_is_reached, 0, KINDS);
    tcase_add_loop_test(tcase, ladders, 0, KINDS);
    tcase_add_test(tcase, memory_create);
    tcase_add_loop_test(tcase, memory_groups, 0, KINDS);
    tcase_add_test(tcase, memory_monitor);
    tcase_add_loop_test(tcase, memory_step, 0, KINDS);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
