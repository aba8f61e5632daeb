#include "tests/fisher/worlds.h"

ng_mat world_normal(size_t rows, size_t cols, ng_dtype dtype, test_rng *rng)
{
    ng_mat x = test_mat(rows, cols, PAD, dtype);
    test_fill_normal(x, rng);
    return x;
}

ng_mat exact_scatter(ng_mat s, const ng_mat *w)
{
    ng_mat f = dense_mat(s.cols, s.cols);
    for (size_t i = 0; i < s.cols; i++)
        for (size_t j = 0; j < s.cols; j++) {
            double sum = 0;
            for (size_t r = 0; r < s.rows; r++)
                sum += (w != NULL ? ng_mat_get(*w, 0, r) : 1) * ng_mat_get(s, r, i) *
                       ng_mat_get(s, r, j);
            ng_mat_set(f, i, j, sum);
        }
    return f;
}

static void fill_normal(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_normal(data);
}

static void fill_uniform(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_uniform(data);
}

ng_random world_random(test_rng *rng)
{
    ng_random random = {fill_normal, fill_uniform, NULL, NULL, rng};
    return random;
}

ng_mat exact_scores(ng_mat a, ng_mat g)
{
    ng_mat s = dense_mat(a.rows, a.cols * g.cols);
    for (size_t r = 0; r < a.rows; r++)
        for (size_t i = 0; i < s.cols; i++)
            ng_mat_set(s, r, i, ng_mat_get(g, r, i / a.cols) * ng_mat_get(a, r, i % a.cols));
    return s;
}

/* parameters, rows of a batch, outputs */
static const size_t shapes[SHAPES][3] = {{1, 1, 1}, {6, 9, 2}, {12, 40, 4}, {20, 7, 4}};

size_t world_blocks(size_t sizes[3], size_t n)
{
    size_t count = 0;
    sizes[count++] = 1;
    if (n / 2 > 0)
        sizes[count++] = n / 2;
    if (n - n / 2 > 1)
        sizes[count++] = n - n / 2 - 1;
    return count;
}

static ng_mat behind; /* F of the world opened last, on dense.h's list */

static ng_status multiply(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    (void)error;
    test_matmul(y, x, 0, *(ng_mat *)data, 0);
    return NG_OK;
}

static ng_status matrix_free(ng_fisher **f, size_t n, ng_dtype dtype, ng_error *error)
{
    ng_fisher_product product = {.mul = multiply, .data = &behind};
    ng_fisher_iteration iteration = {sizeof iteration, dtype == NG_F32 ? 3e-6 : 1e-12, 0, 0};
    return ng_fisher_create_matrix_free(f, n, dtype, &iteration, &product, error);
}

ng_fisher *world_empty(int i, ng_dtype dtype, size_t n, size_t outputs)
{
    ng_fisher *f = NULL;
    ng_error error = {NG_OK, ""};
    size_t c = n / outputs, sizes[3], count = world_blocks(sizes, n);
    int bias = c > 1;
    ng_status status =
        i == DENSE      ? ng_fisher_create_dense(&f, n, dtype, &error)
        : i == DIAGONAL ? ng_fisher_create_diagonal(&f, n, dtype, &error)
        : i == LOWRANK  ? ng_fisher_create_lowrank(&f, n, 1000, dtype, &error)
        : i == KRON     ? ng_fisher_create_kron(&f, outputs, c - (size_t)bias, bias, dtype, &error)
        : i == EKFAC ? ng_fisher_create_ekfac(&f, outputs, c - (size_t)bias, bias, 1, dtype, &error)
        : i == BLOCKS ? ng_fisher_create_block_diagonal(&f, sizes, count, dtype, &error)
                      : matrix_free(&f, n, dtype, &error);
    ng_assert_ok(status, &error);
    ck_assert_uint_eq(ng_fisher_size(f), n);
    ck_assert_int_eq(ng_fisher_dtype(f), dtype);
    return f;
}

static ng_mat block_part(ng_mat f)
{
    ng_mat d = dense_mat(f.rows, f.cols);
    size_t sizes[3], count = world_blocks(sizes, f.rows), first = 0;
    for (size_t b = 0; b < count; first += sizes[b++])
        for (size_t i = first; i < first + sizes[b]; i++)
            for (size_t j = first; j < first + sizes[b]; j++)
                ng_mat_set(d, i, j, ng_mat_get(f, i, j));
    return d;
}

static ng_mat diagonal_part(ng_mat f)
{
    ng_mat d = dense_mat(f.rows, f.cols);
    for (size_t i = 0; i < f.rows; i++)
        ng_mat_set(d, i, i, ng_mat_get(f, i, i));
    return d;
}

/* Decayed sums: of everything, and of a layer's factors. */
typedef struct {
    ng_mat f, p, q;
    double count, mass; /* of the samples; of the rows' weights */
} sums;

/* What EKFAC keeps: the diagonal in the eigenbasis of the factors. */
static ng_mat in_basis(ng_mat f, ng_mat p, ng_mat q)
{
    ng_mat u, v;
    dense_eigh(NULL, &u, p);
    dense_eigh(NULL, &v, q);
    ng_mat basis = dense_kron(u, v);
    ng_mat d = diagonal_part(dense_mul(dense_mul(basis, 0, f, 0), 0, basis, 1));
    return dense_mul(dense_mul(basis, 1, d, 0), 0, basis, 0);
}

static void feed(world *w, sums *s, size_t rows, size_t outputs, const ng_fisher_batch *rule,
                 const ng_fisher_batch *b, ng_mat weights, test_rng *rng)
{
    const ng_mat *w_or_none = weights.data != NULL ? &weights : NULL;
    ng_error error = {NG_OK, ""};
    size_t c = w->n / outputs, inputs = c > 1 ? c - 1 : c;
    if (!ng_fisher_can(w->f, NG_FISHER_ACCUMULATE_LAYER)) {
        ng_mat x = world_normal(rows, w->n, w->dtype, rng);
        if (ng_fisher_can(w->f, NG_FISHER_ACCUMULATE))
            ng_assert_ok(ng_fisher_accumulate(w->f, x, weights, rule, &error), &error);
        s->f = dense_add(b->decay, s->f, 1, exact_scatter(x, w_or_none));
        test_free(x);
        return;
    }
    ng_mat a = world_normal(rows, inputs, w->dtype, rng);
    ng_mat g = world_normal(rows, outputs, w->dtype, rng);
    ng_assert_ok(ng_fisher_accumulate_layer(w->f, a, g, weights, rule, &error), &error);
    ng_mat full = c > 1 ? dense_with_ones(a) : a;
    s->p = dense_add(b->decay, s->p, 1, exact_scatter(g, w_or_none));
    s->q = dense_add(b->decay, s->q, 1, exact_scatter(full, w_or_none));
    s->f = dense_add(b->decay, s->f, 1, exact_scatter(exact_scores(full, g), w_or_none));
    s->f = in_basis(s->f, s->p, s->q);
    test_free(a), test_free(g);
}

world world_open(int i, int batches, const ng_fisher_batch *rule, int weighted, test_rng *rng)
{
    int representation = i / 2 % REPRESENTATIONS;
    const size_t *shape = shapes[i / 2 / REPRESENTATIONS];
    size_t n = shape[0], m = shape[2];
    ng_dtype dtype = (ng_dtype)(i % 2);
    world w = {world_empty(representation, dtype, n, m), dense_mat(n, n), n, m, dtype,
               dtype == NG_F32 ? 1e-5 : 1e-10,           representation};
    ng_fisher_batch b = {sizeof b, NG_FISHER_MEAN, 1, 0, 1};
    sums s = {dense_mat(n, n), dense_mat(m, m), dense_mat(n / m, n / m), 0, 0};
    b = rule != NULL ? *rule : b;
    for (int k = 0; k < batches; k++) {
        ng_mat weights = world_normal(1, shape[1] + (size_t)k, dtype, rng);
        double mass = 0;
        for (size_t r = 0; r < weights.cols; r++) {
            ng_mat_set(weights, 0, r, fabs(ng_mat_get(weights, 0, r)));
            mass += weighted ? ng_mat_get(weights, 0, r) : 1;
        }
        feed(&w, &s, weights.cols, m, rule, &b, weighted ? weights : ng_mat_none(), rng);
        s.count = b.decay * s.count + (b.samples > 0 ? b.samples : mass);
        s.mass = b.decay * s.mass + mass;
        test_free(weights);
    }
    double norm = b.scale * b.scale / (b.normalisation == NG_FISHER_MEAN ? s.count : 1);
    if (representation == KRON)
        s.f = dense_add(1 / s.mass, dense_kron(s.p, s.q), 0, s.f);
    if (representation == DIAGONAL)
        s.f = diagonal_part(s.f);
    if (representation == BLOCKS)
        s.f = block_part(s.f);
    w.exact = behind = dense_scale(norm, s.f);
    return w;
}

void world_close(world *w)
{
    ng_fisher_destroy(w->f);
    dense_release();
}
