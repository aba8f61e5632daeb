#include "lib/linalg/polar/fractions.h"

#include <math.h>
#include <pthread.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/polar/routes.h"
#include "lib/linalg/sweep.h"

/* Singular values of X from 3e-3 of the largest on are eigenvalues of its Gram matrix from 9e-6 on;
 * the bound may be 1.4 too large. */
static const double part = 6e-6;
enum {
    TERMS = 6, /* error 1.3e-3 there */
    FEWER = 5  /* and a constant: 2.6e-3 */
};

/* ---- The coefficients ----------------------------------------------------------------- */

/* The arithmetic-geometric mean of 1 and b, its steps left in a and c. */
static int agm(double *a, double *c, double b)
{
    int n = 0;
    a[0] = 1;
    c[0] = sqrt((1 - b) * (1 + b));
    while (n < 15 && c[n] > 1e-17 * a[n]) {
        a[n + 1] = (a[n] + b) / 2;
        c[n + 1] = (a[n] - b) / 2;
        b = sqrt(a[n] * b);
        n++;
    }
    return n;
}

/* The amplitude phi of u for parameter 1 - l, by Landen's transformation (Abramowitz &
 * Stegun 16.4); l = b^2. */
static double amplitude(double u, const double *a, const double *c, int n)
{
    double phi = ldexp(a[n] * u, n);
    for (; n > 0; n--)
        phi = (phi + asin(c[n] / a[n] * sin(phi))) / 2;
    return phi;
}

void ngi_fractions(double *t, double *w, double *constant, int terms, double l)
{
    const double half_pi = acos(0.0);
    double a[16], c[16], steps = constant != NULL ? terms + 0.5 : terms;
    int n = agm(a, c, sqrt(l));
    double quarter = half_pi / a[n]; /* K(1 - l) */
    if (constant != NULL)
        *constant = quarter / (2 * half_pi * steps);
    for (int j = 0; j < terms; j++) {
        double phi = amplitude((j + 0.5) / steps * quarter, a, c, n);
        double sn = sin(phi), cn = cos(phi), dn = sqrt(cn * cn + l * sn * sn);
        t[j] = l * sn * sn / (cn * cn);
        w[j] = sqrt(l) * quarter * dn / (half_pi * steps * cn * cn);
    }
}

/* ---- The root ------------------------------------------------------------------------------ */

/* Found once: for a small matrix they would cost a tenth of its step. */
typedef struct {
    double t[NGI_FRACTIONS_MOST], w[NGI_FRACTIONS_MOST], constant;
    int terms;
} coefficients;

static coefficients of_few = {.terms = NGI_FRACTIONS_MOST}, of_many = {.terms = TERMS},
                    of_fewer = {.terms = FEWER};
static pthread_once_t known = PTHREAD_ONCE_INIT;

static void find(void)
{
    ngi_fractions(of_few.t, of_few.w, NULL, of_few.terms, part);
    ngi_fractions(of_many.t, of_many.w, NULL, of_many.terms, part);
    ngi_fractions(of_fewer.t, of_fewer.w, &of_fewer.constant, of_fewer.terms, part);
}

/* For n rows: where there is a P the constant would take its inverse. */
static const coefficients *choose(size_t n, int with_p)
{
    pthread_once(&known, find);
    return n <= NGI_FEW ? &of_few : with_p ? &of_many : &of_fewer;
}

size_t ngi_inverse_root_work(size_t n, ng_dtype dtype)
{
    return ngi_shifted_inverses_work(n, dtype);
}

ng_status ngi_inverse_root(ng_mat k, ng_mat a, ng_mat p, double bound, ng_work *work,
                           ng_error *error)
{
    double t[NGI_FRACTIONS_MOST], w[NGI_FRACTIONS_MOST], root = sqrt(bound);
    const coefficients *c = choose(a.rows, p.data != NULL);
    for (int j = 0; j < c->terms; j++) {
        t[j] = c->t[j] * bound;
        w[j] = c->w[j] * root;
    }
    ng_status status = ngi_shifted_inverses(k, a, p, t, w, (size_t)c->terms, work, error);
    if (c->constant > 0)
        ng_add_diagonal(k, c->constant / root);
    return status == NG_ESINGULAR ? NG_ENOCONV : status;
}

size_t ngi_inverse_root_info_work(size_t n, ng_dtype dtype)
{
    return ngi_size_mul(3, ng_work_mat_size(n, n, dtype));
}

/* The eigenvalues of E = p k a k are those of U U^T; of a function of them the trace counts. */
ng_status ngi_inverse_root_info(ng_polar_info *info, ng_mat k, ng_mat a, ng_mat p, ng_work *work,
                                ng_error *error)
{
    size_t n = k.rows, mark = work->used;
    ng_mat b, c, e;
    TRY(ng_work_mat(work, &b, n, n, k.dtype, error));
    TRY(ng_work_mat(work, &c, n, n, k.dtype, error));
    TRY(ng_work_mat(work, &e, n, n, k.dtype, error));
    TRY(ng_symm(b, NG_LEFT, a, k, 1, 0, error));
    TRY(ng_gemm(e, k, NG_NOTRANS, b, NG_NOTRANS, 1, 0, error));
    if (p.data != NULL) {
        TRY(ng_copy(b, e, error));
        TRY(ng_symm(e, NG_LEFT, p, b, 1, 0, error));
    }
    double trace = ng_trace(e);
    info->rank = trace > 0 ? (size_t)lround(trace) : 0;
    info->condition = NAN;
    TRY(ng_transpose(c, e, error));
    TRY(ng_copy(b, e, error));
    ng_add_diagonal(b, -1);
    if (info->rank < n) /* e (e - I)^2 */
        TRY(ng_gemm(e, b, NG_NOTRANS, b, NG_NOTRANS, 1, 0, error));
    else { /* (e - I)^2 */
        TRY(ng_copy(e, b, error));
        ng_add_diagonal(c, -1);
    }
    double square = ng_dot(c, e);
    info->orthogonality_error = info->rank > 0 ? sqrt(fmax(0, square) / (double)info->rank) : 0;
    work->used = mark;
    return NG_OK;
}

size_t ngi_largest_eigenvalue_work(size_t n, ng_dtype dtype)
{
    return ngi_size_mul(2, ng_work_mat_size(n, 1, dtype));
}

static double ratio(ng_mat a, ng_mat p, size_t i)
{
    return ng_mat_get(a, i, i) / (p.data != NULL ? ng_mat_get(p, i, i) : 1);
}

/* z <- P^-1 y; the length of z in the norm of P, where y = P z */
static ng_status solved(double *length, ng_mat z, ng_mat y, ngi_solve *solve, void *data,
                        ng_work *work, ng_error *error)
{
    TRY(solve != NULL ? solve(data, z, y, work, error) : ng_copy(z, y, error));
    *length = sqrt(fmax(0, ng_dot(z, y)));
    return NG_OK;
}

/* With P = S S^T these are power steps of S^-1 A S^-T: its vector S^T z has the length of z in the
 * norm of P. */
ng_status ngi_largest_eigenvalue(double *bound, ng_mat a, ng_mat p, ngi_solve *solve, void *data,
                                 ng_work *work, ng_error *error)
{
    enum { STEPS = 3 };
    const double margin = 1.2;
    size_t n = a.rows, first = 0, mark = work->used;
    ng_mat y, z;
    TRY(ng_work_mat(work, &y, n, 1, a.dtype, error));
    TRY(ng_work_mat(work, &z, n, 1, a.dtype, error));
    for (size_t i = 1; i < n; i++)
        if (ratio(a, p, i) > ratio(a, p, first))
            first = i;
    double growth = ratio(a, p, first), length = p.data != NULL ? ng_mat_get(p, first, first) : 1;
    TRY(ng_copy(y, ng_mat_block(a, 0, first, n, 1), error));
    ng_scale(y, growth > 0 ? 1 / sqrt(length) : 0);
    for (int step = 0; step <= STEPS && growth > 0; step++) {
        if (step > 0)
            TRY(ng_gemm(y, a, NG_NOTRANS, z, NG_NOTRANS, 1 / length, 0, error));
        TRY(solved(&length, z, y, p.data != NULL ? solve : NULL, data, work, error));
        growth = fmax(growth, length);
        if (!(length > 0))
            break;
    }
    *bound = margin * growth;
    if (p.data == NULL && growth > 0) { /* sum l^2 / sum l <= largest l <= (sum l^2)^(1/2) */
        double norm = ng_norm(a);
        *bound = fmin(fmax(*bound, margin * norm * (norm / ng_trace(a))), norm);
    }
    work->used = mark;
    return NG_OK;
}

/* ---- The route of ng_polar --------------------------------------------------------------- */

size_t ngi_polar_gram_fractions_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n), root = ngi_inverse_root_work(k, dtype);
    size_t power = ngi_largest_eigenvalue_work(k, dtype);
    return ngi_size_add(ngi_size_mul(2, ng_work_mat_size(k, k, dtype)),
                        root > power ? root : power);
}

ng_status ngi_polar_gram_fractions(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                                   const ng_polar_options *options, ng_work *work, ng_error *error)
{
    size_t k = ngi_smaller(x.rows, x.cols);
    ng_mat gram, root, identity = {.dtype = x.dtype};
    double bound;
    (void)unit, (void)options;
    TRY(ng_work_mat(work, &gram, k, k, x.dtype, error));
    TRY(ng_work_mat(work, &root, k, k, x.dtype, error));
    TRY(ngi_polar_gram_matrix(gram, x, error));
    ng_mirror(gram);
    TRY(ngi_largest_eigenvalue(&bound, gram, identity, NULL, NULL, work, error));
    TRY(ngi_inverse_root(root, gram, identity, bound, work, error));
    TRY(ng_symm(u, ngi_polar_side(x.rows, x.cols), root, x, 1, 0, error));
    info->route = "gram fractions";
    info->rank = 0; /* known only from U */
    info->condition = NAN;
    return NG_OK;
}
