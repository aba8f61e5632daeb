/* The natural gradient in its residual form: directions against dense algebra,
 * SPRING, acceleration and line searches. */
#include "tests/optim/residual_world.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 59;
}

/* ---- Directions --------------------------------------------------------------------------- */

/* Three steps of SPRING, mu = 0 among them, for every solver, with m below and above n. */
START_TEST(spring)
{
    static const size_t counts[] = {1, 7, 12, 20};
    static const double mus[] = {0, 0.9};
    size_t m = counts[_i % 4];
    double mu = mus[_i / 4 % 2], damping = 0.3, lr = 0.4;
    ng_residual_options o = plain(damping);
    ng_residuals *res;
    crew c;
    o.solver = (ng_residual_solver)(_i / 8);
    o.momentum = mu;
    o.lr = lr;
    o.sketch = 4;
    ng_assert_ok(ng_residuals_create(&res, N, m, NULL, NULL), NULL);
    open_group(&c, &o, shapes, res, NULL);
    crew_write(&c, c.w, dense_normal(1, N, &rng));
    ng_mat w = crew_weights(&c), phi = dense_mat(1, N);
    for (int k = 0; k < 3; k++) {
        ng_mat j = dense_normal(m, N, &rng), r = dense_normal(1, m, &rng);
        fill(res, j, r);
        ng_mat y = dense_add(1, r, -mu, dense_mul(phi, 0, j, 1));
        phi = dense_add(mu, phi, 1, oracle(j, y, damping));
        w = dense_add(1, w, -lr, phi);
        step(&c);
        ng_assert_mat(crew_weights(&c), w, 1e-9);
        ng_assert_mat(state_of(&c, "direction"), phi, 1e-9);
    }
    crew_close(&c);
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

/* damping -> 0: J phi = r, and what J does not see of phi is mu phi'. */
START_TEST(undamped)
{
    enum { M = 5 };
    double mu = 0.7;
    ng_residual_options o = plain(1e-13);
    ng_residuals *res;
    crew c;
    o.momentum = mu;
    ng_assert_ok(ng_residuals_create(&res, N, M, NULL, NULL), NULL);
    open_group(&c, &o, shapes, res, NULL);
    fill(res, dense_normal(M, N, &rng), dense_normal(1, M, &rng));
    step(&c);
    ng_mat before = state_of(&c, "direction"), j = dense_normal(M, N, &rng);
    ng_mat r = dense_normal(1, M, &rng);
    fill(res, j, r);
    step(&c);
    ng_mat phi = state_of(&c, "direction");
    ng_assert_mat(dense_mul(phi, 0, j, 1), r, 1e-10);
    ng_mat range = dense_mul(dense_mul(j, 1, dense_power(dense_mul(j, 0, j, 1), -1), 0), 0, j, 0);
    ng_mat blind = dense_add(1, dense_identity(N), -1, range);
    ng_assert_mat(dense_mul(phi, 0, blind, 0), dense_mul(dense_scale(mu, before), 0, blind, 0),
                  1e-10);
    crew_close(&c);
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

/* step_norm shortens what is longer and leaves what is shorter to the bit. */
START_TEST(length)
{
    ng_residual_options o = plain(0.1);
    ng_residuals *res;
    crew c[3];
    ng_mat j = dense_normal(7, N, &rng), r = dense_normal(1, 7, &rng), w[3];
    ng_assert_ok(ng_residuals_create(&res, N, 7, NULL, NULL), NULL);
    fill(res, j, r);
    o.lr = 0.3;
    double whole = 0;
    for (int k = 0; k < 3; k++) {
        o.step_norm = k == 0 ? 0 : k == 1 ? whole / 3 : 1.01 * whole;
        open_group(&c[k], &o, shapes, res, NULL);
        step(&c[k]);
        w[k] = crew_weights(&c[k]);
        whole = k == 0 ? test_norm(w[0]) : whole;
        crew_close(&c[k]);
    }
    ng_assert_mat(w[1], dense_scale(1.0 / 3, w[0]), 1e-13);
    ck_assert(test_same_bits(w[2], w[0]));
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

/* ---- A curved valley: Rosenbrock's function as residuals 10 (y - x^2), 1 - x ----------------- */

static double valley_loss_at(double x, double y)
{
    return 50 * (y - x * x) * (y - x * x) + 0.5 * (1 - x) * (1 - x);
}

static ng_status valley_loss(void *data, double *loss, ng_mat w, ng_error *error)
{
    (void)data, (void)error;
    *loss = valley_loss_at(ng_mat_get(w, 0, 0), ng_mat_get(w, 0, 1));
    return NG_OK;
}

static ng_status valley_second(void *data, ng_mat second, ng_mat v, ng_error *error)
{
    double x = ng_mat_get(v, 0, 0);
    (void)data, (void)error;
    ng_mat_set(second, 0, 0, -20 * x * x);
    ng_mat_set(second, 0, 1, 0);
    return NG_OK;
}

static void valley_fill(ng_residuals *res, const double *w)
{
    ng_mat j, r;
    ng_residuals_clear(res);
    ng_assert_ok(ng_residuals_add(res, &j, &r, 2, 1, NULL), NULL);
    ng_mat_set(r, 0, 0, 10 * (w[1] - w[0] * w[0]));
    ng_mat_set(r, 0, 1, 1 - w[0]);
    ng_mat_set(j, 0, 0, -20 * w[0]);
    ng_mat_set(j, 0, 1, 10);
    ng_mat_set(j, 1, 0, -1);
}

/* Steps until the loss is below 1e-20, each with its damping by Levenberg and Marquardt. */
static int descend(int accelerated, ng_line_search search, double damping)
{
    double w[2] = {-1.2, 1}, dw[2];
    const ng_residual_calls calls = {valley_loss, accelerated ? valley_second : NULL, NULL};
    ng_residual_options o = plain(damping);
    ng_residuals *res;
    ng_optimizer *opt;
    ng_group *group;
    int steps = 0;
    o.line_search = search;
    o.damping_mode = NG_DAMPING_MODE_LM;
    ng_assert_ok(ng_residuals_create(&res, 2, 2, NULL, NULL), NULL);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "w", ng_f64(w, 1, 2), ng_f64(dw, 1, 2)), NULL);
    ng_assert_ok(ng_group_set_residuals(group, res, &calls), NULL);
    for (double loss = 1; loss > 1e-20 && steps < 1000; steps++) {
        loss = valley_loss_at(w[0], w[1]);
        valley_fill(res, w);
        ck_assert_msg(ng_optimizer_step(opt) == NG_OK, "%s", ng_optimizer_error(opt));
        ng_assert_ok(ng_group_adapt_damping(group, NULL, loss, valley_loss_at(w[0], w[1])), NULL);
    }
    ng_optimizer_destroy(opt);
    ng_residuals_destroy(res);
    return steps;
}

/* Acceleration follows the bend: fewer steps, whatever damping it starts with. */
START_TEST(curved_valley)
{
    static const double dampings[] = {1e-2, 1, 100};
    int straight = descend(0, NG_LINE_SEARCH_NONE, dampings[_i]);
    int accelerated = descend(1, NG_LINE_SEARCH_NONE, dampings[_i]);
    ck_assert_msg(accelerated < straight && straight < 1000, "%d steps accelerated, %d not",
                  accelerated, straight);
    ck_assert_int_lt(descend(0, NG_LINE_SEARCH_ARMIJO, dampings[_i]), 1000);
    ck_assert_int_lt(descend(1, NG_LINE_SEARCH_GRID, dampings[_i]), 1000);
}
END_TEST

/* One step by hand: w - t phi - t^2/2 psi for the t that the rule says, and without psi where that
 * is too long. */
START_TEST(path)
{
    static const double limits[] = {1e9, 1e-9};
    ng_line_search search = (ng_line_search)(_i % 3);
    double w[2] = {-1.2, 1}, dw[2], limit = limits[_i / 3], loss = INFINITY, t = 1;
    const ng_residual_calls calls = {valley_loss, valley_second, NULL};
    ng_residual_options o = plain(0.01);
    ng_residuals *res;
    ng_optimizer *opt;
    ng_group *group;
    o.acceleration = limit;
    o.line_search = search;
    o.armijo = 0.5;
    ng_assert_ok(ng_residuals_create(&res, 2, 2, NULL, NULL), NULL);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "w", ng_f64(w, 1, 2), ng_f64(dw, 1, 2)), NULL);
    ng_assert_ok(ng_group_set_residuals(group, res, &calls), NULL);
    valley_fill(res, w);
    double start = valley_loss_at(w[0], w[1]);
    ng_mat phi = dense_mat(1, 2), psi = dense_mat(1, 2), second = dense_mat(1, 2);
    ng_assert_ok(ng_residuals_factor(res, 0.01, NULL, NULL), NULL);
    ng_assert_ok(ng_residuals_solve(res, phi, ng_residuals_values(res), NULL), NULL);
    valley_second(NULL, second, phi, NULL);
    ng_assert_ok(ng_residuals_solve(res, psi, second, NULL), NULL);
    ng_mat slope = dense_mat(1, 2), begin = dense_of(ng_f64(w, 1, 2)), want = begin;
    ng_assert_ok(ng_residuals_gradient(res, slope, ng_residuals_values(res), NULL), NULL);
    for (int k = 0; k < 24; k++, t /= 2) {
        ng_mat there = dense_add(1, begin, -t, phi);
        if (limit > 1)
            there = dense_add(1, there, -t * t / 2, psi);
        double now = valley_loss_at(ng_mat_get(there, 0, 0), ng_mat_get(there, 0, 1));
        if (search == NG_LINE_SEARCH_GRID && loss < start && now >= loss)
            break;
        if (search != NG_LINE_SEARCH_GRID || now < loss)
            want = there;
        loss = fmin(loss, now);
        if (search == NG_LINE_SEARCH_NONE ||
            (search == NG_LINE_SEARCH_ARMIJO && now <= start - 0.5 * t * dense_dot(slope, phi)))
            break;
    }
    ck_assert_msg(ng_optimizer_step(opt) == NG_OK, "%s", ng_optimizer_error(opt));
    ng_assert_mat(ng_f64(w, 1, 2), want, 1e-13);
    ng_optimizer_destroy(opt);
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

TEST_SUITE(residual)
{
    TCase *tcase = tcase_create("residual");
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, spring, 0, 32);
    tcase_add_test(tcase, undamped);
    tcase_add_test(tcase, length);
    tcase_add_loop_test(tcase, curved_valley, 0, 3);
    tcase_add_loop_test(tcase, path, 0, 6);
    suite_add_tcase(suite, tcase);
}
