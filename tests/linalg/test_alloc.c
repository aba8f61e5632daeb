/* Memory: every allocation of the library fails once; a given workspace of
 * exactly the promised size is enough, one byte less is refused, and with it
 * nothing is allocated. */
#include "tests/linalg/common.h"

#include <stdint.h>

/* ---- The allocator -------------------------------------------------------------- */

static size_t seen, fail_at; /* allocations; the one to fail, from 1 */
static size_t freed;         /* blocks given back */

static fault_kind denied(fault_call call)
{
    if (call == ON_FREE)
        freed++;
    return FAULT_MEMORY >> call & 1 && ++seen == fail_at ? FAIL : SPARE;
}

/* ---- The calls -------------------------------------------------------------------- */

enum { N = 13 };

/* Everything any call needs; a is symmetric positive definite. */
typedef struct {
    ng_mat a, b, c, values, vectors;
} world;

static ng_status run_create(world *w, ng_work *work, ng_error *error)
{
    ng_work own;
    (void)w, (void)work;
    ng_status status = ng_work_create(&own, 1000, error);
    ng_work_destroy(&own);
    return status;
}

static ng_status run_eigh(world *w, ng_work *work, ng_error *error)
{
    return ng_eigh(w->values, w->vectors, NULL, w->a, work, error);
}

static ng_status run_svd(world *w, ng_work *work, ng_error *error)
{
    return ng_svd(w->b, w->values, w->vectors, NULL, w->a, work, error);
}

static ng_status run_power(world *w, ng_work *work, ng_error *error)
{
    return ng_spd_power(w->b, w->a, -0.5, 0, work, error);
}

static ng_status apply(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    return ng_symm(y, NG_RIGHT, *(ng_mat *)data, x, 1, 0, error);
}

static ng_status run_cg(world *w, ng_work *work, ng_error *error)
{
    ng_operator a = {apply, &w->a};
    ng_set_identity(w->c);
    return ng_cg(w->b, NULL, w->c, 1e-3, 1000, &a, &a, work, error);
}

static ng_status run_lanczos(world *w, ng_work *work, ng_error *error)
{
    ng_operator a = {apply, &w->a};
    return ng_lanczos(w->values, w->vectors, NULL, 1e-3, w->a.rows, &a, work, error);
}

/* The calls that take no workspace never allocate. */
static ng_status run_rest(world *w, ng_work *work, ng_error *error)
{
    double jitter;
    ng_status s[] = {
        ng_gemm(w->b, w->a, NG_TRANS, w->a, NG_NOTRANS, 1, 0, error),
        ng_syrk(w->b, w->a, NG_TRANS, 1, 0, error),
        ng_symm(w->b, NG_RIGHT, w->a, w->a, 1, 0, error),
        ng_axpby(w->b, w->a, 1, 2, error),
        ng_transpose(w->b, w->a, error),
        ng_copy(w->b, w->a, error),
        ng_cholesky(w->c, &jitter, w->a, error),
        ng_trsm(w->b, NG_LEFT, w->c, NG_TRANS, 1, error),
    };
    (void)work;
    ng_scale(w->b, ng_norm(w->a) + ng_dot(w->a, w->a) + ng_trace(w->a) + ng_max_abs(w->a));
    for (size_t i = 0; i < sizeof s / sizeof *s; i++)
        if (s[i] != NG_OK)
            return s[i];
    return NG_OK;
}

static size_t svd_work(size_t n, ng_dtype dtype)
{
    return ng_svd_work(n, n, dtype);
}

static size_t cg_work(size_t n, ng_dtype dtype)
{
    return ng_cg_work(n, n, dtype);
}

static size_t lanczos_work(size_t n, ng_dtype dtype)
{
    return ng_lanczos_work(n, n, n, dtype);
}

typedef struct {
    const char *name;
    int allocates; /* with work == NULL */
    size_t (*size)(size_t n, ng_dtype dtype);
    ng_status (*run)(world *w, ng_work *work, ng_error *error);
} entry;

static const entry entries[] = {
    {"ng_work_create", 1, NULL, run_create},
    {"ng_eigh", 1, ng_eigh_work, run_eigh},
    {"ng_svd", 1, svd_work, run_svd},
    {"ng_spd_power", 1, ng_spd_power_work, run_power},
    {"ng_cg", 1, cg_work, run_cg},
    {"ng_lanczos", 1, lanczos_work, run_lanczos},
    {"calls without a workspace", 0, NULL, run_rest},
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

/* _i = 2 * entry + dtype */
#define ENTRY (&entries[_i / 2])
#define DTYPE ((ng_dtype)(_i % 2))

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 8;
}

static void make_world(world *w, size_t n, ng_dtype dtype)
{
    ng_mat q = test_orthogonal(n, &rng);
    double values[130];
    for (size_t k = 0; k < n; k++)
        values[k] = 1 + (double)k;
    ng_mat exact = from_spectrum(q, values);
    w->a = padded(exact, dtype);
    w->b = test_mat(n, n, PAD, dtype);
    w->c = test_mat(n, n, PAD, dtype);
    w->values = test_mat(1, n, PAD, dtype);
    w->vectors = test_mat(n, n, PAD, dtype);
    test_free(q), test_free(exact);
}

static void free_world(world *w)
{
    test_free(w->a), test_free(w->b), test_free(w->c);
    test_free(w->values), test_free(w->vectors);
}

/* Armed for the call alone: assertions and test matrices allocate too. */
static ng_status run_armed(const entry *e, world *w, ng_work *work, size_t k, ng_error *error)
{
    seen = freed = 0;
    fail_at = k;
    fault_hook = denied;
    ng_status status = e->run(w, work, error);
    fault_over();
    return status;
}

START_TEST(every_allocation_fails_once)
{
    const entry *e = ENTRY;
    world w;
    make_world(&w, N, DTYPE);
    ng_mat a0 = test_copy(w.a);
    size_t k = 1;
    for (;; k++) {
        ng_error error = {NG_OK, ""};
        ng_status status = run_armed(e, &w, NULL, k, &error);
        ck_assert(test_same_bits(w.a, a0));
        if (status == NG_OK)
            break;
        ck_assert_msg(freed == seen - 1, "%s, allocation %zu: a leak", e->name, k);
        ck_assert_msg(status == NG_ENOMEM, "%s, allocation %zu: %s", e->name, k,
                      ng_status_name(status));
        ck_assert_int_eq(error.status, NG_ENOMEM);
        ck_assert_ptr_nonnull(strstr(error.text, "memory"));
        ck_assert_int_eq(run_armed(e, &w, NULL, k, NULL), NG_ENOMEM);
        ck_assert_uint_lt(k, 100);
    }
    ck_assert_msg(freed == seen, "%s leaks", e->name);
    ck_assert_msg(seen == k - 1, "%s swallowed a failure", e->name);
    ck_assert_msg(e->allocates ? k > 1 : k == 1, "%s makes %zu allocations", e->name, k - 1);
    test_free(a0), free_world(&w);
}
END_TEST

/* every size, also where another term of the workspace becomes the largest */
START_TEST(workspace_exact)
{
    static const size_t sizes[] = {1, 2, 7, 13, 64, 90, 130};
    const entry *e = ENTRY;
    for (size_t t = 0; e->size != NULL && t < sizeof sizes / sizeof *sizes; t++) {
        world w, fresh;
        size_t n = sizes[t], size = e->size(n, DTYPE);
        unsigned char *block = aligned_alloc(64, size + 64);
        ng_work work = ng_work_on(block, size + 64);
        ng_error error = {NG_OK, ""};
        void *mark;
        make_world(&w, n, DTYPE);
        fresh = w;
        ng_assert_ok(ng_work_bytes(&work, &mark, 64, &error), &error); /* of somebody else */
        memset(mark, 0x33, 64);
        ng_mat a0 = test_copy(w.a);
        ck_assert_msg(run_armed(e, &w, &work, 0, &error) == NG_OK, "%s, n %zu: %s", e->name, n,
                      error.text);
        ck_assert_msg(seen == 0, "%s allocates in spite of its workspace", e->name);
        ck_assert_uint_eq(work.used, 64);
        work.size--;
        ng_status status = run_armed(e, &w, &work, 0, &error);
        ck_assert_msg(status == NG_ENOMEM, "%s, n %zu, a byte less: %s", e->name, n,
                      ng_status_name(status));
        ck_assert_ptr_nonnull(strstr(error.text, "workspace"));
        ck_assert_uint_eq(work.used, 64);
        ck_assert_uint_eq(seen, 0);
        for (int i = 0; i < 64; i++)
            ck_assert_int_eq(block[i], 0x33);
        ck_assert(test_same_bits(w.a, a0));
        free(block), test_free(a0), free_world(&fresh);
    }
}
END_TEST

/* A block of the caller's that is not aligned needs 64 bytes more. */
START_TEST(workspace_unaligned)
{
    const entry *e = ENTRY;
    for (size_t shift = 1; e->size != NULL && shift < 64; shift += 9) {
        world w;
        size_t size = e->size(N, DTYPE) + 64;
        unsigned char *block = aligned_alloc(64, (size + shift + 63) / 64 * 64);
        ng_work work = ng_work_on(block + shift, size);
        ng_error error = {NG_OK, ""};
        make_world(&w, N, DTYPE);
        ng_assert_ok(run_armed(e, &w, &work, 0, &error), &error);
        ck_assert_uint_eq(work.used, 0);
        free(block), free_world(&w);
    }
}
END_TEST

/* Sizes that do not fit size_t must not wrap around to small ones. */
START_TEST(workspace_sizes_saturate)
{
    const entry *e = ENTRY;
    static const size_t huge[] = {SIZE_MAX,        SIZE_MAX / 2,    SIZE_MAX / 16,
                                  (size_t)1 << 61, (size_t)1 << 32, ((size_t)1 << 31) + 1};
    for (size_t k = 0; e->size != NULL && k < sizeof huge / sizeof *huge; k++)
        ck_assert_msg(e->size(huge[k], DTYPE) == SIZE_MAX, "%s, n %zu: %zu bytes", e->name, huge[k],
                      e->size(huge[k], DTYPE));
}
END_TEST

TEST_SUITE(alloc)
{
    TCase *tc = tcase_create("memory");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, 2 * N_ENTRIES);
    tcase_add_loop_test(tc, workspace_exact, 0, 2 * N_ENTRIES);
    tcase_add_loop_test(tc, workspace_unaligned, 0, 2 * N_ENTRIES);
    tcase_add_loop_test(tc, workspace_sizes_saturate, 0, 2 * N_ENTRIES);
    suite_add_tcase(suite, tc);
}
