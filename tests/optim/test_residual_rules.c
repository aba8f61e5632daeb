/* The residual form's steps that are no steps: what is given up, taken back or refused
 * changes nothing. */
#include "tests/optim/residual_world.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 59;
}

/* ---- Steps that are no steps -------------------------------------------------------------------
 */

typedef struct {
    double counts[16], damping;
    size_t count;
    ng_mat w, phi;
} snapshot;

static snapshot look(const crew *c)
{
    snapshot s = {.w = crew_weights(c), .phi = state_of(c, "direction")};
    s.count = ng_optimizer_counts(c->opt, s.counts, 16);
    ng_assert_ok(ng_group_get(c->group, "damping", &s.damping), NULL);
    return s;
}

static void same(snapshot a, snapshot b, int counts_from)
{
    ck_assert(test_same_bits(a.w, b.w) && test_same_bits(a.phi, b.phi));
    ck_assert_uint_eq(a.count, b.count);
    ck_assert(memcmp(a.counts + counts_from, b.counts + counts_from,
                     (a.count - (size_t)counts_from) * sizeof *a.counts) == 0);
}

/* the square of the distance from the origin, or what `bad` makes of it */
static ng_status bowl(void *data, double *loss, ng_mat w, ng_error *error)
{
    int *bad = data;
    *loss = ng_dot(w, w);
    if (*bad == 3)
        return ng_error_set(error, NG_ENODATA, "mine");
    if (*bad != 0)
        *loss = *bad == 1 ? 1 : (double)NAN;
    return NG_OK;
}

static ng_status no_second(void *data, ng_mat second, ng_mat v, ng_error *error)
{
    (void)data, (void)v, (void)error;
    ng_fill(second, NAN);
    return NG_OK;
}

/* A line search without success, a callback that fails, NaN: nothing has changed, to the bit, and
 * the next step is what it would have been. */
START_TEST(given_up)
{
    static const ng_status expected[] = {NG_OK, NG_ENOCONV, NG_ENONFINITE, NG_ENODATA};
    int bad = 0;
    const ng_residual_calls calls = {bowl, NULL, &bad};
    ng_residual_options o = plain(1e-3);
    ng_residuals *res;
    crew c, d;
    o.momentum = 0.8;
    o.line_search = (ng_line_search)(NG_LINE_SEARCH_ARMIJO + _i / 4);
    ng_assert_ok(ng_residuals_create(&res, N, N, NULL, NULL), NULL);
    open_group(&c, &o, shapes, res, &calls);
    open_group(&d, &o, shapes, res, &calls);
    ng_mat w = dense_normal(1, N, &rng), j = dense_identity(N);
    crew_write(&c, c.w, w), crew_write(&d, d.w, w);
    for (int k = 0; k < 2; k++) {
        bad = 0;
        fill(res, j, crew_weights(&c));
        step(&d);
        snapshot before = look(&c);
        bad = _i % 4;
        if (bad != 0)
            ck_assert_int_eq(ng_optimizer_step(c.opt), expected[bad]);
        snapshot after = look(&c);
        same(before, after, 0);
        ck_assert(before.damping == after.damping);
        bad = 0;
        step(&c);
        same(look(&c), look(&d), 0);
    }
    crew_close(&c), crew_close(&d);
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

/* Under lm a step that raised the loss was none: weights, phi' and the parameters' counts to the
 * bit; damping by the rule; and the rows are still there for another try. */
START_TEST(taken_back)
{
    ng_residual_options o = plain(0.5);
    ng_residuals *res;
    crew c;
    double rho;
    o.damping_mode = NG_DAMPING_MODE_LM;
    o.damping_factor = 0.25;
    o.momentum = _i ? 0.6 : 0;
    ng_assert_ok(ng_residuals_create(&res, N, 7, NULL, NULL), NULL);
    open_group(&c, &o, shapes, res, NULL);
    ng_mat j = dense_normal(7, N, &rng), r = dense_normal(1, 7, &rng);
    crew_write(&c, c.w, dense_normal(1, N, &rng));
    fill(res, j, r);
    step(&c);
    ng_assert_ok(ng_group_adapt_damping(c.group, &rho, 2, 2 - 1e-9), NULL);
    snapshot before = look(&c);
    ck_assert(before.damping == 2);
    step(&c);
    ck_assert(!test_same_bits(before.w, crew_weights(&c)));
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ENODATA, "losses");
    ng_assert_ok(ng_group_adapt_damping(c.group, &rho, 1, 7), NULL);
    ck_assert(rho < 0);
    snapshot after = look(&c);
    after.counts[3] = before.counts[3]; /* what was predicted belongs to the call */
    same(before, after, 1);
    ck_assert(after.damping == 8);
    crew_refuse(&c, ng_group_adapt_damping(c.group, &rho, 1, 7), NG_ENODATA, "no step");
    step(&c);
    ng_mat y = dense_add(1, r, -o.momentum, dense_mul(before.phi, 0, j, 1));
    ng_mat phi = dense_add(o.momentum, before.phi, 1, oracle(j, y, 8));
    ng_assert_mat(crew_weights(&c), dense_add(1, before.w, -1, phi), 1e-10);
    crew_close(&c);
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

/* Linear residuals: the model is the loss but for the damping, so that rho is known. */
START_TEST(predicted)
{
    double damping = 0.4, rho, lr = _i ? 1.3 : 0.6;
    ng_residual_options o = plain(damping);
    ng_residuals *res;
    crew c;
    o.damping_mode = NG_DAMPING_MODE_LM;
    o.momentum = _i > 1 ? 0.5 : 0;
    o.lr = lr;
    ng_assert_ok(ng_residuals_create(&res, N, 20, NULL, NULL), NULL);
    open_group(&c, &o, shapes, res, NULL);
    ng_mat j = dense_normal(20, N, &rng), r = dense_normal(1, 20, &rng), w = crew_weights(&c);
    for (int k = 0; k < 2; k++) {
        fill(res, j, r);
        double before = ng_residuals_loss(res);
        step(&c);
        ng_mat p = dense_add(1, crew_weights(&c), -1, w);
        r = dense_add(1, r, 1, dense_mul(p, 0, j, 1));
        fill(res, j, r);
        double after = ng_residuals_loss(res);
        ng_assert_ok(ng_group_adapt_damping(c.group, &rho, before, after), NULL);
        double model = before - after - damping / 2 * dense_dot(p, p);
        ng_assert_rel(rho, (before - after) / model, 1e-9);
        w = crew_weights(&c);
        ng_assert_ok(ng_group_get(c.group, "damping", &damping), NULL);
    }
    crew_close(&c);
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

START_TEST(refused)
{
    ng_error err;
    ng_residual_options o = plain(1);
    ng_sgd_options sgd;
    ng_residuals *res, *other;
    ng_optimizer *opt;
    ng_group *group;
    float w[2] = {0, 0}, dw[2] = {0, 0};
    crew c;
    const ng_residual_calls calls = {NULL, no_second, NULL};
    ng_assert_ok(ng_residuals_create(&res, N, 3, NULL, NULL), NULL);
    ng_assert_ok(ng_residuals_create(&other, N + 1, 3, NULL, NULL), NULL);
    open_group(&c, &o, shapes, NULL, NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ENODATA, "ng_group_set_residuals");
    ng_assert_ok(ng_group_set_residuals(c.group, res, NULL), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ENODATA, "ng_residuals_add");
    ng_assert_ok(ng_group_set_residuals(c.group, other, NULL), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ESHAPE, "13 weights");
    ng_assert_ok(ng_group_set_residuals(c.group, res, &calls), NULL);
    fill(res, dense_normal(3, N, &rng), dense_normal(1, 3, &rng));
    ng_mat before = crew_weights(&c);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ENONFINITE, "second derivative");
    ng_assert_ok(ng_group_set(c.group, "line_search", NG_LINE_SEARCH_GRID), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ENODATA, "loss");
    ck_assert(test_same_bits(before, crew_weights(&c)));
    crew_refuse(&c, ng_group_set_fisher(c.group, NULL), NG_EUNSUPPORTED, "Fisher");
    ng_assert_ok(ng_group_set(c.group, "line_search", NG_LINE_SEARCH_NONE), NULL);
    ng_assert_ok(ng_group_set_residuals(c.group, res, NULL), NULL);
    step(&c);
    crew_refuse(&c, ng_group_adapt_damping(c.group, NULL, 1, 0), NG_EUNSUPPORTED, "fixed");
    ck_assert_int_eq(ng_group_set_residuals(NULL, res, NULL), NG_EARG);
    crew_close(&c);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ck_assert_int_eq(ng_group_add(group, NULL, "w", ng_f32(w, 1, 2), ng_f32(dw, 1, 2)), NG_EDTYPE);
    ng_sgd_init(&sgd);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &sgd), NULL);
    ck_assert_int_eq(ng_group_set_residuals(group, res, NULL), NG_EUNSUPPORTED);
    ng_optimizer_destroy(opt);
    o.damping_min = 1, o.damping_max = 0.5;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "damping_min");
    o = plain(1);
    o.damping_mode = NG_DAMPING_MODE_LM, o.lr = 2;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "lr");
    ng_residuals_destroy(res), ng_residuals_destroy(other);
    dense_release();
}
END_TEST

/* Each allocation of a step fails in turn: nothing has changed, and the step that succeeds is that
 * of another optimizer. */
START_TEST(memory)
{
    ng_residual_options o = plain(0.3);
    ng_residuals *res;
    crew c, d;
    o.momentum = 0.5;
    o.solver = (ng_residual_solver)_i;
    ng_assert_ok(ng_residuals_create(&res, N, 5, NULL, NULL), NULL);
    open_group(&c, &o, shapes, res, NULL);
    open_group(&d, &o, shapes, res, NULL);
    fill(res, dense_normal(5, N, &rng), dense_normal(1, 5, &rng));
    snapshot before = look(&c);
    for (int k = 1, status = NG_ENOMEM; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k, FAIL);
        status = ng_optimizer_step(c.opt);
        fault_over();
        ck_assert_int_eq(status, status == NG_OK ? NG_OK : NG_ENOMEM);
        if (status != NG_OK)
            same(before, look(&c), 0);
    }
    step(&d);
    same(look(&c), look(&d), 0);
    crew_close(&c), crew_close(&d);
    ng_residuals_destroy(res);
    dense_release();
}
END_TEST

TEST_SUITE(residual_rules)
{
    TCase *tcase = tcase_create("rules");
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, given_up, 0, 8);
    tcase_add_loop_test(tcase, taken_back, 0, 2);
    tcase_add_loop_test(tcase, predicted, 0, 3);
    tcase_add_test(tcase, refused);
    tcase_add_loop_test(tcase, memory, 0, 4);
    suite_add_tcase(suite, tcase);
}
