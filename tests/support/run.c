#include "tests/support/run.h"

#include <stdio.h>

#include "tests/support/dense.h"

static ng_status apply(void *options, const char *settings, ng_error *err)
{
    char name[64], text[64];
    int used = 0;
    ng_status status = NG_OK;
    while (status == NG_OK && sscanf(settings, " %63[^=]=%63s%n", name, text, &used) == 2) {
        status = ng_options_set_text(options, name, text, err);
        settings += used;
    }
    return status;
}

void *test_options(const char *preset, const char *settings)
{
    ng_error err = {NG_OK, ""};
    void *options;
    double clip;
    ng_assert_ok(ng_options_new(&options, preset, &err), &err);
    if (ng_options_get(options, "kl_clip", &clip, NULL) == NG_OK)
        ng_assert_ok(ng_options_set(options, "kl_clip", 0, &err), &err);
    ng_assert_ok(apply(options, settings, &err), &err);
    return options;
}

void test_options_refused(const char *preset, const char *settings, const char *culprit)
{
    ng_error err = {NG_OK, ""};
    void *options = test_options(preset, "");
    ng_status status = apply(options, settings, &err);
    if (status == NG_OK)
        status = ng_options_check(options, &err);
    ck_assert_msg(status == NG_EOPTION, "%s %s: %s", preset, settings, ng_status_name(status));
    ck_assert_msg(strstr(err.text, culprit) != NULL, "\"%s\" does not name \"%s\"", err.text,
                  culprit);
    ng_options_free(options);
}

void test_run_open(test_run *run, const char *preset, const char *settings, size_t outputs,
                   size_t inputs, test_setup setup)
{
    size_t index;
    void *options = test_options(preset, settings);
    run->transposed = setup.layout == NG_IN_OUT;
    size_t rows = run->transposed ? inputs : outputs, cols = run->transposed ? outputs : inputs;
    run->w = test_mat(rows, cols, setup.pad, setup.dtype);
    run->dw = test_mat(rows, cols, 2 * setup.pad, setup.dtype);
    ng_assert_ok(ng_optimizer_create(&run->opt, NULL), NULL);
    ck_assert_msg(ng_optimizer_add_group(run->opt, &run->group, options) == NG_OK, "%s",
                  ng_optimizer_error(run->opt));
    ng_assert_ok(ng_group_add(run->group, &index, "w", run->w, run->dw), NULL);
    ng_assert_ok(ng_group_set_layout(run->group, index, setup.layout), NULL);
    free(options);
}

void test_run_close(test_run *run)
{
    ng_optimizer_destroy(run->opt);
    test_free(run->w);
    test_free(run->dw);
}

void test_run_gradient(test_run *run, ng_mat g)
{
    for (size_t i = 0; i < g.rows; i++)
        for (size_t j = 0; j < g.cols; j++)
            ng_mat_set(run->dw, run->transposed ? j : i, run->transposed ? i : j,
                       ng_mat_get(g, i, j));
}

void test_run_step(test_run *run, ng_mat g)
{
    test_run_gradient(run, g);
    ng_mat given = test_copy(run->dw);
    ck_assert_msg(ng_optimizer_step(run->opt) == NG_OK, "%s", ng_optimizer_error(run->opt));
    ck_assert_msg(test_same_bits(given, run->dw), "a gradient was written");
    test_free(given);
}

ng_mat test_run_weights(const test_run *run)
{
    return run->transposed ? dense_transpose(run->w) : dense_of(run->w);
}

ng_mat test_run_direction(test_run *run, ng_mat g)
{
    for (size_t i = 0; i < run->w.rows; i++)
        for (size_t j = 0; j < run->w.cols; j++)
            ng_mat_set(run->w, i, j, 0);
    test_run_step(run, g);
    ng_mat w = test_run_weights(run);
    return dense_scale(-1, w);
}

test_setup test_setup_number(int i)
{
    test_setup setup = {i & 1 ? NG_F32 : NG_F64, i & 2 ? NG_IN_OUT : NG_OUT_IN, i & 4 ? 3 : 0};
    return setup;
}

const char *const test_balls[TEST_BALLS] = {" ball=none", " ball=frobenius", " ball=spectral",
                                            " ball=sign", " ball=rows",      " ball=columns"};

/* the norm of the line of x that the element is in, a row or a column; ball 3: of the element */
static double size_of(int ball, ng_mat x, size_t i, size_t j)
{
    double sum = 0;
    for (size_t k = 0; k < (ball == 4 ? x.cols : x.rows); k++) {
        double e = ball == 4 ? ng_mat_get(x, i, k) : ng_mat_get(x, k, j);
        sum += e * e;
    }
    return ball == 3 ? fabs(ng_mat_get(x, i, j)) : sqrt(sum);
}

ng_mat test_project(int ball, ng_mat x)
{
    if (ball == 0)
        return x;
    if (ball < 3)
        return ball == 2 ? dense_polar(x, 1e-12) : dense_scale(1 / test_norm(x), x);
    ng_mat y = dense_mat(x.rows, x.cols);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            if (size_of(ball, x, i, j) > 0)
                ng_mat_set(y, i, j, ng_mat_get(x, i, j) / size_of(ball, x, i, j));
    return y;
}
