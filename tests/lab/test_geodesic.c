/* Geodesics against closed forms: great circles in sqrt(p), distances of
 * normal distributions, straight lines of the e- and m-connections. */
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/support/support.h"

static ng_error error;

/* ---- Two families ----------------------------------------------------------- */

enum { K = 4, N = K - 1 };

/* natural coordinates log(p_a / p_K) */
static void probabilities(double p[K], const double *theta)
{
    double z = 1;
    for (int a = 0; a < N; a++)
        z += p[a] = exp(theta[a]);
    p[N] = 1;
    for (int a = 0; a < K; a++)
        p[a] /= z;
}

static ng_status categorical(void *data, ng_mat f, double *third, const double *theta, ng_error *e)
{
    double p[K];
    (void)data, (void)e;
    probabilities(p, theta);
    for (size_t a = 0; a < N; a++)
        for (size_t b = 0; b < N; b++) {
            ng_mat_set(f, a, b, (a == b) * p[a] - p[a] * p[b]);
            for (size_t c = 0; c < N; c++)
                third[(a * N + b) * N + c] =
                    (a == b && b == c) * p[a] -
                    ((a == b) * p[a] * p[c] + (b == c) * p[b] * p[a] + (a == c) * p[a] * p[b]) +
                    2 * p[a] * p[b] * p[c];
        }
    return NG_OK;
}

/* theta = (mu/s^2, -1/(2 s^2)): log Z = -t0^2/(4 t1) - log(-2 t1)/2 */
static ng_status normal(void *data, ng_mat f, double *third, const double *theta, ng_error *e)
{
    double x = theta[0], y = theta[1];
    (void)data;
    if (!(y < 0))
        return ng_error_set(e, NG_ERANGE, "no normal distribution at theta_1 = %g", y);
    ng_mat_set(f, 0, 0, -1 / (2 * y));
    ng_mat_set(f, 0, 1, x / (2 * y * y));
    ng_mat_set(f, 1, 0, x / (2 * y * y));
    ng_mat_set(f, 1, 1, -x * x / (2 * y * y * y) + 1 / (2 * y * y));
    third[0] = 0;
    third[1] = third[2] = third[4] = 1 / (2 * y * y);
    third[3] = third[5] = third[6] = -x / (y * y * y);
    third[7] = 3 * x * x / (2 * y * y * y * y) - 1 / (y * y * y);
    return NG_OK;
}

static double speed(ng_family_at family, size_t n, const double *theta, const double *v)
{
    double f[N * N], third[N * N * N], sum = 0;
    ng_assert_ok(family(NULL, ng_f64(f, n, n), third, theta, &error), &error);
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            sum += f[a * n + b] * v[a] * v[b];
    return sqrt(sum);
}

/* ---- Closed forms -------------------------------------------------------------- */

/* sqrt(p) runs along a great circle: q = 2 sqrt(p) has the metric of a sphere of
 * radius 2, so that after the length s the angle is s/2. */
START_TEST(great_circle)
{
    double theta[N] = {0.3, -0.5, 0.2}, v[N] = {0.4, 0.1, -0.3};
    double p[K], q[K], start[K], unit[K], overlap = 0, mean = 0;
    probabilities(p, theta);
    double s = speed(categorical, N, theta, v), time = 1.5;
    for (int a = 0; a < N; a++)
        mean += p[a] * v[a];
    for (int a = 0; a < K; a++) { /* d sqrt(p)/dt = sqrt(p) (v - <v>)/2, of length s/2 */
        start[a] = sqrt(p[a]);
        unit[a] = start[a] * ((a < N ? v[a] : 0) - mean) / s;
    }
    ng_assert_ok(ng_geodesic_move(ng_f64(theta, 1, N), ng_f64(v, 1, N), time, 0, 1e-12, categorical,
                                  NULL, &error),
                 &error);
    probabilities(q, theta);
    for (int a = 0; a < K; a++) {
        double exact = start[a] * cos(s * time / 2) + unit[a] * sin(s * time / 2);
        ng_assert_rel(q[a], exact * exact, 1e-8);
        overlap += sqrt(p[a] * q[a]);
    }
    ng_assert_rel(2 * acos(overlap), s * time, 1e-8);
    ng_assert_rel(speed(categorical, N, theta, v), s, 1e-8);
}
END_TEST

START_TEST(normal_distance)
{
    const double mu = 0.4, sd = 1.3,
                 velocity[4][2] = {{0.3, 0.1}, {-0.5, 0.05}, {0, 0.2}, {1, -0.4}};
    for (int i = 0; i < 4; i++) {
        double theta[2] = {mu / (sd * sd), -0.5 / (sd * sd)};
        double v[2] = {velocity[i][0], velocity[i][1]};
        double s = speed(normal, 2, theta, v), time = 1.2 / s;
        ng_assert_ok(ng_geodesic_move(ng_f64(theta, 1, 2), ng_f64(v, 1, 2), time, 0, 1e-12, normal,
                                      NULL, &error),
                     &error);
        double to_sd = sqrt(-0.5 / theta[1]), to = theta[0] * to_sd * to_sd;
        double d2 = (to - mu) * (to - mu), minus = (sd - to_sd) * (sd - to_sd),
               plus = (sd + to_sd) * (sd + to_sd);
        double distance = 2 * sqrt(2) * atanh(sqrt((d2 + 2 * minus) / (d2 + 2 * plus)));
        ng_assert_rel(distance, s * time, 1e-8);
        ng_assert_rel(speed(normal, 2, theta, v), s, 1e-8);
    }
}
END_TEST

/* a = 1: theta is straight in time; a = -1: the mean parameters p are. */
START_TEST(flat_connections)
{
    const double from[N] = {0.3, -0.5, 0.2}, slope[N] = {0.4, 0.1, -0.3};
    double theta[N], v[N], p[K], q[K], mean = 0;
    memcpy(theta, from, sizeof theta);
    memcpy(v, slope, sizeof v);
    ng_assert_ok(ng_geodesic_move(ng_f64(theta, 1, N), ng_f64(v, 1, N), 2, 1, 1e-12, categorical,
                                  NULL, &error),
                 &error);
    for (int a = 0; a < N; a++)
        ng_assert_rel(theta[a], from[a] + 2 * slope[a], 1e-12);
    memcpy(theta, from, sizeof theta);
    memcpy(v, slope, sizeof v);
    probabilities(p, theta);
    ng_assert_ok(ng_geodesic_move(ng_f64(theta, 1, N), ng_f64(v, 1, N), 2, -1, 1e-12, categorical,
                                  NULL, &error),
                 &error);
    probabilities(q, theta);
    for (int a = 0; a < N; a++)
        mean += p[a] * slope[a];
    for (int a = 0; a < N; a++)
        ng_assert_rel(q[a], p[a] + 2 * p[a] * (slope[a] - mean), 1e-8);
}
END_TEST

/* Between two distributions: the distances of the sphere and of the normal laws. */
START_TEST(connections)
{
    double from[N] = {0.3, -0.5, 0.2}, to[N] = {-1, 0.8, 1.1}, v[N] = {0}, p[K], q[K], overlap = 0;
    ng_assert_ok(ng_geodesic_connect(ng_f64(v, 1, N), ng_f64(from, 1, N), ng_f64(to, 1, N), 0,
                                     1e-10, categorical, NULL, &error),
                 &error);
    probabilities(p, from);
    probabilities(q, to);
    for (int a = 0; a < K; a++)
        overlap += sqrt(p[a] * q[a]);
    ng_assert_rel(speed(categorical, N, from, v), 2 * acos(overlap), 1e-8);
    /* far apart along the mean, where the first guess leaves the family */
    double one[2] = {0, -0.5}, two[2] = {6 / 0.64, -0.5 / 0.64}, w[2] = {0};
    ng_assert_ok(ng_geodesic_connect(ng_f64(w, 1, 2), ng_f64(one, 1, 2), ng_f64(two, 1, 2), 0,
                                     1e-10, normal, NULL, &error),
                 &error);
    double d2 = 36, minus = 0.2 * 0.2, plus = 1.8 * 1.8;
    ng_assert_rel(speed(normal, 2, one, w),
                  2 * sqrt(2) * atanh(sqrt((d2 + 2 * minus) / (d2 + 2 * plus))), 1e-7);
    memset(w, 0, sizeof w);
    double outside[2] = {0, 1};
    ng_assert_fails(ng_geodesic_connect(ng_f64(w, 1, 2), ng_f64(one, 1, 2), ng_f64(outside, 1, 2),
                                        0, 1e-10, normal, NULL, &error),
                    NG_ENOCONV, &error, "");
    ng_assert_fails(ng_geodesic_connect(ng_f64(w, 1, 2), ng_f64(outside, 1, 2), ng_f64(one, 1, 2),
                                        0, 1e-10, normal, NULL, &error),
                    NG_ERANGE, &error, "no normal distribution");
    ng_assert_fails(ng_geodesic_connect(ng_f64(w, 1, 2), ng_f64(one, 1, 2), ng_f64(two, 1, 1), 0,
                                        1e-10, normal, NULL, &error),
                    NG_ESHAPE, &error, "to is 1 x 1");
    ng_assert_fails(ng_geodesic_connect(ng_f64(w, 1, 2), ng_f64(one, 1, 2), ng_f64(two, 1, 2), 0, 1,
                                        normal, NULL, &error),
                    NG_EARG, &error, "tolerance");
    ck_assert(w[0] == 0 && w[1] == 0);
}
END_TEST

/* the plane in polar coordinates, by the Christoffel symbols of its metric: a straight chord */
static ng_status polar_plane(void *data, ng_mat f, double *third, const double *x, ng_error *e)
{
    (void)data, (void)e;
    ng_fill(f, 0);
    ng_mat_set(f, 0, 0, 1);
    ng_mat_set(f, 1, 1, x[0] * x[0]);
    memset(third, 0, 8 * sizeof *third);
    third[3] = -2 * x[0];           /* r; phi phi */
    third[5] = third[6] = 2 * x[0]; /* phi; r phi and phi r */
    return NG_OK;
}

START_TEST(any_metric)
{
    double from[2] = {1, 0.2}, to[2] = {1.5, 1.7}, v[2] = {0};
    ng_assert_ok(ng_geodesic_connect(ng_f64(v, 1, 2), ng_f64(from, 1, 2), ng_f64(to, 1, 2), 0,
                                     1e-10, polar_plane, NULL, &error),
                 &error);
    ng_assert_rel(v[0] * v[0] + v[1] * v[1], 1 + 2.25 - 3 * cos(1.5), 1e-9);
}
END_TEST

START_TEST(refusals)
{
    double theta[2] = {0, -0.5}, v[2] = {0, 1}, nan[2] = {0, NAN}, old[2] = {0, -0.5};
    ng_mat t = ng_f64(theta, 1, 2), w = ng_f64(v, 1, 2);
    ng_assert_fails(ng_geodesic_move(t, w, -1, 0, 1e-9, normal, NULL, &error), NG_EARG, &error,
                    "time");
    ng_assert_fails(ng_geodesic_move(t, w, NAN, 0, 1e-9, normal, NULL, &error), NG_EARG, &error,
                    "time");
    ng_assert_fails(ng_geodesic_move(t, w, 1, NAN, 1e-9, normal, NULL, &error), NG_EARG, &error,
                    "amari");
    ng_assert_fails(ng_geodesic_move(t, w, 1, 0, 0, normal, NULL, &error), NG_EARG, &error,
                    "tolerance");
    ng_assert_fails(ng_geodesic_move(t, w, 1, 0, 1e-9, NULL, NULL, &error), NG_EARG, &error,
                    "NULL");
    ng_assert_fails(ng_geodesic_move(t, ng_f64(v, 1, 1), 1, 0, 1e-9, normal, NULL, &error),
                    NG_ESHAPE, &error, "velocity");
    ng_assert_fails(ng_geodesic_move(t, ng_f64(nan, 1, 2), 1, 0, 1e-9, normal, NULL, &error),
                    NG_ENONFINITE, &error, "velocity");
    /* the e-geodesic leaves the domain at time 1/2 */
    ng_assert_fails(ng_geodesic_move(t, w, 1, 1, 1e-9, normal, NULL, &error), NG_ERANGE, &error,
                    "no normal distribution");
    ck_assert(memcmp(theta, old, sizeof old) == 0 && v[0] == 0 && v[1] == 1);
    ng_assert_ok(ng_geodesic_move(t, w, 0, 0, 1e-9, normal, NULL, &error), &error);
    ck_assert(memcmp(theta, old, sizeof old) == 0);
}
END_TEST

TEST_SUITE(geodesic)
{
    TCase *tcase = tcase_create("geodesic");
    tcase_add_test(tcase, great_circle);
    tcase_add_test(tcase, normal_distance);
    tcase_add_test(tcase, flat_connections);
    tcase_add_test(tcase, connections);
    tcase_add_test(tcase, any_metric);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
}
