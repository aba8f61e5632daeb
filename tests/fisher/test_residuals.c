/* Rows of residual derivatives: every way to solve with them against dense
 * algebra, over shapes, weights and damping, and what is refused. */
#include <natgrad.h>

#include "tests/support/dense.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 97;
}

/* m residuals of n weights in up to three classes */
static const size_t shapes[][2] = {{1, 1}, {1, 7}, {7, 1}, {5, 5}, {6, 19}, {23, 8}, {40, 41}};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static const double dampings[] = {1e-2, 1, 100};
static const double class_weights[] = {0.25, 9, 1};

typedef struct {
    size_t m, n;
    ng_mat j, r, c; /* the same as doubles: m x n, 1 x m, diag of the weights */
    ng_residuals *res;
} problem;

static ng_status product_times(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    const problem *p = data;
    (void)error;
    test_assign(y, dense_mul(x, 0, p->j, 1));
    return NG_OK;
}

static ng_status product_transposed(void *data, ng_mat x, ng_mat y, ng_error *error)
{
    const problem *p = data;
    (void)error;
    test_assign(x, dense_mul(y, 0, p->j, 0));
    return NG_OK;
}

/* Rows or products; the classes as even as m allows. */
static void problem_open(problem *p, size_t m, size_t n, int products)
{
    const ng_residual_products calls = {product_times, product_transposed, p};
    p->m = m;
    p->n = n;
    p->j = dense_normal(m, n, &rng);
    p->r = dense_normal(1, m, &rng);
    p->c = dense_mat(m, m);
    ng_assert_ok(ng_residuals_create(&p->res, n, m + 2, products ? &calls : NULL, NULL), NULL);
    for (size_t k = 0, first = 0; k < 3; k++) {
        size_t end = m * (k + 1) / 3, count = end - first;
        ng_mat j, r;
        if (count == 0)
            continue;
        ng_assert_ok(
            ng_residuals_add(p->res, products ? NULL : &j, &r, count, class_weights[k], NULL),
            NULL);
        test_assign(r, ng_mat_block(p->r, 0, first, 1, count));
        if (!products)
            test_assign(j, ng_mat_block(p->j, first, 0, count, n));
        for (; first < end; first++)
            ng_mat_set(p->c, first, first, class_weights[k]);
    }
}

static void problem_close(problem *p)
{
    ng_residuals_destroy(p->res);
    dense_release();
}

/* y C J (J^T C J + damping I)^-1, all as rows */
static ng_mat oracle(const problem *p, ng_mat y, double damping)
{
    ng_mat cj = dense_mul(p->c, 0, p->j, 0);
    ng_mat g = dense_add(1, dense_mul(p->j, 1, cj, 0), damping, dense_identity(p->n));
    return dense_mul(dense_mul(y, 0, cj, 0), 0, dense_power(g, -1), 0);
}

static ng_mat solve(const problem *p, ng_mat y, double damping, ng_residual_solver solver,
                    size_t sketch)
{
    ng_residual_solving o;
    ng_mat x = dense_mat(1, p->n);
    ng_error err;
    ng_residual_solving_init(&o);
    o.solver = solver;
    o.sketch = sketch;
    ng_assert_ok(ng_residuals_factor(p->res, damping, &o, &err), &err);
    ng_assert_ok(ng_residuals_solve(p->res, x, y, &err), &err);
    return x;
}

/* ---- Algebra ---------------------------------------------------------------------------- */

START_TEST(direct)
{
    const size_t *shape = shapes[_i % SHAPES];
    double damping = dampings[_i / SHAPES];
    problem p;
    problem_open(&p, shape[0], shape[1], 0);
    ng_mat y = dense_normal(1, p.m, &rng), exact = oracle(&p, y, damping);
    ng_assert_mat(solve(&p, y, damping, NG_RESIDUAL_DUAL, 0), exact, 1e-10);
    ng_assert_mat(solve(&p, y, damping, NG_RESIDUAL_PRIMAL, 0), exact, 1e-10);
    ng_assert_mat(solve(&p, y, damping, NG_RESIDUAL_AUTO, 0), exact, 1e-10);
    problem_close(&p);
}
END_TEST

/* Rows and products, with and without a sketch, of few rows and of all. */
START_TEST(conjugate_gradients)
{
    static const size_t sketches[] = {0, 1, 4, 1000};
    const size_t *shape = shapes[_i % SHAPES];
    double damping = dampings[_i / SHAPES % 3];
    problem p;
    problem_open(&p, shape[0], shape[1], _i / SHAPES / 3);
    ng_mat y = dense_normal(1, p.m, &rng), exact = oracle(&p, y, damping);
    for (size_t k = 0; k < sizeof sketches / sizeof *sketches; k++)
        ng_assert_mat(solve(&p, y, damping, NG_RESIDUAL_CG, sketches[k]), exact, 1e-8);
    problem_close(&p);
}
END_TEST

/* A spectrum that falls by ten every five rows: with a sketch a few products do, and without one
 * they do not. */
START_TEST(sketch_helps)
{
    enum { M = 60, N = 80 };
    ng_residual_solving o;
    problem p;
    ng_mat j, r, x = dense_mat(1, N);
    double s[M];
    for (int i = 0; i < M; i++)
        s[i] = pow(10, 1 - 0.1 * i);
    problem_open(&p, M, N, 0);
    ng_residuals_clear(p.res);
    p.j = dense_compose(dense_frame(M, N, s, &rng));
    p.c = dense_identity(M);
    ng_assert_ok(ng_residuals_add(p.res, &j, &r, M, 1, NULL), NULL);
    test_assign(j, p.j);
    ng_mat y = dense_normal(1, M, &rng);
    ng_residual_solving_init(&o);
    o.solver = NG_RESIDUAL_CG;
    o.sketch = 30;
    o.max_iterations = 12;
    ng_assert_ok(ng_residuals_factor(p.res, 1e-2, &o, NULL), NULL);
    ng_assert_ok(ng_residuals_solve(p.res, x, y, NULL), NULL);
    ng_assert_mat(x, solve(&p, y, 1e-2, NG_RESIDUAL_DUAL, 0), 1e-8);
    o.sketch = 0;
    ng_assert_ok(ng_residuals_factor(p.res, 1e-2, &o, NULL), NULL);
    ck_assert_int_eq(ng_residuals_solve(p.res, x, y, NULL), NG_ENOCONV);
    problem_close(&p);
}
END_TEST

/* Without damping J x = y where J is wide; where it is tall, least squares. */
START_TEST(without_damping)
{
    problem p;
    problem_open(&p, 6, 19, 0);
    ng_mat y = dense_normal(1, p.m, &rng);
    ng_mat x = solve(&p, y, 0, NG_RESIDUAL_AUTO, 0);
    ng_assert_mat(dense_mul(x, 0, p.j, 1), y, 1e-10);
    problem_close(&p);
    problem_open(&p, 23, 8, 0);
    y = dense_normal(1, p.m, &rng);
    ng_assert_mat(solve(&p, y, 0, NG_RESIDUAL_AUTO, 0), oracle(&p, y, 0), 1e-10);
    problem_close(&p);
}
END_TEST

/* Centred rows: the oracle has them centred, every solver sees them so, also without damping, where
 * the dual matrix would be singular. */
START_TEST(centred)
{
    const size_t *shape = shapes[2 + _i % (SHAPES - 2)];
    double total = 0;
    problem p;
    problem_open(&p, shape[0], shape[1], 0);
    ng_mat mean = dense_mat(1, p.n), ones = dense_mat(p.m, 1);
    double r = 0;
    for (size_t i = 0; i < p.m; i++) {
        double c = ng_mat_get(p.c, i, i);
        total += c;
        r += c * ng_mat_get(p.r, 0, i);
        mean = dense_add(1, mean, c, ng_mat_block(p.j, i, 0, 1, p.n));
        ng_mat_set(ones, i, 0, 1);
    }
    p.j = dense_add(1, p.j, -1 / total, dense_mul(ones, 0, mean, 0));
    p.r = dense_add(1, p.r, -r / total, dense_transpose(ones));
    ng_assert_ok(ng_residuals_centre(p.res, NULL), NULL);
    ng_assert_ok(ng_residuals_centre(p.res, NULL), NULL);
    ng_assert_mat(ng_residuals_values(p.res), p.r, 1e-13);
    ng_mat y = dense_normal(1, p.m, &rng), exact = oracle(&p, y, 0.3);
    ng_assert_mat(solve(&p, y, 0.3, NG_RESIDUAL_DUAL, 0), exact, 1e-10);
    ng_assert_mat(solve(&p, y, 0.3, NG_RESIDUAL_PRIMAL, 0), exact, 1e-10);
    ng_assert_mat(solve(&p, y, 0.3, NG_RESIDUAL_CG, 3), exact, 1e-8);
    if (p.m <= p.n) { /* r is in the range of the centred J */
        ng_mat x = solve(&p, p.r, 0, NG_RESIDUAL_DUAL, 0);
        ng_assert_mat(dense_mul(x, 0, p.j, 1), p.r, 1e-9);
    }
    problem_close(&p);
}
END_TEST

START_TEST(products)
{
    const size_t *shape = shapes[_i % SHAPES];
    problem p;
    problem_open(&p, shape[0], shape[1], _i / SHAPES);
    ng_mat x = dense_normal(1, p.n, &rng), y = dense_mat(1, p.m), g = dense_mat(1, p.n);
    ng_assert_ok(ng_residuals_times(p.res, y, x, NULL), NULL);
    ng_assert_mat(y, dense_mul(x, 0, p.j, 1), 1e-13);
    ng_assert_ok(ng_residuals_gradient(p.res, g, p.r, NULL), NULL);
    ng_mat rc = dense_mul(p.r, 0, p.c, 0);
    ng_assert_mat(g, dense_mul(rc, 0, p.j, 0), 1e-13);
    ng_assert_rel(ng_residuals_loss(p.res), dense_dot(rc, p.r) / 2, 1e-13);
    ng_assert_rel(ng_residuals_dot(p.res, y, p.r), dense_dot(rc, y), 1e-12);
    ck_assert(isnan(ng_residuals_dot(p.res, y, dense_mat(1, p.m + 1))));
    if (_i < SHAPES) {
        ng_mat k = dense_mat(p.m, p.m), f = dense_mat(p.n, p.n), s = dense_power(p.c, 0.5);
        ng_mat sj = dense_mul(s, 0, p.j, 0);
        ng_assert_ok(ng_residuals_gram(p.res, k, NULL), NULL);
        ng_assert_mat(k, dense_mul(sj, 0, sj, 1), 1e-13);
        if (p.n != p.m) {
            ng_assert_ok(ng_residuals_gram(p.res, f, NULL), NULL);
            ng_assert_mat(f, dense_mul(sj, 1, sj, 0), 1e-13);
        }
    }
    problem_close(&p);
}
END_TEST

/* ---- Refusals ----------------------------------------------------------------------------- */

START_TEST(refused)
{
    ng_error err;
    ng_residual_solving o;
    ng_mat j, r, x = dense_mat(1, 3), y = dense_mat(1, 2);
    ng_residuals *res;
    problem p;
    ng_residual_products half = {product_times, NULL, NULL};
    ng_residual_solving_init(&o);
    ng_assert_fails(ng_residuals_create(&res, 0, 3, NULL, &err), NG_EARG, &err, "0 weights");
    ck_assert_ptr_null(res);
    ng_assert_fails(ng_residuals_create(&res, 3, 3, &half, &err), NG_EARG, &err, "products");
    ng_assert_fails(ng_residuals_create(&res, (size_t)1 << 31, 3, NULL, &err), NG_ERANGE, &err,
                    "BLAS");
    ng_assert_fails(ng_residuals_create(NULL, 3, 3, NULL, &err), NG_EARG, &err, "no place");
    ng_assert_ok(ng_residuals_create(&res, 3, 2, NULL, &err), &err);
    ng_assert_fails(ng_residuals_factor(res, 1, NULL, &err), NG_ENODATA, &err, "no residuals");
    ng_assert_fails(ng_residuals_centre(res, &err), NG_ENODATA, &err, "centre");
    ng_assert_fails(ng_residuals_add(res, &j, &r, 1, -1, &err), NG_EARG, &err, "weight -1");
    ng_assert_fails(ng_residuals_add(res, &j, &r, 1, NAN, &err), NG_EARG, &err, "weight");
    ng_assert_fails(ng_residuals_add(res, &j, &r, 0, 1, &err), NG_EARG, &err, "0 residuals");
    ng_assert_fails(ng_residuals_add(res, NULL, &r, 1, 1, &err), NG_EARG, &err, "rows");
    ng_assert_fails(ng_residuals_add(res, &j, &r, 3, 1, &err), NG_ERANGE, &err, "room for 2");
    ng_assert_ok(ng_residuals_add(res, &j, &r, 2, 1, &err), &err);
    ck_assert(ng_residuals_count(res) == 2 && ng_residuals_size(res) == 3);
    ng_assert_fails(ng_residuals_solve(res, x, y, &err), NG_ENODATA, &err, "factor");
    ng_assert_fails(ng_residuals_factor(res, -1, NULL, &err), NG_EARG, &err, "damping: -1");
    ng_assert_fails(ng_residuals_factor(res, 0, NULL, &err), NG_ESINGULAR, &err, "dual");
    ng_assert_ok(ng_residuals_factor(res, 1, NULL, &err), &err);
    ng_assert_fails(ng_residuals_solve(res, y, x, &err), NG_ESHAPE, &err, "x");
    ng_mat_set(y, 0, 1, INFINITY);
    ng_assert_fails(ng_residuals_solve(res, x, y, &err), NG_ENONFINITE, &err, "y");
    ng_mat_set(j, 1, 2, NAN);
    ng_assert_fails(ng_residuals_factor(res, 1, NULL, &err), NG_ENONFINITE, &err, "derivative");
    ng_mat_set(r, 0, 1, INFINITY);
    ng_assert_fails(ng_residuals_factor(res, 1, NULL, &err), NG_ENONFINITE, &err, "residual");
    o.solver = (ng_residual_solver)9;
    ng_assert_fails(ng_residuals_factor(res, 1, &o, &err), NG_EOPTION, &err, "solver 9");
    o.size--;
    ng_assert_fails(ng_residuals_factor(res, 1, &o, &err), NG_EOPTION, &err, "bytes");
    ck_assert_int_eq(ng_residual_solving_init_sized(&o, 3), NG_EOPTION);
    ng_residuals_clear(res);
    ng_assert_ok(ng_residuals_add(res, &j, &r, 1, 0, &err), &err);
    ng_assert_fails(ng_residuals_centre(res, &err), NG_ENODATA, &err, "weight 0");
    ng_residuals_destroy(res);
    ng_residuals_destroy(NULL), ng_residuals_clear(NULL);
    problem_open(&p, 3, 3, 1);
    ng_residual_solving_init(&o);
    o.solver = NG_RESIDUAL_DUAL;
    ng_assert_fails(ng_residuals_factor(p.res, 1, &o, &err), NG_EUNSUPPORTED, &err, "products");
    ng_assert_fails(ng_residuals_centre(p.res, &err), NG_EUNSUPPORTED, &err, "products");
    ng_assert_fails(ng_residuals_gram(p.res, p.c, &err), NG_EUNSUPPORTED, &err, "rows");
    ng_assert_fails(ng_residuals_add(p.res, &j, &r, 1, 1, &err), NG_EARG, &err, "products");
    problem_close(&p);
}
END_TEST

/* A product that fails or is not finite: its status, and no number of it. */
static ng_status fails(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    (void)x;
    ng_fill(y, NAN);
    return *(const int *)data ? ng_error_set(error, NG_ERANGE, "mine") : NG_OK;
}

START_TEST(bad_products)
{
    const ng_residual_products calls = {fails, fails, &_i};
    ng_residuals *res;
    ng_mat r;
    ng_error err;
    ng_assert_ok(ng_residuals_create(&res, 4, 2, &calls, NULL), NULL);
    ng_assert_ok(ng_residuals_add(res, NULL, &r, 2, 1, NULL), NULL);
    ng_assert_fails(ng_residuals_factor(res, 1, NULL, &err), _i ? NG_ERANGE : NG_ENONFINITE, &err,
                    "J^T y");
    ng_residuals_destroy(res);
}
END_TEST

/* Each allocation fails in turn; then all is well. */
START_TEST(memory)
{
    ng_residual_solver solver = (ng_residual_solver)(NG_RESIDUAL_DUAL + _i);
    ng_residual_solving o;
    problem p;
    ng_residual_solving_init(&o);
    o.solver = solver;
    o.sketch = 3;
    problem_open(&p, 6, 19, 0);
    ng_mat x = dense_mat(1, p.n), exact = oracle(&p, p.r, 1);
    ng_residuals *res = NULL;
    for (int k = 1, status = NG_ENOMEM; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k, FAIL);
        status = ng_residuals_create(&res, 3, 3, NULL, NULL);
        fault_over();
        ck_assert(status == NG_OK || (status == NG_ENOMEM && res == NULL));
    }
    ng_residuals_destroy(res);
    for (int k = 1, status = NG_ENOMEM; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k, FAIL);
        status = ng_residuals_factor(p.res, 1, &o, NULL);
        if (status == NG_OK)
            status = ng_residuals_solve(p.res, x, p.r, NULL);
        if (status == NG_OK)
            status = ng_residuals_gradient(p.res, x, p.r, NULL);
        if (status == NG_OK)
            status = ng_residuals_centre(p.res, NULL);
        fault_over();
        ck_assert_int_eq(status, status == NG_OK ? NG_OK : NG_ENOMEM);
    }
    problem_close(&p);
    problem_open(&p, 6, 19, 0);
    exact = oracle(&p, p.r, 1);
    ng_assert_mat(solve(&p, p.r, 1, solver, 3), exact, 1e-8);
    problem_close(&p);
}
END_TEST

TEST_SUITE(residuals)
{
    TCase *tcase = tcase_create("residuals");
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, direct, 0, 3 * SHAPES);
    tcase_add_loop_test(tcase, conjugate_gradients, 0, 6 * SHAPES);
    tcase_add_test(tcase, sketch_helps);
    tcase_add_test(tcase, without_damping);
    tcase_add_loop_test(tcase, centred, 0, SHAPES - 2);
    tcase_add_loop_test(tcase, products, 0, 2 * SHAPES);
    tcase_add_test(tcase, refused);
    tcase_add_loop_test(tcase, bad_products, 0, 2);
    tcase_add_loop_test(tcase, memory, 0, 3);
    suite_add_tcase(suite, tcase);
}
