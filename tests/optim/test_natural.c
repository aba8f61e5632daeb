/* The natural gradient of a group: against dense algebra for every Fisher
 * representation, in closed form, and between parametrisations. */
#include "tests/fisher/worlds.h"
#include "tests/optim/natural_world.h"

enum { SIX = 1, TWELVE = 2 }; /* rows of crew_shapes */

static test_rng rng;

static void reseed(void)
{
    rng.state = 41;
}

static ng_natural_options plain(double lr, double damping)
{
    ng_natural_options o;
    ng_natural_init(&o);
    o.lr = lr;
    o.damping = damping;
    return o;
}

/* ---- Every representation ------------------------------------------------------------- */

/* Three steps with momentum and decay; factored Fisher matrices belong to one
 * parameter, the others to several. */
START_TEST(representations)
{
    world x = world_open(_i, 2, NULL, 1, &rng);
    size_t row = (size_t)_i / 2 / REPRESENTATIONS,
           one[CREW_MAX][2] = {{x.outputs, x.n / x.outputs}};
    int factored = ng_fisher_can(x.f, NG_FISHER_ACCUMULATE_LAYER);
    double lr = 0.3, decay = 0.2, beta = 0.6;
    ng_natural_options o = plain(lr, 0.7);
    crew c;
    o.momentum = beta;
    o.weight_decay = decay;
    crew_open(&c, &o, x.dtype, factored ? (const size_t(*)[2])one : crew_shapes[row], x.f);
    crew_write(&c, c.w, dense_normal(1, x.n, &rng));
    ng_mat w = crew_weights(&c), m = dense_mat(1, x.n);
    ng_mat inverse = dense_power(crew_damped(x.exact, 0.7), -1);
    ng_mat before = test_mat(x.n, x.n, 0, x.dtype), after = test_mat(x.n, x.n, 0, x.dtype);
    ng_assert_ok(ng_fisher_to_dense(x.f, before, NULL), NULL);
    for (int k = 0; k < 3; k++) {
        ng_mat g = dense_normal(1, x.n, &rng);
        m = dense_add(beta, m, 1 - beta, g);
        w = dense_add(1 - lr * decay, w, -lr, dense_mul(m, 0, inverse, 0));
        crew_step(&c, g);
        ng_assert_mat(crew_weights(&c), w, x.tol);
    }
    ng_assert_ok(ng_fisher_to_dense(x.f, after, NULL), NULL);
    ck_assert(test_same_bits(before, after));
    test_free(before), test_free(after);
    crew_close(&c);
    world_close(&x);
}
END_TEST

/* ---- Closed forms --------------------------------------------------------------------------- */

/* y = x w + N(0, 1): F = x^T x / N, and one step from anywhere is the solution. */
START_TEST(least_squares)
{
    enum { N = 40, P = 12 };
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_fisher *f;
    crew c;
    ng_natural_options o = plain(1, 0);
    if (_i / 2)
        ng_assert_ok(ng_fisher_create_lowrank(&f, P, N, dtype, NULL), NULL);
    else
        ng_assert_ok(ng_fisher_create_dense(&f, P, dtype, NULL), NULL);
    ng_mat x = dense_normal(N, P, &rng), y = dense_normal(1, N, &rng);
    ng_mat scores = test_convert(x, dtype);
    ng_mat solution =
        dense_mul(dense_mul(y, 0, x, 0), 0, dense_power(dense_mul(x, 1, x, 0), -1), 0);
    ng_assert_ok(ng_fisher_accumulate(f, scores, ng_mat_none(), NULL, NULL), NULL);
    crew_open(&c, &o, dtype, crew_shapes[TWELVE], f);
    crew_write(&c, c.w, dense_normal(1, P, &rng));
    ng_mat residual = dense_add(1, dense_mul(crew_weights(&c), 0, x, 1), -1, y);
    crew_step(&c, dense_add(1.0 / N, dense_mul(residual, 0, x, 0), 0, solution));
    ng_assert_mat(crew_weights(&c), solution, dtype == NG_F64 ? 1e-10 : 1e-5);
    crew_close(&c);
    test_free(scores);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* The step's quadratic form is the radius where that is less than it would be;
 * a radius beyond changes no bit. */
START_TEST(trust_region)
{
    static const double lrs[] = {0.2, 1, 7}, dampings[] = {0, 0.3};
    ng_dtype dtype = (ng_dtype)(_i % 2);
    double lr = lrs[_i / 2 % 3], damping = dampings[_i / 6];
    ng_mat exact = crew_definite(12, &rng), g = dense_normal(1, 12, &rng);
    ng_fisher *f = crew_fisher(exact, dtype);
    ng_natural_options o = plain(lr, damping);
    crew free_one, bound, loose;
    crew_open(&free_one, &o, dtype, crew_shapes[TWELVE], f);
    crew_step(&free_one, g);
    double kl = 0.5 * crew_form(crew_weights(&free_one), crew_damped(exact, damping));
    o.kl_radius = kl / 9;
    crew_open(&bound, &o, dtype, crew_shapes[TWELVE], f);
    crew_step(&bound, g);
    ng_assert_rel(0.5 * crew_form(crew_weights(&bound), crew_damped(exact, damping)), kl / 9,
                  dtype == NG_F64 ? 1e-12 : 1e-5);
    ng_assert_mat(crew_weights(&bound), dense_add(1.0 / 3, crew_weights(&free_one), 0, g),
                  dtype == NG_F64 ? 1e-13 : 1e-6);
    o.kl_radius = 1.01 * kl;
    crew_open(&loose, &o, dtype, crew_shapes[TWELVE], f);
    crew_step(&loose, g);
    ck_assert(test_same_bits(crew_weights(&loose), crew_weights(&free_one)));
    crew_close(&free_one), crew_close(&bound), crew_close(&loose);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* A zero gradient: no step, but momentum and decay go on. */
START_TEST(zero_gradient)
{
    ng_mat exact = crew_definite(6, &rng), g = dense_normal(1, 6, &rng), w;
    ng_fisher *f = crew_fisher(exact, NG_F64);
    ng_natural_options o = plain(0.5, 0.1);
    crew c;
    o.momentum = 0.75;
    o.weight_decay = 0.5;
    o.kl_radius = 1e6;
    crew_open(&c, &o, NG_F64, crew_shapes[SIX], f);
    crew_write(&c, c.w, w = dense_normal(1, 6, &rng));
    crew_step(&c, dense_mat(1, 6));
    ng_assert_mat(crew_weights(&c), w = dense_scale(0.75, w), 1e-15);
    crew_step(&c, g);
    w = crew_weights(&c);
    crew_step(&c, dense_mat(1, 6));
    ng_mat d = dense_mul(g, 0, dense_power(crew_damped(exact, 0.1), -1), 0);
    ng_assert_mat(crew_weights(&c), dense_add(0.75, w, -0.5 * 0.25 * 0.75, d), 1e-12);
    crew_close(&c);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

static int keep_norms(const ng_event *event, void *data)
{
    if (event->kind == NG_EVENT_PARAMETER)
        ((double *)data)[event->index] = event->update_norm;
    return 0;
}

START_TEST(monitored)
{
    ng_fisher *f = crew_fisher(crew_definite(12, &rng), NG_F64);
    ng_natural_options o = plain(0.5, 0);
    double norms[CREW_MAX] = {0};
    crew c;
    o.kl_radius = 0.001;
    crew_open(&c, &o, NG_F64, crew_shapes[TWELVE], f);
    ng_assert_ok(ng_optimizer_add_monitor(c.opt, keep_norms, norms), NULL);
    crew_step(&c, dense_normal(1, 12, &rng));
    for (size_t i = 0; i < c.count; i++)
        ng_assert_rel(norms[i], test_norm(c.w[i]), 1e-14);
    crew_close(&c);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* ---- Reparametrisation --------------------------------------------------------------------- */

/* Logistic regression with three weights t = chart(u), and its Jacobian j. */
enum { SAMPLES = 60, DIM = 3 };

static void chart(double *t, double *j, const double *u, int curved)
{
    double stretch = exp(0.5 * u[1]);
    const double plain_t[] = {u[0], u[1], u[2]};
    const double curved_t[] = {sinh(u[0]), u[1] + u[0] * u[0], u[2] * stretch};
    const double plain_j[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const double curved_j[] = {cosh(u[0]), 0, 0, 2 * u[0], 1, 0, 0, 0.5 * u[2] * stretch, stretch};
    memcpy(t, curved ? curved_t : plain_t, DIM * sizeof *t);
    memcpy(j, curved ? curved_j : plain_j, DIM * DIM * sizeof *j);
}

/* g: gradient of the mean loss by u; scores: rows whose mean of squares is the exact Fisher matrix,
 * sqrt(p (1 - p)) times the derivative of the logit */
static void logistic(ng_mat g, ng_mat scores, const double *t, const double *j, ng_mat x, ng_mat y)
{
    for (int a = 0; a < DIM; a++)
        ng_mat_set(g, 0, (size_t)a, 0);
    for (size_t i = 0; i < SAMPLES; i++) {
        double logit = 0;
        for (size_t a = 0; a < DIM; a++)
            logit += t[a] * ng_mat_get(x, i, a);
        double p = 1 / (1 + exp(-logit)), wrong = p - ng_mat_get(y, 0, i);
        for (size_t a = 0; a < DIM; a++) {
            double z = 0;
            for (size_t b = 0; b < DIM; b++)
                z += ng_mat_get(x, i, b) * j[b * DIM + a];
            ng_mat_set(scores, i, a, sqrt(p * (1 - p)) * z);
            ng_mat_set(g, 0, a, ng_mat_get(g, 0, a) + wrong * z / SAMPLES);
        }
    }
}

/* Where the trajectory in that chart is after `steps` steps to time 2, as t. */
static ng_mat travel(int curved, int natural, int steps, ng_mat x, ng_mat y)
{
    static const size_t shapes[CREW_MAX][2] = {{1, 2}, {1, 1}};
    ng_natural_options o = plain(2.0 / steps, 0);
    ng_fisher_batch fresh;
    ng_fisher *f;
    double j[DIM * DIM];
    crew c;
    ng_mat g = dense_mat(1, DIM), scores = dense_mat(SAMPLES, DIM), t = dense_mat(1, DIM);
    ng_fisher_batch_init(&fresh);
    fresh.decay = 0;
    ng_assert_ok(ng_fisher_create_dense(&f, DIM, NG_F64, NULL), NULL);
    if (!natural)
        ng_assert_ok(ng_fisher_set(f, dense_identity(DIM), 1, NULL), NULL);
    crew_open(&c, &o, NG_F64, shapes, f);
    for (int k = 0; k <= steps; k++) {
        chart(t.data, j, crew_weights(&c).data, curved);
        logistic(g, scores, t.data, j, x, y);
        if (natural)
            ng_assert_ok(ng_fisher_accumulate(f, scores, ng_mat_none(), &fresh, NULL), NULL);
        if (k < steps)
            crew_step(&c, g);
    }
    crew_close(&c);
    ng_fisher_destroy(f);
    return t;
}

/* How far apart the two charts end. */
static double apart(int natural, int steps, ng_mat x, ng_mat y)
{
    ng_mat a = travel(0, natural, steps, x, y), b = travel(1, natural, steps, x, y);
    ng_mat d = dense_add(1, a, -1, b);
    return test_norm(d) / test_norm(a);
}

/* Both charts approximate one flow to first order; plain gradients have two. */
START_TEST(reparametrised)
{
    ng_mat x = dense_normal(SAMPLES, DIM, &rng), y = dense_mat(1, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        ng_mat_set(y, 0, i, ng_mat_get(x, i, 0) - ng_mat_get(x, i, 2) + test_normal(&rng) > 0);
    double natural[3], gradient[3];
    for (int k = 0; k < 3; k++) {
        natural[k] = apart(1, 40 << k, x, y);
        gradient[k] = apart(0, 40 << k, x, y);
    }
    for (int k = 0; k < 2; k++) {
        ng_assert_rel(natural[k] / natural[k + 1], 2, 0.1);
        ng_assert_rel(gradient[k] / gradient[k + 1], 1, 0.1);
    }
    ng_assert_le(natural[0], 0.1);
    ng_assert_le(10 * natural[2], gradient[2]);
    dense_release();
}
END_TEST

TEST_SUITE(natural)
{
    TCase *tcase = tcase_create("natural");
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, representations, 0, WORLDS);
    tcase_add_loop_test(tcase, least_squares, 0, 4);
    tcase_add_loop_test(tcase, trust_region, 0, 12);
    tcase_add_test(tcase, zero_gradient);
    tcase_add_test(tcase, monitored);
    tcase_add_test(tcase, reparametrised);
    suite_add_tcase(suite, tcase);
}
