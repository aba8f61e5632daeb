/* damping_kind = diagonal: no unit of a feature changes a step. Logistic regression of raw columns,
 * whose optimum Newton's method finds, with the bias as a column of ones. */
#include "tests/support/kfac.h"

#include <stdio.h>

enum { SAMPLES = 300, FEATURES = 7, COLUMNS = FEATURES + 1 };

#define NATURAL "damping_kind=diagonal damping=0.01 ema_decay=0 inverse_interval=1 momentum=0 lr=1"

typedef struct {
    ng_mat a; /* SAMPLES x COLUMNS */
    double y[SAMPLES];
} data;

/* Columns from 1e-3 to 1e3, correlated, each with its share in the labels; then column j times
 * unit[j]. */
static data draw(const double *unit)
{
    test_rng rng = {41}, coin = {42};
    data d = {dense_normal(SAMPLES, COLUMNS, &rng), {0}};
    ng_mat u = dense_normal(SAMPLES, 1, &coin);
    for (size_t i = 0; i < SAMPLES; i++) {
        double z = 0, common = ng_mat_get(d.a, i, FEATURES);
        for (size_t j = 0; j < FEATURES; j++) {
            double x = ng_mat_get(d.a, i, j) + 0.5 * common;
            z += (j % 2 ? 1 : -1) * x;
            ng_mat_set(d.a, i, j, x * unit[j] * pow(10, (double)j - 3));
        }
        ng_mat_set(d.a, i, FEATURES, 1);
        d.y[i] = z + 1.5 * ng_mat_get(u, i, 0) > 0;
    }
    return d;
}

static double logit(const data *d, ng_mat w, size_t i)
{
    double z = 0;
    for (size_t j = 0; j < COLUMNS; j++)
        z += ng_mat_get(w, 0, j) * ng_mat_get(d->a, i, j);
    return z;
}

/* Mean loss; with g, its derivatives by the logits, and the gradient of the mean. */
static double loss(const data *d, ng_mat w, ng_mat g, ng_mat dw)
{
    double sum = 0;
    for (size_t j = 0; j < COLUMNS && g.data != NULL; j++)
        ng_mat_set(dw, 0, j, 0);
    for (size_t i = 0; i < SAMPLES; i++) {
        double z = logit(d, w, i), p = 1 / (1 + exp(-z));
        sum += (fmax(z, 0) - z * d->y[i] + log1p(exp(-fabs(z)))) / SAMPLES;
        if (g.data == NULL)
            continue;
        ng_mat_set(g, i, 0, p - d->y[i]);
        for (size_t j = 0; j < COLUMNS; j++)
            ng_mat_set(dw, 0, j,
                       ng_mat_get(dw, 0, j) + (p - d->y[i]) * ng_mat_get(d->a, i, j) / SAMPLES);
    }
    return sum;
}

/* Newton's method with halved steps, in columns of order 1. */
static double least_loss(const data *d)
{
    data unit = {dense_of(d->a), {0}};
    ng_mat w = dense_mat(1, COLUMNS), g = dense_mat(SAMPLES, 1), dw = dense_mat(1, COLUMNS);
    memcpy(unit.y, d->y, sizeof unit.y);
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t j = 0; j < FEATURES; j++)
            ng_mat_set(unit.a, i, j, ng_mat_get(d->a, i, j) / pow(10, (double)j - 3));
    double now = loss(&unit, w, g, dw);
    for (int step = 0; step < 30; step++) {
        ng_mat h = dense_mat(COLUMNS, COLUMNS), weighted = dense_of(unit.a);
        for (size_t i = 0; i < SAMPLES; i++) {
            double p = 1 / (1 + exp(-logit(&unit, w, i)));
            for (size_t j = 0; j < COLUMNS; j++)
                ng_mat_set(weighted, i, j, p * (1 - p) * ng_mat_get(unit.a, i, j) / SAMPLES);
        }
        h = dense_mul(weighted, 1, unit.a, 0);
        ng_mat s = dense_mul(dw, 0, dense_power(h, -1), 0);
        w = dense_add(1, w, -1, s);
        now = loss(&unit, w, g, dw);
    }
    ng_assert_le(test_norm(dw), 1e-10);
    return now;
}

/* W after so many full-batch steps from 0, on the list. */
static ng_mat descend(const data *d, const char *settings, int steps)
{
    test_run run;
    ng_mat g = dense_mat(SAMPLES, 1), dw = dense_mat(1, COLUMNS);
    test_run_open(&run, "kfac", settings, 1, COLUMNS, test_setup_number(0));
    for (int step = 0; step < steps; step++) {
        loss(d, run.w, g, dw);
        kfac_batch batch = {d->a, g, dw};
        ng_assert_ok(kfac_capture(&run, batch, 1), NULL);
        test_run_step(&run, dw);
    }
    ng_mat w = test_run_weights(&run);
    test_run_close(&run);
    return w;
}

static const double plain[FEATURES] = {1, 1, 1, 1, 1, 1, 1};

START_TEST(reaches_the_optimum)
{
    data d = draw(plain);
    double least = least_loss(&d);
    ng_assert_le(loss(&d, descend(&d, NATURAL, 100), ng_mat_none(), ng_mat_none()), 1.01 * least);
    /* damping in the units of F stops the small columns */
    ng_mat w = descend(&d, "damping=0.01 ema_decay=0 inverse_interval=1 momentum=0 lr=1", 100);
    ck_assert(loss(&d, w, ng_mat_none(), ng_mat_none()) > 1.1 * least);
    dense_release();
}
END_TEST

/* Any other units, any number of steps: the predictions are the same. */
START_TEST(ignores_units)
{
    static const double unit[FEATURES] = {3e4, 0.7, 1e-5, 123, 1.1, 1e-3, 9e-6};
    static const char *const settings[] = {
        NATURAL, NATURAL " root=inverse",
        "damping_kind=diagonal damping=0.1 momentum=0.9 lr=0.1 kl_clip=0.001"};
    data one = draw(plain), other = draw(unit);
    ng_mat v = descend(&one, settings[_i], 100), w = descend(&other, settings[_i], 100);
    double most = 0, apart = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        most = fmax(most, fabs(logit(&one, v, i)));
        apart = fmax(apart, fabs(logit(&one, v, i) - logit(&other, w, i)));
    }
    ck_assert(most > 0.01);
    ng_assert_le(apart, 1e-8 * most);
    dense_release();
}
END_TEST

/* An input that is always 0 gets no step and changes nobody else's; nor does one that has faded to
 * the end of its dtype, as averages do. */
START_TEST(nothing_there)
{
    test_setup setup = test_setup_number(_i);
    double faded[] = {0, setup.dtype == NG_F32 ? 1e-22 : 1e-160};
    test_rng rng = {43};
    for (int k = 0; k < 2; k++) {
        test_run with, without;
        const char *settings = "damping_kind=diagonal damping=0.2 lr=1 momentum=0";
        kfac_batch batch = kfac_random(9, 3, 5, &rng), less;
        for (size_t i = 0; i < 9; i++)
            ng_mat_set(batch.a, i, 4, faded[k]);
        for (size_t i = 0; i < 3; i++)
            ng_mat_set(batch.dw, i, 4, 0);
        less = batch;
        less.a = ng_mat_block(batch.a, 0, 0, 9, 4);
        less.dw = ng_mat_block(batch.dw, 0, 0, 3, 4);
        test_run_open(&with, "kfac", settings, 3, 5, setup);
        test_run_open(&without, "kfac", settings, 3, 4, setup);
        ng_mat d = kfac_direction(&with, batch, 1), e = kfac_direction(&without, less, 1);
        ng_assert_mat(dense_of(ng_mat_block(d, 0, 0, 3, 4)), e,
                      setup.dtype == NG_F64 ? 1e-12 : 1e-5);
        for (size_t i = 0; i < 3; i++)
            ng_assert_le(fabs(ng_mat_get(d, i, 4)), 1e-5 * test_norm(e));
        test_run_close(&with);
        test_run_close(&without);
        dense_release();
    }
}
END_TEST

TEST_SUITE(diagonal)
{
    TCase *tcase = tcase_create("diagonal");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, reaches_the_optimum);
    tcase_add_loop_test(tcase, ignores_units, 0, 3);
    tcase_add_loop_test(tcase, nothing_there, 0, TEST_SETUPS);
    suite_add_tcase(suite, tcase);
}
