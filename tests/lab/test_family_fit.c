/* Maximum likelihood, prediction errors, and the natural-gradient flow. */
#include "tests/lab/family_world.h"

static ng_error error = {NG_OK, ""};
static const world_shape *const k5 = &world_shapes[4];

typedef struct {
    double cross_entropy[200], decrement[200], lr[200];
    size_t seen, stop;
    int rose;
} trace;

static int follow(void *data, const ng_fit_event *event)
{
    trace *t = data;
    ck_assert_uint_eq(event->size, sizeof *event);
    ck_assert_uint_eq(event->step, t->seen);
    t->cross_entropy[t->seen] = event->cross_entropy;
    t->decrement[t->seen] = event->decrement;
    t->lr[t->seen] = event->lr;
    t->rose += t->seen > 0 && event->cross_entropy > t->cross_entropy[t->seen - 1] + 1e-13;
    return ++t->seen == t->stop;
}

/* K5 at theta from theta = 0; returns the steps. */
static size_t recover(const double *theta)
{
    ng_family *truth = world_family(*k5), *model = world_family(*k5);
    ng_fit_options options;
    trace t = {.seen = 0};
    size_t steps = 999;
    ng_fit_init(&options);
    options.monitor = follow;
    options.data = &t;
    ng_assert_ok(ng_family_set(truth, theta, &error), &error);
    ng_assert_ok(ng_family_fit(model, &steps, ng_family_mean(truth), &options, &error), &error);
    for (size_t a = 0; a < 10; a++)
        ng_assert_le(fabs(ng_family_theta(model)[a] - theta[a]), 1e-10);
    ck_assert_uint_eq(t.seen, steps + 1);
    ck_assert_int_eq(t.rose, 0);
    ng_family_destroy(truth);
    ng_family_destroy(model);
    return steps;
}

START_TEST(uniform_couplings)
{
    const double couplings[] = {0.2, 0.5, 1};
    double theta[10];
    for (size_t a = 0; a < 10; a++)
        theta[a] = couplings[_i];
    ck_assert_uint_le(recover(theta), 12);
}
END_TEST

START_TEST(random_couplings)
{
    test_rng rng = {(unsigned long long)_i};
    double theta[10];
    for (size_t a = 0; a < 10; a++)
        theta[a] = test_normal(&rng);
    ck_assert_uint_le(recover(theta), 12);
}
END_TEST

/* Without backtracking the step at J = 0.5 runs away; the family stays put. */
START_TEST(undamped_diverges)
{
    ng_family *truth = world_family(*k5), *model = world_family(*k5);
    ng_fit_options options;
    trace t = {.seen = 0};
    double theta[10];
    ng_fit_init(&options);
    options.backtracking = 0;
    options.monitor = follow;
    options.data = &t;
    for (size_t a = 0; a < 10; a++)
        theta[a] = 0.5;
    ng_assert_ok(ng_family_set(truth, theta, &error), &error);
    ng_status status = ng_family_fit(model, NULL, ng_family_mean(truth), &options, &error);
    ck_assert_msg(status == NG_ESINGULAR, "%s: %s", ng_status_name(status), error.text);
    ck_assert_msg(strstr(error.text, "Fisher") || strstr(error.text, "overflows"), "%s",
                  error.text);
    ck_assert(t.rose > 0);
    ck_assert_uint_le(t.seen, 6);
    for (size_t a = 0; a < 10; a++)
        ck_assert(ng_family_theta(model)[a] == 0 && ng_family_mean(model)[a] == 0);
    ng_family_destroy(truth);
    ng_family_destroy(model);
}
END_TEST

/* Every family finds its own moments again, from its start. */
START_TEST(realisable)
{
    world *w = world_create(world_shapes[_i], 3);
    ng_family *model = world_family(w->shape);
    double value, entropy;
    ng_assert_ok(ng_family_fit(model, NULL, ng_family_mean(w->family), NULL, &error), &error);
    for (size_t a = 0; a < w->n; a++)
        ng_assert_le(fabs(ng_family_theta(model)[a] - w->theta[a]), 1e-9);
    ng_assert_ok(ng_family_cross_entropy(w->family, &entropy, ng_family_mean(w->family), &error),
                 &error);
    ng_assert_ok(ng_family_cross_entropy(model, &value, ng_family_mean(w->family), &error), &error);
    ng_assert_le(fabs(value - entropy), 1e-8);
    ng_family_destroy(model);
    world_destroy(w);
}
END_TEST

/* Prediction error, environment of the model's kind: H(q) by the sum over states. */
START_TEST(error_falls_to_entropy)
{
    world *q = world_create(*k5, 21);
    ng_family *model = world_family(*k5);
    double entropy = 0, value, moments[WORLD_N];
    for (size_t s = 0; s < q->points; s++)
        entropy -= q->p[s] * log(q->p[s]);
    world_mean(q, moments);
    ng_assert_ok(ng_family_fit(model, NULL, moments, NULL, &error), &error);
    ng_assert_ok(ng_family_cross_entropy(model, &value, moments, &error), &error);
    ng_assert_le(fabs(value - entropy), 1e-8);
    ng_family_destroy(model);
    world_destroy(q);
}
END_TEST

/* Environment q with three-body terms, model K5 without: the floor is H(q) + KL(q || p*),
 * and KL(q || p) = KL(q || p*) + KL(p* || p) for every p of the model. */
START_TEST(error_falls_to_projection)
{
    world *q = world_create(world_shapes[5], 22), *p = world_create(*k5, 23);
    world *best = world_create(*k5, 24);
    double moments[10] = {0}, entropy = 0, kl_best = 0, kl_p = 0, kl_best_p = 0, value, kl;
    for (size_t s = 0; s < q->points; s++)
        for (size_t a = 0; a < 10; a++)
            moments[a] += q->p[s] * p->t[s][a];
    ng_assert_ok(ng_family_fit(best->family, NULL, moments, NULL, &error), &error);
    world_move(best, ng_family_theta(best->family));
    for (size_t s = 0; s < q->points; s++) {
        entropy -= q->p[s] * log(q->p[s]);
        kl_best += q->p[s] * log(q->p[s] / best->p[s]);
        kl_p += q->p[s] * log(q->p[s] / p->p[s]);
        kl_best_p += best->p[s] * log(best->p[s] / p->p[s]);
    }
    ck_assert(kl_best > 0.01);
    ng_assert_ok(ng_family_cross_entropy(best->family, &value, moments, &error), &error);
    ng_assert_le(fabs(value - (entropy + kl_best)), 1e-8);
    ng_assert_rel(kl_best + kl_best_p, kl_p, 1e-10);
    ng_assert_ok(ng_family_divergence(best->family, &kl, p->family, &error), &error);
    ng_assert_rel(kl_best + kl, kl_p, 1e-10);
    world_destroy(q);
    world_destroy(p);
    world_destroy(best);
}
END_TEST

/* Sampled data: their cross-entropy under the fitted model, against H(q). The standard
 * error of -log q(x) is its deviation / sqrt(N); the fit lowers it by about n / 2N. */
START_TEST(error_of_samples)
{
    enum { N = 40000 };
    world *q = world_create(*k5, 25);
    ng_family *model = world_family(*k5);
    ng_random random;
    ng_mat x = test_mat(N, 5, 0, NG_F64);
    double moments[WORLD_N], entropy = 0, square = 0, value;
    for (size_t s = 0; s < q->points; s++) {
        entropy -= q->p[s] * log(q->p[s]);
        square += q->p[s] * pow(log(q->p[s]), 2);
    }
    double standard = sqrt((square - entropy * entropy) / N);
    ng_assert_ok(ng_rng_create(&random, 9, &error), &error);
    ng_assert_ok(ng_family_sample(q->family, x, &random, &error), &error);
    ng_assert_ok(ng_family_moments(model, moments, x, &error), &error);
    ng_assert_ok(ng_family_fit(model, NULL, moments, NULL, &error), &error);
    ng_assert_ok(ng_family_cross_entropy(model, &value, moments, &error), &error);
    ng_assert_le(fabs(value - entropy), 4 * standard);
    ng_rng_destroy(&random);
    test_free(x);
    ng_family_destroy(model);
    world_destroy(q);
}
END_TEST

/* Moments of data on a face of the polytope, or impossible ones: no maximum. */
START_TEST(boundary)
{
    world *w = world_create(world_shapes[_i], 31);
    double theta[WORLD_N], moments[WORLD_N];
    for (int outside = 0; outside < 2; outside++) {
        memcpy(moments, ng_family_mean(w->family), sizeof(double) * w->n);
        if (w->shape.kind == GAUSSIAN || w->shape.kind == GAUSSIAN_CENTRED) {
            size_t a = w->shape.kind == GAUSSIAN ? w->shape.size : 0; /* the first square */
            double m = w->shape.kind == GAUSSIAN ? moments[0] : 0;
            moments[a] = m * m - outside;
        } else if (w->shape.kind == CATEGORICAL) {
            moments[0] = -0.25 * outside;
        } else if (w->shape.kind == BERNOULLI) {
            moments[w->n - 1] = 1 + 0.25 * outside;
        } else {
            /* q = half of each of two states, a face of the polytope; beyond it by a tenth */
            for (size_t a = 0; a < w->n; a++)
                moments[a] = (w->t[0][a] + w->t[1][a]) / 2 * (1 + 0.1 * outside);
            if (w->shape.size <= 2 && !outside) /* that is everything there is */
                moments[0] = 1;
            if (w->shape.size <= 2 && outside)
                moments[0] = -1.1;
        }
        memcpy(theta, ng_family_theta(w->family), sizeof(double) * w->n);
        ng_status status = ng_family_fit(w->family, NULL, moments, NULL, &error);
        ck_assert_msg(status == NG_EBOUNDARY, "%s, outside %d: %s, %s", w->shape.name, outside,
                      ng_status_name(status), error.text);
        ck_assert_msg(strstr(error.text, "boundary") != NULL, "%s", error.text);
        ck_assert_int_eq(error.status, NG_EBOUNDARY);
        for (size_t a = 0; a < w->n; a++)
            ck_assert(ng_family_theta(w->family)[a] == theta[a]);
    }
    world_destroy(w);
}
END_TEST

/* Plain gradient descent gets there too, in many more steps; a monitor may stop it. */
START_TEST(gradient_descent)
{
    world *w = world_create(*k5, 41);
    ng_family *model = world_family(*k5);
    ng_fit_options options;
    trace t = {.stop = 7};
    size_t natural, steps;
    ng_assert_ok(ng_family_fit(model, &natural, ng_family_mean(w->family), NULL, &error), &error);
    ng_assert_ok(ng_family_set(model, (double[10]){0}, &error), &error);
    ng_fit_init(&options);
    options.method = NG_FIT_GRADIENT;
    options.tolerance = 1e-6;
    options.max_steps = 100000;
    ng_assert_ok(ng_family_fit(model, &steps, ng_family_mean(w->family), &options, &error), &error);
    ck_assert_uint_ge(steps, 5 * natural);
    ng_assert_ok(ng_family_set(model, (double[10]){0}, &error), &error);
    options.max_steps = 3;
    ng_assert_fails(ng_family_fit(model, &steps, ng_family_mean(w->family), &options, &error),
                    NG_ENOCONV, &error, "3 steps");
    ck_assert(ng_family_theta(model)[0] == 0);
    options.max_steps = 100;
    options.monitor = follow;
    options.data = &t;
    ng_assert_fails(ng_family_fit(model, &steps, ng_family_mean(w->family), &options, &error),
                    NG_STOPPED, &error, "monitor");
    ck_assert_uint_eq(steps, 6);
    ck_assert(ng_family_theta(model)[0] != 0);
    ng_family_destroy(model);
    world_destroy(w);
}
END_TEST

/* ---- The flow ------------------------------------------------------------------ */

/* theta of chart coordinates phi (phi itself, or a bent, sheared chart), and d theta / d phi */
static void chart(int bent, size_t n, double *theta, double *jacobian, const double *phi)
{
    memset(jacobian, 0, n * n * sizeof *jacobian);
    for (size_t a = 0; a < n; a++) {
        theta[a] = bent ? sinh(phi[a]) : phi[a];
        jacobian[a * n + a] = bent ? cosh(phi[a]) : 1;
        if (bent && a + 1 < n) {
            theta[a] += 0.3 * phi[a + 1] + 0.1 * phi[a] * phi[a + 1];
            jacobian[a * n + a] += 0.1 * phi[a + 1];
            jacobian[a * n + a + 1] = 0.3 + 0.1 * phi[a];
        }
    }
}

/* d phi / dt = G^-1 D^T (target - eta), G = D^T F D, D = d theta / d phi: the gradient flow of
 * the cross-entropy under the Fisher metric, written in the chart. */
static void velocity(ng_family *f, int bent, double *v, const double *phi, const double *target)
{
    size_t n = ng_family_size(f);
    double theta[WORLD_N], d[WORLD_N * WORLD_N], fisher[WORLD_N * WORLD_N], g[WORLD_N * WORLD_N];
    double slope[WORLD_N];
    chart(bent, n, theta, d, phi);
    ng_assert_ok(ng_family_set(f, theta, &error), &error);
    ng_assert_ok(ng_family_fisher(f, ng_f64(fisher, n, n), &error), &error);
    for (size_t i = 0; i < n; i++) {
        slope[i] = 0;
        for (size_t a = 0; a < n; a++)
            slope[i] += d[a * n + i] * (target[a] - ng_family_mean(f)[a]);
        for (size_t j = 0; j < n; j++) {
            g[i * n + j] = 0;
            for (size_t a = 0; a < n; a++)
                for (size_t b = 0; b < n; b++)
                    g[i * n + j] += d[a * n + i] * fisher[a * n + b] * d[b * n + j];
        }
    }
    world_solve(n, g, v, slope);
}

static void runge_kutta(ng_family *f, int bent, double *phi, const double *target, double h)
{
    size_t n = ng_family_size(f);
    double k[4][WORLD_N], at[WORLD_N];
    const double part[3] = {0.5, 0.5, 1};
    velocity(f, bent, k[0], phi, target);
    for (int i = 0; i < 3; i++) {
        for (size_t a = 0; a < n; a++)
            at[a] = phi[a] + h * part[i] * k[i][a];
        velocity(f, bent, k[i + 1], at, target);
    }
    for (size_t a = 0; a < n; a++)
        phi[a] += h / 6 * (k[0][a] + 2 * k[1][a] + 2 * k[2][a] + k[3][a]);
}

START_TEST(flow_is_exponential)
{
    enum { STEPS = 400 };
    const int shapes[] = {2, 5, 9, 13};
    const world_shape shape = world_shapes[shapes[_i / 2]];
    const int bent = _i % 2;
    const double time = 2;
    world *w = world_create(shape, 51);
    ng_family *f = world_family(shape);
    double phi[WORLD_N], theta[WORLD_N], d[WORLD_N * WORLD_N], start[WORLD_N];
    const double *target = ng_family_mean(w->family);
    for (size_t a = 0; a < w->n; a++)
        phi[a] = ng_family_theta(f)[a] + 0.05 * (double)(a % 3);
    chart(bent, w->n, theta, d, phi);
    ng_assert_ok(ng_family_set(f, theta, &error), &error);
    memcpy(start, ng_family_mean(f), w->n * sizeof *start);
    for (int k = 0; k < STEPS; k++)
        runge_kutta(f, bent, phi, target, time / STEPS);
    chart(bent, w->n, theta, d, phi);
    ng_assert_ok(ng_family_set(f, theta, &error), &error);
    for (size_t a = 0; a < w->n; a++)
        ng_assert_le(fabs(ng_family_mean(f)[a] - (target[a] + exp(-time) * (start[a] - target[a]))),
                     1e-9);
    ng_family_destroy(f);
    world_destroy(w);
}
END_TEST

TEST_SUITE(family_fit)
{
    TCase *tcase = tcase_create("family_fit");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, uniform_couplings, 0, 3);
    tcase_add_loop_test(tcase, random_couplings, 0, 20);
    tcase_add_test(tcase, undamped_diverges);
    tcase_add_loop_test(tcase, realisable, 0, WORLD_SHAPES);
    tcase_add_test(tcase, error_falls_to_entropy);
    tcase_add_test(tcase, error_falls_to_projection);
    tcase_add_test(tcase, error_of_samples);
    tcase_add_loop_test(tcase, boundary, 0, WORLD_SHAPES);
    tcase_add_test(tcase, gradient_descent);
    tcase_add_loop_test(tcase, flow_is_exponential, 0, 8);
    suite_add_tcase(suite, tcase);
}
