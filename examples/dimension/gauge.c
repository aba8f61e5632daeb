/* Fields that add to a score and move no density: rotations of N(0, I) and of the circle, what they
 * do to solvers, to guidance and to the Jacobian, how they are split off, and how much of one a net
 * learns. */
#include <math.h>
#include <stdio.h>

#include "examples/dimension/dimension.h"
#include "examples/support/fieldnet.h"

/* ---- Steps ------------------------------------------------------------------------------------
 */

/* v = A x, A a quarter turn: div(p v) = 0 for p = N(0, I) */
static ng_status turn(void *data, ng_mat f, ng_mat x, double t, ng_error *error)
{
    (void)data, (void)t, (void)error;
    for (size_t i = 0; i < x.rows; i++) {
        ng_mat_set(f, i, 0, -ng_mat_get(x, i, 1));
        ng_mat_set(f, i, 1, ng_mat_get(x, i, 0));
    }
    return NG_OK;
}

/* |x|^2 after one step of length h over that before */
static double inflation(const char *solver, double h)
{
    double t[2] = {0, h}, x[2] = {0.6, -0.8};
    ng_error error = {NG_OK, ""};
    paper_must(
        ng_solver_run(ng_f64(x, 1, 2), ng_solver_find(solver), t, 2, 0, NULL, turn, NULL, &error),
        &error);
    return x[0] * x[0] + x[1] * x[1];
}

/* (I - h A/2) x' = (I + h A/2) x */
static double cayley(double h)
{
    double x = 0.6, y = -0.8, u = x - h / 2 * y, v = y + h / 2 * x, det = 1 + h * h / 4;
    double a = (u - h / 2 * v) / det, b = (v + h / 2 * u) / det;
    return a * a + b * b;
}

void check_gauge(paper *p)
{
    const double h = 0.3;
    target_print("gauge", "euler_inflation", 1 + h * h, inflation("euler", h), 1e-14);
    target_print("gauge", "heun_inflation", 1 + pow(h, 4) / 4, inflation("heun", h), 1e-14);
    target_print("gauge", "cayley_inflation", 1, cayley(h), 1e-14);
    for (double step = 0.01; step < 0.6; step *= 2) {
        double steps = 2 * acos(-1) / step; /* in one turn */
        fprintf(p->rows.to, "euler,%g,,%.6g,\nheun,%g,,%.6g,\n", step,
                expm1(steps * log1p(step * step)), step, expm1(steps * log1p(pow(step, 4) / 4)));
    }
}

/* ---- Guidance
 * ------------------------------------------------------------------------------------ */

/* Drift of Langevin's dynamics under (1 - w) s_u + w s_c, s_u = -x, s_c = -2 (x - m) + A (x - m) */
static ng_status guided(void *data, ng_mat f, ng_mat x, double t, ng_error *error)
{
    const double w = *(double *)data, u = ng_mat_get(x, 0, 0) - 1, v = ng_mat_get(x, 0, 1);
    (void)t, (void)error;
    ng_mat_set(f, 0, 0, (w - 1) * ng_mat_get(x, 0, 0) + w * (-2 * u - v));
    ng_mat_set(f, 0, 1, (w - 1) * ng_mat_get(x, 0, 1) + w * (-2 * v + u));
    return NG_OK;
}

void check_guided_mean(paper *p)
{
    enum { STEPS = 2000 };
    double t[STEPS + 1], x[2] = {0, 0}, w = 2;
    ng_error error = {NG_OK, ""};
    (void)p;
    for (int i = 0; i <= STEPS; i++)
        t[i] = 0.01 * i;
    paper_must(ng_solver_run(ng_f64(x, 1, 2), ng_solver_find("heun"), t, STEPS + 1, 0, NULL, guided,
                             &w, &error),
               &error);
    target_print("gauge", "guided_mean_x", 16.0 / 13, x[0], 1e-10);
    target_print("gauge", "guided_mean_y", 2.0 / 13, x[1], 1e-10);
    verdict_print("gauge", "a rotation that moves no density is harmless under guidance",
                  VERDICT_NO);
}

/* ---- Hodge's split
 * -------------------------------------------------------------------------------- */

enum { DEGREE = 4, BASIS = (DEGREE + 1) * (DEGREE + 2) / 2 - 1, SIDE = 41 };

/* gradient of x^a y^b */
static void monomial(double g[2], double x, double y, int a, int b)
{
    g[0] = a == 0 ? 0 : a * pow(x, a - 1) * pow(y, b);
    g[1] = b == 0 ? 0 : b * pow(x, a) * pow(y, b - 1);
}

/* s = grad phi + r by least squares in L2(p) over polynomials phi: field (n x 2) weighted by
 * weight, r <- what is left. Returns the largest |<r, grad basis>| over the norms. */
static double split(ng_mat r, ng_mat field, ng_mat x, const double *weight)
{
    const size_t n = x.rows;
    ng_mat rows = paper_mat(BASIS, 2 * n), u = paper_mat(BASIS, BASIS), s = paper_mat(1, BASIS),
           vt = paper_mat(BASIS, 2 * n), target = paper_mat(1, 2 * n), part = paper_mat(1, BASIS);
    ng_error error = {NG_OK, ""};
    size_t k = 0;
    for (int degree = 1; degree <= DEGREE; degree++)
        for (int a = 0; a <= degree; a++, k++)
            for (size_t i = 0; i < n; i++) {
                double g[2];
                monomial(g, ng_mat_get(x, i, 0), ng_mat_get(x, i, 1), a, degree - a);
                for (size_t j = 0; j < 2; j++) {
                    ng_mat_set(rows, k, 2 * i + j, sqrt(weight[i]) * g[j]);
                    ng_mat_set(target, 0, 2 * i + j, sqrt(weight[i]) * ng_mat_get(field, i, j));
                }
            }
    paper_must(ng_svd(u, s, vt, NULL, rows, NULL, &error), &error);
    for (int twice = 0; twice < 2; twice++) { /* the second time takes what rounding left */
        ng_gemm(part, target, NG_NOTRANS, vt, NG_TRANS, 1, 0, NULL);
        ng_gemm(target, part, NG_NOTRANS, vt, NG_NOTRANS, -1, 1, NULL);
    }
    double worst = 0, length = ng_norm(target);
    for (size_t b = 0; b < BASIS; b++) {
        ng_mat row = ng_mat_block(rows, b, 0, 1, 2 * n);
        worst = fmax(worst, fabs(ng_dot(row, target)) / ng_norm(row) / length);
    }
    for (size_t i = 0; i < 2 * n; i++)
        ng_mat_set(r, i / 2, i % 2, ng_mat_get(target, 0, i) / sqrt(weight[i / 2]));
    return worst;
}

/* grad of x^3 y / 5 - log p of N(0, I), and c A x, over a grid whose sums are exact integrals */
void check_split(paper *p)
{
    enum { POINTS = SIDE * SIDE };
    static double weight[POINTS];
    ng_mat x = paper_mat(POINTS, 2), field = paper_mat(POINTS, 2), r = paper_mat(POINTS, 2);
    const double c = 0.7, h = 0.4;
    double worst = 0, all = 0, rest = 0, turned = 0;
    (void)p;
    for (size_t i = 0; i < POINTS; i++) {
        double u = h * ((double)(i / SIDE) - SIDE / 2), v = h * ((double)(i % SIDE) - SIDE / 2);
        weight[i] = h * h * exp(-(u * u + v * v) / 2) / (4 * acos(0));
        ng_mat_set(x, i, 0, u);
        ng_mat_set(x, i, 1, v);
        ng_mat_set(field, i, 0, -u + 0.6 * u * u * v - c * v);
        ng_mat_set(field, i, 1, -v + 0.2 * u * u * u + c * u);
    }
    double orthogonal = split(r, field, x, weight);
    for (size_t i = 0; i < POINTS; i++) {
        double u = ng_mat_get(x, i, 0), v = ng_mat_get(x, i, 1), a = ng_mat_get(r, i, 0),
               b = ng_mat_get(r, i, 1);
        worst += weight[i] * (pow(a + c * v, 2) + pow(b - c * u, 2));
        rest += weight[i] * (a * a + b * b);
        all +=
            weight[i] * (pow(ng_mat_get(field, i, 0) + u, 2) + pow(ng_mat_get(field, i, 1) + v, 2));
        turned += weight[i] * (pow(0.6 * u * u * v, 2) + pow(0.2 * u * u * u, 2));
    }
    target_print("gauge", "split_orthogonality", 0, orthogonal, 1e-12);
    target_print("gauge", "split_finds_the_rotation", 0, sqrt(worst), 1e-10);
    target_print("gauge", "split_E|r|^2=2c^2", 2 * c * c, rest, 1e-10);
    target_print("gauge", "split_adds_losses_up", all, rest + turned, 1e-10);
}

/* ---- A net and the Jacobian
 * ---------------------------------------------------------------------- */

/* both singular values of a 2 x 2 matrix, the larger first */
static void singular(double s[2], const double j[4])
{
    double sum = j[0] * j[0] + j[1] * j[1] + j[2] * j[2] + j[3] * j[3],
           det = fabs(j[0] * j[3] - j[1] * j[2]), root = sqrt(fmax(sum * sum - 4 * det * det, 0));
    s[0] = sqrt((sum + root) / 2);
    s[1] = s[0] > 0 ? det / s[0] : 0;
}

/* c A x on the circle, which is harmless to its noisy law as well: only the Jacobian is fooled. */
static int fooled(paper *p)
{
    int last = -1;
    for (double gauge = 0.01; gauge < 3; gauge *= 1.5) {
        double s[2], j[4] = {0.99497, gauge, -gauge, 0.00501};
        singular(s, j);
        last = (s[0] < 0.5) + (s[1] < 0.5);
        fprintf(p->rows.to, "gauge,%.5g,%d,%.5g,%.5g\n", gauge, last, s[0], s[1]);
    }
    return last;
}

enum { BATCH = 512, PLACES = 100 };

static void circle_batch(ng_mat noisy, ng_mat clean, double sigma, const ng_random *random)
{
    double u, z[2];
    for (size_t i = 0; i < noisy.rows; i++) {
        random->fill_uniform(random->data, &u, 1);
        random->fill_normal(random->data, z, 2);
        double angle = 4 * acos(0) * u, c[2] = {cos(angle), sin(angle)};
        for (size_t j = 0; j < 2; j++) {
            ng_mat_set(clean, i, j, c[j]);
            ng_mat_set(noisy, i, j, c[j] + sigma * z[j]);
        }
    }
}

/* -sigma^2 grad s = I - grad D of the net at a place, by differences */
static void net_jacobian(fieldnet *net, double j[4], double x, double y)
{
    const double h = 1e-5;
    double in[8] = {x + h, y, x - h, y, x, y + h, x, y - h}, out[8];
    fieldnet_answer(net, ng_f64(out, 4, 2), ng_f64(in, 4, 2));
    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 2; b++)
            j[a * 2 + b] = (a == b) - (out[4 * b + a] - out[4 * b + 2 + a]) / (2 * h);
}

/* Over places on the circle: count += dimensions by singular values and by the symmetric part, on
 * the mean. Returns the antisymmetric share of the Jacobian's square. */
static double round_the_circle(fieldnet *net, double sigma, double count[2])
{
    double curl = 0, whole = 0;
    for (size_t i = 0; i < PLACES; i++) {
        double j[4], s[2], values[WIDEST], angle = 4 * acos(0) * (double)i / PLACES;
        net_jacobian(net, j, cos(angle), sin(angle));
        singular(s, j);
        curl += pow(j[1] - j[2], 2) / 2;
        whole += j[0] * j[0] + j[1] * j[1] + j[2] * j[2] + j[3] * j[3];
        count[0] += ((s[0] < 0.5) + (s[1] < 0.5)) / (double)PLACES;
        for (int k = 0; k < 4; k++)
            j[k] /= -sigma * sigma;
        count[1] += (double)along(values, ng_f64(j, 1, 4), 0, 2, sigma) / PLACES;
    }
    return curl / whole;
}

/* A denoiser of the circle at one level, learnt by the natural gradient from samples. */
void check_net(paper *p)
{
    const double sigma = 0.2, s4 = pow(sigma, 4);
    const size_t steps = p->samples < 500 ? 20 : 150;
    fieldnet_options o = {2, 20, 2, BATCH, FIELDNET_NATURAL, 0.3, 1e-4, steps, 60};
    fieldnet *net = fieldnet_create(p, &o);
    const ng_random *random = paper_random(p, 61);
    ng_mat x = paper_mat(BATCH, 2), clean = paper_mat(BATCH, 2), exact = paper_mat(BATCH, 2),
           answer = paper_mat(BATCH, 2), r = paper_mat(BATCH, 2);
    const ng_mixture_fields f = {.mean = exact};
    ng_error error = {NG_OK, ""};
    double weight[BATCH], count[2] = {0, 0};
    for (size_t step = 0; step < steps; step++) {
        circle_batch(x, clean, sigma, random);
        fieldnet_step(net, x, clean);
    }
    circle_batch(x, clean, sigma, paper_random(p, 62));
    fieldnet_answer(net, answer, x);
    paper_must(ng_mixture_evaluate(circle(1000), &f, x, 1, sigma, NG_MIXTURE_ALL, &error), &error);
    double size = (ng_dot(x, x) - 2 * ng_dot(x, exact) + ng_dot(exact, exact)) / BATCH / s4;
    ng_axpby(answer, exact, -1, 1, NULL); /* sigma^2 (s^ - s) */
    for (size_t i = 0; i < BATCH; i++)
        weight[i] = 1.0 / BATCH;
    split(r, answer, x, weight);
    double antisymmetric = round_the_circle(net, sigma, count);
    printf("net: E|s^ - s|^2 / E|s|^2 %.5f, of it no gradient (degree %d) %.5f; antisymmetric "
           "share of "
           "|grad s^|^2 %.5f\n"
           "     dimension by singular values %.2f, by the symmetric part %.2f\n",
           ng_dot(answer, answer) / BATCH / s4 / size, DEGREE, ng_dot(r, r) / BATCH / s4 / size,
           antisymmetric, count[0], count[1]);
    target_print("gauge", "net_dimension_of_the_circle", 1, count[1], 0.05);
    target_print("gauge", "net_error_without_gradient_at_most_all", 1,
                 ng_dot(r, r) <= ng_dot(answer, answer), 0);
    int last = fooled(p);
    target_print("gauge", "dimension_read_off_a_rotated_jacobian", 0, last, 0);
    verdict_print("gauge", "singular values of any good score's Jacobian count dimensions",
                  last == 1 ? VERDICT_YES : VERDICT_NO);
}
