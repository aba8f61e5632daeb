/* The estimators against Fisher matrices known in closed form: exact ones by
 * weighted outcomes, drawn ones within their statistical error. */
#include "tests/fisher/worlds.h"
#include "tests/support/families.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 15;
}

static const double probabilities[] = {0.1, 0.2, 0.3, 0.4};

enum { FAMILIES = 5 };

static family open_family(int i)
{
    double precision[3][3] = {{2, 0.5, -0.25}, {0.5, 1, 0.125}, {-0.25, 0.125, 4}};
    return i == 0   ? family_categorical(4, probabilities)
           : i == 1 ? family_bernoulli(3, probabilities)
           : i == 2 ? family_normal(-1, 0.5)
           : i == 3 ? family_means(ng_f64(precision[0], 3, 3))
                    : family_ising_ring(0.3);
}

/* _i = family * 2 + dtype: all outcomes of two inputs with their probabilities,
 * in every representation that takes scores of any kind and keeps all of F. */
START_TEST(exact)
{
    family fam = open_family(_i / 2);
    ng_dtype dtype = (ng_dtype)(_i % 2);
    ng_mat scores = test_convert(fam.scores, dtype), weights = test_convert(fam.weights, dtype);
    size_t n = fam.closed.rows;
    ng_mat d = test_mat(n, n, PAD, dtype);
    for (int i = 0; i < 3; i++)
        for (int sum = 0; sum < 2; sum++) {
            ng_fisher *f = NULL;
            ng_fisher_batch b;
            ng_error error = {NG_OK, ""};
            ng_status made = i == 0   ? ng_fisher_create_dense(&f, n, dtype, &error)
                             : i == 1 ? ng_fisher_create_lowrank(&f, n, 100, dtype, &error)
                                      : ng_fisher_create_block_diagonal(&f, &n, 1, dtype, &error);
            ng_assert_ok(made, &error);
            ng_fisher_batch_init(&b);
            b.normalisation = sum ? NG_FISHER_SUM : NG_FISHER_MEAN;
            b.samples = 1; /* the outcomes of one input */
            for (int input = 0; input < 2; input++)
                ng_assert_ok(ng_fisher_accumulate(f, scores, weights, &b, &error), &error);
            ng_assert_ok(ng_fisher_to_dense(f, d, &error), &error);
            double inputs = sum ? 2 : 1;
            ng_mat ref = dense_scale(inputs, fam.closed);
            ck_assert_msg(test_rel_error(d, ref) <= 8 * ng_dtype_eps(dtype), "%s: %g", fam.name,
                          test_rel_error(d, ref));
            ng_fisher_destroy(f);
        }
    test_free(scores), test_free(weights), test_free(d);
    dense_release();
}
END_TEST

static void draw(ng_mat row, const family *f)
{
    double u = test_uniform(&rng);
    size_t y = 0;
    while (y + 1 < f->weights.cols && u >= ng_mat_get(f->weights, 0, y))
        u -= ng_mat_get(f->weights, 0, y++);
    test_assign(row, ng_mat_block(f->scores, y, 0, 1, f->scores.cols));
}

/* ||F_N - F||_F^2 of N draws, by the Monte-Carlo estimator */
static double squared_error(const family *fam, size_t draws)
{
    size_t n = fam->closed.rows;
    ng_mat s = test_mat(draws, n, 0, NG_F64), d = test_mat(n, n, 0, NG_F64);
    ng_fisher *f;
    double sum = 0;
    for (size_t r = 0; r < draws; r++)
        draw(ng_mat_block(s, r, 0, 1, n), fam);
    ng_assert_ok(ng_fisher_create_dense(&f, n, NG_F64, NULL), NULL);
    ng_assert_ok(ng_fisher_accumulate(f, s, ng_mat_none(), NULL, NULL), NULL);
    ng_assert_ok(ng_fisher_to_dense(f, d, NULL), NULL);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += pow(ng_mat_get(d, i, j) - ng_mat_get(fam->closed, i, j), 2);
    ng_fisher_destroy(f);
    test_free(s), test_free(d);
    return sum;
}

/* Labels drawn from the model: N E ||F_N - F||^2 = E ||s||^4 - ||F||^2, for every N the
 * same number: the rate N^-1/2. The mean over the repetitions has to hit it within
 * five of its own standard errors. _i: the family. */
START_TEST(monte_carlo_rate)
{
    enum { REPEATS = 100 };
    family fam = open_family(_i == 1 ? 4 : _i); /* categorical, Ising */
    double fourth = 0;
    for (size_t y = 0; y < fam.scores.rows; y++) {
        double norm = test_norm(ng_mat_block(fam.scores, y, 0, 1, fam.scores.cols));
        fourth += ng_mat_get(fam.weights, 0, y) * pow(norm, 4);
    }
    double expected = fourth - pow(test_norm(fam.closed), 2);
    for (size_t n = 30; n <= 3000; n *= 10) {
        double sum = 0, squares = 0;
        for (size_t r = 0; r < REPEATS; r++) {
            double error = (double)n * squared_error(&fam, n);
            sum += error;
            squares += error * error;
        }
        double mean = sum / REPEATS;
        double standard = sqrt((squares / REPEATS - mean * mean) / (REPEATS - 1));
        ck_assert_msg(fabs(mean - expected) <= 5 * standard,
                      "%s, N = %zu: N E error^2 = %g +- %g, expected %g", fam.name, n, mean,
                      standard, expected);
        ng_assert_le(standard, 0.2 * expected); /* else the bound says nothing */
    }
    dense_release();
}
END_TEST

/* As many scores as parameters and more: damping far below F costs nothing, whatever it is.
 * F = diag(k1, k2, ...) by scores along the axes, turned by nothing, so that the solution is x / (F
 * + damping); n = 1 is F = 55. */
START_TEST(lowrank_tall)
{
    static const double dampings[] = {1e-3, 1e-9, 1e-15, 1e-300, 0};
    ng_dtype dtype = (ng_dtype)(_i % 2);
    size_t n = 1 + (size_t)_i / 2, rows = 5 * n;
    ng_mat b = test_mat(rows, n, 0, dtype), x = test_mat(2, n, 0, dtype), y = test_copy(x);
    ng_fisher *f;
    ng_fisher_batch sum;
    ng_error error = {NG_OK, ""};
    for (size_t r = 0; r < rows; r++)
        ng_mat_set(b, r, r % n, (double)(1 + r / n));
    for (size_t j = 0; j < n; j++) {
        ng_mat_set(x, 0, j, 1);
        ng_mat_set(x, 1, j, 1 + (double)j);
    }
    ng_fisher_batch_init(&sum);
    sum.normalisation = NG_FISHER_SUM;
    ng_assert_ok(ng_fisher_create_lowrank(&f, n, 100, dtype, &error), &error);
    ng_assert_ok(ng_fisher_accumulate(f, b, ng_mat_none(), &sum, &error), &error);
    for (size_t k = 0; k < sizeof dampings / sizeof *dampings; k++) {
        ng_assert_ok(ng_fisher_solve(f, y, x, dampings[k], &error), &error);
        for (size_t i = 0; i < 2; i++)
            for (size_t j = 0; j < n; j++)
                ng_assert_rel(ng_mat_get(y, i, j), ng_mat_get(x, i, j) / (55 + dampings[k]),
                              4 * ng_dtype_eps(dtype));
    }
    ng_fisher_destroy(f);
    test_free(b), test_free(x), test_free(y);
}
END_TEST

/* The same score twice, fewer than parameters: its Gram matrix is singular to rounding, F + damping
 * I is not, as ng_fisher_power knows. */
START_TEST(lowrank_repeated)
{
    double scores[] = {1, 1, 0, 1, 1, 0}, vectors[] = {1, -1, 3, 1, 1, 0};
    ng_mat b = test_mat(2, 3, 0, NG_F64), x = test_mat(2, 3, 0, NG_F64), y = test_copy(x);
    test_assign(b, ng_f64(scores, 2, 3)), test_assign(x, ng_f64(vectors, 2, 3));
    ng_fisher *f;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_fisher_create_lowrank(&f, 3, 100, NG_F64, &error), &error);
    ng_assert_ok(ng_fisher_accumulate(f, b, ng_mat_none(), NULL, &error), &error);
    ng_assert_ok(ng_fisher_solve(f, y, x, 1e-17, &error), &error);
    for (size_t j = 0; j < 3; j++) /* F x = 0 */
        ng_assert_rel(ng_mat_get(y, 0, j), 1e17 * ng_mat_get(x, 0, j), 1e-12);
    ng_fisher_destroy(f);
    test_free(b), test_free(x), test_free(y);
}
END_TEST

/* Options of another library's size are refused before a byte is written, and by the calls. */
START_TEST(option_sizes)
{
    union {
        ng_fisher_batch batch;
        ng_fisher_iteration iteration;
        unsigned char bytes[128];
    } o;
    double row[] = {1, 2};
    ng_fisher *f = NULL;
    ng_error error = {NG_OK, ""};
    static const size_t sizes[] = {0, 8, sizeof o.batch - 1, sizeof o.batch + 8, 128};
    for (size_t k = 0; k < 2 * sizeof sizes / sizeof *sizes; k++) {
        memset(&o, 0x5a, sizeof o);
        size_t size = sizes[k / 2];
        ck_assert_int_eq(k % 2 ? ng_fisher_batch_init_sized(&o.batch, size)
                               : ng_fisher_iteration_init_sized(&o.iteration, size + 1),
                         NG_EOPTION);
        for (size_t i = 0; i < sizeof o; i++)
            ck_assert_uint_eq(o.bytes[i], 0x5a);
    }
    ck_assert_int_eq(ng_fisher_batch_init(NULL), NG_EOPTION);
    ck_assert_int_eq(ng_fisher_iteration_init(NULL), NG_EOPTION);
    ng_assert_ok(ng_fisher_create_dense(&f, 2, NG_F64, NULL), NULL);
    ng_assert_fails(ng_fisher_accumulate(f, ng_f64(row, 1, 2), ng_mat_none(), &o.batch, &error),
                    NG_EOPTION, &error, "bytes");
    ng_fisher_destroy(f);
}
END_TEST

TEST_SUITE(closed_forms)
{
    TCase *tc = tcase_create("families");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, exact, 0, 2 * FAMILIES);
    tcase_add_loop_test(tc, monte_carlo_rate, 0, 2);
    tcase_add_loop_test(tc, lowrank_tall, 0, 2 * 6);
    tcase_add_test(tc, lowrank_repeated);
    tcase_add_test(tc, option_sizes);
    suite_add_tcase(suite, tc);
}
