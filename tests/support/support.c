#define _POSIX_C_SOURCE 200809L
#include "tests/support/support.h"

#include <pthread.h>
#include <stdio.h>

/* ---- Random numbers ------------------------------------------------------- */

double test_uniform(test_rng *rng)
{
    unsigned long long z = (rng->state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

double test_normal(test_rng *rng)
{
    double u = 1 - test_uniform(rng), v = test_uniform(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* ---- Matrices ------------------------------------------------------------- */

enum { CANARY = 0x5a };

ng_mat test_mat(size_t rows, size_t cols, size_t pad, ng_dtype dtype)
{
    size_t size = ng_dtype_size(dtype);
    ng_mat m = {NULL, rows, cols, cols + pad, dtype};
    unsigned char *bytes = malloc(rows * m.stride * size + 1);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, CANARY, rows * m.stride * size + 1);
    for (size_t i = 0; i < rows; i++)
        memset(bytes + i * m.stride * size, 0, cols * size);
    m.data = bytes;
    return m;
}

void test_free(ng_mat m)
{
    size_t size = ng_dtype_size(m.dtype);
    const unsigned char *bytes = m.data;
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = m.cols * size; j < m.stride * size; j++)
            ck_assert_msg(bytes[i * m.stride * size + j] == CANARY,
                          "somebody wrote between the rows, after row %zu", i);
    ck_assert_msg(bytes[m.rows * m.stride * size] == CANARY, "somebody wrote behind the matrix");
    free(m.data);
}

void test_assign(ng_mat to, ng_mat from)
{
    ck_assert(to.rows == from.rows && to.cols == from.cols);
    for (size_t i = 0; i < to.rows; i++)
        for (size_t j = 0; j < to.cols; j++)
            ng_mat_set(to, i, j, ng_mat_get(from, i, j));
}

ng_mat test_convert(ng_mat m, ng_dtype dtype)
{
    ng_mat copy = test_mat(m.rows, m.cols, 0, dtype);
    test_assign(copy, m);
    return copy;
}

ng_mat test_copy(ng_mat m)
{
    return test_convert(m, m.dtype);
}

void test_fill_normal(ng_mat m, test_rng *rng)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            ng_mat_set(m, i, j, test_normal(rng));
}

double test_norm(ng_mat m)
{
    double sum = 0;
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            sum += ng_mat_get(m, i, j) * ng_mat_get(m, i, j);
    return sqrt(sum);
}

double test_rel_error(ng_mat x, ng_mat ref)
{
    double sum = 0, norm = test_norm(ref);
    ck_assert_msg(x.rows == ref.rows && x.cols == ref.cols, "%zu x %zu against %zu x %zu", x.rows,
                  x.cols, ref.rows, ref.cols);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++) {
            double d = ng_mat_get(x, i, j) - ng_mat_get(ref, i, j);
            sum += d * d;
        }
    return norm > 0 ? sqrt(sum) / norm : sqrt(sum);
}

int test_same_bits(ng_mat x, ng_mat y)
{
    size_t size = ng_dtype_size(x.dtype);
    if (x.rows != y.rows || x.cols != y.cols || x.dtype != y.dtype)
        return 0;
    for (size_t i = 0; i < x.rows; i++)
        if (memcmp((char *)x.data + i * x.stride * size, (char *)y.data + i * y.stride * size,
                   x.cols * size) != 0)
            return 0;
    return 1;
}

void test_matmul(ng_mat c, ng_mat a, int ta, ng_mat b, int tb)
{
    size_t inner = ta ? a.rows : a.cols;
    ck_assert(c.rows == (ta ? a.cols : a.rows) && c.cols == (tb ? b.rows : b.cols));
    ck_assert(inner == (tb ? b.cols : b.rows));
    for (size_t i = 0; i < c.rows; i++)
        for (size_t j = 0; j < c.cols; j++) {
            double sum = 0;
            for (size_t k = 0; k < inner; k++)
                sum += (ta ? ng_mat_get(a, k, i) : ng_mat_get(a, i, k)) *
                       (tb ? ng_mat_get(b, j, k) : ng_mat_get(b, k, j));
            ng_mat_set(c, i, j, sum);
        }
}

ng_mat test_orthogonal(size_t n, test_rng *rng)
{
    ng_mat q = test_mat(n, n, 0, NG_F64);
    double *d = q.data;
    test_fill_normal(q, rng);
    for (size_t i = 0; i < n; i++) {
        for (int pass = 0; pass < 2; pass++)
            for (size_t k = 0; k < i; k++) {
                double dot = 0;
                for (size_t j = 0; j < n; j++)
                    dot += d[i * n + j] * d[k * n + j];
                for (size_t j = 0; j < n; j++)
                    d[i * n + j] -= dot * d[k * n + j];
            }
        double norm = test_norm(ng_mat_block(q, i, 0, 1, n));
        for (size_t j = 0; j < n; j++)
            d[i * n + j] /= norm;
    }
    return q;
}

/* ---- Parity vectors --------------------------------------------------------- */

/* The stream just behind the header line of the block, or NULL. */
static FILE *open_block(const char *file, const char *name, size_t *rows, size_t *cols)
{
    char path[1024], word[128];
    snprintf(path, sizeof path, "%s/tests/vectors/%s", TEST_SRCDIR, file);
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "cannot open %s", path);
    while (fscanf(in, "%127s", word) == 1)
        if (strcmp(word, name) == 0 && fscanf(in, "%zu %zu", rows, cols) == 2)
            return in;
    fclose(in);
    return NULL;
}

int test_vector_exists(const char *file, const char *name)
{
    size_t rows, cols;
    FILE *in = open_block(file, name, &rows, &cols);
    if (in != NULL)
        fclose(in);
    return in != NULL;
}

ng_mat test_vector(const char *file, const char *name)
{
    size_t rows = 0, cols = 0;
    FILE *in = open_block(file, name, &rows, &cols);
    ck_assert_msg(in != NULL, "no block %s in %s", name, file);
    ng_mat m = test_mat(rows, cols, 0, NG_F64);
    for (size_t i = 0; i < rows * cols; i++)
        ck_assert_int_eq(fscanf(in, "%lf", (double *)m.data + i), 1);
    fclose(in);
    return m;
}

/* ---- Threads ---------------------------------------------------------------- */

typedef struct {
    ng_status (*work)(void *data);
    void *data;
    pthread_barrier_t *start;
    ng_status status;
} task;

static void *run_task(void *data)
{
    task *t = data;
    pthread_barrier_wait(t->start);
    t->status = t->work(t->data);
    return NULL;
}

void test_together(ng_status (*work)(void *data), void *data, size_t size, size_t count)
{
    enum { MOST = 8 };
    pthread_t id[MOST];
    task tasks[MOST];
    pthread_barrier_t start;
    ck_assert_uint_le(count, MOST);
    ck_assert_int_eq(pthread_barrier_init(&start, NULL, (unsigned)count), 0);
    for (size_t i = 0; i < count; i++) {
        tasks[i] = (task){work, (char *)data + i * size, &start, NG_OK};
        ck_assert_int_eq(pthread_create(&id[i], NULL, run_task, &tasks[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(pthread_join(id[i], NULL), 0);
    pthread_barrier_destroy(&start);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(tasks[i].status == NG_OK, "thread %zu: %s", i,
                      ng_status_name(tasks[i].status));
}
