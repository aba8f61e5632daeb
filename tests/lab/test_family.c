/* Every family against direct sums (family_world.h), closed forms, and the
 * geometry of exponential families. */
#include "tests/lab/family_world.h"

static ng_error error = {NG_OK, ""};

static void relate(double x, double ref, double scale, const char *what, const world *w)
{
    ck_assert_msg(fabs(x - ref) <= 1e-12 * (fabs(ref) + scale), "%s, %s: %.17g, expected %.17g",
                  w->shape.name, what, x, ref);
}

START_TEST(cumulants)
{
    for (unsigned long long seed = 1; seed <= 3; seed++) {
        world *w = world_create(world_shapes[_i], seed);
        double eta[WORLD_N];
        ng_mat f = test_mat(w->n, w->n, 3, NG_F64), slab = test_mat(w->n, w->n, 1, NG_F64);
        world_mean(w, eta);
        relate(ng_family_log_z(w->family), w->log_z, 1, "log Z", w);
        ng_assert_ok(ng_family_fisher(w->family, f, &error), &error);
        for (size_t c = 0; c < w->n; c++) {
            relate(ng_family_mean(w->family)[c], eta[c], 1, "mean", w);
            ng_assert_ok(ng_family_third(w->family, c, slab, &error), &error);
            for (size_t a = 0; a < w->n; a++)
                for (size_t b = 0; b < w->n; b++) {
                    double second = 0, third = 0, size = 0;
                    for (size_t s = 0; s < w->points; s++) {
                        double ta = w->t[s][a] - eta[a], tb = w->t[s][b] - eta[b];
                        second += w->p[s] * ta * tb;
                        third += w->p[s] * ta * tb * (w->t[s][c] - eta[c]);
                        size += w->p[s] * fabs(ta * tb * (w->t[s][c] - eta[c]));
                    }
                    relate(ng_mat_get(f, a, b), second, 1, "F", w);
                    relate(ng_mat_get(slab, a, b), third, 1 + size, "third cumulant", w);
                }
        }
        test_free(f);
        test_free(slab);
        world_destroy(w);
    }
}
END_TEST

/* J = d eta / d theta by central differences: with weights that track the mean
 * parameters the mass tensor J^T J is F^2. */
START_TEST(mass_is_square_of_fisher)
{
    const double h = 1e-5;
    world *w = world_create(world_shapes[_i], 5);
    size_t n = w->n;
    ng_mat f = test_mat(n, n, 0, NG_F64), j = test_mat(n, n, 0, NG_F64);
    ng_mat mass = test_mat(n, n, 0, NG_F64), square = test_mat(n, n, 0, NG_F64);
    ng_assert_ok(ng_family_fisher(w->family, f, &error), &error);
    for (size_t b = 0; b < n; b++)
        for (int sign = -1; sign <= 1; sign += 2) {
            double theta[WORLD_N];
            memcpy(theta, w->theta, sizeof theta);
            theta[b] += sign * h;
            ng_assert_ok(ng_family_set(w->family, theta, &error), &error);
            for (size_t a = 0; a < n; a++)
                ng_mat_set(j, a, b,
                           ng_mat_get(j, a, b) + sign * ng_family_mean(w->family)[a] / (2 * h));
        }
    test_matmul(mass, j, 1, j, 0);
    test_matmul(square, f, 0, f, 0);
    ng_assert_mat(mass, square, 1e-8);
    test_free(f);
    test_free(j);
    test_free(mass);
    test_free(square);
    world_destroy(w);
}
END_TEST

START_TEST(divergence_and_entropy)
{
    if (world_gaussian(world_shapes[_i]))
        return; /* below */
    world *p = world_create(world_shapes[_i], 6), *q = world_create(world_shapes[_i], 7);
    double kl, reverse, entropy, direct = 0, direct_entropy = 0;
    for (size_t s = 0; s < p->points; s++) {
        direct += p->p[s] * log(p->p[s] / q->p[s]);
        direct_entropy -= p->p[s] * log(p->p[s]);
    }
    ng_assert_ok(ng_family_divergence(p->family, &kl, q->family, &error), &error);
    ng_assert_ok(ng_family_divergence(q->family, &reverse, p->family, &error), &error);
    ng_assert_ok(ng_family_cross_entropy(p->family, &entropy, ng_family_mean(p->family), &error),
                 &error);
    relate(kl, direct, 1, "KL", p);
    relate(entropy, direct_entropy, 1, "entropy", p);
    ck_assert(reverse > 0);
    ng_assert_ok(ng_family_divergence(p->family, &kl, p->family, &error), &error);
    ck_assert(kl == 0);
    world_destroy(p);
    world_destroy(q);
}
END_TEST

START_TEST(normal_in_closed_form)
{
    const double m[2] = {0.3, -1.1}, s[2] = {1.7, 0.4};
    ng_family *f[2];
    double kl, entropy;
    for (int k = 0; k < 2; k++) {
        double theta[2] = {m[k] / (s[k] * s[k]), -1 / (2 * s[k] * s[k])};
        ng_assert_ok(ng_family_create_gaussian(&f[k], 1, 1, &error), &error);
        ng_assert_ok(ng_family_set(f[k], theta, &error), &error);
    }
    ng_assert_ok(ng_family_divergence(f[0], &kl, f[1], &error), &error);
    ng_assert_rel(kl,
                  log(s[1] / s[0]) + (s[0] * s[0] + pow(m[0] - m[1], 2)) / (2 * s[1] * s[1]) - 0.5,
                  1e-13);
    ng_assert_ok(ng_family_cross_entropy(f[0], &entropy, ng_family_mean(f[0]), &error), &error);
    ng_assert_rel(entropy, log(2 * acos(-1) * exp(1) * s[0] * s[0]) / 2, 1e-13);
    ng_family_destroy(f[0]);
    ng_family_destroy(f[1]);
}
END_TEST

/* Chains are trees: log Z = spins log 2 + sum log cosh J, eta = tanh J, F diagonal;
 * every length of the transform, odd and even powers, below and above a block. */
START_TEST(chains)
{
    size_t spins = (size_t)_i, n = spins - 1;
    uint32_t edge[32];
    double theta[32], log_z = (double)spins * log(2);
    test_rng rng = {(unsigned long long)_i};
    ng_family *f;
    for (size_t e = 0; e < n; e++) {
        edge[e] = (uint32_t)3 << e;
        theta[e] = test_normal(&rng);
        log_z += log(cosh(theta[e]));
    }
    if (_i % 2) /* a field that is zero switches the flip symmetry off */
        edge[n] = 1, theta[n++] = 0;
    ng_mat fisher = test_mat(n, n, 0, NG_F64), expected = test_mat(n, n, 0, NG_F64);
    ng_assert_ok(ng_family_create_ising(&f, spins, edge, n, &error), &error);
    ng_assert_ok(ng_family_set(f, theta, &error), &error);
    ng_assert_rel(ng_family_log_z(f), log_z, 1e-13);
    ng_assert_ok(ng_family_fisher(f, fisher, &error), &error);
    for (size_t e = 0; e < n; e++) {
        ck_assert(fabs(ng_family_mean(f)[e] - tanh(theta[e])) <= 1e-12);
        ng_mat_set(expected, e, e, pow(cosh(theta[e]), -2));
    }
    ng_assert_mat(fisher, expected, 1e-12);
    test_free(fisher);
    test_free(expected);
    ng_family_destroy(f);
}
END_TEST

/* N r . F^-1 r is chi-square with n degrees of freedom; and of T T^T, which knows
 * about fluctuations, every mean is within five standard errors. */
START_TEST(samples)
{
    enum { N = 20000 };
    world *w = world_create(world_shapes[_i], 11);
    size_t n = w->n, width = ng_family_sample_size(w->family);
    ng_random random;
    ng_mat x = test_mat(N, width, 1, _i % 2 ? NG_F32 : NG_F64), f = test_mat(n, n, 0, NG_F64);
    double moments[WORLD_N], r[WORLD_N], y[WORLD_N], chi = 0, log_z = ng_family_log_z(w->family);
    ng_assert_ok(ng_rng_create(&random, 5, &error), &error);
    ng_assert_ok(ng_family_sample(w->family, x, &random, &error), &error);
    ck_assert(ng_family_log_z(w->family) == log_z);
    ng_assert_ok(ng_family_moments(w->family, moments, x, &error), &error);
    ng_assert_ok(ng_family_fisher(w->family, f, &error), &error);
    for (size_t a = 0; a < n; a++)
        r[a] = moments[a] - ng_family_mean(w->family)[a];
    world_solve(n, f.data, y, r);
    for (size_t a = 0; a < n; a++)
        chi += N * r[a] * y[a];
    ng_assert_le(chi, (double)n + 4 * sqrt(2.0 * (double)n) + 6);
    ck_assert(chi > 0);
    if (w->shape.kind == ISING) /* single spins: the flip, and spins without a term */
        for (size_t j = 0; j < width; j++) {
            double sum = 0, expected = 0;
            for (size_t i = 0; i < N; i++)
                sum += ng_mat_get(x, i, j);
            for (size_t s = 0; s < w->points; s++)
                expected += w->p[s] * (s >> j & 1 ? -1 : 1);
            ng_assert_le(fabs(sum / N - expected), 5 / sqrt(N));
        }
    ng_rng_destroy(&random);
    test_free(x);
    test_free(f);
    world_destroy(w);
}
END_TEST

TEST_SUITE(family)
{
    TCase *tcase = tcase_create("family");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, cumulants, 0, WORLD_SHAPES);
    tcase_add_loop_test(tcase, mass_is_square_of_fisher, 0, WORLD_SHAPES);
    tcase_add_loop_test(tcase, divergence_and_entropy, 0, WORLD_SHAPES);
    tcase_add_test(tcase, normal_in_closed_form);
    tcase_add_loop_test(tcase, chains, 2, 20);
    tcase_add_loop_test(tcase, samples, 0, WORLD_SHAPES);
    suite_add_tcase(suite, tcase);
}
