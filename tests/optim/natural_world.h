/* A natural group of several parameters, odd shapes and strided views, driven
 * with vectors in double: the concatenation in the order of adding. */
#ifndef NG_TEST_NATURAL_WORLD_H
#define NG_TEST_NATURAL_WORLD_H

#include <natgrad.h>

#include "tests/support/dense.h"

enum { CREW_MAX = 4 };

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    size_t count;
    ng_mat w[CREW_MAX], dw[CREW_MAX];
} crew;

/* parameters for n = 1, 6, 12, 20 elements; rows 0 ends */
static const size_t crew_shapes[][CREW_MAX][2] = {
    {{1, 1}}, {{1, 1}, {2, 2}, {1, 1}}, {{3, 2}, {1, 5}, {1, 1}}, {{1, 7}, {3, 4}, {1, 1}}};

static inline void crew_open(crew *c, const ng_natural_options *o, ng_dtype dtype,
                             const size_t (*shapes)[2], ng_fisher *f)
{
    static const char *const names[CREW_MAX] = {"first", "second", "third", "fourth"};
    ng_assert_ok(ng_optimizer_create(&c->opt, NULL), NULL);
    ck_assert_msg(ng_optimizer_add_group(c->opt, &c->group, o) == NG_OK, "%s",
                  ng_optimizer_error(c->opt));
    for (c->count = 0; c->count < CREW_MAX && shapes[c->count][0] > 0; c->count++) {
        size_t i = c->count, rows = shapes[i][0], cols = shapes[i][1];
        c->w[i] = test_mat(rows, cols, i, dtype);
        c->dw[i] = test_mat(rows, cols, 2 * i, dtype);
        ng_assert_ok(ng_group_add(c->group, NULL, names[i], c->w[i], c->dw[i]), NULL);
    }
    ng_assert_ok(ng_group_set_fisher(c->group, f), NULL);
}

static inline void crew_close(crew *c)
{
    ng_optimizer_destroy(c->opt);
    for (size_t i = 0; i < c->count; i++) {
        test_free(c->w[i]);
        test_free(c->dw[i]);
    }
}

static inline void crew_write(const crew *c, const ng_mat *to, ng_mat v)
{
    size_t k = 0;
    for (size_t p = 0; p < c->count; p++)
        for (size_t i = 0; i < to[p].rows; i++)
            for (size_t j = 0; j < to[p].cols; j++)
                ng_mat_set(to[p], i, j, ng_mat_get(v, 0, k++));
}

/* The weights as one vector, on dense.h's list. */
static inline ng_mat crew_weights(const crew *c)
{
    size_t n = 0, k = 0;
    for (size_t p = 0; p < c->count; p++)
        n += c->w[p].rows * c->w[p].cols;
    ng_mat v = dense_mat(1, n);
    for (size_t p = 0; p < c->count; p++)
        for (size_t i = 0; i < c->w[p].rows; i++)
            for (size_t j = 0; j < c->w[p].cols; j++)
                ng_mat_set(v, 0, k++, ng_mat_get(c->w[p], i, j));
    return v;
}

static inline void crew_step(crew *c, ng_mat g)
{
    crew_write(c, c->dw, g);
    ck_assert_msg(ng_optimizer_step(c->opt) == NG_OK, "%s", ng_optimizer_error(c->opt));
}

/* the call returns that status and the optimizer's text names the culprit */
static inline void crew_refuse(const crew *c, ng_status status, ng_status expected,
                               const char *culprit)
{
    ck_assert_msg(status == expected, "%s, expected %s", ng_status_name(status),
                  ng_status_name(expected));
    ck_assert_msg(strstr(ng_optimizer_error(c->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(c->opt), culprit);
}

/* f + damping I */
static inline ng_mat crew_damped(ng_mat f, double damping)
{
    return dense_add(1, f, damping, dense_identity(f.rows));
}

/* x f x^T */
static inline double crew_form(ng_mat x, ng_mat f)
{
    return dense_dot(x, dense_mul(x, 0, f, 0));
}

/* a dense Fisher matrix that is `exact` in the dtype */
static inline ng_fisher *crew_fisher(ng_mat exact, ng_dtype dtype)
{
    ng_fisher *f;
    ng_mat x = test_convert(exact, dtype);
    ng_assert_ok(ng_fisher_create_dense(&f, exact.rows, dtype, NULL), NULL);
    ng_assert_ok(ng_fisher_set(f, x, 1, NULL), NULL);
    test_free(x);
    return f;
}

/* a positive definite n x n matrix, eigenvalues 1 and above */
static inline ng_mat crew_definite(size_t n, test_rng *rng)
{
    ng_mat b = dense_normal(n + 3, n, rng);
    return crew_damped(dense_mul(b, 1, b, 0), 1);
}

#endif
