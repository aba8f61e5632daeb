/* What the tests of the polar routes share: shapes, the routes by name, graded
 * matrices, and a call with strided views. */
#ifndef NG_TEST_ROUTES_H
#define NG_TEST_ROUTES_H

#include "tests/support/dense.h"

#include <natgrad/polar.h>

static const size_t shapes[][2] = {{1, 1}, {1, 9}, {9, 1}, {6, 6}, {5, 17}, {17, 5}, {19, 31}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], MAX_K = 100 };

/* every route and its name: info.route */
static const struct {
    ng_polar_route route;
    const char *name;
} routes[] = {{NG_ROUTE_SVD, "svd"},
              {NG_ROUTE_GRAM, "gram"},
              {NG_ROUTE_GRAM_FAST, "gram fast"},
              {NG_ROUTE_NEWTON_SCHULZ, "newton-schulz"},
              {NG_ROUTE_GRAM_NEWTON_SCHULZ, "gram newton-schulz"},
              {NG_ROUTE_DWH, "dwh"},
              {NG_ROUTE_GRAM_FRACTIONS, "gram fractions"}};
enum { ROUTES = sizeof routes / sizeof routes[0] };

static inline int iterates(ng_polar_route route)
{
    return route == NG_ROUTE_NEWTON_SCHULZ || route == NG_ROUTE_GRAM_NEWTON_SCHULZ;
}

static inline ng_polar_options forced(ng_polar_route route)
{
    ng_polar_options o;
    ng_polar_init(&o);
    o.route = route;
    o.iteration = NG_ITERATION_POLAR_EXPRESS;
    return o;
}

/* log-spaced from 1 down to 1/kappa */
static inline ng_mat graded(size_t m, size_t n, double kappa, test_rng *rng)
{
    double s[MAX_K];
    size_t k = m < n ? m : n;
    for (size_t i = 0; i < k; i++)
        s[i] = k > 1 ? pow(kappa, -(double)i / (double)(k - 1)) : 1;
    return dense_compose(dense_frame(m, n, s, rng));
}

/* u on dense's list; x becomes what was given, rounded to dtype */
static inline ng_mat polar(ng_mat x, ng_dtype dtype, const ng_polar_options *o, ng_polar_info *info)
{
    ng_error err = {NG_OK, ""};
    ng_mat in = test_mat(x.rows, x.cols, 3, dtype), out = test_mat(x.rows, x.cols, 5, dtype);
    test_assign(in, x);
    test_assign(x, in);
    ng_assert_ok(ng_polar(out, info, in, o, NULL, &err), &err);
    ng_mat u = dense_of(out);
    test_free(in), test_free(out);
    return u;
}

#endif
