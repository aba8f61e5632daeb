/* Dense Fisher matrices over ranks against ng_fisher's dense one, which every rank has besides and
 * feeds with the rows of all of them. */
#include "tests/mpi/world.h"

#define RULE(...)                                                                                  \
    {                                                                                              \
        sizeof(ng_fisher_batch), __VA_ARGS__                                                       \
    }

static const ng_fisher_batch rules[] = {
    RULE(NG_FISHER_MEAN, 1, 0, 1),   RULE(NG_FISHER_SUM, 0.5, 0, 1),
    RULE(NG_FISHER_MEAN, 3, 7, 1),   RULE(NG_FISHER_MEAN, 2, 0, 0.9),
    RULE(NG_FISHER_SUM, 1, 0, 0.75), RULE(NG_FISHER_MEAN, 1, 0, 0.0),
};
enum { RULES = sizeof rules / sizeof *rules };

typedef struct {
    ng_mpi_fisher *f;
    ng_fisher *exact;
    size_t n;
    ng_dtype dtype;
    double tol;
} pair;

static double normal(void) /* nearly */
{
    double sum = 0;
    for (int i = 0; i < 6; i++)
        sum += number();
    return sum * 1.4142;
}

static ng_mat normals(size_t rows, size_t cols, ng_dtype dtype)
{
    ng_mat m = {calloc(rows * (cols + 3) + 1, sizeof(double)), rows, cols, cols + 3, dtype};
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            ng_mat_set(m, i, j, normal() + 0.1 * (double)(j % 3));
    return m;
}

static double distance(ng_mat a, ng_mat b)
{
    double difference = 0, largest = 1e-300;
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j < a.cols; j++) {
            double d = ng_mat_get(a, i, j) - ng_mat_get(b, i, j);
            difference = d == d ? fmax(difference, fabs(d)) : HUGE_VAL;
            largest = fmax(largest, fabs(ng_mat_get(b, i, j)));
        }
    return difference / largest;
}

#define NEAR(a, b, tol, what) CHECK(distance(a, b) < (tol), "%s: off by %g", what, distance(a, b))
#define CLOSE(a, b, tol, what)                                                                     \
    CHECK(fabs((a) - (b)) < (tol) * (1 + fabs(b)), "%s: %.17g, expected %.17g", what, a, b)

/* rank r has r % 3 * 5 + 2 of them, the second rank none */
static size_t rows_of(int r)
{
    return r == 1 ? 0 : (size_t)(r % 3 * 5 + 2) * 3;
}

static void feed(pair *p, const ng_fisher_batch *rule, int weighted)
{
    ng_error error = {NG_OK, ""};
    size_t all = 0, own = 0;
    for (int r = 0; r < ranks; r++) {
        own = r == rank ? all : own;
        all += rows_of(r);
    }
    ng_mat scores = normals(all, p->n, p->dtype), weights = normals(1, all, p->dtype);
    for (size_t i = 0; i < all; i++)
        ng_mat_set(weights, 0, i, fabs(ng_mat_get(weights, 0, i)));
    size_t rows = rows_of(rank);
    ng_mat mine = rows > 0 ? ng_mat_block(scores, own, 0, rows, p->n) : ng_mat_none();
    ng_mat w = weighted && rows > 0 ? ng_mat_block(weights, 0, own, 1, rows) : ng_mat_none();
    CHECK(ng_mpi_fisher_accumulate(p->f, mine, w, rule, &error) == NG_OK, "%s", error.text);
    CHECK(ng_fisher_accumulate(p->exact, scores, weighted ? weights : ng_mat_none(), rule,
                               &error) == NG_OK,
          "%s", error.text);
    free(scores.data);
    free(weights.data);
}

static pair open_pair(size_t n, size_t block, ng_dtype dtype)
{
    pair p = {.n = n, .dtype = dtype, .tol = dtype == NG_F64 ? 1e-11 : 2e-5};
    ng_error error = {NG_OK, ""};
    CHECK(ng_mpi_fisher_create(&p.f, MPI_COMM_WORLD, n, block, &error) == NG_OK, "%s", error.text);
    CHECK(ng_fisher_create_dense(&p.exact, n, dtype, &error) == NG_OK, "%s", error.text);
    return p;
}

static void close_pair(pair *p)
{
    ng_mpi_fisher_destroy(p->f);
    ng_fisher_destroy(p->exact);
}

static void same_matrices(const pair *p, const char *what)
{
    ng_error error = {NG_OK, ""};
    ng_mat a = normals(p->n, p->n, p->dtype), b = normals(p->n, p->n, p->dtype);
    CHECK(ng_mpi_fisher_to_dense(p->f, a, &error) == NG_OK, "%s", error.text);
    CHECK(ng_fisher_to_dense(p->exact, b, &error) == NG_OK, "%s", error.text);
    NEAR(a, b, p->tol, what);
    free(a.data);
    free(b.data);
}

/* ---- What the conformance tests of ng_fisher ask of its dense representation ----------------- */

static void products(const pair *p)
{
    ng_error error = {NG_OK, ""};
    double value = 0, expected = 0;
    ng_mat x = normals(3, p->n, p->dtype), y = normals(3, p->n, p->dtype),
           z = normals(3, p->n, p->dtype), one = ng_mat_block(x, 1, 0, 1, p->n);
    CHECK(ng_mpi_fisher_mul(p->f, y, x, &error) == NG_OK, "%s", error.text);
    ng_fisher_mul(p->exact, z, x, &error);
    NEAR(y, z, p->tol, "mul");
    CHECK(ng_mpi_fisher_quadratic(p->f, &value, one, &error) == NG_OK, "%s", error.text);
    ng_fisher_quadratic(p->exact, &expected, one, &error);
    CLOSE(value, expected, p->tol, "quadratic");
    CHECK(ng_mpi_fisher_trace(p->f, &value, &error) == NG_OK, "%s", error.text);
    ng_fisher_trace(p->exact, &expected, &error);
    CLOSE(value, expected, p->tol, "trace");
    for (int d = 0; d < 3; d++) {
        const double damping[] = {0.03, 1, 20};
        CHECK(ng_mpi_fisher_solve(p->f, y, x, damping[d], &error) == NG_OK, "%s", error.text);
        ng_fisher_solve(p->exact, z, x, damping[d], &error);
        NEAR(y, z, 100 * p->tol, "solve");
        CHECK(ng_mpi_fisher_logdet(p->f, &value, damping[d], &error) == NG_OK, "%s", error.text);
        ng_fisher_logdet(p->exact, &expected, damping[d], &error);
        CLOSE(value, expected, (double)p->n * p->tol, "logdet");
    }
    free(x.data);
    free(y.data);
    free(z.data);
}

static void spectra(const pair *p)
{
    ng_error error = {NG_OK, ""};
    size_t k = p->n < 4 ? 1 : 4;
    ng_mat all = normals(1, p->n, p->dtype), exact = normals(1, p->n, p->dtype),
           top = normals(1, k, p->dtype), v = normals(k, p->n, p->dtype),
           image = normals(k, p->n, p->dtype);
    CHECK(ng_mpi_fisher_eigen(p->f, all, ng_mat_none(), &error) == NG_OK, "%s", error.text);
    ng_fisher_eigen(p->exact, exact, ng_mat_none(), &error);
    NEAR(all, exact, p->tol, "eigenvalues");
    CHECK(ng_mpi_fisher_eigen(p->f, top, v, &error) == NG_OK, "%s", error.text);
    NEAR(top, ng_mat_block(exact, 0, p->n - k, 1, k), p->tol, "leading eigenvalues");
    ng_fisher_mul(p->exact, image, v, &error);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) { /* V V^T = I, V F V^T = diag */
            double dot = 0, along = 0, value = i == j ? ng_mat_get(top, 0, i) : 0;
            for (size_t l = 0; l < p->n; l++) {
                dot += ng_mat_get(v, i, l) * ng_mat_get(v, j, l);
                along += ng_mat_get(v, i, l) * ng_mat_get(image, j, l);
            }
            CLOSE(dot, (double)(i == j), 10 * p->tol, "eigenvectors");
            CLOSE(along, value, 100 * p->tol, "eigenvectors of F");
        }
    free(all.data);
    free(exact.data);
    free(top.data);
    free(v.data);
    free(image.data);
}

/* The regime of the spectrum is that of F. */
static void regimes(const pair *p)
{
    ng_error error = {NG_OK, ""};
    ng_regime *a, *b;
    ng_mat values = normals(1, p->n, NG_F64), dense = normals(p->n, p->n, NG_F64);
    CHECK(ng_mpi_fisher_eigen(p->f, values, ng_mat_none(), &error) == NG_OK, "%s", error.text);
    CHECK(ng_mpi_fisher_to_dense(p->f, dense, &error) == NG_OK, "%s", error.text);
    CHECK(ng_regime_create_spectrum(&a, values, NULL, &error) == NG_OK, "%s", error.text);
    CHECK(ng_regime_create(&b, dense, NULL, &error) == NG_OK, "%s", error.text);
    if (failures == 0) {
        CLOSE(a->cond, b->cond, 1e-8, "cond");
        CLOSE(a->alpha_scalar, b->alpha_scalar, 1e-8, "alpha_scalar");
        CLOSE(a->beta_star, b->beta_star, 1e-8, "beta_star");
        ng_regime_destroy(a);
        ng_regime_destroy(b);
    }
    free(values.data);
    free(dense.data);
}

static void sets(pair *p)
{
    static const ng_fisher_batch forget = RULE(NG_FISHER_MEAN, 1, 0, 0.9);
    ng_error error = {NG_OK, ""};
    ng_mat d = normals(p->n, p->n, p->dtype);
    ng_fisher_to_dense(p->exact, d, &error);
    ng_mpi_fisher_destroy(p->f);
    CHECK(ng_mpi_fisher_create(&p->f, MPI_COMM_WORLD, p->n, 2, &error) == NG_OK, "%s", error.text);
    CHECK(ng_fisher_set(p->exact, d, 40, &error) == NG_OK, "%s", error.text);
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = i + 1; j < p->n; j++)
            ng_mat_set(d, i, j, NAN); /* never read */
    CHECK(ng_mpi_fisher_set(p->f, d, 40, &error) == NG_OK, "%s", error.text);
    same_matrices(p, "set");
    feed(p, &forget, 0);
    same_matrices(p, "set and a batch");
    free(d.data);
}

/* ---- Refusals: one status, and nothing has changed ------------------------------------------- */

static void refused(ng_status status, ng_status expected, const ng_error *error, const char *text)
{
    CHECK(status == expected, "%s: %s", text, error->text);
    CHECK(strstr(error->text, text) != NULL, "\"%s\" is not about %s", error->text, text);
    same_text(error->text);
}

static void refusals(void)
{
    ng_error error = {NG_OK, ""};
    pair p = open_pair(6, 2, NG_F64);
    ng_mat x = normals(3, 6, NG_F64), y = normals(3, 6, NG_F64), w = normals(1, 3, NG_F64);
    ng_fisher_batch sum = RULE(NG_FISHER_SUM, 1, 0, 1);
    double value = 7;
    refused(ng_mpi_fisher_solve(p.f, y, x, 1, &error), NG_ENODATA, &error, "no data");
    feed(&p, NULL, 0);
    for (int r = 0; r < ranks; r++) {
        double good = ng_mat_get(x, 1, 2);
        char who[32];
        snprintf(who, sizeof who, "rank %d: scores", r);
        if (r == rank)
            ng_mat_set(x, 1, 2, NAN);
        refused(ng_mpi_fisher_accumulate(p.f, x, ng_mat_none(), NULL, &error), NG_ENONFINITE,
                &error, who);
        ng_mat_set(x, 1, 2, good);
    }
    same_matrices(&p, "after a failure");
    ng_mat_set(w, 0, 1, -1);
    refused(ng_mpi_fisher_accumulate(p.f, x, w, NULL, &error), NG_EARG, &error, "weights");
    refused(ng_mpi_fisher_accumulate(p.f, ng_mat_none(), ng_mat_none(), NULL, &error), NG_ENODATA,
            &error, "no rows");
    refused(ng_mpi_fisher_accumulate(p.f, x, ng_mat_none(), &sum, &error), NG_EARG, &error, "mix");
    refused(ng_mpi_fisher_mul(p.f, ng_mat_block(y, 0, 0, 3, 5), x, &error), NG_ESHAPE, &error,
            "y: 3 x 5");
    refused(ng_mpi_fisher_solve(p.f, y, x, -1, &error), NG_EARG, &error, "damping");
    if (ranks > 1) {
        refused(ng_mpi_fisher_solve(p.f, y, x, 1 + rank, &error), NG_EARG, &error, "differ");
    }
    same_matrices(&p, "after failures");
    /* one row: of rank 1, and with rounding that might pass for a pivot */
    pair low = open_pair(6, 2, NG_F64);
    ng_mat one = rank == 0 ? ng_mat_block(x, 0, 0, 1, 6) : ng_mat_none();
    CHECK(ng_mpi_fisher_accumulate(low.f, one, ng_mat_none(), NULL, &error) == NG_OK, "%s",
          error.text);
    refused(ng_mpi_fisher_solve(low.f, y, x, 0, &error), NG_ESINGULAR, &error, "singular");
    refused(ng_mpi_fisher_logdet(low.f, &value, 0, &error), NG_ESINGULAR, &error, "singular");
    CHECK(value == 7, "logdet wrote %g", value);
    CHECK(ng_mpi_fisher_solve(low.f, y, x, 1, &error) == NG_OK, "%s", error.text);
    close_pair(&low);
    close_pair(&p);
    free(x.data);
    free(y.data);
    free(w.data);
}

/* v^2 (1 1; 1 1): rounding of the second pivot is no pivot, whatever its sign. */
static void rounding(void)
{
    ng_error error = {NG_OK, ""};
    for (int i = 1; i <= 40; i++) {
        ng_mpi_fisher *f;
        double numbers[4] = {0.1 * i, 0.1 * i, 1, 1}, out[2];
        CHECK(ng_mpi_fisher_create(&f, MPI_COMM_WORLD, 2, 1, &error) == NG_OK, "%s", error.text);
        CHECK(ng_mpi_fisher_accumulate(f, rank == 0 ? ng_f64(numbers, 1, 2) : ng_mat_none(),
                                       ng_mat_none(), NULL, &error) == NG_OK,
              "%s", error.text);
        refused(ng_mpi_fisher_solve(f, ng_f64(out, 1, 2), ng_f64(numbers + 2, 1, 2), 0, &error),
                NG_ESINGULAR, &error, "singular");
        ng_mpi_fisher_destroy(f);
    }
}

/* The blocks of all ranks together are F, and none has much more than its part. */
static void memory(void)
{
    enum { N = 300 };
    pair p = open_pair(N, 16, NG_F64);
    unsigned long long own = ng_mpi_fisher_memory(p.f), all;
    MPI_Allreduce(&own, &all, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
    CHECK(all == 8ull * N * N, "%llu bytes", all);
    CHECK((double)own * ranks < 1.3 * 8 * N * N, "rank %d: %llu bytes", rank, own);
    close_pair(&p);
}

/* 1: ScaLAPACK is there */
static int is_built(void)
{
    ng_error error = {NG_OK, ""};
    ng_mpi_fisher *f;
    ng_status status = ng_mpi_fisher_create(&f, MPI_COMM_WORLD, 1, 0, &error);
    ng_mpi_fisher_destroy(f);
    CHECK(status == NG_OK || (status == NG_EUNSUPPORTED && strstr(error.text, "ScaLAPACK")), "%s",
          error.text);
    return status == NG_OK;
}

void test_fisher(void)
{
    static const size_t shapes_of[][2] = {{1, 0}, {2, 1}, {7, 2}, {30, 3}, {45, 0}};
    if (!is_built())
        return;
    state = 99;
    for (size_t s = 0; s < 5; s++)
        for (int dtype = NG_F32; dtype <= NG_F64 && failures == 0; dtype++)
            for (size_t r = 0; r < RULES; r++) {
                pair p = open_pair(shapes_of[s][0], shapes_of[s][1], (ng_dtype)dtype);
                for (int batches = 0; batches < 3; batches++) {
                    feed(&p, &rules[r], (batches + (int)r) % 2);
                    same_matrices(&p, "accumulate");
                }
                if (r == 0) {
                    products(&p);
                    spectra(&p);
                    if (p.n <= 7)
                        regimes(&p); /* F is not singular */
                    sets(&p);
                }
                close_pair(&p);
            }
    refusals();
    rounding();
    memory();
    test_fisher_memory();
}

/* ---- Large: against LAPACK in one process ---------------------------------------------------- */

/* n parameters, a damped solve: rank 0's ng_fisher holds all of F. Prints how far they are apart
 * and what each rank keeps. */
void compare_large(size_t n)
{
    ng_error error = {NG_OK, ""};
    if (!is_built())
        return;
    ng_mpi_fisher *f;
    ng_fisher *exact = NULL;
    size_t rows = n / 8;
    state = 5;
    ng_mat x = normals(2, n, NG_F64), y = normals(2, n, NG_F64), z = normals(2, n, NG_F64);
    CHECK(ng_mpi_fisher_create(&f, MPI_COMM_WORLD, n, 0, &error) == NG_OK, "%s", error.text);
    if (rank == 0) {
        CHECK(ng_fisher_create_dense(&exact, n, NG_F64, &error) == NG_OK, "%s", error.text);
    }
    for (int r = 0; r < ranks; r++) {
        ng_mat scores = normals(rows, n, NG_F64);
        if (rank == 0) {
            CHECK(ng_fisher_accumulate(exact, scores, ng_mat_none(), NULL, &error) == NG_OK, "%s",
                  error.text);
        }
        CHECK(ng_mpi_fisher_accumulate(f, r == rank ? scores : ng_mat_none(), ng_mat_none(), NULL,
                                       &error) == NG_OK,
              "%s", error.text);
        free(scores.data);
    }
    CHECK(ng_mpi_fisher_solve(f, y, x, 0.1, &error) == NG_OK, "%s", error.text);
    printf("rank %d keeps %.1f MB of F's %.1f\n", rank, 1e-6 * (double)ng_mpi_fisher_memory(f),
           8e-6 * (double)n * (double)n);
    if (rank == 0) {
        CHECK(ng_fisher_solve(exact, z, x, 0.1, &error) == NG_OK, "%s", error.text);
        NEAR(y, z, 1e-10, "n large");
        printf("n = %zu on %d ranks: the solve is off by %.2g\n", n, ranks, distance(y, z));
    }
    ng_mpi_fisher_destroy(f);
    ng_fisher_destroy(exact);
    free(x.data);
    free(y.data);
    free(z.data);
}
