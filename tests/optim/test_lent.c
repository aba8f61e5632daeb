/* atomic = parameter: spare copies that a thread lends to one parameter after the other. The bits
 * of all-or-nothing steps; what numbers fail leaves one parameter alone, what can be known before
 * leaves all. */
#define _POSIX_C_SOURCE 200809L
#include "tests/optim/kinds_world.h"

#include <unistd.h>

/* ---- Bits ------------------------------------------------------------------------------------ */

static void assert_same(const world *x, const world *y)
{
    for (size_t p = 0; p < x->count; p++)
        ck_assert_msg(world_same(x, y, p), "parameter %zu differs", p);
    for (size_t e = 0; e <= x->count; e++)
        ck_assert_msg(memcmp(&x->notes[e], &y->notes[e], sizeof(note)) == 0, "event %zu differs",
                      e);
}

static char *saved(world *x, const char *path, long *size)
{
    ck_assert_msg(ng_optimizer_save(x->opt, path, NULL) == NG_OK, "%s", ng_optimizer_error(x->opt));
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    fseek(f, 0, SEEK_END);
    *size = ftell(f);
    rewind(f);
    char *bytes = malloc((size_t)*size);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)*size, f), (size_t)*size);
    fclose(f);
    return bytes;
}

/* The same file from both, and each goes on from it. */
static void exchange(world *x, world *y)
{
    long sizes[2];
    char path[] = "/tmp/lent-XXXXXX";
    close(mkstemp(path));
    char *a = saved(x, path, &sizes[0]), *b = saved(y, path, &sizes[1]);
    ck_assert_int_eq(sizes[0], sizes[1]);
    ck_assert_int_eq(memcmp(a, b, (size_t)sizes[0]), 0);
    ng_assert_ok(ng_optimizer_load(x->opt, path, NULL), NULL);
    ng_assert_ok(ng_optimizer_load(y->opt, path, NULL), NULL);
    unlink(path);
    free(a), free(b);
}

START_TEST(same_bits)
{
    static const int threads[] = {0, 2, 3};
    world all, one;
    ng_dtype dtype = (ng_dtype)(_i % 2);
    world_open(&all, 0, KINDS, dtype, 0, NG_ATOMIC_STEP);
    world_open(&one, 0, KINDS, dtype, threads[_i / 2], NG_ATOMIC_PARAMETER);
    for (unsigned step = 1; step <= 7; step++) {
        world_step(&all, step);
        world_step(&one, step);
        assert_same(&all, &one);
        if (step == 4)
            exchange(&all, &one);
    }
    world_close(&all), world_close(&one);
}
END_TEST

/* ---- What fails before -------------------------------------------------------------------------
 */

/* Everything there is of an optimizer. */
typedef struct {
    size_t count;
    ng_mat *at, *was;
} snapshot;

static void keep(snapshot *s, ng_mat m)
{
    s->at = realloc(s->at, (s->count + 1) * sizeof *s->at);
    s->was = realloc(s->was, (s->count + 1) * sizeof *s->was);
    s->at[s->count] = m;
    s->was[s->count++] = test_copy(m);
}

/* of parameter p, or with p = count of all */
static snapshot take(const world *x, size_t p)
{
    snapshot s = {0, NULL, NULL};
    const char *parameter, *name;
    ng_mat view;
    for (size_t i = 0; ng_optimizer_tensor(x->opt, &parameter, &name, &view, i) == NG_OK; i++)
        if (strstr(name, "pending") == NULL && (p == x->count || atol(parameter + 5) == (long)p))
            keep(&s, view);
    for (size_t i = 0; i < x->count; i++)
        if (p == x->count || p == i) {
            keep(&s, x->w[i]);
            if (x->b[i].data != NULL)
                keep(&s, x->b[i]);
        }
    return s;
}

/* Frees it: has nothing changed since? */
static int unchanged(snapshot *s)
{
    int same = 1;
    for (size_t i = 0; i < s->count; i++) {
        same = same && test_same_bits(s->at[i], s->was[i]);
        test_free(s->was[i]);
    }
    free(s->at), free(s->was);
    return same;
}

/* A gradient that is not finite and a missing capture change nothing, whoever's. */
START_TEST(known_before)
{
    world x;
    world_open(&x, 0, KINDS, (ng_dtype)_i, 0, NG_ATOMIC_PARAMETER);
    world_step(&x, 1);
    world_feed(&x, 2);
    snapshot before = take(&x, x.count);
    for (size_t p = 0; p < x.count; p++) {
        ng_mat g = p % 4 == 3 && x.db[p].data != NULL ? x.db[p] : x.dw[p];
        double was = ng_mat_get(g, 0, g.cols - 1);
        ng_mat_set(g, 0, g.cols - 1, p % 2 ? NAN : -INFINITY);
        ck_assert_int_eq(ng_optimizer_step(x.opt), NG_ENONFINITE);
        ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), x.notes[p].name));
        ng_mat_set(g, 0, g.cols - 1, was);
    }
    ck_assert(unchanged(&before));
    ck_assert_uint_eq(ng_optimizer_steps(x.opt), 1);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    world_close(&x);
}
END_TEST

START_TEST(missing_capture)
{
    world x;
    world_open(&x, 9, 13, (ng_dtype)_i, 2, NG_ATOMIC_PARAMETER);
    world_feed(&x, 1);
    ng_optimizer_drop(x.opt);
    snapshot before = take(&x, x.count);
    ck_assert_int_eq(ng_optimizer_step(x.opt), NG_ENODATA);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "'layer005'"));
    ck_assert(unchanged(&before));
    world_close(&x);
}
END_TEST

/* Whatever allocation fails, nothing has changed. */
START_TEST(no_memory)
{
    for (long at = 1, calls = at; calls >= at - 1; at++) {
        world x, twin;
        world_open(&x, (size_t)_i, (size_t)_i + 1, NG_F32, 0, NG_ATOMIC_PARAMETER);
        world_open(&twin, (size_t)_i, (size_t)_i + 1, NG_F32, 0, NG_ATOMIC_STEP);
        world_feed(&x, 1);
        snapshot before = take(&x, x.count);
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_optimizer_step(x.opt);
        calls = fault_over();
        ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
        ck_assert(unchanged(&before) == (calls >= at));
        if (calls >= at)
            ng_assert_ok(ng_optimizer_step(x.opt), NULL);
        world_step(&twin, 1);
        for (size_t p = 0; p < x.count; p++)
            ck_assert(world_same(&x, &twin, p));
        world_close(&x), world_close(&twin);
    }
}
END_TEST

/* ---- What numbers fail
 * --------------------------------------------------------------------------- */

enum { EVERY = FAULT_EIGEN | FAULT_EIGEN_RETRY | FAULT_SVD | FAULT_SVD_RETRY | FAULT_CHOLESKY };

/* After a step of x with failures: each parameter is as before or as its twin's; the step says so.
 * How many were left alone. */
static size_t judge(world *x, const world *twin, snapshot *before, ng_status status)
{
    size_t left = 0;
    char named[32];
    for (size_t p = 0; p < x->count; p++) {
        ng_status own = x->notes[p].status;
        int same = unchanged(&before[p]);
        if (own == NG_OK) {
            ck_assert_msg(world_same(x, twin, p), "parameter %zu is not its twin's", p);
            continue;
        }
        ck_assert_msg(same, "parameter %zu failed and changed", p);
        ck_assert(x->notes[p].update_norm == 0);
        sprintf(named, "'%s'", x->notes[p].name);
        if (left++ == 0) {
            ck_assert_int_eq(own, status);
            ck_assert_int_eq(x->notes[x->count].status, status);
            ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x->opt), named));
        }
    }
    ck_assert_int_eq(left == 0, status == NG_OK);
    return left;
}

/* From the k-th call of a solver on all fail. */
static int suffer(size_t kind, ng_dtype dtype, long at, size_t *left)
{
    world x, twin;
    snapshot before[SHAPES];
    world_open(&x, kind, kind + 1, dtype, 0, NG_ATOMIC_PARAMETER);
    world_open(&twin, kind, kind + 1, dtype, 0, NG_ATOMIC_STEP);
    world_step(&x, 1);
    world_step(&twin, 1);
    world_feed(&x, 2);
    for (size_t p = 0; p < SHAPES; p++)
        before[p] = take(&x, p);
    fault_from(EVERY, at, FAIL);
    ng_status status = ng_optimizer_step(x.opt);
    long calls = fault_over();
    world_step(&twin, 2);
    *left = judge(&x, &twin, before, status);
    ck_assert_uint_eq(ng_optimizer_steps(x.opt), 2);
    world_close(&x), world_close(&twin);
    return calls >= at;
}

/* Kinds whose failures are failures: elsewhere other solvers, or roots of an earlier step, serve.
 */
START_TEST(solvers)
{
    static const size_t failing[] = {2, 6, 14};
    size_t kind = failing[_i % 3], most = 0, left = 0;
    for (long at = 1; suffer(kind, (ng_dtype)(_i / 3), at, &left); at++)
        most = left > most ? left : most;
    ck_assert_uint_eq(most, SHAPES);
}
END_TEST

/* A gradient whose squares overflow, of one parameter in the middle. */
START_TEST(overflow)
{
    static const size_t overflowing[] = {16, 17, 18};
    size_t kind = overflowing[_i % 3];
    ng_dtype dtype = (ng_dtype)(_i / 3 % 2);
    world x, twin;
    snapshot before[SHAPES];
    world_open(&x, kind, kind + 1, dtype, _i / 6 ? 2 : 0, NG_ATOMIC_PARAMETER);
    world_open(&twin, kind, kind + 1, dtype, 0, NG_ATOMIC_STEP);
    world_step(&x, 1), world_step(&twin, 1);
    world_feed(&x, 2);
    ng_mat_set(x.dw[3], 2, 2, dtype == NG_F32 ? 1e30 : 1e200);
    for (size_t p = 0; p < SHAPES; p++)
        before[p] = take(&x, p);
    ng_status status = ng_optimizer_step(x.opt);
    ck_assert_int_eq(status, NG_ERANGE);
    world_step(&twin, 2);
    ck_assert_uint_eq(judge(&x, &twin, before, status), 1);
    ck_assert_int_eq(x.notes[3].status, NG_ERANGE);
    world_step(&x, 3), world_step(&twin, 3); /* the others go on as if nothing had been */
    for (size_t p = 0; p < SHAPES; p++)
        ck_assert_int_eq(world_same(&x, &twin, p), p != 3);
    world_close(&x), world_close(&twin);
}
END_TEST

/* What a parameter that was left alone had captured is gone with the step. */
START_TEST(captures_are_gone)
{
    world x;
    world_open(&x, 14, 15, (ng_dtype)_i, 0, NG_ATOMIC_PARAMETER);
    world_feed(&x, 1);
    fault_from(EVERY, 1, FAIL);
    ng_status status = ng_optimizer_step(x.opt);
    fault_over();
    ck_assert(status == NG_ESINGULAR || status == NG_ENOCONV);
    ck_assert_int_eq(ng_optimizer_step(x.opt), NG_ENODATA);
    world_close(&x);
}
END_TEST

/* ---- Refusals
 * --------------------------------------------------------------------------------------- */

START_TEST(joint)
{
    ng_optimizer *opt;
    ng_group *group;
    ng_optimizer_options options;
    ng_natural_options natural;
    void *kfac = test_options("kfac", "kl_clip=0.1");
    ng_natural_init(&natural);
    ng_optimizer_init(&options);
    ck_assert_int_eq(options.atomic, NG_ATOMIC_STEP);
    options.atomic = (ng_atomic)2;
    ck_assert_int_eq(ng_optimizer_create(&opt, &options), NG_EOPTION);
    options.atomic = NG_ATOMIC_PARAMETER;
    ng_assert_ok(ng_optimizer_create(&opt, &options), NULL);
    ck_assert_int_eq(ng_optimizer_add_group(opt, &group, &natural), NG_EOPTION);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(opt), "natural"));
    ck_assert_int_eq(ng_optimizer_add_group(opt, &group, kfac), NG_EOPTION);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(opt), "kl_clip"));
    ck_assert_ptr_null(group);
    ng_assert_ok(ng_options_set(kfac, "kl_clip", 0, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, kfac), NULL);
    double value = 1;
    ck_assert_int_eq(ng_group_set(group, "kl_clip", 0.1), NG_EOPTION);
    ng_assert_ok(ng_group_get(group, "kl_clip", &value), NULL);
    ck_assert(value == 0);
    ng_optimizer_destroy(opt);
    free(kfac);
}
END_TEST

/* Nor do such options come by a file, unless they are not taken. */
START_TEST(joint_file)
{
    world x, y;
    ng_checkpoint_options options;
    char path[] = "/tmp/lent-XXXXXX";
    close(mkstemp(path));
    ng_checkpoint_init(&options);
    world_open(&x, 10, 11, (ng_dtype)_i, 0, NG_ATOMIC_STEP);
    world_open(&y, 10, 11, (ng_dtype)_i, 0, NG_ATOMIC_PARAMETER);
    ng_assert_ok(ng_group_set(x.group[0], "kl_clip", 0.1), NULL);
    ng_assert_ok(ng_optimizer_save(x.opt, path, NULL), NULL);
    ck_assert_int_eq(ng_optimizer_load(y.opt, path, &options), NG_EOPTION);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(y.opt), "kl_clip"));
    options.keep_options = 1;
    ng_assert_ok(ng_optimizer_load(y.opt, path, &options), NULL);
    unlink(path);
    world_close(&x), world_close(&y);
}
END_TEST

TEST_SUITE(lent)
{
    TCase *tcase = tcase_create("parameter");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, same_bits, 0, 6);
    tcase_add_loop_test(tcase, known_before, 0, 2);
    tcase_add_loop_test(tcase, missing_capture, 0, 2);
    tcase_add_loop_test(tcase, no_memory, 0, KINDS);
    tcase_add_loop_test(tcase, solvers, 0, 6);
    tcase_add_loop_test(tcase, overflow, 0, 12);
    tcase_add_loop_test(tcase, captures_are_gone, 0, 2);
    tcase_add_test(tcase, joint);
    tcase_add_loop_test(tcase, joint_file, 0, 2);
    suite_add_tcase(suite, tcase);
}
