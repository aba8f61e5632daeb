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
                ng_assert_ok(ng_fisher_accumulate(f, scores, &weights, &b, &error), &error);
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
    ng_assert_ok(ng_fisher_accumulate(f, s, NULL, NULL, NULL), NULL);
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

TEST_SUITE(closed_forms)
{
    TCase *tc = tcase_create("families");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, exact, 0, 2 * FAMILIES);
    tcase_add_loop_test(tc, monte_carlo_rate, 0, 2);
    suite_add_tcase(suite, tc);
}
