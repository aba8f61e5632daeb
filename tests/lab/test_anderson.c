/* Anderson acceleration: on linear maps it is GMRES, without memory Picard's iteration. */
#include <natgrad-lab.h>

#include "lib/core/try.h"
#include "tests/support/support.h"

static ng_error error;

/* ---- Anderson ------------------------------------------------------------------------------ */

enum { UNKNOWNS = 6 };

typedef struct {
    double a[UNKNOWNS * UNKNOWNS], b[UNKNOWNS];
} linear;

static ng_status affine(void *data, ng_mat g, ng_mat x, ng_error *e)
{
    linear *l = data;
    for (size_t row = 0; row < g.rows; row++)
        TRY(ng_copy(ng_mat_block(g, row, 0, 1, UNKNOWNS), ng_f64(l->b, 1, UNKNOWNS), e));
    return ng_gemm(g, x, NG_NOTRANS, ng_f64(l->a, UNKNOWNS, UNKNOWNS), NG_TRANS, 1, 1, e);
}

static linear make_linear(unsigned long long seed)
{
    linear l;
    test_rng rng = {seed};
    for (size_t i = 0; i < UNKNOWNS * UNKNOWNS; i++)
        l.a[i] = 0.25 * test_normal(&rng);
    for (size_t i = 0; i < UNKNOWNS; i++)
        l.b[i] = test_normal(&rng);
    return l;
}

/* y <- (I - A) x */
static void operate(const linear *l, double *y, const double *x)
{
    for (size_t i = 0; i < UNKNOWNS; i++) {
        y[i] = x[i];
        for (size_t j = 0; j < UNKNOWNS; j++)
            y[i] -= l->a[i * UNKNOWNS + j] * x[j];
    }
}

/* x <- x0 plus the y of the Krylov space of k dimensions that makes |b - (I - A)(x0 + y)| least, by
 * modified Gram and Schmidt on the images */
static void gmres(const linear *l, double *x, size_t k)
{
    double v[UNKNOWNS + 1][UNKNOWNS], w[UNKNOWNS][UNKNOWNS], p[UNKNOWNS][UNKNOWNS], r[UNKNOWNS];
    operate(l, r, x);
    for (size_t i = 0; i < UNKNOWNS; i++)
        r[i] = v[0][i] = l->b[i] - r[i];
    for (size_t c = 0; c < k; c++) { /* p: directions, w: their images, orthonormal */
        memcpy(p[c], v[c], sizeof p[c]);
        operate(l, w[c], p[c]);
        memcpy(v[c + 1], w[c], sizeof w[c]);
        for (size_t b = 0; b < c; b++) {
            double part = 0;
            for (size_t i = 0; i < UNKNOWNS; i++)
                part += w[b][i] * w[c][i];
            for (size_t i = 0; i < UNKNOWNS; i++) {
                w[c][i] -= part * w[b][i];
                p[c][i] -= part * p[b][i];
            }
        }
        double norm = 0, along = 0;
        for (size_t i = 0; i < UNKNOWNS; i++)
            norm += w[c][i] * w[c][i];
        for (size_t i = 0; i < UNKNOWNS; i++) {
            w[c][i] /= sqrt(norm);
            p[c][i] /= sqrt(norm);
            along += w[c][i] * r[i];
        }
        for (size_t i = 0; i < UNKNOWNS; i++) {
            x[i] += along * p[c][i];
            r[i] -= along * w[c][i];
        }
    }
}

START_TEST(anderson_is_gmres)
{
    linear l = make_linear(5);
    for (size_t k = 0; k < UNKNOWNS; k++) {
        double start[UNKNOWNS] = {1, -2, 0.5, 0, 3, 1}, x[2 * UNKNOWNS], g[UNKNOWNS];
        ng_anderson_options o;
        ng_anderson_init(&o);
        o.memory = UNKNOWNS;
        o.iterations = k + 1;
        memcpy(x, start, sizeof start); /* a second row of its own changes nothing */
        for (size_t i = 0; i < UNKNOWNS; i++)
            x[UNKNOWNS + i] = (double)i;
        ng_assert_ok(ng_fixed_point(ng_f64(x, 2, UNKNOWNS), NULL, &o, affine, &l, &error), &error);
        gmres(&l, start, k);
        affine(&l, ng_f64(g, 1, UNKNOWNS), ng_f64(start, 1, UNKNOWNS), NULL);
        ng_assert_mat(ng_f64(x, 1, UNKNOWNS), ng_f64(g, 1, UNKNOWNS), 1e-7);
    }
}
END_TEST

/* memory 0 is Picard with mixing; ridge without end too; a tolerance that is met stops. */
START_TEST(picard_and_tolerance)
{
    linear l = make_linear(7);
    double x[UNKNOWNS] = {0}, y[UNKNOWNS] = {0}, g[UNKNOWNS], residual = -1;
    ng_mat mx = ng_f64(x, 1, UNKNOWNS), my = ng_f64(y, 1, UNKNOWNS), mg = ng_f64(g, 1, UNKNOWNS);
    ng_anderson_options o;
    ng_anderson_init(&o);
    o.iterations = 4;
    o.mixing = 0.6;
    for (int twice = 0; twice < 2; twice++) {
        o.memory = twice == 0 ? 0 : 3;
        o.ridge = twice == 0 ? 0 : 1e30;
        ng_fill(mx, 0);
        ng_fill(my, 0);
        for (int k = 0; k < 4; k++) {
            affine(&l, mg, my, NULL);
            ng_lincomb(my, 0.6, mg, 0.4, my, NULL);
        }
        ng_assert_ok(ng_fixed_point(mx, NULL, &o, affine, &l, &error), &error);
        ng_assert_mat(mx, my, 1e-13);
    }
    ng_anderson_init(&o);
    o.tolerance = 1e-10;
    ng_assert_ok(ng_fixed_point(mx, &residual, &o, affine, &l, &error), &error);
    ng_assert_le(residual, 1e-10);
    affine(&l, mg, mx, NULL);
    ng_assert_mat(mg, mx, 1e-9);
    /* at the solution nothing divides by zero, with and without a ridge */
    ng_assert_ok(ng_fixed_point(mx, &residual, NULL, affine, &l, &error), &error);
    ng_assert_le(residual, 1e-14);
}
END_TEST

START_TEST(refusals)
{
    ng_anderson_options o;
    ck_assert_int_eq(ng_anderson_init_sized(&o, sizeof o - 1), NG_EOPTION);
    ng_anderson_init(&o);
    linear l = make_linear(1);
    double y[UNKNOWNS] = {0};
    ng_mat my = ng_f64(y, 1, UNKNOWNS);
    o.mixing = 0;
    ng_assert_fails(ng_fixed_point(my, NULL, &o, affine, &l, &error), NG_EOPTION, &error, "mixing");
    ng_anderson_init(&o);
    o.iterations = 2;
    o.tolerance = 1e-12;
    ng_assert_fails(ng_fixed_point(my, NULL, &o, affine, &l, &error), NG_ENOCONV, &error,
                    "2 iterations");
    ng_assert_fails(ng_fixed_point(my, NULL, NULL, NULL, &l, &error), NG_EARG, &error, "map");
}
END_TEST

START_TEST(want_of_memory)
{
    linear l = make_linear(1);
    double x[UNKNOWNS] = {1, 2, 3};
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_status status = ng_fixed_point(ng_f64(x, 1, UNKNOWNS), NULL, NULL, affine, &l, &error);
    fault_over();
    ck_assert_int_eq(status, NG_ENOMEM);
    ck_assert(x[0] == 1 && x[1] == 2 && x[2] == 3);
}
END_TEST

TEST_SUITE(anderson)
{
    TCase *tcase = tcase_create("anderson");
    tcase_add_test(tcase, anderson_is_gmres);
    tcase_add_test(tcase, picard_and_tolerance);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, want_of_memory);
    suite_add_tcase(suite, tcase);
}
