/* Kernels of infinitely wide nets: expectations by quadrature, layers by hand, recurrent nets of
 * finite width by sampling. */
#include <natgrad-lab.h>

#include "tests/support/dense.h"

static ng_error error;
static test_rng rng;

static void reseed(void)
{
    rng.state = 61;
}

static double phi(int kind, double x)
{
    return kind == NG_WIDE_ERF ? erf(x) : x > 0 ? kind == NG_WIDE_RELU ? x : 1 : 0;
}

static double slope_of(int kind, double x)
{
    return kind == NG_WIDE_ERF ? 2 / sqrt(acos(-1)) * exp(-x * x) : x > 0;
}

/* E f(u) f(v), variances a^2 and b^2, correlation rho: by angle where f is homogeneous of that
 * degree, else on a grid */
static double mean(double (*f)(int, double), int kind, int degree, double a, double b, double rho)
{
    const double full = 2 * acos(-1), rest = sqrt(1 - rho * rho);
    double sum = 0;
    if (kind != NG_WIDE_ERF) {
        enum { ANGLES = 400000 };
        for (int i = 0; i < ANGLES; i++) {
            double x = cos(full * (i + 0.5) / ANGLES), y = sin(full * (i + 0.5) / ANGLES);
            sum += f(kind, a * x) * f(kind, b * (rho * x + rest * y)) / ANGLES;
        }
        return degree == 1 ? 2 * sum : sum; /* E r^2 = 2 */
    }
    const double h = 0.05;
    for (double x = -8; x < 8.01; x += h)
        for (double y = -8; y < 8.01; y += h)
            sum += f(kind, a * x) * f(kind, b * (rho * x + rest * y)) * exp(-(x * x + y * y) / 2) *
                   h * h / full;
    return sum;
}

static const double spreads[][3] = {{1, 1, 0.3},    {0.7, 2, -0.8}, {1.3, 0.2, 0},
                                    {2, 2, 0.9999}, {1, 3, -1},     {0.5, 0.5, 1}};

/* _i: activation, covariance */
START_TEST(by_quadrature)
{
    int kind = _i % NG_WIDE_ACTIVATIONS;
    const double *c = spreads[_i / NG_WIDE_ACTIVATIONS];
    ng_mat s = dense_mat(2, 2), value = dense_mat(2, 2), slope = dense_mat(2, 2);
    ng_mat_set(s, 0, 0, c[0] * c[0]), ng_mat_set(s, 1, 1, c[1] * c[1]);
    ng_mat_set(s, 0, 1, c[0] * c[1] * c[2]), ng_mat_set(s, 1, 0, c[0] * c[1] * c[2]);
    ng_assert_ok(ng_wide_transform(value, kind == NG_WIDE_STEP ? ng_mat_none() : slope, s,
                                   (ng_wide_activation)kind, &error),
                 &error);
    int degree = kind == NG_WIDE_RELU;
    double tol = kind == NG_WIDE_STEP ? 1e-5 : 1e-8;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            double rho = i == j ? 1 : c[2];
            ck_assert_double_eq_tol(ng_mat_get(value, i, j),
                                    mean(phi, kind, degree, c[i], c[j], rho), tol);
            if (kind != NG_WIDE_STEP)
                ck_assert_double_eq_tol(ng_mat_get(slope, i, j),
                                        mean(slope_of, kind, 0, c[i], c[j], rho), 1e-5);
        }
}
END_TEST

/* Price's theorem: dV / dS off the diagonal is V'. _i: relu, erf */
START_TEST(slope_is_the_derivative)
{
    const double h = 1e-5;
    for (double c = -0.9; c < 0.91; c += 0.3) {
        double value[2];
        ng_mat s = dense_identity(2), v = dense_mat(2, 2), slope = dense_mat(2, 2);
        for (int side = 0; side < 2; side++) {
            ng_mat_set(s, 0, 1, c + (side ? h : -h)), ng_mat_set(s, 1, 0, c + (side ? h : -h));
            ng_assert_ok(ng_wide_transform(v, slope, s, (ng_wide_activation)_i, NULL), NULL);
            value[side] = ng_mat_get(v, 0, 1);
        }
        ng_mat_set(s, 0, 1, c), ng_mat_set(s, 1, 0, c);
        ng_assert_ok(ng_wide_transform(v, slope, s, (ng_wide_activation)_i, NULL), NULL);
        ng_assert_rel((value[1] - value[0]) / (2 * h), ng_mat_get(slope, 0, 1), 1e-7);
    }
}
END_TEST

/* A unit that is always zero. _i: activation */
START_TEST(no_variance)
{
    ng_mat s = dense_mat(2, 2), v = dense_mat(2, 2), slope = dense_mat(2, 2);
    int erf_here = _i == NG_WIDE_ERF, step = _i == NG_WIDE_STEP;
    ng_mat_set(s, 0, 0, 4);
    ng_assert_ok(
        ng_wide_transform(v, step ? ng_mat_none() : slope, s, (ng_wide_activation)_i, &error),
        &error);
    ck_assert(ng_mat_get(v, 0, 1) == 0 && ng_mat_get(v, 1, 1) == 0);
    if (!step)
        ng_assert_rel(1 + ng_mat_get(slope, 1, 1), erf_here ? 1 + 4 / acos(-1) : 1, 1e-14);
}
END_TEST

/* ---- Feed-forward nets -------------------------------------------------------------------------
 */

/* rows of length sqrt(cols) */
static ng_mat round_rows(size_t rows, size_t cols)
{
    ng_mat x = dense_normal(rows, cols, &rng);
    for (size_t i = 0; i < rows; i++) {
        ng_mat row = ng_mat_block(x, i, 0, 1, cols);
        ng_scale(row, sqrt((double)cols) / ng_norm(row));
    }
    return x;
}

START_TEST(diagonal_is_depth)
{
    ng_wide_mlp mlp;
    ng_assert_ok(ng_wide_mlp_init(&mlp), NULL);
    ng_mat x = round_rows(7, 20), gp = dense_mat(7, 7), ntk = dense_mat(7, 7);
    for (mlp.hidden = 0; mlp.hidden < 9; mlp.hidden++) {
        ng_assert_ok(ng_wide_mlp_kernels(&mlp, gp, ntk, x, &error), &error);
        for (size_t i = 0; i < 7; i++) {
            ng_assert_rel(ng_mat_get(gp, i, i), 1, 1e-13);
            ng_assert_rel(ng_mat_get(ntk, i, i), (double)mlp.hidden + 1, 1e-13);
        }
        ng_assert_le(dense_asymmetry(ntk), 1e-14);
    }
}
END_TEST

/* two layers by quadrature. _i: relu, erf; strided views, biases */
START_TEST(two_layers)
{
    ng_wide_mlp mlp;
    ng_wide_mlp_init(&mlp);
    mlp.activation = (ng_wide_activation)_i;
    mlp.hidden = 2, mlp.var_first = 0.8, mlp.var_w = 1.7, mlp.var_b = 0.3;
    ng_mat x = test_mat(2, 3, 4, NG_F64), gp = test_mat(2, 2, 3, NG_F64),
           ntk = test_mat(2, 2, 1, NG_F64);
    test_fill_normal(x, &rng);
    ng_assert_ok(ng_wide_mlp_kernels(&mlp, gp, ntk, x, &error), &error);
    double s[2][2], theta[2][2];
    for (int i = 0; i < 4; i++)
        theta[i / 2][i % 2] = s[i / 2][i % 2] =
            0.8 / 3 * ng_dot(ng_mat_block(x, i / 2, 0, 1, 3), ng_mat_block(x, i % 2, 0, 1, 3)) +
            0.3;
    for (int l = 0; l < 2; l++) {
        double next[2][2];
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) {
                double a = sqrt(s[i][i]), b = sqrt(s[j][j]), rho = s[i][j] / (a * b);
                rho = i == j ? 1 : rho;
                next[i][j] = 1.7 * mean(phi, _i, 1, a, b, rho) + 0.3;
                theta[i][j] = next[i][j] + 1.7 * mean(slope_of, _i, 0, a, b, rho) * theta[i][j];
            }
        memcpy(s, next, sizeof s);
    }
    for (int i = 0; i < 4; i++) {
        ng_assert_rel(ng_mat_get(gp, i / 2, i % 2), s[i / 2][i % 2], 1e-8);
        ng_assert_rel(ng_mat_get(ntk, i / 2, i % 2), theta[i / 2][i % 2], 1e-5);
    }
    test_free(x), test_free(gp), test_free(ntk);
}
END_TEST

/* ---- Recurrent nets -------------------------------------------------------------------------- */

/* Without recurrence and pooling, one step is a net of one hidden layer without an output bias. */
START_TEST(one_step)
{
    ng_wide_rnn rnn;
    ng_assert_ok(ng_wide_rnn_init(&rnn), NULL);
    ng_mat x = dense_normal(4, 3, &rng), gp = dense_mat(4, 4), ntk = dense_mat(4, 4);
    ng_mat s = dense_mat(4, 4), v = dense_mat(4, 4), slope = dense_mat(4, 4);
    ng_assert_ok(ng_wide_rnn_kernels(&rnn, gp, ntk, x, &error), &error);
    for (size_t i = 0; i < 16; i++)
        ng_mat_set(
            s, i / 4, i % 4,
            2.0 / 3 * ng_dot(ng_mat_block(x, i / 4, 0, 1, 3), ng_mat_block(x, i % 4, 0, 1, 3)) +
                0.2);
    ng_assert_ok(ng_wide_transform(v, slope, s, NG_WIDE_ERF, &error), &error);
    ng_assert_mat(gp, v, 1e-13);
    for (size_t i = 0; i < 16; i++)
        ng_mat_set(v, i / 4, i % 4,
                   ng_mat_get(v, i / 4, i % 4) +
                       ng_mat_get(slope, i / 4, i % 4) * ng_mat_get(s, i / 4, i % 4));
    ng_assert_mat(ntk, v, 1e-13);
}
END_TEST

/* A net of finite width: h and the outputs' derivatives by h of sequence a, all steps. */
enum { WIDTH = 200, STEPS = 3, SEQUENCES = 2, TOKENS = 2 };

typedef struct {
    ng_mat w, u, b, v;
    double h[SEQUENCES][STEPS][WIDTH], dh[SEQUENCES][STEPS][WIDTH], y[SEQUENCES];
} net;

static void run(net *n, const ng_wide_rnn *r, ng_mat x)
{
    const int kind = r->activation;
    const double root_w = sqrt(r->var_w / WIDTH), root_v = sqrt(r->var_v / WIDTH);
    for (int a = 0; a < SEQUENCES; a++) {
        n->y[a] = 0;
        for (int t = 0; t < STEPS; t++)
            for (size_t i = 0; i < WIDTH; i++) {
                double h = sqrt(r->var_b) * ng_mat_get(n->b, 0, i);
                for (size_t j = 0; j < TOKENS; j++)
                    h += sqrt(r->var_u / TOKENS) * ng_mat_get(n->u, i, j) *
                         ng_mat_get(x, (size_t)(a * STEPS + t), j);
                for (size_t j = 0; j < WIDTH && t > 0; j++)
                    h += root_w * ng_mat_get(n->w, i, j) * phi(kind, n->h[a][t - 1][j]);
                double c = r->pooled ? 1.0 / STEPS : t == STEPS - 1;
                n->h[a][t][i] = h;
                n->dh[a][t][i] = c * root_v * ng_mat_get(n->v, 0, i);
                n->y[a] += c * root_v * ng_mat_get(n->v, 0, i) * phi(kind, h);
            }
        for (int t = STEPS - 1; t >= 0; t--)
            for (size_t i = 0; i < WIDTH; i++) {
                for (size_t j = 0; j < WIDTH && t < STEPS - 1; j++)
                    n->dh[a][t][i] += root_w * ng_mat_get(n->w, j, i) * n->dh[a][t + 1][j];
                n->dh[a][t][i] *= slope_of(kind, n->h[a][t][i]);
            }
    }
}

/* <dy_a/d parameters, dy_b/d parameters> */
static double tangent(const net *n, const ng_wide_rnn *r, ng_mat x, int a, int b)
{
    double sum = 0;
    for (int t = 0; t < STEPS; t++)
        for (int s = 0; s < STEPS; s++) {
            double back = 0, before = 0, tokens = 0, out = 0;
            for (size_t i = 0; i < WIDTH; i++) {
                back += n->dh[a][t][i] * n->dh[b][s][i];
                out += phi(r->activation, n->h[a][t][i]) * phi(r->activation, n->h[b][s][i]);
                if (t > 0 && s > 0)
                    before += phi(r->activation, n->h[a][t - 1][i]) *
                              phi(r->activation, n->h[b][s - 1][i]);
            }
            for (size_t j = 0; j < TOKENS; j++)
                tokens += ng_mat_get(x, (size_t)(a * STEPS + t), j) *
                          ng_mat_get(x, (size_t)(b * STEPS + s), j);
            double c = r->pooled ? 1.0 / (STEPS * STEPS) : t == STEPS - 1 && s == STEPS - 1;
            sum += back * (r->var_w * before / WIDTH + r->var_u * tokens / TOKENS + r->var_b) +
                   c * r->var_v * out / WIDTH;
        }
    return sum;
}

/* Means over nets, within five of their standard deviations and what width leaves. _i: relu or erf,
 * pooled or not */
START_TEST(against_finite_nets)
{
    enum { NETS = 200 };
    static net n;
    ng_wide_rnn rnn;
    ng_wide_rnn_init(&rnn);
    rnn.activation = (ng_wide_activation)(_i % 2);
    rnn.steps = STEPS, rnn.pooled = _i / 2;
    ng_mat x = dense_normal(SEQUENCES * STEPS, TOKENS, &rng);
    ng_mat gp = dense_mat(SEQUENCES, SEQUENCES), ntk = dense_mat(SEQUENCES, SEQUENCES);
    ng_assert_ok(ng_wide_rnn_kernels(&rnn, gp, ntk, x, &error), &error);
    n.w = dense_mat(WIDTH, WIDTH), n.u = dense_mat(WIDTH, TOKENS);
    n.b = dense_mat(1, WIDTH), n.v = dense_mat(1, WIDTH);
    double sum[2][SEQUENCES][SEQUENCES] = {{{0}}}, squares[2][SEQUENCES][SEQUENCES] = {{{0}}};
    for (int k = 0; k < NETS; k++) {
        test_fill_normal(n.w, &rng), test_fill_normal(n.u, &rng);
        test_fill_normal(n.b, &rng), test_fill_normal(n.v, &rng);
        run(&n, &rnn, x);
        for (int a = 0; a < SEQUENCES; a++)
            for (int b = 0; b < SEQUENCES; b++) {
                double found[] = {n.y[a] * n.y[b], tangent(&n, &rnn, x, a, b)};
                for (int i = 0; i < 2; i++) {
                    sum[i][a][b] += found[i] / NETS;
                    squares[i][a][b] += found[i] * found[i] / NETS;
                }
            }
    }
    for (int i = 0; i < 2; i++)
        for (int a = 0; a < SEQUENCES; a++)
            for (int b = 0; b < SEQUENCES; b++) {
                double m = sum[i][a][b], known = ng_mat_get(i ? ntk : gp, a, b);
                double sigma = sqrt((squares[i][a][b] - m * m) / NETS);
                ck_assert_msg(fabs(m - known) < 5 * sigma + fabs(known) / WIDTH,
                              "%s %d %d: %g, known %g, sigma %g", i ? "ntk" : "gp", a, b, m, known,
                              sigma);
            }
}
END_TEST

/* ---- What is refused ---------------------------------------------------------------------------
 */

START_TEST(refusals)
{
    ng_wide_mlp mlp;
    ng_wide_rnn rnn;
    ng_mat x = dense_normal(4, 3, &rng), out = dense_mat(4, 4), s = dense_identity(4);
    ng_wide_mlp_init(&mlp), ng_wide_rnn_init(&rnn);
    ck_assert_int_eq(ng_wide_mlp_init(NULL), NG_EARG);
    ck_assert_int_eq(ng_wide_rnn_init_sized(&rnn, 3), NG_EOPTION);
    ng_assert_fails(ng_wide_mlp_kernels(NULL, out, out, x, &error), NG_EARG, &error, "mlp");
    ng_assert_fails(ng_wide_rnn_kernels(NULL, out, out, x, &error), NG_EARG, &error, "rnn");
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, dense_mat(3, 4), out, x, &error), NG_ESHAPE, &error,
                    "gp");
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, dense_mat(3, 4), x, &error), NG_ESHAPE, &error,
                    "ntk");
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, dense_mat(0, 3), &error), NG_ESHAPE, &error,
                    "x is 0");
    mlp.var_w = -1;
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_EOPTION, &error, "var_w");
    mlp.var_w = 2, mlp.hidden = 100000;
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_EOPTION, &error, "100000");
    mlp.hidden = 1, mlp.activation = NG_WIDE_STEP;
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_EUNSUPPORTED, &error,
                    "step");
    ng_assert_ok(ng_wide_mlp_kernels(&mlp, out, ng_mat_none(), x, &error), &error);
    mlp.activation = (ng_wide_activation)7;
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_EOPTION, &error, "7");
    rnn.steps = 3;
    ng_assert_fails(ng_wide_rnn_kernels(&rnn, out, out, x, &error), NG_ESHAPE, &error, "4 rows");
    rnn.steps = 0;
    ng_assert_fails(ng_wide_rnn_kernels(&rnn, out, out, x, &error), NG_EOPTION, &error, "0 steps");
    rnn.steps = 1, rnn.var_b = NAN;
    ng_assert_fails(ng_wide_rnn_kernels(&rnn, out, out, x, &error), NG_EOPTION, &error, "var_b");
    ng_mat_set(x, 1, 1, NAN), mlp.activation = NG_WIDE_RELU;
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_ENONFINITE, &error, "x");
    ng_mat_set(x, 1, 1, 1e200);
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_ERANGE, &error, "overflows");
    ng_mat_set(x, 1, 1, 1e150), mlp.hidden = 4, mlp.var_w = 1e100;
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_ERANGE, &error, "overflows");
    ng_mat_set(s, 2, 3, 1.1);
    ng_assert_fails(ng_wide_transform(out, ng_mat_none(), s, NG_WIDE_ERF, &error), NG_EINDEFINITE,
                    &error, "s[2][3]");
    ng_mat_set(s, 2, 3, 0), ng_mat_set(s, 1, 1, -1);
    ng_assert_fails(ng_wide_transform(out, ng_mat_none(), s, NG_WIDE_ERF, &error), NG_EINDEFINITE,
                    &error, "s[1]");
    ng_mat_set(s, 1, 1, NAN);
    ng_assert_fails(ng_wide_transform(out, ng_mat_none(), s, NG_WIDE_ERF, &error), NG_ENONFINITE,
                    &error, "s[1][1]");
    ck_assert_str_eq(ng_wide_activation_name(NG_WIDE_STEP), "step");
    ck_assert_str_eq(ng_wide_activation_name((ng_wide_activation)9), "unknown");
    fault_once(FAULT_MEMORY, 1, FAIL);
    mlp.var_w = 2, ng_mat_set(x, 1, 1, 1);
    ng_assert_fails(ng_wide_mlp_kernels(&mlp, out, out, x, &error), NG_ENOMEM, &error, "memory");
    fault_once(FAULT_MEMORY, 1, FAIL);
    rnn.var_b = 0;
    ng_assert_fails(ng_wide_rnn_kernels(&rnn, out, out, x, &error), NG_ENOMEM, &error, "memory");
    fault_over();
}
END_TEST

TEST_SUITE(wide)
{
    TCase *tc = tcase_create("kernels of infinite width");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, by_quadrature, 0,
                        NG_WIDE_ACTIVATIONS * (int)(sizeof spreads / sizeof *spreads));
    tcase_add_loop_test(tc, slope_is_the_derivative, 0, 2);
    tcase_add_loop_test(tc, no_variance, 0, NG_WIDE_ACTIVATIONS);
    tcase_add_test(tc, diagonal_is_depth);
    tcase_add_loop_test(tc, two_layers, 0, 2);
    tcase_add_test(tc, one_step);
    tcase_add_loop_test(tc, against_finite_nets, 0, 4);
    tcase_add_test(tc, refusals);
    suite_add_tcase(suite, tc);
}
