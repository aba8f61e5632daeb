/* Sketches: random matrices, as what they are made of (natgrad/sketch.h). */
#include <natgrad/sketch.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/mat.h"
#include "lib/core/memory.h"
#include "lib/core/try.h"
#include "lib/linalg/walsh.h"

struct ng_sketch {
    ng_sketch_kind kind;
    size_t m, n, padded; /* padded: N */
    ng_mat dense;        /* gaussian: S */
    double *sign;        /* N (srht, pooled) or n (count) */
    double *weight;      /* pooled: N */
    size_t *place;       /* srht: m rows of N; pooled: the permutation; count: n rows of m */
};

const char *ng_sketch_kind_name(ng_sketch_kind kind)
{
    static const char *const names[NG_SKETCH_KINDS] = {"gaussian", "srht", "pooled", "count"};
    return (size_t)kind < NG_SKETCH_KINDS ? names[kind] : "unknown";
}

void ng_sketch_destroy(ng_sketch *s)
{
    if (s == NULL)
        return;
    free(s->dense.data);
    free(s->sign);
    free(s->weight);
    free(s->place);
    free(s);
}

size_t ng_sketch_rows(const ng_sketch *s)
{
    return s != NULL ? s->m : 0;
}

size_t ng_sketch_cols(const ng_sketch *s)
{
    return s != NULL ? s->n : 0;
}

/* ---- Drawing ----------------------------------------------------------------------------------
 */

static int has_transform(ng_sketch_kind kind)
{
    return kind == NG_SKETCH_SRHT || kind == NG_SKETCH_POOLED;
}

static ng_status check(ng_sketch *const *sketch, ng_sketch_kind kind, size_t m, size_t n,
                       const ng_random *random, ng_error *error)
{
    if (sketch == NULL || random == NULL || random->fill_uniform == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL or has no fill_uniform",
                            sketch == NULL ? "sketch" : "random");
    if ((size_t)kind >= NG_SKETCH_KINDS)
        return ng_error_set(error, NG_EARG, "no sketch is of kind %d", (int)kind);
    if ((kind == NG_SKETCH_GAUSSIAN || kind == NG_SKETCH_POOLED) && random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "random has no fill_normal");
    if (m == 0 || n == 0)
        return ng_error_set(error, NG_ESHAPE, "a sketch of %zu x %zu", m, n);
    if (n > SIZE_MAX / 2 / sizeof(double))
        return ng_error_set(error, NG_ERANGE, "%zu rows", n);
    return NG_OK;
}

static ng_status draw_dense(ng_sketch *s, const ng_random *random, ng_error *error)
{
    TRY(ngi_mat_create(&s->dense, s->m, s->n, NG_F64, error));
    random->fill_normal(random->data, s->dense.data, s->m * s->n);
    ng_scale(s->dense, 1 / sqrt((double)s->m));
    return NG_OK;
}

/* u: room for `count` uniform numbers, which become signs */
static void draw_signs(double *u, size_t count, const ng_random *random)
{
    random->fill_uniform(random->data, u, count);
    for (size_t i = 0; i < count; i++)
        u[i] = u[i] < 0.5 ? -1 : 1;
}

/* The first `count` of a random permutation of N; the array has room for all. */
static void draw_places(size_t *place, size_t count, size_t all, const ng_random *random)
{
    for (size_t i = 0; i < all; i++)
        place[i] = i;
    for (size_t i = 0; i < count; i++) {
        double u;
        random->fill_uniform(random->data, &u, 1);
        size_t j = i + (size_t)(u * (double)(all - i)), kept = place[i];
        place[i] = place[j];
        place[j] = kept;
    }
}

static ng_status draw_transform(ng_sketch *s, const ng_random *random, ng_error *error)
{
    const int pooled = s->kind == NG_SKETCH_POOLED;
    if (s->m > s->padded)
        return ng_error_set(error, NG_ESHAPE, "%s: %zu rows of %zu", ng_sketch_kind_name(s->kind),
                            s->m, s->padded);
    TRY(ngi_array_create(&s->sign, s->padded, sizeof *s->sign, "signs", error));
    TRY(ngi_array_create(&s->place, s->padded, sizeof *s->place, "places", error));
    draw_signs(s->sign, s->padded, random);
    draw_places(s->place, pooled ? s->padded : s->m, s->padded, random);
    if (!pooled)
        return NG_OK;
    TRY(ngi_array_create(&s->weight, s->padded, sizeof *s->weight, "weights", error));
    random->fill_normal(random->data, s->weight, s->padded);
    return NG_OK;
}

static ng_status draw_count(ng_sketch *s, const ng_random *random, ng_error *error)
{
    TRY(ngi_array_create(&s->sign, s->n, sizeof *s->sign, "signs", error));
    TRY(ngi_array_create(&s->place, s->n, sizeof *s->place, "places", error));
    random->fill_uniform(random->data, s->sign, s->n);
    for (size_t i = 0; i < s->n; i++)
        s->place[i] = (size_t)(s->sign[i] * (double)s->m);
    draw_signs(s->sign, s->n, random);
    return NG_OK;
}

ng_status ng_sketch_create(ng_sketch **sketch, ng_sketch_kind kind, size_t m, size_t n,
                           const ng_random *random, ng_error *error)
{
    ng_sketch *s;
    if (sketch != NULL)
        *sketch = NULL;
    TRY(check(sketch, kind, m, n, random, error));
    TRY(ngi_array_create(&s, 1, sizeof *s, "sketch", error));
    s->kind = kind;
    s->m = m;
    s->n = n;
    for (s->padded = 1; s->padded < n;)
        s->padded *= 2;
    ng_status status = kind == NG_SKETCH_GAUSSIAN ? draw_dense(s, random, error)
                       : has_transform(kind)      ? draw_transform(s, random, error)
                                                  : draw_count(s, random, error);
    if (status == NG_OK)
        *sketch = s;
    else
        ng_sketch_destroy(s);
    return status;
}

/* ---- Applying ---------------------------------------------------------------------------------
 */

/* x (N) <- H D times column j of a, H without its 1 / sqrt(N) */
static void transform_column(double *x, const ng_sketch *s, ng_mat a, size_t j)
{
    for (size_t i = 0; i < s->padded; i++)
        x[i] = i < s->n ? s->sign[i] * ng_mat_get(a, i, j) : 0;
    ngi_walsh_hadamard(x, s->padded);
}

static ng_status apply_transform(const ng_sketch *s, ng_mat sa, ng_mat a, ng_error *error)
{
    ngi_pool pool = {NULL};
    double *x;
    const double all = (double)s->padded;
    const double scale = s->kind == NG_SKETCH_SRHT ? 1 / sqrt((double)s->m) : 1 / sqrt(all);
    TRY(ngi_pool_array(&pool, &x, s->padded, sizeof *x, "numbers of a sketch", error));
    for (size_t j = 0; j < a.cols; j++) {
        transform_column(x, s, a, j);
        for (size_t i = 0; i < s->m; i++) {
            double sum = 0;
            if (s->kind == NG_SKETCH_SRHT)
                sum = x[s->place[i]];
            else /* block i of m, of equal length where m divides N */
                for (size_t k = (size_t)((double)i * all / (double)s->m);
                     k < (size_t)((double)(i + 1) * all / (double)s->m); k++)
                    sum += s->weight[k] * x[s->place[k]];
            ng_mat_set(sa, i, j, scale * sum);
        }
    }
    return ngi_pool_close(&pool, NG_OK);
}

static void apply_count(const ng_sketch *s, ng_mat sa, ng_mat a)
{
    ng_fill(sa, 0);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < a.cols; j++)
            ng_mat_set(sa, s->place[i], j,
                       ng_mat_get(sa, s->place[i], j) + s->sign[i] * ng_mat_get(a, i, j));
}

ng_status ng_sketch_apply(const ng_sketch *s, ng_mat sa, ng_mat a, ng_error *error)
{
    if (s == NULL)
        return ng_error_set(error, NG_EARG, "sketch is NULL");
    TRY(ngi_check_shape(a, "a", s->n, a.cols, NG_F64, error));
    TRY(ngi_check_shape(sa, "sa", s->m, a.cols, NG_F64, error));
    if (s->kind == NG_SKETCH_GAUSSIAN)
        return ng_gemm(sa, s->dense, NG_NOTRANS, a, NG_NOTRANS, 1, 0, error);
    if (has_transform(s->kind))
        return apply_transform(s, sa, a, error);
    apply_count(s, sa, a);
    return NG_OK;
}

ng_status ng_walsh_hadamard(double *x, size_t length, ng_error *error)
{
    if (x == NULL || length == 0 || (length & (length - 1)) != 0)
        return ng_error_set(error, NG_EARG, "%s",
                            x == NULL ? "x is NULL" : "length is no power of two");
    ngi_walsh_hadamard(x, length);
    return NG_OK;
}
