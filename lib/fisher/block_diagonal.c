/* Dense blocks along the parameters: the same call for each of them, on its
 * columns of the vectors. Blocks are dense representations, whose slots check
 * nothing and, where they write state, cannot fail once the front has checked
 * the whole: so no block changes without the others. */
#include "lib/fisher/fisher.h"

#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

static const ngi_fisher_table table;

typedef struct {
    ng_fisher base;
    ng_fisher **blocks;
    size_t count;
} block_diagonal;

static const ngi_fisher_table *const dense = &ngi_fisher_dense;

/* One block and its first parameter; f is NULL behind the last block. */
typedef struct {
    ng_fisher *f;
    size_t index, first;
} block;

static block block_at(const ng_fisher *f, size_t index, size_t first)
{
    const block_diagonal *d = (const block_diagonal *)f;
    block b = {index < d->count ? d->blocks[index] : NULL, index, first};
    return b;
}

static block begin(const ng_fisher *f)
{
    return block_at(f, 0, 0);
}

static block next(const ng_fisher *f, block b)
{
    return block_at(f, b.index + 1, b.first + b.f->n);
}

static ng_mat columns(ng_mat x, block b)
{
    return ng_mat_block(x, 0, b.first, x.rows, b.f->n);
}

static ng_mat square(ng_mat x, block b)
{
    return ng_mat_block(x, b.first, b.first, b.f->n, b.f->n);
}

static ng_status total(size_t *n, const size_t *sizes, size_t count, ng_error *error)
{
    *n = 0;
    if (sizes == NULL || count == 0)
        return ng_error_set(error, NG_EARG, "create: no sizes of blocks");
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] == 0)
            return ng_error_set(error, NG_ESHAPE, "create: block %zu has no parameters", i);
        if (sizes[i] > SIZE_MAX - *n)
            return ng_error_set(error, NG_ERANGE, "create: too many parameters in %zu blocks",
                                count);
        *n += sizes[i];
    }
    return NG_OK;
}

/* Slots are called through these: what a block takes of the pool goes back before the next. */
static block begin_with(const ng_fisher *f, const ngi_pool *pool, void **mark)
{
    *mark = pool->top;
    return begin(f);
}

static block next_with(const ng_fisher *f, block b, ngi_pool *pool, void *mark)
{
    ngi_pool_drop(pool, mark);
    return next(f, b);
}

/* for every block b, mark being a void * */
#define EACH(b, f, pool, mark)                                                                     \
    for (block b = begin_with(f, pool, &mark); b.f != NULL; b = next_with(f, b, pool, mark))

static ng_status build(block_diagonal *d, const size_t *sizes, size_t count, ng_dtype dtype,
                       ng_error *error)
{
    TRY(ngi_array_create(&d->blocks, count, sizeof *d->blocks, "blocks", error));
    for (; d->count < count; d->count++)
        TRY(ng_fisher_create_dense(&d->blocks[d->count], sizes[d->count], dtype, error));
    return NG_OK;
}

ng_status ng_fisher_create_block_diagonal(ng_fisher **f, const size_t *sizes, size_t count,
                                          ng_dtype dtype, ng_error *error)
{
    size_t n;
    if (f != NULL)
        *f = NULL;
    TRY(total(&n, sizes, count, error));
    TRY(ngi_fisher_new(f, sizeof(block_diagonal), &table, n, dtype, error));
    return ngi_fisher_built(f, build((block_diagonal *)*f, sizes, count, dtype, error));
}

static void destroy(ng_fisher *f)
{
    for (block b = begin(f); b.f != NULL; b = next(f, b))
        ng_fisher_destroy(b.f);
    free(((block_diagonal *)f)->blocks);
}

static ng_status accumulate(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ngi_pool *pool,
                            ng_error *error)
{
    void *mark;
    EACH(b, f, pool, mark)
    TRY(dense->accumulate(b.f, columns(rows, b), r, pool, error));
    return NG_OK;
}

static ng_status set(ng_fisher *f, ng_mat m, ngi_pool *pool, ng_error *error)
{
    void *mark;
    EACH(b, f, pool, mark)
    TRY(dense->set(b.f, square(m, b), pool, error));
    return NG_OK;
}

static ng_status mul(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error)
{
    void *mark;
    EACH(b, f, pool, mark)
    TRY(dense->mul(b.f, columns(y, b), columns(x, b), pool, error));
    return NG_OK;
}

static ng_status to_dense(ng_fisher *f, ng_mat m, ngi_pool *pool, ng_error *error)
{
    void *mark;
    ng_fill(m, 0);
    EACH(b, f, pool, mark)
    TRY(dense->to_dense(b.f, square(m, b), pool, error));
    return NG_OK;
}

static ng_status solve(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                       ng_error *error)
{
    void *mark;
    EACH(b, f, pool, mark)
    TRY(dense->solve(b.f, columns(y, b), columns(x, b), damping, pool, error));
    return NG_OK;
}

static ng_status power(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ngi_pool *pool, ng_error *error)
{
    void *mark;
    EACH(b, f, pool, mark)
    TRY(dense->power(b.f, columns(y, b), columns(x, b), exponent, damping, pool, error));
    return NG_OK;
}

static ng_status trace(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error)
{
    void *mark;
    double part = 0, sum = 0;
    EACH(b, f, pool, mark)
    {
        TRY(dense->trace(b.f, &part, pool, error));
        sum += part;
    }
    *value = sum;
    return NG_OK;
}

static ng_status logdet(ng_fisher *f, double *value, double damping, ngi_pool *pool,
                        ng_error *error)
{
    void *mark;
    double part = 0, sum = 0;
    EACH(b, f, pool, mark)
    {
        TRY(dense->logdet(b.f, &part, damping, pool, error));
        sum += part;
    }
    *value = sum;
    return NG_OK;
}

/* All eigenvalues (1 x n), block behind block; and, unless vectors are none, the
 * eigenvector of value i in the first columns of row i. */
static ng_status all_pairs(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool,
                           ng_error *error)
{
    void *mark;
    ng_mat part = vectors;
    EACH(b, f, pool, mark)
    {
        if (!ngi_is_none(vectors))
            part = ng_mat_block(vectors, b.first, 0, b.f->n, b.f->n);
        TRY(dense->eigen(b.f, columns(values, b), part, pool, error));
    }
    return NG_OK;
}

static size_t largest_block(const ng_fisher *f)
{
    size_t largest = 0;
    for (block b = begin(f); b.f != NULL; b = next(f, b))
        largest = b.f->n > largest ? b.f->n : largest;
    return largest;
}

static block block_of(const ng_fisher *f, size_t parameter)
{
    block b = begin(f);
    while (parameter >= b.first + b.f->n)
        b = next(f, b);
    return b;
}

static ng_status eigen(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool, ng_error *error)
{
    ng_mat w, v = ng_mat_none();
    size_t *order, k = values.cols;
    TRY(ngi_pool_mat(pool, &w, 1, f->n, NG_F64, error));
    if (!ngi_is_none(vectors))
        TRY(ngi_pool_mat(pool, &v, f->n, largest_block(f), NG_F64, error));
    TRY(all_pairs(f, w, v, pool, error));
    TRY(ngi_ascending(&order, w.data, f->n, pool, error));
    for (size_t i = 0; i < k; i++) {
        size_t from = order[f->n - k + i];
        block b = block_of(f, from);
        ng_mat_set(values, 0, i, ng_mat_get(w, 0, from));
        if (!ngi_is_none(vectors)) /* the front's vectors are zero */
            TRY(ng_copy(ng_mat_block(vectors, i, b.first, 1, b.f->n),
                        ng_mat_block(v, from, 0, 1, b.f->n), error));
    }
    return NG_OK;
}

static const ngi_fisher_table table = {
    .name = "block-diagonal",
    .destroy = destroy,
    .accumulate = accumulate,
    .set = set,
    .mul = mul,
    .to_dense = to_dense,
    .solve = solve,
    .power = power,
    .trace = trace,
    .logdet = logdet,
    .eigen = eigen,
};
