/* The metrics of averaged G G^T and G^T G: SOAP against a dense program in double, several steps,
 * every ball and setup; what Shampoo (test_shampoo.c) and SOAP do alike. */
#include "tests/optim/gram_world.h"

#include <stdio.h>

static double by_root(double m, double h, double unit)
{
    return m * sqrt(unit / h);
}

/* ---- SOAP -------------------------------------------------------------------------------- */

/* rows orthonormal by Gram-Schmidt, from the last one on */
static ng_mat gram_schmidt(ng_mat x)
{
    ng_mat q = dense_of(x);
    size_t n = x.cols;
    for (size_t i = x.rows; i-- > 0;) {
        ng_mat row = ng_mat_block(q, i, 0, 1, n);
        for (int twice = 0; twice < 2; twice++)
            for (size_t k = i + 1; k < x.rows; k++) {
                ng_mat other = ng_mat_block(q, k, 0, 1, n);
                test_assign(row, dense_add(1, row, -dense_dot(row, other), other));
            }
        test_assign(row, dense_scale(1 / test_norm(row), row));
    }
    return q;
}

/* rows of q by q x q^T's diagonal, ascending */
static ng_mat sorted(ng_mat q, ng_mat x)
{
    ng_mat r = dense_mul(q, 0, dense_mul(x, 0, q, 1), 0), y = dense_of(q);
    for (size_t i = 0; i < q.rows; i++) {
        size_t rank = 0;
        for (size_t k = 0; k < q.rows; k++)
            rank += ng_mat_get(r, k, k) < ng_mat_get(r, i, i);
        test_assign(ng_mat_block(y, rank, 0, 1, q.cols), ng_mat_block(q, i, 0, 1, q.cols));
    }
    return y;
}

/* The next basis; a missing side has none. */
static ng_mat next_basis(ng_mat q, ng_mat x, int qr, int missing)
{
    ng_mat vectors;
    if (missing)
        return q;
    if (qr)
        return gram_schmidt(dense_mul(sorted(q, x), 0, x, 0));
    dense_eigh(NULL, &vectors, x);
    return vectors;
}

static ng_mat squared_turn(ng_mat next, ng_mat old)
{
    ng_mat r = dense_mul(next, 0, old, 1);
    return map(r, r, times, 1);
}

static void follow_soap(const char *settings, int qr, int interval, double beta2, int one_sided,
                        size_t m, size_t n, int ball, test_setup setup)
{
    char text[300];
    double weight = 0, eps = 1e-3;
    test_run run;
    ng_mat l = dense_mat(m, m), q = dense_mat(n, n), u = dense_identity(m), w = dense_identity(n);
    ng_mat mean = dense_mat(m, n), v = mean;
    sprintf(text, "lr=1 momentum=0.7 ema_decay=0.8 damping=1e-3 %s%s", settings, test_balls[ball]);
    test_run_open(&run, "soap", text, m, n, setup);
    for (int step = 0; step < 7; step++) {
        ng_mat g = gradient(m, n, step), h, x;
        if (step > 0 && (step - 1) % interval == 0) {
            ng_mat next_u = next_basis(u, l, qr && step > 1, one_sided && m > n);
            ng_mat next_w = next_basis(w, q, qr && step > 1, one_sided && m <= n);
            v = dense_mul(squared_turn(next_u, u), 0, dense_mul(v, 0, squared_turn(next_w, w), 1),
                          0);
            u = next_u;
            w = next_w;
        }
        weight = 0.8 * weight + 1;
        l = dense_add(1 - 1 / weight, l, 1 / weight, dense_mul(g, 0, g, 1));
        q = dense_add(1 - 1 / weight, q, 1 / weight, dense_mul(g, 1, g, 0));
        x = dense_mul(u, 0, dense_mul(g, 0, w, 1), 0);
        v = dense_add(beta2, v, beta2 < 1 ? 1 - beta2 : 1, map(x, x, times, 1));
        mean = dense_add(0.7, mean, 0.3, g);
        x = dense_mul(u, 0, dense_mul(mean, 0, w, 1), 0);
        h = dense_scale(beta2 < 1 ? 1 / (1 - pow(beta2, step + 1)) : 1, v);
        double unit = 0;
        for (size_t i = 0; i < m * n; i++) {
            double *value = (double *)h.data + i;
            *value = sqrt(*value) + eps;
            unit += *value / (double)(m * n);
        }
        unit = ball == 0 ? 1 : unit;
        x = map(test_project(ball, map(x, h, by_root, unit)), h, by_root, unit);
        x = dense_mul(u, 1, dense_mul(x, 0, w, 0), 0);
        ng_assert_mat(test_run_direction(&run, g), x, tolerance(setup));
    }
    test_run_close(&run);
    dense_release();
}

START_TEST(soap)
{
    test_setup setup = test_setup_number(_i);
    for (int ball = 0; ball < TEST_INVARIANT_BALLS; ball++) {
        follow_soap("beta2=0.9 eigenbasis=eigh inverse_interval=1", 0, 1, 0.9, 0, 3, 3, ball,
                    setup);
        follow_soap("beta2=0.9 eigenbasis=qr inverse_interval=1", 1, 1, 0.9, 0, 3, 3, ball, setup);
        follow_soap("beta2=1 eigenbasis=qr inverse_interval=3", 1, 3, 1, 0, 4, 4, ball, setup);
        for (int s = 1; s < SHAPES; s++)
            follow_soap("beta2=0.8 eigenbasis=qr inverse_interval=2 one_sided=always", 1, 2, 0.8, 1,
                        shapes[s][0], shapes[s][1], ball, setup);
    }
}
END_TEST

/* Constant factors of deficient rank: eigenvectors stay what they are under the iteration, and the
 * space of zeros, arbitrary, does not disturb them. */
START_TEST(eigenvectors_stay)
{
    test_setup setup = test_setup_number(_i);
    for (int s = 1; s < SHAPES; s++) {
        static const char *const ways[] = {"damping=0.001 momentum=0 lr=1 eigenbasis=eigh",
                                           "damping=0.001 momentum=0 lr=1 eigenbasis=qr"};
        test_run run[2];
        ng_mat g = gradient(shapes[s][0], shapes[s][1], 0);
        for (int i = 0; i < 2; i++) {
            test_run_open(&run[i], "soap", ways[i], g.rows, g.cols, setup);
            ng_assert_ok(ng_group_set(run[i].group, "inverse_interval", 1), NULL);
        }
        for (int step = 0; step < 8; step++) {
            ng_mat by_eigh = test_run_direction(&run[0], g);
            ng_assert_mat(test_run_direction(&run[1], g), by_eigh, tolerance(setup));
        }
        test_run_close(&run[0]), test_run_close(&run[1]);
        dense_release();
    }
}
END_TEST

/* In the identity, one of the right bases for gradients of one element each, SOAP is Adam
 * without the correction of the first moment. */
START_TEST(soap_is_adam)
{
    test_setup setup = test_setup_number(_i);
    test_run run;
    test_rng rng = {20};
    ng_mat mean = dense_mat(3, 4), v = mean;
    test_run_open(&run, "soap", "lr=1 momentum=0.6 beta2=0.9 damping=1e-6 eigenbasis=eigh", 3, 4,
                  setup);
    for (int step = 0; step < 5; step++) {
        ng_mat g = dense_mat(3, 4);
        for (size_t i = 0; i < 3; i++)
            ng_mat_set(g, i, (i + 1) % 4, ((double)i + 1) * (1 + test_uniform(&rng)));
        mean = dense_add(0.6, mean, 0.4, g);
        v = dense_add(0.9, v, 0.1, map(g, g, times, 1));
        ng_mat d = map(mean, dense_scale(1 / (1 - pow(0.9, step + 1)), v), adams, 1e-6);
        ng_assert_mat(test_run_direction(&run, g), d, setup.dtype == NG_F64 ? 1e-12 : 1e-5);
    }
    test_run_close(&run);
    dense_release();
}
END_TEST

/* Zero gradients, first and later, are ordinary steps; nothing else comes out than numbers. */
START_TEST(zeros)
{
    static const char *const presets[] = {"shampoo", "soap"};
    test_setup setup = test_setup_number(_i);
    for (int i = 0; i < 6; i++) {
        char text[100] = "inverse_interval=1 grafting=none";
        test_run run;
        strcat(text, test_balls[i / 2]);
        test_run_open(&run, presets[i % 2], text, 3, 5, setup);
        for (int step = 0; step < 6; step++) {
            ng_mat g = step == 2 ? gradient(3, 5, 2) : dense_mat(3, 5);
            ng_mat d = test_run_direction(&run, g);
            ck_assert(isfinite(test_norm(d)));
            ck_assert_int_eq(test_norm(d) > 0, step >= 2);
        }
        test_run_close(&run);
        dense_release();
    }
}
END_TEST

START_TEST(combinations)
{
    const char *const bad[][3] = {{"shampoo", "ball=spectral", "grafting"},
                                  {"shampoo", "kl_clip=1", "grafting"},
                                  {"shampoo", "root=cholesky", "root"},
                                  {"soap", "momentum_space=whitened", "soap"},
                                  {"shampoo", "refresh_tolerance=0.1", "refresh"},
                                  {"fismo", "ema_decay=1", "ema_decay"},
                                  {"ekfac", "one_sided=auto", "one_sided"},
                                  {"ekfac", "ema_decay=1", "ema_decay"},
                                  {"shampoo", "momentum_space=whitened", "grafting"},
                                  {"shampoo", "momentum_space=whitened grafting=none", "root"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        test_options_refused(bad[i][0], bad[i][1], bad[i][2]);
}
END_TEST

TEST_SUITE(gram)
{
    TCase *tcase = tcase_create("metrics");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, soap, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, eigenvectors_stay, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, soap_is_adam, 0, TEST_SETUPS);
    tcase_add_loop_test(tcase, zeros, 0, TEST_SETUPS);
    tcase_add_test(tcase, combinations);
    suite_add_tcase(suite, tcase);
}
