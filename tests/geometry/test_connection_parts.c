/* Traces, products and irreducible parts of torsion and non-metricity: against plain sums, and as
 * the projections they are. */
#include "tests/geometry/connection_worlds.h"

static ng_error error;
static test_rng rng;

static void reseed(void)
{
    rng.state = 71;
    dense_release();
}

static ng_mat random_metric(size_t n)
{
    ng_mat a = dense_normal(n, n, &rng);
    return dense_add(1, dense_mul(a, 0, a, 1), 1, dense_identity(n));
}

/* t_cab, antisymmetric (sign = -1) or symmetric (1) in a and b */
static ng_mat random_tensor(size_t n, int sign)
{
    ng_mat t = dense_normal(n, n * n, &rng), s = dense_mat(n, n * n);
    for (size_t c = 0; c < n; c++)
        for (size_t k = 0; k < n * n; k++)
            ng_mat_set(s, c, k, ng_mat_get(t, c, k) + sign * ng_mat_get(t, c, k % n * n + k / n));
    return s;
}

static double product(ng_mat s, ng_mat t, ng_mat g)
{
    double found;
    ng_assert_ok(ng_connection_product(&found, s, t, g, &error), &error);
    return found;
}

/* The parts, three of a torsion (sign = -1), four of a non-metricity. */
static size_t split(ng_mat part[4], ng_mat t, ng_mat g, int sign)
{
    for (int i = 0; i < 4; i++)
        part[i] = dense_mat(t.rows, t.cols);
    ng_torsion_parts torsion = {part[0], part[1], part[2]};
    ng_nonmetricity_parts q = {part[0], part[1], part[2], part[3]};
    ng_assert_ok(sign < 0 ? ng_connection_split_torsion(&torsion, t, g, &error)
                          : ng_connection_split_nonmetricity(&q, t, g, &error),
                 &error);
    return sign < 0 ? 3 : 4;
}

/* _i: n. Against sums over the inverse metric. */
START_TEST(traces_and_products)
{
    const size_t n = (size_t)_i;
    ng_mat g = random_metric(n), s = dense_normal(n, n * n, &rng), t = dense_normal(n, n * n, &rng);
    ng_mat inverse = dense_power(g, -1), first = test_mat(1, n, 0, NG_F64),
           second = dense_mat(1, n);
    double sum = 0;
    ng_assert_ok(ng_connection_traces(first, second, t, g, &error), &error);
    for (size_t i = 0; i < n; i++) {
        double f = 0, b = 0;
        for (size_t j = 0; j < n * n; j++) {
            double raised = ng_mat_get(inverse, j / n, j % n);
            f += raised * ng_mat_get(t, i, j);
            b += raised * ng_mat_get(t, j / n, j % n * n + i);
        }
        ng_assert_le(fabs(ng_mat_get(first, 0, i) - f), 1e-12);
        ng_assert_le(fabs(ng_mat_get(second, 0, i) - b), 1e-12);
    }
    for (size_t i = 0; i < n * n * n; i++)
        for (size_t j = 0; j < n * n * n; j++)
            sum += ((double *)s.data)[i] * ((double *)t.data)[j] *
                   ng_mat_get(inverse, i / n / n, j / n / n) *
                   ng_mat_get(inverse, i / n % n, j / n % n) * ng_mat_get(inverse, i % n, j % n);
    ng_assert_le(fabs(product(s, t, g) - sum), 1e-12 * (1 + fabs(sum)));
    ng_assert_ok(ng_connection_traces(ng_mat_none(), second, t, g, &error), &error);
    test_free(first);
}
END_TEST

/* _i: n. Parts add up, are orthogonal, are their own parts, and have no traces but their own. */
START_TEST(parts_are_orthogonal)
{
    const size_t n = (size_t)_i;
    for (int sign = -1; sign <= 1; sign += 2) {
        ng_mat g = random_metric(n), t = random_tensor(n, sign), sum = dense_mat(n, n * n);
        ng_mat part[4], again[4], first = dense_mat(1, n), second = dense_mat(1, n);
        size_t count = split(part, t, g, sign);
        double whole = product(t, t, g), squares = 0;
        for (size_t i = 0; i < count; i++) {
            sum = dense_add(1, sum, 1, part[i]);
            squares += product(part[i], part[i], g);
            for (size_t j = 0; j < i; j++)
                ng_assert_le(fabs(product(part[i], part[j], g)), 1e-14 * (1 + whole));
            split(again, part[i], g, sign);
            ng_assert_le(ng_max_abs(dense_add(1, part[i], -1, again[i])),
                         1e-13 * (1 + ng_max_abs(t)));
        }
        ng_assert_le(ng_max_abs(dense_add(1, t, -1, sum)), 1e-14 * (1 + ng_max_abs(t)));
        ng_assert_le(fabs(squares - whole), 1e-14 * whole);
        for (size_t i = sign < 0 ? 1 : 2; i < count; i++) {
            ng_assert_ok(ng_connection_traces(first, second, part[i], g, &error), &error);
            ng_assert_le(ng_max_abs(first) + ng_max_abs(second), 1e-11);
        }
    }
}
END_TEST

/* _i: n. A projection's trace is the number of components: 24 = 4 + 4 + 16 and 40 = 4 + 4 + 16 + 16
 * for n = 4, 9 = 3 + 1 + 5 and 18 = 3 + 3 + 7 + 5 for n = 3. */
START_TEST(components)
{
    const size_t n = (size_t)_i, cube = n * n * n;
    ng_mat g = random_metric(n), part[4];
    for (int sign = -1; sign <= 1; sign += 2) {
        double found[4] = {0};
        for (size_t k = 0; k < cube; k++) {
            ng_mat e = dense_mat(n, n * n);
            size_t c = k / n / n, a = k / n % n, b = k % n;
            ng_mat_set(e, c, a * n + b, 0.5);
            ng_mat_set(e, c, b * n + a, ng_mat_get(e, c, b * n + a) + 0.5 * sign);
            size_t count = split(part, e, g, sign);
            for (size_t i = 0; i < count; i++)
                found[i] += ng_mat_get(part[i], c, a * n + b);
        }
        const double m = (double)n, mixed = n < 2 ? 0 : m * (m * m - 4) / 3;
        const double torsion[4] = {n < 2 ? 0 : m, m * (m - 1) * (m - 2) / 6, mixed, 0};
        const double q[4] = {m, n < 2 ? 0 : m, m * (m + 4) * (m - 1) / 6, mixed};
        for (int i = 0; i < 4; i++)
            ng_assert_le(fabs(found[i] - (sign < 0 ? torsion : q)[i]), 1e-11);
    }
}
END_TEST

/* What a part alone looks like: a connection with nabla g = w g has a Weyl part and nothing else,
 * a totally antisymmetric torsion an axial one; outputs may be inputs. */
START_TEST(pure_parts)
{
    const size_t n = 3;
    ng_mat g = random_metric(n), q = dense_mat(n, n * n), t = dense_mat(n, n * n), part[4];
    for (size_t c = 0; c < n; c++)
        for (size_t k = 0; k < n * n; k++) {
            size_t a = k / n, b = k % n;
            ng_mat_set(q, c, k, (1 + (double)c) * ng_mat_get(g, a, b));
            ng_mat_set(t, c, k,
                       ((double)a - (double)c) * ((double)b - (double)a) * ((double)c - (double)b));
        }
    split(part, q, g, 1);
    ng_assert_mat(part[0], q, 1e-13);
    split(part, t, g, -1);
    ng_assert_mat(part[1], t, 1e-13);
    ng_nonmetricity_parts own = {.weyl = q};
    ng_mat expected = dense_of(q);
    ng_assert_ok(ng_connection_split_nonmetricity(&own, q, g, &error), &error);
    ng_assert_mat(q, expected, 1e-13);
}
END_TEST

TEST_SUITE(connection_parts)
{
    TCase *tc = tcase_create("parts");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_add_loop_test(tc, traces_and_products, 1, 5);
    tcase_add_loop_test(tc, parts_are_orthogonal, 1, 6);
    tcase_add_loop_test(tc, components, 1, 5);
    tcase_add_test(tc, pure_parts);
    suite_add_tcase(suite, tc);
}
