/* The empirical spectral density of a matrix, and its sums. The Gram matrix of the smaller side is
 * summed in double over strips, so that no copy of w in double is needed. */
#include <natgrad/esd.h>

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/geometry/esd.h"
#include "lib/linalg/check.h"

enum { STRIP = 256 };

static size_t smaller(ng_mat w)
{
    return w.rows < w.cols ? w.rows : w.cols;
}

/* gram (M x M, lower) <- w^T w, or w w^T of a wide one; of another dtype strip by strip */
static ng_status sum_gram(ng_mat gram, ng_mat w, ngi_pool *pool, ng_error *error)
{
    const int wide = w.rows < w.cols;
    const size_t length = wide ? w.cols : w.rows, m = smaller(w);
    const ng_trans trans = wide ? NG_NOTRANS : NG_TRANS;
    ng_mat room;
    if (gram.dtype == w.dtype)
        return ng_syrk(gram, w, trans, 1, 0, error);
    TRY(ngi_pool_mat(pool, &room, wide ? m : STRIP, wide ? STRIP : m, gram.dtype, error));
    for (size_t first = 0; first < length; first += STRIP) {
        size_t count = length - first < STRIP ? length - first : STRIP;
        ng_mat strip = ng_mat_block(room, 0, 0, wide ? m : count, wide ? count : m);
        ng_mat part =
            wide ? ng_mat_block(w, 0, first, m, count) : ng_mat_block(w, first, 0, count, m);
        TRY(ng_copy(strip, part, error));
        TRY(ng_syrk(gram, strip, trans, 1, first > 0, error));
    }
    return NG_OK;
}

/* values <- the ESD; the work is done in `dtype` */
static ng_status eigenvalues(ng_mat values, ng_mat w, ng_dtype dtype, ngi_pool *pool,
                             ng_error *error)
{
    const size_t m = smaller(w);
    ng_mat gram, found;
    TRY(ngi_pool_mat(pool, &gram, m, m, dtype, error));
    TRY(ngi_pool_mat(pool, &found, 1, m, dtype, error));
    TRY(sum_gram(gram, w, pool, error));
    for (size_t i = 0; i < m; i++)
        if (!(ng_mat_get(gram, i, i) <= 1e300))
            return ng_error_set(error, NG_ERANGE, "the squares of w overflow");
    TRY(ng_eigenvalues(found, gram, error));
    for (size_t i = 0; i < m; i++)
        ng_mat_set(values, 0, i, fmax(0, ng_mat_get(found, 0, i)));
    return NG_OK;
}

ng_status ng_esd_values(ng_mat values, ng_mat w, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ngi_check_shape(w, "w", w.rows, w.cols, w.dtype, error));
    TRY(ngi_check_shape(values, "values", 1, smaller(w), NG_F64, error));
    TRY(ngi_check_finite(w, "w", error));
    if (smaller(w) == 0)
        return NG_OK;
    return ngi_pool_close(&pool, eigenvalues(values, w, NG_F64, &pool, error));
}

void ng_free_cumulants(double k[5], const double m[5])
{
    const double a = m[0], b = m[1], c = m[2], d = m[3], e = m[4];
    k[0] = a;
    k[1] = b - a * a;
    k[2] = c - 3 * b * a + 2 * a * a * a;
    k[3] = d - 4 * c * a - 2 * b * b + 10 * b * a * a - 5 * a * a * a * a;
    k[4] = e - 5 * d * a + 15 * c * a * a + 15 * b * b * a - 35 * b * a * a * a - 5 * c * b +
           14 * a * a * a * a * a;
}

/* ---- The whole ------------------------------------------------------------------------------- */

ng_status ng_esd_init_sized(ng_esd_options *options, size_t size)
{
    if (options == NULL || size != sizeof *options)
        return NG_EOPTION;
    *options = (ng_esd_options){.size = size, .floor = 1e-5, .least = 10};
    return NG_OK;
}

static ng_status check(const ng_esd *esd, ng_mat values, ng_mat w, const ng_esd_options *o,
                       ng_error *error)
{
    if (esd == NULL)
        return ng_error_set(error, NG_EARG, "esd is NULL");
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "options have a size of %zu, expected %zu", o->size,
                            sizeof *o);
    if (!(o->floor >= 0 && o->floor < (double)INFINITY))
        return ng_error_set(error, NG_EOPTION, "floor %g, expected a finite number >= 0", o->floor);
    if (o->least < 2)
        return ng_error_set(error, NG_EOPTION, "least %zu, expected 2 or more", o->least);
    TRY(ngi_check_shape(w, "w", w.rows, w.cols, w.dtype, error));
    if (smaller(w) == 0)
        return ng_error_set(error, NG_ESHAPE, "w is %zu x %zu: it has no elements", w.rows, w.cols);
    if (!ngi_is_none(values))
        TRY(ngi_check_shape(values, "values", 1, smaller(w), NG_F64, error));
    return ngi_check_finite(w, "w", error);
}

/* erg <- the trace-log condition. x: M rescaled eigenvalues, ascending; xmin rescaled */
static void trace_log(ng_esd_erg *erg, const double *x, size_t m, double xmin)
{
    double sum = 0, moments[5] = {0};
    size_t i = m;
    do
        sum += log(x[--i]);
    while (i > 0 && !(sum < 0));
    erg->count = m - i;
    erg->lambda = x[i];
    erg->gap = xmin - x[i];
    for (; i < m; i++)
        for (int k = 0; k < 5; k++)
            moments[k] += pow(x[i], k + 1) / (double)erg->count;
    ng_free_cumulants(erg->cumulants, moments);
}

/* All that the eigenvalues alone say; x <- them rescaled. */
static ng_status describe(ng_esd *e, double *x, ng_mat values, const ng_esd_options *o,
                          ng_error *error)
{
    const double *v = values.data;
    const size_t m = values.cols;
    e->lambda_max = v[m - 1];
    for (size_t i = 0; i < m; i++) {
        e->trace += v[i];
        e->kept += v[i] > o->floor;
    }
    e->tail = (ng_power_law){(double)NAN, (double)NAN, (double)NAN, (double)NAN, 0};
    if (e->kept >= o->least)
        TRY(ng_power_law_fit(&e->tail, ng_mat_block(values, 0, m - e->kept, 1, e->kept), error));
    const int empty = !(e->trace > 0);
    e->log_norm = empty ? (double)NAN : log10(e->trace);
    e->log_spectral_norm = empty ? (double)NAN : log10(e->lambda_max);
    e->stable_rank = empty ? (double)NAN : e->trace / e->lambda_max;
    e->alpha_hat = e->tail.alpha * e->log_spectral_norm;
    double sum = 0; /* of (lambda / lambda_max)^alpha, which does not overflow */
    for (size_t i = 0; i < m && !empty; i++)
        sum += pow(v[i] / e->lambda_max, e->tail.alpha);
    e->log_alpha_norm = e->alpha_hat + log10(sum);
    e->erg = (ng_esd_erg){0,
                          (double)NAN,
                          (double)NAN,
                          {(double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN}};
    if (empty)
        return NG_OK;
    for (size_t i = 0; i < m; i++)
        x[i] = v[i] * ((double)m / e->trace);
    trace_log(&e->erg, x, m, e->tail.xmin * ((double)m / e->trace));
    return NG_OK;
}

/* The ESD of the same elements in random order, as exact as w itself, whose smallest eigenvalues
 * are not asked for; w is kept unless it may be changed. */
static ng_status shuffled(ng_mat values, ng_mat w, double trace, const ng_esd_options *o,
                          ngi_pool *pool, ng_error *error)
{
    const int narrow = trace > 1e-20 && trace < 1e30; /* no square over- or underflows f32 */
    ng_mat mixed = w;
    if (!o->in_place) {
        TRY(ngi_pool_mat(pool, &mixed, w.rows, w.cols, w.dtype, error));
        TRY(ng_copy(mixed, w, error));
    }
    TRY(ng_mat_shuffle(mixed, o->random, error));
    return eigenvalues(values, mixed, narrow ? w.dtype : NG_F64, pool, error);
}

static ng_status measure(ng_esd *e, ng_mat values, ng_mat w, const ng_esd_options *o,
                         ngi_pool *pool, ng_error *error)
{
    ng_mat own, x, random;
    const size_t m = smaller(w);
    TRY(ngi_pool_mat(pool, &own, 1, m, NG_F64, error));
    TRY(ngi_pool_mat(pool, &x, 1, m, NG_F64, error));
    TRY(eigenvalues(own, w, NG_F64, pool, error));
    e->n = w.rows < w.cols ? w.cols : w.rows;
    e->m = m;
    TRY(describe(e, x.data, own, o, error));
    e->bulk = (ng_esd_bulk){(double)NAN, (double)NAN, (double)NAN, 0,
                            0,           (double)NAN, (double)NAN, (double)NAN};
    if (o->random != NULL && e->trace > 0) {
        TRY(ngi_pool_mat(pool, &random, 1, m, NG_F64, error));
        TRY(shuffled(random, w, e->trace, o, pool, error));
        ngi_esd_compare(e, own.data, random.data);
    }
    return ngi_is_none(values) ? NG_OK : ng_copy(values, own, error);
}

ng_status ng_esd_measure(ng_esd *esd, ng_mat values, ng_mat w, const ng_esd_options *options,
                         ng_error *error)
{
    ngi_pool pool = {NULL};
    ng_esd_options standard;
    ng_esd found = {0};
    ng_esd_init(&standard);
    const ng_esd_options *o = options != NULL ? options : &standard;
    TRY(check(esd, values, w, o, error));
    TRY(ngi_pool_close(&pool, measure(&found, values, w, o, &pool, error)));
    *esd = found;
    return NG_OK;
}
