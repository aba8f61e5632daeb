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

ng_random world_random(test_rng *rng)
{
    ng_random random = {fill_normal, NULL, NULL, NULL, rng};
    return random;
}

/* parameters, rows of a batch */
static const size_t shapes[SHAPES][2] = {{1, 1}, {6, 9}, {12, 40}, {20, 5}};

ng_fisher *world_empty(int i, ng_dtype dtype, size_t n)
{
    ng_fisher *f = NULL;
    ng_error error = {NG_OK, ""};
    switch (i) {
    case 0:
        ng_assert_ok(ng_fisher_create_dense(&f, n, dtype, &error), &error);
        break;
    case 1:
        ng_assert_ok(ng_fisher_create_diagonal(&f, n, dtype, &error), &error);
        break;
    default:
        ng_assert_ok(ng_fisher_create_lowrank(&f, n, 1000, dtype, &error), &error);
    }
    ck_assert_uint_eq(ng_fisher_size(f), n);
    ck_assert_int_eq(ng_fisher_dtype(f), dtype);
    return f;
}

/* What the representation keeps of F. */
static void project(ng_mat f, int representation)
{
    for (size_t i = 0; i < f.rows && representation == 1; i++)
        for (size_t j = 0; j < f.cols; j++)
            if (i != j)
                ng_mat_set(f, i, j, 0);
}

world world_open(int i, int batches, const ng_fisher_batch *rule, int weighted, test_rng *rng)
{
    int representation = i / 2 % REPRESENTATIONS;
    const size_t *shape = shapes[i / 2 / REPRESENTATIONS];
    ng_dtype dtype = (ng_dtype)(i % 2);
    world w = {world_empty(representation, dtype, shape[0]), dense_mat(shape[0], shape[0]),
               shape[0], dtype, dtype == NG_F32 ? 1e-5 : 1e-10};
    double count = 0;
    ng_fisher_batch b = {NG_FISHER_MEAN, 1, 0, 1};
    b = rule != NULL ? *rule : b;
    for (int k = 0; k < batches; k++) {
        ng_error error = {NG_OK, ""};
        ng_mat s = world_normal(shape[1] + (size_t)k, shape[0], dtype, rng);
        ng_mat weights = world_normal(1, s.rows, dtype, rng);
        double mass = 0;
        for (size_t r = 0; r < s.rows; r++) {
            ng_mat_set(weights, 0, r, fabs(ng_mat_get(weights, 0, r)));
            mass += weighted ? ng_mat_get(weights, 0, r) : 1;
        }
        ng_assert_ok(ng_fisher_accumulate(w.f, s, weighted ? &weights : NULL, rule, &error),
                     &error);
        count = b.decay * count + (b.samples > 0 ? b.samples : mass);
        w.exact = dense_add(b.decay, w.exact, b.scale * b.scale,
                            exact_scatter(s, weighted ? &weights : NULL));
        test_free(s), test_free(weights);
    }
    if (b.normalisation == NG_FISHER_MEAN)
        w.exact = dense_add(1 / count, w.exact, 0, w.exact);
    project(w.exact, representation);
    return w;
}

void world_close(world *w)
{
    ng_fisher_destroy(w->f);
    dense_release();
}
