/* Curvature from F and third cumulants: known families, the plain sums, a
 * Levi-Civita computation that sees F alone, Amari's scaling. */
#include "tests/geometry/curvature_worlds.h"

#include <natgrad/linalg.h>

static ng_error error;

static double scalar(family w, double amari_alpha, size_t slabs)
{
    ng_curvature r;
    ng_assert_ok(
        ng_curvature_scalar(&r, w.f, amari_alpha, slabs, ng_cumulants_fill_stored, w.kappa, &error),
        &error);
    return r.scalar;
}

static void done(family w)
{
    free(w.kappa);
    dense_release();
}

/* ---- Known families ------------------------------------------------------------ */

static const double mean[3] = {0.3, -1.2, 0.7};
static const double sigma[9] = {1.3, 0.4, -0.2, 0.4, 0.8, 0.1, -0.2, 0.1, 2.0};
static const double sigma2[4] = {1.3, 0.4, 0.4, 0.8};

START_TEST(gaussians)
{
    const struct {
        const double *sigma;
        size_t d;
        int fixed;
        double curvature;
    } row[] = {{sigma, 1, 0, -1},
               {sigma2, 2, 1, -2},
               {sigma2, 2, 0, -4.5},
               {sigma, 3, 1, -7.5},
               {sigma, 3, 0, -12}};
    static const double zero[3];
    family w = family_gauss(row[_i].fixed ? zero : mean, row[_i].sigma, row[_i].d, row[_i].fixed);
    ng_assert_rel(scalar(w, 0, 0), row[_i].curvature, 1e-11);
    if (_i == 0) {
        double k, e[2] = {1, 0}, g[2] = {0.2, -3};
        ng_assert_ok(ng_curvature_sectional(&k, w.f, ng_f64(e, 1, 2), ng_f64(g, 1, 2),
                                            ng_cumulants_fill_stored, w.kappa, &error),
                     &error);
        ng_assert_rel(k, -0.5, 1e-11);
        ng_assert_rel(scalar(w, 0.5, 0), -0.75, 1e-11);
        ng_assert_rel(scalar(w, -0.5, 0), -0.75, 1e-11);
        ng_assert_rel(scalar(w, 2, 0), 3, 1e-11);
    }
    done(w);
}
END_TEST

/* k = 3 ... 7: constant curvature 1/4, R = (k-1)(k-2)/4 */
START_TEST(categorical)
{
    const double p[7] = {0.1, 0.25, 0.05, 0.2, 0.13, 0.17, 0.1};
    double q[7], sum = 0, k, u[6] = {1, 2, -1, 0.5, 0.3, 1}, v[6] = {0.2, -1, 1, 1, 2, -0.7};
    size_t outcomes = (size_t)_i;
    for (size_t i = 0; i < outcomes; i++)
        sum += p[i];
    for (size_t i = 0; i < outcomes; i++)
        q[i] = p[i] / sum;
    family w = family_categorical(q, outcomes);
    ng_assert_rel(scalar(w, 0, 0), (double)((outcomes - 1) * (outcomes - 2)) / 4, 1e-12);
    ng_assert_ok(ng_curvature_sectional(&k, w.f, ng_f64(u, 1, w.n), ng_f64(v, 1, w.n),
                                        ng_cumulants_fill_stored, w.kappa, &error),
                 &error);
    ng_assert_rel(k, 0.25, 1e-11);
    if (outcomes == 4) {
        ng_assert_rel(scalar(w, 0.5, 0), 1.125, 1e-12);
        ng_assert_rel(scalar(w, 2, 0), -4.5, 1e-12);
    }
    done(w);
}
END_TEST

START_TEST(ising_graphs)
{
    const double theta[10] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
    const double any[10] = {0.3, -0.7, 1.1, 0.2, 0.9, -0.4, 0.6, 0.1, -1.0, 0.8};
    const int tree[5][2] = {{0, 1}, {1, 2}, {1, 3}, {3, 4}, {3, 5}};
    const int bow[6][2] = {{0, 1}, {1, 2}, {2, 0}, {2, 3}, {3, 4}, {4, 2}};
    const struct {
        graph g;
        const double *theta;
        double curvature;
    } row[] = {{graph_cycle(3), any, 1.5},
               {graph_of(5, 6, bow), any, 3},
               {graph_cycle(4), theta, -0.560276058334},
               {graph_cycle(6), theta, -0.326103379360},
               {graph_complete(4), theta, 2.092516199104},
               {graph_complete(5), theta, -24.728422434535}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        family w = family_ising(&row[i].g, row[i].theta);
        ng_assert_rel(scalar(w, 0, 0), row[i].curvature, 3e-12);
        done(w);
    }
    graph g = graph_of(6, 5, tree);
    family w = family_ising(&g, any);
    ng_mat riemann = dense_mat(25, 25);
    ng_assert_ok(ng_curvature_riemann(riemann, w.f, 0, ng_cumulants_fill_stored, w.kappa, &error),
                 &error);
    ng_assert_le(ng_max_abs(riemann), 1e-13);
    done(w);
}
END_TEST

/* ---- The plain sums ------------------------------------------------------------- */

static size_t asked;

static ng_status counting(void *data, ng_mat slab, size_t c, ng_error *e)
{
    asked++;
    return ng_cumulants_fill_stored(data, slab, c, e);
}

/* Any symmetric tensor, any number of slabs kept: the same numbers. */
START_TEST(blocks_of_slabs)
{
    const double theta[10] = {0.3, -0.7, 1.1, 0.2, 0.9, -0.4, 0.6, 0.1, -1.0, 0.8};
    const size_t calls[] = {10, 55, 30, 22, 18, 15, 14};
    graph g = graph_complete(5);
    family w = family_ising(&g, theta);
    tensor_norms ref = tensor_curvature(w.f, w.kappa);
    for (size_t slabs = 0; slabs <= 12; slabs++) {
        ng_curvature r;
        asked = 0;
        ng_assert_ok(ng_curvature_scalar(&r, w.f, 0, slabs, counting, w.kappa, &error), &error);
        ng_assert_rel(r.square, ref.square, 1e-12);
        ng_assert_rel(r.trace, ref.trace, 1e-12);
        ng_assert_rel(r.scalar, ref.curvature, 1e-11);
        if (slabs < 7)
            ck_assert_uint_eq(asked, calls[slabs]);
    }
    done(w);
}
END_TEST

/* ---- Levi-Civita from F alone ----------------------------------------------------- */

enum { N = 5, N2 = N * N };

static ng_mat fisher_at(const graph *g, const double *theta)
{
    ng_mat f = dense_mat(N, N);
    tensor_walsh(f, NULL, NULL, N, g->mask, theta, g->spins);
    return f;
}

/* d/d theta_i of what `value` fills in, central differences of eighth order */
typedef void (*field)(double *out, const graph *g, const double *theta);

static void derivative(double *out, size_t count, field value, const graph *g, const double *theta,
                       int i)
{
    static const double weight[4] = {4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280};
    double h = 0.03, at[N], v[N * N2];
    memset(out, 0, count * sizeof *out);
    for (int k = -4; k <= 4; k++) {
        if (k == 0)
            continue;
        memcpy(at, theta, sizeof at);
        at[i] += k * h;
        value(v, g, at);
        double w = (k < 0 ? -1 : 1) * weight[abs(k) - 1] / h;
        for (size_t j = 0; j < count; j++)
            out[j] += w * v[j];
    }
}

static void f_field(double *out, const graph *g, const double *theta)
{
    ng_mat f = fisher_at(g, theta);
    memcpy(out, f.data, N2 * sizeof *out);
}

static void log_det_field(double *out, const graph *g, const double *theta)
{
    ng_mat values;
    dense_eigh(&values, NULL, fisher_at(g, theta));
    *out = 0;
    for (size_t i = 0; i < N; i++)
        *out += log(ng_mat_get(values, 0, i));
}

/* Gamma^l_jk [l][j][k] = 1/2 F^lm (d_j F_mk + d_k F_mj - d_m F_jk) */
static void gamma_field(double *out, const graph *g, const double *theta)
{
    double d[N][N][N]; /* [i][a][b] = d_i F_ab */
    ng_mat inverse = dense_power(fisher_at(g, theta), -1);
    for (int i = 0; i < N; i++)
        derivative(&d[i][0][0], N2, f_field, g, theta, i);
    for (int l = 0; l < N; l++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++) {
                double sum = 0;
                for (int m = 0; m < N; m++)
                    sum += 0.5 * ng_mat_get(inverse, (size_t)l, (size_t)m) *
                           (d[j][m][k] + d[k][m][j] - d[m][j][k]);
                out[l * N2 + j * N + k] = sum;
            }
}

static double curl(double (*gamma)[N][N], double (*slope)[N][N][N], int l, int k, int i, int j)
{
    double sum = slope[i][l][j][k] - slope[j][l][i][k];
    for (int m = 0; m < N; m++)
        sum += gamma[l][i][m] * gamma[m][j][k] - gamma[l][j][m] * gamma[m][i][k];
    return sum;
}

/* R_lkij and Ric_kj from F's values alone */
static void levi_civita(ng_mat riemann, ng_mat ricci, const graph *g, const double *theta)
{
    static double gamma[N][N][N], slope[N][N][N][N];
    ng_mat f = fisher_at(g, theta);
    gamma_field(&gamma[0][0][0], g, theta);
    for (int i = 0; i < N; i++)
        derivative(&slope[i][0][0][0], N * N2, gamma_field, g, theta, i);
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                for (int l = 0; l < N; l++) {
                    double up = curl(gamma, slope, l, k, i, j);
                    for (int a = 0; a < N; a++) {
                        size_t row = (size_t)(a * N + k), col = (size_t)(i * N + j);
                        ng_mat_set(riemann, row, col,
                                   ng_mat_get(riemann, row, col) +
                                       ng_mat_get(f, (size_t)a, (size_t)l) * up);
                    }
                    if (i == l)
                        ng_mat_set(ricci, (size_t)k, (size_t)j,
                                   ng_mat_get(ricci, (size_t)k, (size_t)j) + up);
                }
}

static const double couplings[N] = {0.4, -0.3, 0.6, 0.25, 0.5};

/* Two triangles that share an edge. */
static graph kite(void)
{
    const int edge[N][2] = {{0, 1}, {1, 2}, {2, 0}, {1, 3}, {2, 3}};
    return graph_of(4, N, edge);
}

START_TEST(riemann_and_ricci_by_levi_civita)
{
    graph g = kite();
    family w = family_ising(&g, couplings);
    ng_mat riemann = test_mat(N2, N2, 3, NG_F64), scaled = dense_mat(N2, N2);
    ng_mat ricci = test_mat(N, N, 2, NG_F64);
    ng_mat riemann_ref = dense_mat(N2, N2), ricci_ref = dense_mat(N, N);
    levi_civita(riemann_ref, ricci_ref, &g, couplings);
    ng_assert_ok(ng_curvature_riemann(riemann, w.f, 0, ng_cumulants_fill_stored, w.kappa, &error),
                 &error);
    ng_assert_mat(riemann, riemann_ref, 1e-7);
    ng_ricci terms = {.ricci = ricci};
    ng_assert_ok(ng_curvature_ricci(&terms, w.f, ng_cumulants_fill_stored, w.kappa, &error),
                 &error);
    ng_assert_mat(ricci, ricci_ref, 1e-7);
    /* the scalar curvature is the trace of Ricci */
    ng_assert_rel(dense_dot(dense_power(w.f, -1), ricci_ref), scalar(w, 0, 0), 1e-7);
    ng_assert_ok(ng_curvature_riemann(scaled, w.f, 3, ng_cumulants_fill_stored, w.kappa, &error),
                 &error);
    ng_assert_mat(scaled, dense_scale(-8, riemann), 1e-13);
    test_free(riemann);
    test_free(ricci);
    done(w);
}
END_TEST

START_TEST(christoffel_by_levi_civita)
{
    graph g = kite();
    family w = family_ising(&g, couplings);
    ng_mat gamma = dense_mat(N, N2), ref = dense_mat(N, N2);
    gamma_field(ref.data, &g, couplings);
    const double alphas[] = {0, 1, -1, 0.5};
    for (int i = 0; i < 4; i++) {
        ng_assert_ok(ng_curvature_christoffel(gamma, w.f, alphas[i], ng_cumulants_fill_stored,
                                              w.kappa, &error),
                     &error);
        ng_mat wanted = dense_scale(1 - alphas[i], ref);
        if (alphas[i] == 1)
            ck_assert(ng_max_abs(gamma) == 0);
        else
            ng_assert_mat(gamma, wanted, 1e-9);
    }
    done(w);
}
END_TEST

START_TEST(trace_is_the_slope_of_log_det)
{
    graph g = kite();
    family w = family_ising(&g, couplings);
    ng_mat trace = dense_mat(1, N), ref = dense_mat(1, N);
    for (int i = 0; i < N; i++)
        derivative((double *)ref.data + i, 1, log_det_field, &g, couplings, i);
    ng_assert_ok(ng_curvature_trace(trace, w.f, ng_cumulants_fill_stored, w.kappa, &error), &error);
    ng_assert_mat(trace, ref, 1e-8);
    done(w);
}
END_TEST

/* The four terms by their definitions, with plain sums, and the identities. */
START_TEST(ricci_terms)
{
    family w = family_gauss(mean, sigma2, 2, 0);
    size_t n = w.n;
    ng_mat out[4], ref[4], inverse = dense_power(w.f, -1);
    double *gamma = calloc(n * n * n, sizeof *gamma);
    for (int i = 0; i < 4; i++)
        out[i] = dense_mat(n, n), ref[i] = dense_mat(n, n);
#define KAPPA(a, b, c) w.kappa[((a)*n + (b)) * n + (c)]
#define GAMMA(c, a, b) gamma[((c)*n + (a)) * n + (b)] /* G^c_ab */
    for (size_t c = 0; c < n; c++)
        for (size_t ab = 0; ab < n * n; ab++)
            for (size_t e = 0; e < n; e++)
                gamma[c * n * n + ab] += 0.5 * ng_mat_get(inverse, c, e) * w.kappa[e * n * n + ab];
    for (size_t ab = 0; ab < n * n; ab++) {
        size_t a = ab / n, b = ab % n;
        double sum[4] = {0};
        for (size_t c = 0; c < n; c++)
            for (size_t d = 0; d < n; d++) {
                sum[2] += GAMMA(c, c, d) * GAMMA(d, a, b);
                sum[3] -= GAMMA(c, b, d) * GAMMA(d, a, c);
                for (size_t e = 0; e < n; e++)
                    for (size_t g = 0; g < n; g++) {
                        double raise = ng_mat_get(inverse, c, e) * ng_mat_get(inverse, d, g);
                        sum[0] -= 0.5 * raise * KAPPA(c, e, g) * KAPPA(d, a, b);
                        sum[1] += 0.5 * raise * KAPPA(a, c, d) * KAPPA(b, e, g);
                    }
            }
        for (int i = 0; i < 4; i++)
            ng_mat_set(ref[i], a, b, sum[i]);
    }
    ng_ricci terms = {
        .trace_kappa = out[0], .kappa_kappa = out[1], .trace_gamma = out[2], .gamma_gamma = out[3]};
    ng_assert_ok(ng_curvature_ricci(&terms, w.f, ng_cumulants_fill_stored, w.kappa, &error),
                 &error);
    for (int i = 0; i < 4; i++)
        ng_assert_mat(out[i], ref[i], 1e-12);
    ng_assert_mat(out[2], dense_scale(-0.5, out[0]), 1e-12);
    ng_assert_mat(out[3], dense_scale(-0.5, out[1]), 1e-12);
    free(gamma);
    done(w);
}
END_TEST

TEST_SUITE(curvature)
{
    TCase *tcase = tcase_create("curvature");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, gaussians, 0, 5);
    tcase_add_loop_test(tcase, categorical, 3, 8);
    tcase_add_test(tcase, ising_graphs);
    tcase_add_test(tcase, blocks_of_slabs);
    tcase_add_test(tcase, riemann_and_ricci_by_levi_civita);
    tcase_add_test(tcase, christoffel_by_levi_civita);
    tcase_add_test(tcase, trace_is_the_slope_of_log_det);
    tcase_add_test(tcase, ricci_terms);
    suite_add_tcase(suite, tcase);
}
