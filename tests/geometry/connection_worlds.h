/* Families as fields of g and C in charts of their own, for tests. */
#ifndef NG_TEST_CONNECTION_WORLDS_H
#define NG_TEST_CONNECTION_WORLDS_H

#include "tests/geometry/curvature_worlds.h"

#include <natgrad/connection.h>
#include <natgrad/linalg.h>

/* Normal laws by (mu, sigma): g = diag(1, 2) / sigma^2, C_mms = 2 / sigma^3, C_sss = 8 / sigma^3.
 */
static inline ng_status normal_metric(void *data, ng_mat g, ng_mat x, ng_error *error)
{
    double s = ng_mat_get(x, 0, 1);
    (void)data, (void)error;
    ng_fill(g, 0);
    ng_mat_set(g, 0, 0, 1 / (s * s));
    ng_mat_set(g, 1, 1, 2 / (s * s));
    return NG_OK;
}

static inline ng_status normal_cubic(void *data, ng_mat c, ng_mat x, ng_error *error)
{
    double s = ng_mat_get(x, 0, 1), cube = s * s * s;
    (void)data, (void)error;
    ng_fill(c, 0);
    for (size_t k = 0; k < 3; k++)
        ng_mat_set(c, k == 0, k == 0 ? 0 : k, 2 / cube);
    ng_mat_set(c, 1, 3, 8 / cube);
    return NG_OK;
}

/* Categorical laws by the probabilities of all outcomes but the last. */
static inline double last_probability(ng_mat x)
{
    double rest = 1;
    for (size_t i = 0; i < x.cols; i++)
        rest -= ng_mat_get(x, 0, i);
    return rest;
}

static inline ng_status categorical_metric(void *data, ng_mat g, ng_mat x, ng_error *error)
{
    (void)data, (void)error;
    ng_fill(g, 1 / last_probability(x));
    for (size_t i = 0; i < x.cols; i++)
        ng_mat_set(g, i, i, ng_mat_get(g, i, i) + 1 / ng_mat_get(x, 0, i));
    return NG_OK;
}

static inline ng_status categorical_cubic(void *data, ng_mat c, ng_mat x, ng_error *error)
{
    (void)data, (void)error;
    ng_fill(c, -pow(last_probability(x), -2));
    for (size_t i = 0; i < x.cols; i++)
        ng_mat_set(c, i, i * x.cols + i,
                   ng_mat_get(c, i, i * x.cols + i) + pow(ng_mat_get(x, 0, i), -2));
    return NG_OK;
}

static inline ng_alpha_connection normal_laws(ng_mat step, double amari_alpha)
{
    return (ng_alpha_connection){normal_metric, normal_cubic, NULL, step, amari_alpha};
}

static inline ng_alpha_connection categorical_laws(ng_mat step, double amari_alpha)
{
    return (ng_alpha_connection){categorical_metric, categorical_cubic, NULL, step, amari_alpha};
}

#endif
