/* Groups with residuals of two classes, and what their steps are by dense algebra. */
#ifndef NG_TEST_RESIDUAL_WORLD_H
#define NG_TEST_RESIDUAL_WORLD_H

#include "tests/optim/natural_world.h"

enum { N = 12 };
static const size_t (*const shapes)[2] = crew_shapes[2];
static const double class_weights[2] = {0.5, 4};

static inline ng_residual_options plain(double damping)
{
    ng_residual_options o;
    ng_assert_ok(ng_residual_init(&o), NULL);
    o.damping = damping;
    return o;
}

static inline void open_group(crew *c, const ng_residual_options *o, const size_t (*of)[2],
                              ng_residuals *res, const ng_residual_calls *calls)
{
    static const char *const names[CREW_MAX] = {"first", "second", "third", "fourth"};
    ng_assert_ok(ng_optimizer_create(&c->opt, NULL), NULL);
    ck_assert_msg(ng_optimizer_add_group(c->opt, &c->group, o) == NG_OK, "%s",
                  ng_optimizer_error(c->opt));
    for (c->count = 0; c->count < CREW_MAX && of[c->count][0] > 0; c->count++) {
        size_t i = c->count, rows = of[i][0], cols = of[i][1];
        c->w[i] = test_mat(rows, cols, i, NG_F64);
        c->dw[i] = test_mat(rows, cols, 2 * i, NG_F64);
        ng_fill(c->dw[i], NAN); /* nobody reads it */
        ng_assert_ok(ng_group_add(c->group, NULL, names[i], c->w[i], c->dw[i]), NULL);
    }
    ng_assert_ok(ng_group_set_residuals(c->group, res, calls), NULL);
}

static inline void step(const crew *c)
{
    ck_assert_msg(ng_optimizer_step(c->opt) == NG_OK, "%s", ng_optimizer_error(c->opt));
}

static inline ng_mat state_of(const crew *c, const char *name)
{
    const char *parameter, *found;
    ng_mat view, all = dense_mat(1, N);
    size_t k = 0;
    for (size_t i = 0; ng_optimizer_tensor(c->opt, &parameter, &found, &view, i) == NG_OK; i++)
        for (size_t a = 0; strcmp(found, name) == 0 && a < view.rows; a++)
            for (size_t b = 0; b < view.cols; b++)
                ng_mat_set(all, 0, k++, ng_mat_get(view, a, b));
    return all;
}

/* Two classes of rows in the store: the first third and the others. */
static inline void fill(ng_residuals *res, ng_mat j, ng_mat r)
{
    ng_residuals_clear(res);
    for (size_t k = 0, first = 0; k < 2; k++) {
        size_t end = k == 0 ? (j.rows + 2) / 3 : j.rows, count = end - first;
        ng_mat rows, values;
        if (count == 0)
            continue;
        ng_assert_ok(ng_residuals_add(res, &rows, &values, count, class_weights[k], NULL), NULL);
        test_assign(rows, ng_mat_block(j, first, 0, count, j.cols));
        test_assign(values, ng_mat_block(r, 0, first, 1, count));
        first = end;
    }
}

static inline ng_mat weights_of(size_t m)
{
    ng_mat c = dense_identity(m);
    for (size_t i = 0; i < m; i++)
        ng_mat_set(c, i, i, class_weights[i >= (m + 2) / 3]);
    return c;
}

/* y C J (J^T C J + damping I)^-1 */
static inline ng_mat oracle(ng_mat j, ng_mat y, double damping)
{
    ng_mat cj = dense_mul(weights_of(j.rows), 0, j, 0);
    ng_mat g = crew_damped(dense_mul(j, 1, cj, 0), damping);
    return dense_mul(dense_mul(y, 0, cj, 0), 0, dense_power(g, -1), 0);
}

#endif
