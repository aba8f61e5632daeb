/* What the natural gradient refuses: then nothing has changed, bit for bit,
 * and the next step is the one that would have been. */
#include "lib/fisher/fisher.h"
#include "tests/optim/natural_world.h"

enum { N = 12 };
static const size_t (*const shapes)[2] = crew_shapes[2];

static test_rng rng;

static void reseed(void)
{
    rng.state = 43;
}

/* ---- What is refused ------------------------------------------------------------------------ */

/* Two groups in one optimizer, natural and steepest with scratch of its own, and a twin that
 * never suffers. */
typedef struct {
    crew c, twin;
    ng_fisher *f;
    ng_mat w, dw, twin_w; /* of steepest */
    ng_dtype dtype;
} pair;

static void open_one(crew *c, ng_fisher *f, ng_dtype dtype, ng_mat w, ng_mat dw)
{
    ng_natural_options o;
    ng_steepest_options beside;
    ng_group *group;
    ng_natural_init(&o);
    o.momentum = 0.5;
    ng_steepest_init(&beside);
    crew_open(c, &o, dtype, shapes, f);
    ng_assert_ok(ng_optimizer_add_group(c->opt, &group, &beside), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "other", w, dw), NULL);
}

static void open_pair(pair *p, ng_dtype dtype)
{
    p->dtype = dtype;
    p->f = crew_fisher(crew_definite(N, &rng), dtype);
    p->w = test_mat(2, 2, 1, dtype), p->dw = test_mat(2, 2, 0, dtype);
    p->twin_w = test_mat(2, 2, 0, dtype);
    open_one(&p->c, p->f, dtype, p->w, p->dw);
    open_one(&p->twin, p->f, dtype, p->twin_w, p->dw);
}

static void both_step(pair *p)
{
    ng_mat g = dense_normal(1, N, &rng);
    test_fill_normal(p->dw, &rng);
    crew_step(&p->c, g);
    crew_step(&p->twin, g);
    ck_assert_msg(test_same_bits(crew_weights(&p->c), crew_weights(&p->twin)) &&
                      test_same_bits(p->w, p->twin_w),
                  "a failed step left traces");
}

static ng_status failing_step(pair *p)
{
    ng_mat w = crew_weights(&p->c), other = test_copy(p->w);
    ng_status status = ng_optimizer_step(p->c.opt);
    ck_assert_int_ne(status, NG_OK);
    ck_assert(test_same_bits(w, crew_weights(&p->c)) && test_same_bits(other, p->w));
    test_free(other);
    return status;
}

static void close_pair(pair *p)
{
    both_step(p);
    both_step(p);
    crew_close(&p->c), crew_close(&p->twin);
    ng_fisher_destroy(p->f);
    test_free(p->w), test_free(p->dw), test_free(p->twin_w);
    dense_release();
}

/* NaN or infinity in any element of any gradient, this group's or the other's */
START_TEST(not_finite)
{
    pair p;
    open_pair(&p, (ng_dtype)(_i % 2));
    double bad = _i / 2 ? INFINITY : NAN;
    for (size_t k = 0; k < N; k++) {
        ng_mat g = dense_normal(1, N, &rng);
        both_step(&p);
        ng_mat_set(g, 0, k, bad);
        crew_write(&p.c, p.c.dw, g);
        const char *culprit = k < 6 ? "'first'" : k < 11 ? "'second'" : "'third'";
        crew_refuse(&p.c, failing_step(&p), NG_ENONFINITE, culprit);
    }
    crew_write(&p.c, p.c.dw, dense_normal(1, N, &rng));
    ng_mat_set(p.dw, 1, 1, bad);
    crew_refuse(&p.c, failing_step(&p), NG_ENONFINITE, "'other'");
    close_pair(&p);
}
END_TEST

/* A Fisher matrix that is absent, empty, singular, of another size or dtype. */
START_TEST(wrong_fisher)
{
    pair p;
    ng_fisher *f = NULL;
    ng_error err;
    ng_mat row = test_mat(1, N, 0, NG_F64);
    test_fill_normal(row, &rng);
    open_pair(&p, NG_F64);
    both_step(&p);
    ng_assert_ok(ng_group_set_fisher(p.c.group, NULL), NULL);
    crew_refuse(&p.c, failing_step(&p), NG_ENODATA, "no Fisher");
    ng_assert_ok(ng_fisher_create_dense(&f, N, NG_F64, NULL), NULL);
    ng_assert_ok(ng_group_set_fisher(p.c.group, f), NULL);
    crew_refuse(&p.c, failing_step(&p), NG_ENODATA, "accumulated");
    ng_assert_ok(ng_fisher_accumulate(f, row, ng_mat_none(), NULL, NULL), NULL);
    ng_assert_ok(ng_group_set(p.c.group, "damping", 0), NULL);
    crew_refuse(&p.c, failing_step(&p), NG_ESINGULAR, "'first'");
    /* NaN does not enter a Fisher matrix: it stays as it was */
    ng_mat_set(row, 0, 3, NAN);
    ng_assert_fails(ng_fisher_accumulate(f, row, ng_mat_none(), NULL, &err), NG_ENONFINITE, &err, "scores");
    crew_refuse(&p.c, failing_step(&p), NG_ESINGULAR, "'first'");
    ng_assert_ok(ng_group_set(p.c.group, "damping", 0.001), NULL);
    ng_fisher_destroy(f);
    ng_assert_ok(ng_fisher_create_diagonal(&f, N + 1, NG_F64, NULL), NULL);
    ng_assert_ok(ng_group_set_fisher(p.c.group, f), NULL);
    crew_refuse(&p.c, failing_step(&p), NG_ESHAPE, "13");
    ng_fisher_destroy(f);
    ng_assert_ok(ng_fisher_create_dense(&f, N, NG_F32, NULL), NULL);
    ng_assert_ok(ng_group_set_fisher(p.c.group, f), NULL);
    crew_refuse(&p.c, failing_step(&p), NG_EDTYPE, "'first'");
    ng_assert_ok(ng_group_set_fisher(p.c.group, p.f), NULL);
    ng_fisher_destroy(f);
    test_free(row);
    close_pair(&p);
}
END_TEST

/* A representation of the test's own, as any of a later day. */
static struct {
    ng_status status;
    double factor;
} answer;

static ng_status answer_solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                              ng_error *error)
{
    (void)f, (void)damping, (void)pool;
    ng_axpby(y, x, answer.factor, 0, NULL);
    return answer.status == NG_OK ? NG_OK : ng_error_set(error, answer.status, "slow today");
}

START_TEST(another_representation)
{
    static const struct {
        ng_status status;
        double factor;
        ng_status then;
        const char *culprit;
    } cases[] = {{NG_ENOCONV, 1, NG_ENOCONV, "slow today"},
                 {NG_OK, -1, NG_EINDEFINITE, "<D, g>"},
                 {NG_OK, 1e300, NG_ERANGE, "overflows"},
                 {NG_OK, NAN, NG_ERANGE, "overflows"}};
    ngi_fisher_table slots = {.name = "test", .solve = answer_solve};
    ng_fisher own = {.table = &slots, .n = N, .dtype = (ng_dtype)(_i % 2), .has_data = 1};
    pair p;
    open_pair(&p, own.dtype);
    both_step(&p);
    ng_assert_ok(ng_group_set_fisher(p.c.group, &own), NULL);
    if (cases[_i / 2].factor == 1e300 && own.dtype == NG_F64)
        ng_assert_ok(ng_group_set(p.c.group, "lr", 1e300), NULL);
    crew_write(&p.c, p.c.dw, dense_normal(1, N, &rng));
    answer.status = cases[_i / 2].status;
    answer.factor = cases[_i / 2].factor;
    crew_refuse(&p.c, failing_step(&p), cases[_i / 2].then, cases[_i / 2].culprit);
    slots.solve = NULL;
    crew_refuse(&p.c, ng_group_set_fisher(p.c.group, &own), NG_EUNSUPPORTED, "test");
    ng_assert_ok(ng_group_set_fisher(p.c.group, p.f), NULL);
    ng_assert_ok(ng_group_set(p.c.group, "lr", 1), NULL);
    close_pair(&p);
}
END_TEST

/* Numbers of which D is representable and <D, g> is not. */
START_TEST(squares_overflow)
{
    pair p;
    ng_mat g = dense_mat(1, N);
    open_pair(&p, NG_F64);
    ng_mat_set(g, 0, 4, 1e200);
    crew_write(&p.c, p.c.dw, g);
    crew_refuse(&p.c, failing_step(&p), NG_ERANGE, "<D, g>");
    close_pair(&p);
}
END_TEST

START_TEST(other_methods)
{
    ng_sgd_options o;
    ng_optimizer *opt;
    ng_group *group;
    ng_fisher *f;
    ng_sgd_init(&o);
    ng_assert_ok(ng_fisher_create_dense(&f, 1, NG_F64, NULL), NULL);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ck_assert_int_eq(ng_group_set_fisher(group, f), NG_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(opt), "sgd"));
    ck_assert_int_eq(ng_group_adapt_damping(group, NULL, 1, 0), NG_EUNSUPPORTED);
    ck_assert_int_eq(ng_group_set_fisher(NULL, f), NG_EARG);
    ng_optimizer_destroy(opt);
    ng_fisher_destroy(f);
}
END_TEST

/* A natural group without parameters does not stand in the way of another's. */
START_TEST(empty_group)
{
    ng_natural_options o;
    ng_sgd_options sgd;
    ng_optimizer *opt;
    ng_group *group, *other;
    double w = 3, dw = 1;
    ng_natural_init(&o);
    ng_sgd_init(&sgd);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &other, &sgd), NULL);
    ng_assert_ok(ng_group_add(other, NULL, "w", ng_f64(&w, 1, 1), ng_f64(&dw, 1, 1)), NULL);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ck_assert(w < 3);
    ck_assert_int_eq(ng_group_adapt_damping(group, NULL, 1, 0), NG_ENODATA);
    ng_optimizer_destroy(opt);
}
END_TEST

/* ---- Memory ------------------------------------------------------------------------------------
 */

/* the k-th allocation of the step fails, for k = 1, 2, ... until none does */
START_TEST(memory)
{
    for (long fail_at = 1;; fail_at++) {
        pair p;
        open_pair(&p, (ng_dtype)_i);
        crew_write(&p.c, p.c.dw, dense_normal(1, N, &rng));
        ng_mat w = crew_weights(&p.c);
        fault_once(FAULT_MEMORY, fail_at, FAIL);
        ng_status status = ng_optimizer_step(p.c.opt);
        fault_over();
        if (status == NG_OK) {
            ck_assert_int_ge(fail_at, 4); /* the workspace, and what the solve asks for */
            crew_write(&p.twin, p.twin.dw, dense_mat(1, N));
            for (size_t i = 0; i < p.c.count; i++)
                test_assign(p.twin.dw[i], p.c.dw[i]);
            ng_assert_ok(ng_optimizer_step(p.twin.opt), NULL);
            close_pair(&p);
            break;
        }
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert(test_same_bits(w, crew_weights(&p.c)));
        close_pair(&p);
    }
}
END_TEST

TEST_SUITE(natural_rules)
{
    TCase *tcase = tcase_create("rules");
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, not_finite, 0, 4);
    tcase_add_test(tcase, wrong_fisher);
    tcase_add_loop_test(tcase, another_representation, 0, 8);
    tcase_add_test(tcase, squares_overflow);
    tcase_add_test(tcase, other_methods);
    tcase_add_test(tcase, empty_group);
    tcase_add_loop_test(tcase, memory, 0, 2);
    suite_add_tcase(suite, tcase);
}
