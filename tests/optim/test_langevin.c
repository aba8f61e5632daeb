/* Langevin dynamics: steps by dense algebra, the laws of what they draw, and what is refused. */
#include <stdio.h>

#include "tests/fisher/worlds.h"
#include "tests/optim/natural_world.h"

enum { N = 12 };
static const size_t (*const shapes)[2] = crew_shapes[2];
static const size_t single[CREW_MAX][2] = {{1, N}};

static test_rng rng;

static void reseed(void)
{
    rng.state = 53;
}

static ng_langevin_options plain(double lr, double temperature, ng_manifold manifold)
{
    ng_langevin_options o;
    ng_assert_ok(ng_langevin_init(&o), NULL);
    ck_assert(o.lr == 0.001 && o.temperature == 1 && o.damping == 0.001 &&
              o.manifold == NG_MANIFOLD_EUCLIDEAN);
    o.lr = lr;
    o.temperature = temperature;
    o.manifold = manifold;
    return o;
}

/* a crew that is langevin's */
static void open_crew(crew *c, const ng_langevin_options *o, ng_dtype dtype,
                      const size_t (*shape)[2], ng_fisher *f, unsigned long long seed)
{
    static const char *const names[] = {"first", "second", "third"};
    ng_optimizer_options options;
    ng_optimizer_init(&options);
    options.seed = seed;
    ng_assert_ok(ng_optimizer_create(&c->opt, &options), NULL);
    ng_assert_ok(ng_optimizer_add_group(c->opt, &c->group, o), NULL);
    for (c->count = 0; c->count < 3 && shape[c->count][0] > 0; c->count++) {
        size_t i = c->count;
        c->w[i] = test_mat(shape[i][0], shape[i][1], i, dtype);
        c->dw[i] = test_mat(shape[i][0], shape[i][1], 2 * i, dtype);
        ng_assert_ok(ng_group_add(c->group, NULL, names[i], c->w[i], c->dw[i]), NULL);
    }
    ng_assert_ok(ng_group_set_fisher(c->group, f), NULL);
}

static double tolerance(ng_dtype dtype)
{
    return dtype == NG_F64 ? 1e-12 : 1e-5;
}

/* ---- Without noise -----------------------------------------------------------------------------
 */

/* Gradient descent, and with a Fisher matrix its natural gradient. _i: dtype, Fisher matrix */
START_TEST(descent)
{
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_langevin_options o = plain(0.3, 0, NG_MANIFOLD_EUCLIDEAN);
    ng_mat exact = crew_definite(N, &rng);
    ng_fisher *f = _i / 2 ? crew_fisher(exact, dtype) : NULL;
    crew c;
    o.damping = 0.7;
    open_crew(&c, &o, dtype, shapes, f, 0);
    crew_write(&c, c.w, dense_normal(1, N, &rng));
    ng_mat w = crew_weights(&c);
    for (int t = 0; t < 3; t++) {
        ng_mat g = dense_normal(1, N, &rng);
        crew_step(&c, g);
        if (f != NULL)
            g = dense_mul(g, 0, dense_power(crew_damped(exact, 0.7), -1), 0);
        w = dense_add(1, w, -0.3, g);
        ng_assert_mat(crew_weights(&c), w, tolerance(dtype));
    }
    crew_close(&c);
    ng_fisher_destroy(f);
}
END_TEST

/* (w + P d) |w| / |w + P d|. _i: dtype, length of steps: small, of order 1, huge */
START_TEST(sphere)
{
    static const double lrs[] = {1e-9, 0.5, 1e4};
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_langevin_options o = plain(lrs[_i / 2], 0, NG_MANIFOLD_SPHERE);
    crew c;
    open_crew(&c, &o, dtype, shapes, NULL, 0);
    crew_write(&c, c.w, dense_normal(1, N, &rng));
    ng_mat w = crew_weights(&c);
    const double radius = test_norm(w);
    for (int t = 0; t < 4; t++) {
        ng_mat g = dense_normal(1, N, &rng);
        crew_step(&c, g);
        ng_mat p = dense_add(1, g, -dense_dot(w, g) / (radius * radius), w);
        w = dense_add(1, w, -o.lr, p);
        w = dense_scale(radius / test_norm(w), w);
        ng_assert_mat(crew_weights(&c), w, tolerance(dtype) * (o.lr > 1 ? 10 : 1));
        ng_assert_rel(test_norm(crew_weights(&c)), radius, dtype == NG_F64 ? 1e-14 : 1e-6);
    }
    crew_close(&c);
}
END_TEST

/* ---- The noise ---------------------------------------------------------------------------------
 */

/* mean of x^T x over rows that are steps from zero */
static ng_mat scatter_of_steps(const ng_langevin_options *o, ng_dtype dtype, ng_fisher *f,
                               int steps)
{
    ng_mat sum = dense_mat(N, N), zero = dense_mat(1, N);
    crew c;
    open_crew(&c, o, dtype, single, f, 1);
    for (int t = 0; t < steps; t++) {
        crew_write(&c, c.w, zero);
        ng_assert_ok(ng_optimizer_step(c.opt), NULL);
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++)
                ng_mat_set(sum, i, j,
                           ng_mat_get(sum, i, j) +
                               ng_mat_get(c.w[0], 0, i) * ng_mat_get(c.w[0], 0, j) / steps);
    }
    crew_close(&c);
    return sum;
}

/* Covariance 2 lr temperature (F + damping I)^-1, or I: element by element within five deviations.
 * _i: dtype, Fisher matrix */
START_TEST(covariance_of_noise)
{
    enum { STEPS = 20000 };
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_langevin_options o = plain(0.2, 3, NG_MANIFOLD_EUCLIDEAN);
    ng_mat f_exact = crew_definite(N, &rng);
    ng_fisher *f = _i / 2 ? crew_fisher(f_exact, dtype) : NULL;
    o.damping = 0.5;
    ng_mat found = scatter_of_steps(&o, dtype, f, STEPS);
    ng_mat known = dense_scale(1.2, f != NULL ? dense_power(crew_damped(f_exact, 0.5), -1)
                                              : dense_identity(N));
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double k = ng_mat_get(known, i, j),
                   sigma =
                       sqrt((ng_mat_get(known, i, i) * ng_mat_get(known, j, j) + k * k) / STEPS);
            ck_assert_double_le(fabs(ng_mat_get(found, i, j) - k), 5 * sigma);
        }
    ng_fisher_destroy(f);
}
END_TEST

/* The bits are the seed's, the name's and the step's; another step, another noise. */
START_TEST(bits)
{
    ng_langevin_options o = plain(0.1, 1, NG_MANIFOLD_EUCLIDEAN);
    ng_mat w[3], one;
    for (int k = 0; k < 3; k++) {
        crew c;
        open_crew(&c, &o, NG_F64, shapes, NULL, k == 2);
        crew_step(&c, dense_mat(1, N));
        one = crew_weights(&c);
        crew_step(&c, dense_mat(1, N));
        w[k] = crew_weights(&c);
        crew_close(&c);
    }
    ck_assert(test_same_bits(w[0], w[1]) && !test_same_bits(w[0], w[2]));
    ck_assert_double_gt(test_norm(dense_add(1, w[2], -2, one)), 0.01);
}
END_TEST

/* Without state there is only the count of steps to save. */
START_TEST(resumed)
{
    const char *path = "langevin.safetensors";
    ng_langevin_options o = plain(0.1, 1, NG_MANIFOLD_EUCLIDEAN);
    crew never, later;
    open_crew(&never, &o, NG_F64, shapes, NULL, 2), open_crew(&later, &o, NG_F64, shapes, NULL, 2);
    crew_step(&never, dense_normal(1, N, &rng));
    ng_assert_ok(ng_optimizer_save(never.opt, path, NULL), NULL);
    ng_assert_ok(ng_optimizer_load(later.opt, path, NULL), NULL);
    crew_write(&later, later.w, crew_weights(&never));
    ng_mat g = dense_normal(1, N, &rng);
    crew_step(&never, g), crew_step(&later, g);
    ck_assert(test_same_bits(crew_weights(&never), crew_weights(&later)));
    remove(path);
    crew_close(&never), crew_close(&later);
}
END_TEST

/* ---- The law -----------------------------------------------------------------------------------
 */

/* U = 1/2 w L w^T with F = L and no damping: w is a chain of numbers with factor 1 - lr in all
 * directions, of covariance L^-1 temperature / (1 - lr / 2) */
START_TEST(gaussian_law)
{
    enum { STEPS = 60000, AFTER = 200 };
    const double lr = 0.4, temperature = 0.5;
    ng_langevin_options o = plain(lr, temperature, NG_MANIFOLD_EUCLIDEAN);
    ng_mat precision = dense_mat(N, N);
    double squares[N] = {0}, ahead[N] = {0}, before[N] = {0};
    for (size_t i = 0; i < N; i++)
        ng_mat_set(precision, i, i, pow(10, (double)i - 4)); /* 1e-4 ... 1e7 */
    ng_fisher *f = crew_fisher(precision, NG_F64);
    crew c;
    o.damping = 0;
    open_crew(&c, &o, NG_F64, single, f, 3);
    for (int t = 0; t < STEPS; t++) {
        for (size_t i = 0; i < N; i++) {
            double x = ng_mat_get(c.w[0], 0, i);
            ng_mat_set(c.dw[0], 0, i, ng_mat_get(precision, i, i) * x);
            if (t >= AFTER) {
                squares[i] += x * x / (STEPS - AFTER);
                ahead[i] += x * before[i] / (STEPS - AFTER);
            }
            before[i] = x;
        }
        ng_assert_ok(ng_optimizer_step(c.opt), NULL);
    }
    for (size_t i = 0; i < N; i++) {
        /* 5 deviations: of 60000 numbers with the correlation 0.6^2, 1.2 % */
        ng_assert_rel(squares[i] * ng_mat_get(precision, i, i), temperature / (1 - lr / 2), 0.045);
        ng_assert_rel(ahead[i] / squares[i], 1 - lr, 0.045);
    }
    crew_close(&c);
    ng_fisher_destroy(f);
}
END_TEST

/* U = -kappa w_1 on the unit sphere in three dimensions (von Mises and Fisher): E w_1 = coth kappa
 * - 1 / kappa */
START_TEST(law_on_the_sphere)
{
    enum { STEPS = 100000 };
    static const size_t three[CREW_MAX][2] = {{1, 3}};
    const double kappa = 2;
    ng_langevin_options o = plain(0.02, 1, NG_MANIFOLD_SPHERE);
    crew c;
    double mean = 0, square = 0;
    open_crew(&c, &o, NG_F64, three, NULL, 4);
    ng_mat_set(c.w[0], 0, 1, 1), ng_mat_set(c.dw[0], 0, 0, -kappa);
    for (int t = 0; t < STEPS; t++) {
        ng_assert_ok(ng_optimizer_step(c.opt), NULL);
        mean += ng_mat_get(c.w[0], 0, 0) / STEPS;
        square += pow(ng_mat_get(c.w[0], 0, 0), 2) / STEPS;
    }
    double known = 1 / tanh(kappa) - 1 / kappa;
    ck_assert_double_eq_tol(mean, known, 0.03);
    ck_assert_double_eq_tol(square, 1 - 2 * known / kappa, 0.03);
    ng_assert_rel(test_norm(c.w[0]), 1, 1e-11);
    crew_close(&c);
}
END_TEST

/* ---- What is refused ---------------------------------------------------------------------------
 */

static ng_status twice(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    (void)data;
    return ng_axpby(y, x, 2, 0, error);
}

START_TEST(refusals)
{
    const ng_fisher_product product = {.mul = twice};
    ng_langevin_options o = plain(0.1, 1, NG_MANIFOLD_EUCLIDEAN);
    ng_fisher *f = crew_fisher(crew_definite(N, &rng), NG_F64), *small, *other, *free_one;
    ng_assert_ok(ng_fisher_create_diagonal(&small, N - 1, NG_F64, NULL), NULL);
    ng_assert_ok(ng_fisher_create_diagonal(&other, N, NG_F32, NULL), NULL);
    ng_assert_ok(ng_fisher_create_matrix_free(&free_one, N, NG_F64, NULL, &product, NULL), NULL);
    crew c;
    open_crew(&c, &o, NG_F64, shapes, small, 0);
    ng_mat zero = crew_weights(&c), g = dense_normal(1, N, &rng);
    crew_write(&c, c.dw, g);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ESHAPE, "11 parameters");
    ng_assert_ok(ng_group_set_fisher(c.group, other), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_EDTYPE, "'first'");
    ng_assert_ok(ng_group_set_fisher(c.group, free_one), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_EUNSUPPORTED, "root");
    ng_assert_ok(ng_group_set_fisher(c.group, f), NULL);
    ng_assert_ok(ng_group_set(c.group, "manifold", NG_MANIFOLD_SPHERE), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_EUNSUPPORTED, "on a sphere");
    ng_assert_ok(ng_group_set_fisher(c.group, NULL), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ESINGULAR, "radius");
    ng_assert_ok(ng_group_set(c.group, "manifold", NG_MANIFOLD_EUCLIDEAN), NULL);
    crew_refuse(&c, ng_group_set(c.group, "temperature", -1), NG_EOPTION, "temperature");
    ng_mat_set(g, 0, 7, NAN);
    crew_write(&c, c.dw, g);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ENONFINITE, "'second'");
    ng_mat_set(g, 0, 7, 1e200);
    crew_write(&c, c.dw, g);
    ng_assert_ok(ng_group_set(c.group, "lr", 1e200), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ERANGE, "'second'");
    ng_assert_ok(ng_group_set(c.group, "lr", 0.1), NULL);
    ck_assert(test_same_bits(zero, crew_weights(&c)));
    crew_close(&c);
    ng_fisher_destroy(f), ng_fisher_destroy(small), ng_fisher_destroy(other);
    ng_fisher_destroy(free_one);
}
END_TEST

START_TEST(sixteen_bits)
{
    ng_langevin_options o = plain(0.1, 1, NG_MANIFOLD_SPHERE);
    ng_optimizer *opt;
    ng_group *group;
    uint16_t w[4] = {0}, dw[4] = {0};
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ck_assert_int_eq(ng_group_add(group, NULL, "half", ng_bf16(w, 2, 2), ng_bf16(dw, 2, 2)),
                     NG_EDTYPE);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(opt), "'half'"));
    ng_optimizer_destroy(opt);
}
END_TEST

/* Every allocation of a step fails once; then it is the step it would have been. _i: Fisher matrix
 */
START_TEST(memory)
{
    ng_langevin_options o = plain(0.1, 1, NG_MANIFOLD_EUCLIDEAN);
    ng_fisher *f = _i ? crew_fisher(crew_definite(N, &rng), NG_F32) : NULL;
    ng_mat g = dense_normal(1, N, &rng);
    crew c, twin;
    open_crew(&c, &o, NG_F32, shapes, f, 0), open_crew(&twin, &o, NG_F32, shapes, f, 0);
    crew_write(&c, c.dw, g);
    for (long at = 1;; at++) {
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_optimizer_step(c.opt);
        if (fault_over() < at) {
            ck_assert_int_eq(status, NG_OK);
            break;
        }
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert(test_norm(crew_weights(&c)) == 0);
    }
    crew_step(&twin, g);
    ck_assert(test_same_bits(crew_weights(&c), crew_weights(&twin)));
    crew_close(&c), crew_close(&twin);
    ng_fisher_destroy(f);
}
END_TEST

TEST_SUITE(langevin)
{
    TCase *tc = tcase_create("langevin");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, descent, 0, 4);
    tcase_add_loop_test(tc, sphere, 0, 6);
    tcase_add_loop_test(tc, covariance_of_noise, 0, 4);
    tcase_add_test(tc, bits);
    tcase_add_test(tc, resumed);
    tcase_add_test(tc, gaussian_law);
    tcase_add_test(tc, law_on_the_sphere);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, sixteen_bits);
    tcase_add_loop_test(tc, memory, 0, 2);
    suite_add_tcase(suite, tc);
}
