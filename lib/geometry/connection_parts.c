/* What torsion and non-metricity are made of: traces, squares, irreducible parts. */
#include <natgrad/connection.h>

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"

enum { PARTS = 4 };

/* A tensor t_cab with the metric and its inverse; copies, so that outputs may be inputs. */
typedef struct {
    size_t n;
    ng_mat g, root, inverse, t, first, second;
} parted;

static ng_status check_tensor(ng_mat t, const char *name, size_t n, ng_error *error)
{
    TRY(ngi_check_shape(t, name, n, ngi_size_mul(n, n), NG_F64, error));
    return ngi_check_finite(t, name, error);
}

static ng_status factor(ngi_pool *pool, parted *p, ng_mat g, ng_error *error)
{
    const size_t n = p->n = g.rows;
    if (n == 0)
        return ng_error_set(error, NG_ESHAPE, "g has no elements");
    TRY(ngi_check_shape(g, "g", n, n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &p->root, n, n, NG_F64, error));
    return ng_cholesky(p->root, NULL, g, error);
}

static double at(ng_mat t, size_t c, size_t a, size_t b)
{
    return ng_mat_get(t, c, a * t.rows + b);
}

static void find_traces(parted *p, ng_mat first, ng_mat second)
{
    const size_t n = p->n;
    for (size_t i = 0; i < n; i++) {
        double f = 0, s = 0;
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++) {
                f += ng_mat_get(p->inverse, a, b) * at(p->t, i, a, b);
                s += ng_mat_get(p->inverse, a, b) * at(p->t, a, b, i);
            }
        ng_mat_set(first, 0, i, f);
        ng_mat_set(second, 0, i, s);
    }
}

static ng_status open_parts(ngi_pool *pool, parted *p, ng_mat t, const char *name, ng_mat g,
                            ng_error *error)
{
    TRY(factor(pool, p, g, error));
    TRY(check_tensor(t, name, p->n, error));
    TRY(ngi_pool_mat(pool, &p->g, p->n, p->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &p->inverse, p->n, p->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &p->t, p->n, t.cols, NG_F64, error));
    TRY(ngi_pool_mat(pool, &p->first, 1, p->n, NG_F64, error));
    TRY(ngi_pool_mat(pool, &p->second, 1, p->n, NG_F64, error));
    TRY(ng_copy(p->g, g, error));
    ng_mirror(p->g);
    TRY(ng_copy(p->t, t, error));
    ng_set_identity(p->inverse);
    TRY(ng_trsm(p->inverse, NG_LEFT, p->root, NG_NOTRANS, 1, error));
    TRY(ng_trsm(p->inverse, NG_LEFT, p->root, NG_TRANS, 1, error));
    find_traces(p, p->first, p->second);
    return NG_OK;
}

/* ---- Traces and products --------------------------------------------------------------- */

static ng_status traces(ngi_pool *pool, ng_mat first, ng_mat second, ng_mat t, ng_mat g,
                        ng_error *error)
{
    parted p;
    const ng_mat out[2] = {first, second};
    for (int i = 0; i < 2; i++)
        if (!ngi_is_none(out[i]))
            TRY(ngi_check_shape(out[i], i == 0 ? "first" : "second", 1, g.rows, NG_F64, error));
    TRY(open_parts(pool, &p, t, "t", g, error));
    if (!ng_is_finite(p.first) || !ng_is_finite(p.second))
        return ng_error_set(error, NG_ERANGE, "the traces are too large");
    if (!ngi_is_none(first))
        TRY(ng_copy(first, p.first, error));
    return ngi_is_none(second) ? NG_OK : ng_copy(second, p.second, error);
}

ng_status ng_connection_traces(ng_mat first, ng_mat second, ng_mat t, ng_mat g, ng_error *error)
{
    ngi_pool pool = {NULL};
    return ngi_pool_close(&pool, traces(&pool, first, second, t, g, error));
}

/* *white <- t in an orthonormal frame: L^-1 on all three indices */
static ng_status whitened(ngi_pool *pool, ng_mat *white, const parted *p, ng_mat t,
                          const char *name, ng_error *error)
{
    TRY(check_tensor(t, name, p->n, error));
    TRY(ngi_pool_mat(pool, white, p->n, t.cols, NG_F64, error));
    TRY(ng_copy(*white, t, error));
    TRY(ng_trsm(*white, NG_LEFT, p->root, NG_NOTRANS, 1, error));
    for (size_t c = 0; c < p->n; c++) {
        ng_mat slab = ng_f64((double *)white->data + c * t.cols, p->n, p->n);
        TRY(ng_trsm(slab, NG_LEFT, p->root, NG_NOTRANS, 1, error));
        TRY(ng_trsm(slab, NG_RIGHT, p->root, NG_TRANS, 1, error));
    }
    return NG_OK;
}

static ng_status product_of(ngi_pool *pool, double *product, ng_mat s, ng_mat t, ng_mat g,
                            ng_error *error)
{
    parted p;
    ng_mat a, b;
    TRY(factor(pool, &p, g, error));
    TRY(whitened(pool, &a, &p, s, "s", error));
    TRY(whitened(pool, &b, &p, t, "t", error));
    double dot = ng_dot(a, b);
    if (!isfinite(dot))
        return ng_error_set(error, NG_ERANGE, "the product is too large");
    *product = dot;
    return NG_OK;
}

ng_status ng_connection_product(double *product, ng_mat s, ng_mat t, ng_mat g, ng_error *error)
{
    ngi_pool pool = {NULL};
    if (product == NULL)
        return ng_error_set(error, NG_EARG, "product is NULL");
    return ngi_pool_close(&pool, product_of(&pool, product, s, t, g, error));
}

/* ---- Irreducible parts --------------------------------------------------------------------- */

/* part[i] of t_cab, the last of `count` being what the others leave. */
typedef void (*split_fill)(const parted *p, double part[PARTS], size_t c, size_t a, size_t b);

/* 1/(n - 1), or nothing on a line, where what it stands before is 0 */
static double per_other(size_t n)
{
    return n > 1 ? 1 / ((double)n - 1) : 0;
}

static void split_torsion(const parted *p, double part[PARTS], size_t c, size_t a, size_t b)
{
    double trace = ng_mat_get(p->g, c, a) * ng_mat_get(p->second, 0, b) -
                   ng_mat_get(p->g, c, b) * ng_mat_get(p->second, 0, a);
    part[0] = per_other(p->n) * trace;
    part[1] = (at(p->t, c, a, b) - at(p->t, c, b, a) + at(p->t, a, b, c) - at(p->t, a, c, b) +
               at(p->t, b, c, a) - at(p->t, b, a, c)) /
              6;
}

/* The two parts that are made of traces. */
static void vectors(const parted *p, double part[PARTS], size_t c, size_t a, size_t b)
{
    const double n = (double)p->n;
    double m[3];
    const size_t index[3] = {c, a, b};
    for (int i = 0; i < 3; i++)
        m[i] = ng_mat_get(p->second, 0, index[i]) - ng_mat_get(p->first, 0, index[i]) / n;
    part[0] = ng_mat_get(p->first, 0, c) * ng_mat_get(p->g, a, b) / n;
    part[1] = per_other(p->n) / (n + 2) *
              (n * (ng_mat_get(p->g, c, a) * m[2] + ng_mat_get(p->g, c, b) * m[1]) -
               2 * ng_mat_get(p->g, a, b) * m[0]);
}

static void split_nonmetricity(const parted *p, double part[PARTS], size_t c, size_t a, size_t b)
{
    double turned[2][PARTS];
    vectors(p, turned[0], a, b, c);
    vectors(p, turned[1], b, c, a);
    vectors(p, part, c, a, b);
    part[2] = (at(p->t, c, a, b) + at(p->t, a, b, c) + at(p->t, b, c, a) - part[0] - part[1]) / 3;
    for (int i = 0; i < 2; i++)
        part[2] -= (turned[i][0] + turned[i][1]) / 3;
}

static ng_status split(ngi_pool *pool, const ng_mat *out, size_t count, ng_mat t, const char *name,
                       ng_mat g, split_fill fill, ng_error *error)
{
    parted p;
    ng_mat parts; /* row i: part i */
    for (size_t i = 0; i < count; i++)
        if (!ngi_is_none(out[i]))
            TRY(ngi_check_shape(out[i], "a view of parts", g.rows, ngi_size_mul(g.rows, g.rows),
                                NG_F64, error));
    TRY(open_parts(pool, &p, t, name, g, error));
    const size_t size = p.n * t.cols;
    TRY(ngi_pool_mat(pool, &parts, count, size, NG_F64, error));
    for (size_t k = 0; k < size; k++) {
        double part[PARTS], rest = ng_mat_get(p.t, k / t.cols, k % t.cols);
        fill(&p, part, k / t.cols, k % t.cols / p.n, k % p.n);
        for (size_t i = 0; i + 1 < count; i++) {
            ng_mat_set(parts, i, k, part[i]);
            rest -= part[i];
        }
        ng_mat_set(parts, count - 1, k, rest);
    }
    if (!ng_is_finite(parts))
        return ng_error_set(error, NG_ERANGE, "the parts of %s are too large", name);
    for (size_t i = 0; i < count; i++)
        if (!ngi_is_none(out[i]))
            TRY(ng_copy(out[i], ng_f64((double *)parts.data + i * size, p.n, t.cols), error));
    return NG_OK;
}

ng_status ng_connection_split_torsion(const ng_torsion_parts *parts, ng_mat torsion, ng_mat g,
                                      ng_error *error)
{
    ngi_pool pool = {NULL};
    if (parts == NULL)
        return ng_error_set(error, NG_EARG, "parts is NULL");
    const ng_mat out[] = {parts->trace, parts->axial, parts->tensor};
    return ngi_pool_close(&pool, split(&pool, out, 3, torsion, "torsion", g, split_torsion, error));
}

ng_status ng_connection_split_nonmetricity(const ng_nonmetricity_parts *parts, ng_mat q, ng_mat g,
                                           ng_error *error)
{
    ngi_pool pool = {NULL};
    if (parts == NULL)
        return ng_error_set(error, NG_EARG, "parts is NULL");
    const ng_mat out[] = {parts->weyl, parts->trace, parts->symmetric, parts->mixed};
    return ngi_pool_close(&pool, split(&pool, out, 4, q, "q", g, split_nonmetricity, error));
}
