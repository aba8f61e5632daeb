/* Enumeration and contraction against sums over states and dense tensors
 * written out here, and against published curvatures. */
#include "tests/lab/lattice_world.h"

enum { L = 3, N = L * L, M = 2 * N };

static ng_error err;

/* ---- The naive way: L = 3, all 18 bonds, dense tensors ------------------------ */

/* long double: equal weights round the same way 3^9 times */
typedef struct {
    long double mean[M], fisher[M][M], third[M][M][M];
} dense;

static size_t end_of(size_t bond)
{
    size_t x = bond % N % L, y = bond % N / L;
    return bond < N ? (x + 1) % L + L * y : x + L * ((y + 1) % L);
}

/* T of all bonds in state number `state`; the weight. */
static double statistics(double *t, size_t state, size_t q, double coupling)
{
    size_t colour[N];
    double sum = 0;
    for (size_t i = 0; i < N; i++, state /= q)
        colour[i] = state % q;
    for (size_t b = 0; b < M; b++) {
        t[b] = colour[b % N] == colour[end_of(b)] ? 1 : q == 2 ? -1 : 0;
        sum += t[b];
    }
    return exp(coupling * sum);
}

static dense *brute_force(size_t q, double coupling)
{
    dense *w = calloc(1, sizeof *w);
    double t[M];
    long double z = 0;
    size_t states = 1;
    ck_assert_ptr_nonnull(w);
    for (size_t i = 0; i < N; i++)
        states *= q;
    for (size_t s = 0; s < states; s++) {
        double p = statistics(t, s, q, coupling);
        z += p;
        for (size_t a = 0; a < M; a++)
            w->mean[a] += p * t[a];
    }
    for (size_t a = 0; a < M; a++)
        w->mean[a] /= z;
    for (size_t s = 0; s < states; s++) {
        long double p = statistics(t, s, q, coupling) / z;
        for (size_t a = 0; a < M; a++)
            t[a] -= (double)w->mean[a];
        for (size_t a = 0; a < M; a++)
            for (size_t b = 0; b < M; b++) {
                long double f = p * t[a] * t[b];
                w->fisher[a][b] += f;
                for (size_t c = 0; c < M; c++)
                    w->third[a][b][c] += f * t[c];
            }
    }
    return w;
}

/* inverse <- f^-1 by Gauss and Jordan; f is positive definite: no pivots */
static void invert(double inverse[M][M], const dense *w)
{
    double a[M][M];
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < M; j++) {
            a[i][j] = (double)w->fisher[i][j];
            inverse[i][j] = i == j;
        }
    for (size_t k = 0; k < M; k++) {
        double pivot = a[k][k];
        for (size_t j = 0; j < M; j++) {
            a[k][j] /= pivot;
            inverse[k][j] /= pivot;
        }
        for (size_t i = 0; i < M; i++) {
            double factor = a[i][k];
            for (size_t j = 0; j < M && i != k; j++) {
                a[i][j] -= factor * a[k][j];
                inverse[i][j] -= factor * inverse[k][j];
            }
        }
    }
}

/* R = (kappa_abc kappa^abc - kappa_a kappa^a) / 4, kappa_a = kappa_abc F^bc */
static double dense_curvature(const dense *w)
{
    static double inverse[M][M], once[M][M][M], twice[M][M][M];
    double trace[M] = {0}, square = 0, traces = 0;
    invert(inverse, w);
    memset(once, 0, sizeof once);
    memset(twice, 0, sizeof twice);
    for (size_t a = 0; a < M; a++)
        for (size_t b = 0; b < M; b++)
            for (size_t c = 0; c < M; c++) {
                trace[a] += (double)w->third[a][b][c] * inverse[b][c];
                for (size_t d = 0; d < M; d++)
                    once[a][b][d] += (double)w->third[a][b][c] * inverse[c][d];
            }
    for (size_t a = 0; a < M; a++)
        for (size_t b = 0; b < M; b++)
            for (size_t c = 0; c < M; c++)
                for (size_t d = 0; d < M; d++)
                    twice[a][b][d] += once[a][c][d] * inverse[c][b];
    for (size_t a = 0; a < M; a++)
        for (size_t d = 0; d < M; d++) {
            traces += trace[a] * inverse[a][d] * trace[d];
            for (size_t b = 0; b < M; b++)
                for (size_t c = 0; c < M; c++)
                    square += inverse[a][d] * twice[a][b][c] * (double)w->third[d][b][c];
        }
    return (square - traces) / 4;
}

START_TEST(against_dense)
{
    static const ng_lattice cases[] = {
        {NG_LATTICE_ISING2D, L, 0.3}, {NG_LATTICE_ISING2D, L, -0.4}, {NG_LATTICE_POTTS3, L, 0.7}};
    const ng_lattice *l = &cases[_i];
    dense *w = brute_force(ng_lattice_states(l->model), l->coupling);
    ng_cumulants c;
    ng_assert_ok(ng_lattice_enumerate(&c, l, (size_t)1 << 24, &err), &err);
    ng_assert_rel(c.mean, (double)w->mean[0], 1e-13);
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; i < M; i++) {
            ng_assert_le(fabs(c.fisher[a * M + i] - (double)w->fisher[a * N][i]), 1e-14);
            for (size_t j = 0; j < M; j++) {
                size_t at = ((a * 2 + i / N) * 2 + j / N) * N * N + i % N * N + j % N;
                ng_assert_le(fabs(c.third[at] - (double)w->third[a * N][i][j]), 1e-14);
            }
        }
    ng_cumulants_destroy(&c);
    ng_assert_rel(lattice_curvature(ng_lattice_enumerate, *l), dense_curvature(w), 1e-11);
    free(w);
}
END_TEST

/* ---- Known values -------------------------------------------------------------- */

START_TEST(known_values)
{
    static const lattice_value known[] = {
        {NG_LATTICE_ISING2D, 3, -105.64184956553896, 1e-11},
        {NG_LATTICE_ISING2D, 4, -265.312142793519, 1e-11},
        {NG_LATTICE_ISING2D, 5, -446.2377606735, 1e-11},
        {NG_LATTICE_POTTS3, 3, -79.850478420245, 1e-11},
        {NG_LATTICE_POTTS4, 3, -74.882853263005, 1e-11},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ng_assert_rel(lattice_curvature(ng_lattice_enumerate,
                                        lattice_critical(known[i].model, known[i].length)),
                      known[i].curvature, known[i].tolerance);
}
END_TEST

/* 2^26 states */
START_TEST(three_dimensions)
{
    ng_assert_rel(lattice_curvature(ng_lattice_enumerate, lattice_critical(NG_LATTICE_ISING3D, 3)),
                  -262.9051548176, 1e-11);
}
END_TEST

/* R changes its sign, and is not largest at J_c. */
START_TEST(off_critical)
{
    static const struct {
        ng_lattice lattice;
        double curvature, half_digit;
    } known[] = {
        {{NG_LATTICE_ISING2D, 3, 0.2}, 8.0327, 5e-5},
        {{NG_LATTICE_ISING2D, 4, 0.2}, 2.3376, 5e-5},
        {{NG_LATTICE_ISING2D, 4, 0.6}, -1513.99, 5e-3},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ng_assert_le(
            fabs(lattice_curvature(ng_lattice_enumerate, known[i].lattice) - known[i].curvature),
            known[i].half_digit);
}
END_TEST

/* ---- Names and refusals -------------------------------------------------------- */

START_TEST(names)
{
    ng_lattice_model model;
    for (int i = NG_LATTICE_ISING2D; i <= NG_LATTICE_POTTS4; i++) {
        ng_assert_ok(ng_lattice_find(&model, ng_lattice_name((ng_lattice_model)i), &err), &err);
        ck_assert_int_eq((int)model, i);
    }
    ck_assert_ptr_null(ng_lattice_name((ng_lattice_model)9));
    ck_assert_double_eq(ng_lattice_critical((ng_lattice_model)9), 0);
    ng_assert_fails(ng_lattice_find(&model, "xy", &err), NG_EARG, &err, "xy");
    ng_assert_rel(ng_lattice_critical(NG_LATTICE_ISING2D), 0.44068679350977147, 1e-15);
}
END_TEST

START_TEST(refusals)
{
    ng_cumulants c;
    const size_t room = (size_t)1 << 30;
    ng_lattice l = {NG_LATTICE_ISING2D, 2, 0.3};
    ng_assert_fails(ng_lattice_enumerate(&c, &l, room, &err), NG_EARG, &err, "L = 2");
    ck_assert_ptr_null(c.third);
    l.length = 6;
    ng_assert_fails(ng_lattice_enumerate(&c, &l, room, &err), NG_ENOMEM, &err, "2.749e+11");
    l.length = 7;
    ng_assert_fails(ng_lattice_enumerate(&c, &l, room, &err), NG_EUNSUPPORTED, &err, "L = 7");
    l.length = 4;
    ng_assert_fails(ng_lattice_enumerate(&c, &l, ng_lattice_enumerate_memory(&l) - 1, &err),
                    NG_ENOMEM, &err, "memory");
    ng_assert_ok(ng_lattice_enumerate(&c, &l, ng_lattice_enumerate_memory(&l), &err), &err);
    ng_cumulants_destroy(&c);
    l.coupling = NAN;
    ng_assert_fails(ng_lattice_enumerate(&c, &l, room, &err), NG_EARG, &err, "coupling");
    l = (ng_lattice){NG_LATTICE_ISING2D, 3, -1000}; /* no state satisfies its odd loops */
    ng_assert_fails(ng_lattice_enumerate(&c, &l, room, &err), NG_ERANGE, &err, "-1000");
    l = (ng_lattice){(ng_lattice_model)9, 3, 0.3};
    ng_assert_fails(ng_lattice_enumerate(&c, &l, room, &err), NG_EARG, &err, "model");
    ck_assert_uint_eq(ng_lattice_enumerate_memory(&l), SIZE_MAX);
}
END_TEST

TEST_SUITE(lattice)
{
    TCase *tcase = tcase_create("lattice");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, against_dense, 0, 3);
    tcase_add_test(tcase, known_values);
    tcase_add_test(tcase, three_dimensions);
    tcase_add_test(tcase, off_critical);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
}
