/* Curvature that needs all third cumulants at once. */
#include "lib/geometry/curvature.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"

/* kappa (n x n^2): row c holds kappa_abc over a, b */
static ng_status load(ngi_slabs *s, ng_mat kappa, ng_error *error)
{
    for (size_t c = 0; c < s->n; c++)
        TRY(ngi_slab(s, ng_f64((double *)kappa.data + c * s->n * s->n, s->n, s->n), c, error));
    return NG_OK;
}

static ng_status take(ngi_slabs *s, ng_mat *m, size_t rows, size_t cols, ng_error *error)
{
    return ng_work_mat(&s->work, m, rows, cols, NG_F64, error);
}

/* ---- Riemann ------------------------------------------------------------------ */

static ng_status riemann_of(ngi_slabs *s, ng_mat riemann, double amari_alpha, ng_error *error)
{
    ng_mat kappa, pairs; /* pairs: P[ab][cd] = kappa_abe kappa_cd^e */
    size_t n = s->n, square = n * n;
    TRY(ngi_check_shape(riemann, "riemann", square, square, NG_F64, error));
    TRY(take(s, &kappa, n, square, error));
    TRY(take(s, &pairs, square, square, error));
    TRY(load(s, kappa, error));
    TRY(ng_trsm(kappa, NG_LEFT, s->root, NG_NOTRANS, 1, error));
    TRY(ng_gemm(pairs, kappa, NG_TRANS, kappa, NG_NOTRANS, 1, 0, error));
    double scale = 0.25 * (1 - amari_alpha * amari_alpha);
    for (size_t ab = 0; ab < square; ab++)
        for (size_t cd = 0; cd < square; cd++) {
            size_t a = ab / n, b = ab % n, c = cd / n, d = cd % n;
            ng_mat_set(riemann, ab, cd,
                       scale * (ng_mat_get(pairs, a * n + d, b * n + c) -
                                ng_mat_get(pairs, a * n + c, b * n + d)));
        }
    return NG_OK;
}

ng_status ng_curvature_riemann(ng_mat riemann, ng_mat f, double amari_alpha,
                               ng_cumulants_fill third, void *data, ng_error *error)
{
    ngi_slabs s;
    size_t n = f.rows, square = ngi_size_mul(n, n);
    const size_t shapes[][2] = {{n, square}, {square, square}};
    if (!isfinite(amari_alpha))
        return ng_error_set(error, NG_EARG, "amari_alpha is not finite");
    ng_status opened = ngi_slabs_open(&s, f, shapes, 2, third, data, error);
    return ngi_slabs_close(&s,
                           opened != NG_OK ? opened : riemann_of(&s, riemann, amari_alpha, error));
}

/* ---- Connections ---------------------------------------------------------------- */

/* kappa (n x n^2) becomes Gamma^c_ab = scale F^cd kappa_abd */
static ng_status raise_first(ngi_slabs *s, ng_mat kappa, double scale, ng_error *error)
{
    TRY(ng_trsm(kappa, NG_LEFT, s->root, NG_NOTRANS, scale, error));
    return ng_trsm(kappa, NG_LEFT, s->root, NG_TRANS, 1, error);
}

static ng_status christoffel(ngi_slabs *s, ng_mat gamma, double amari_alpha, ng_error *error)
{
    ng_mat kappa;
    size_t n = s->n, square = n * n;
    TRY(ngi_check_shape(gamma, "gamma", n, square, NG_F64, error));
    TRY(take(s, &kappa, n, square, error));
    TRY(load(s, kappa, error));
    TRY(raise_first(s, kappa, 0.5 * (1 - amari_alpha), error));
    return ng_copy(gamma, kappa, error);
}

ng_status ng_curvature_christoffel(ng_mat gamma, ng_mat f, double amari_alpha,
                                   ng_cumulants_fill third, void *data, ng_error *error)
{
    ngi_slabs s;
    size_t n = f.rows;
    const size_t shapes[][2] = {{n, ngi_size_mul(n, n)}};
    if (!isfinite(amari_alpha))
        return ng_error_set(error, NG_EARG, "amari_alpha is not finite");
    ng_status opened = ngi_slabs_open(&s, f, shapes, 1, third, data, error);
    return ngi_slabs_close(&s,
                           opened != NG_OK ? opened : christoffel(&s, gamma, amari_alpha, error));
}

/* ---- Ricci ------------------------------------------------------------------------ */

typedef struct {
    ngi_slabs slabs;
    ng_mat kappa, gamma, trace, term[4];
} ricci;

/* sum_d weight_d m_dab as an n x n matrix */
static ng_status mix(ng_mat out, ng_mat weight, ng_mat m, double scale, ng_error *error)
{
    ng_mat row = ng_f64(out.data, 1, m.cols);
    return ng_gemm(row, weight, NG_NOTRANS, m, NG_NOTRANS, scale, 0, error);
}

/* R2 = +1/2 kappa_acd kappa_b^cd, and (tr kappa)_a; kappa's rows are whitened */
static ng_status kappa_kappa(ricci *r, ng_error *error)
{
    size_t n = r->slabs.n;
    for (size_t a = 0; a < n; a++) {
        ng_mat slab = ng_f64((double *)r->kappa.data + a * n * n, n, n);
        TRY(ngi_slab_whiten(&r->slabs, slab, error));
        ng_mat_set(r->trace, 0, a, ng_trace(slab));
    }
    return ng_gemm(r->term[1], r->kappa, NG_NOTRANS, r->kappa, NG_TRANS, 0.5, 0, error);
}

/* R4 = -G^c_bd G^d_ac, one c after the other */
static ng_status gamma_gamma(ricci *r, ng_error *error)
{
    size_t n = r->slabs.n;
    ng_mat other = r->slabs.slab; /* [a][d] = G^d_ac */
    ng_fill(r->term[3], 0);
    for (size_t c = 0; c < n; c++) {
        ng_mat first = ng_f64((double *)r->gamma.data + c * n * n, n, n);
        for (size_t a = 0; a < n; a++)
            for (size_t d = 0; d < n; d++)
                ng_mat_set(other, a, d, ng_mat_get(r->gamma, d, a * n + c));
        TRY(ng_gemm(r->term[3], other, NG_NOTRANS, first, NG_TRANS, -1, 1, error));
    }
    return NG_OK;
}

static ng_status fill_terms(ricci *r, ng_error *error)
{
    size_t n = r->slabs.n;
    TRY(load(&r->slabs, r->kappa, error));
    TRY(ng_copy(r->gamma, r->kappa, error));
    TRY(raise_first(&r->slabs, r->gamma, 0.5, error));
    TRY(gamma_gamma(r, error));
    for (size_t d = 0; d < n; d++) { /* R3 = G^c_cd G^d_ab */
        double sum = 0;
        for (size_t c = 0; c < n; c++)
            sum += ng_mat_get(r->gamma, c, c * n + d);
        ng_mat_set(r->trace, 0, d, sum);
    }
    TRY(mix(r->term[2], r->trace, r->gamma, 1, error));
    TRY(kappa_kappa(r, error)); /* now trace is that of kappa */
    /* R1 = -1/2 (tr kappa)_c F^cd kappa_dab = -(tr kappa)_c G^c_ab */
    return mix(r->term[0], r->trace, r->gamma, -1, error);
}

/* The terms and their sum into those of out that are asked for. */
static ng_status ricci_of(ricci *r, const ng_mat out[5], ng_error *error)
{
    size_t n = r->slabs.n, square = n * n;
    for (int i = 0; i < 5; i++)
        if (!ngi_is_none(out[i]))
            TRY(ngi_check_shape(out[i], "a view of result", n, n, NG_F64, error));
    TRY(take(&r->slabs, &r->kappa, n, square, error));
    TRY(take(&r->slabs, &r->gamma, n, square, error));
    TRY(take(&r->slabs, &r->trace, 1, n, error));
    for (int i = 0; i < 4; i++)
        TRY(take(&r->slabs, &r->term[i], n, n, error));
    TRY(fill_terms(r, error));
    for (int i = 0; i < 4; i++)
        if (!ngi_is_none(out[i]))
            TRY(ng_copy(out[i], r->term[i], error));
    for (size_t ab = 0; ab < square && !ngi_is_none(out[4]); ab++) {
        double sum = 0;
        for (int i = 0; i < 4; i++)
            sum += ng_mat_get(r->term[i], ab / n, ab % n);
        ng_mat_set(out[4], ab / n, ab % n, sum);
    }
    return NG_OK;
}

ng_status ng_curvature_ricci(const ng_ricci *result, ng_mat f, ng_cumulants_fill third, void *data,
                             ng_error *error)
{
    ricci r;
    size_t n = f.rows, square = ngi_size_mul(n, n);
    const size_t shapes[][2] = {{n, square}, {n, square}, {1, n}, {n, n}, {n, n}, {n, n}, {n, n}};
    if (result == NULL)
        return ng_error_set(error, NG_EARG, "result is NULL");
    const ng_mat out[5] = {result->trace_kappa, result->kappa_kappa, result->trace_gamma,
                           result->gamma_gamma, result->ricci};
    ng_status opened = ngi_slabs_open(&r.slabs, f, shapes, 7, third, data, error);
    return ngi_slabs_close(&r.slabs, opened != NG_OK ? opened : ricci_of(&r, out, error));
}
