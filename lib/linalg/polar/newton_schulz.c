/* Newton-Schulz: X <- a X + b A X + c A^2 X with A = X X^T (or X^T X on the
 * right). A and A^2 are symmetric, so two of the three products are SYRKs. */
#include "lib/linalg/polar/routes.h"

#include <math.h>

#include "lib/core/size.h"
#include "lib/core/try.h"

/* 1 / what the iteration divides by at first: ||X||_F, with the safety factor of polar_express,
 * and with Muon's 1e-7 in the caller's unit. That is a guard against 0/0, which does not come
 * here, and would make small gradients stand still: below a norm of 0.01 it shrinks with it. */
static double start_scale(ng_mat x, double unit, const ng_polar_options *options)
{
    double safety = options->iteration == NG_ITERATION_POLAR_EXPRESS ? 1.01 : 1;
    double norm = ng_norm(x), guard = options->iteration == NG_ITERATION_MUON ? 1e-7 : 0;
    return 1 / (safety * norm + fmin(guard / unit, 100 * guard * norm));
}

static void swap(ng_mat *a, ng_mat *b)
{
    ng_mat t = *a;
    *a = *b;
    *b = t;
}

/* ---- On X itself -------------------------------------------------------------- */

size_t ngi_polar_newton_schulz_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    return ngi_size_add(ngi_size_mul(2, ng_work_mat_size(k, k, dtype)),
                        ng_work_mat_size(m, n, dtype));
}

/* square <- b A + c A^2, lower triangle, for the symmetric A (both triangles) */
static ng_status even_part(ng_mat square, ng_mat gram, const double p[3], ng_error *error)
{
    TRY(ng_syrk(square, gram, NG_NOTRANS, p[2], 0, error));
    return ng_axpby(square, gram, p[1], 1, error);
}

/* next <- p(x) for the odd quintic p with coefficients (a, b, c) */
static ng_status quintic(ng_mat next, ng_mat x, const double p[3], ng_mat gram, ng_mat square,
                         ng_error *error)
{
    TRY(ngi_polar_gram_matrix(gram, x, error));
    ng_mirror(gram);
    ng_fill(square, 0); /* its upper triangle is added to below and must hold numbers */
    TRY(even_part(square, gram, p, error));
    TRY(ng_copy(next, x, error));
    return ng_symm(next, ngi_polar_side(x.rows, x.cols), square, x, 1, p[0], error);
}

ng_status ngi_polar_newton_schulz(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                                  const ng_polar_options *options, ng_work *work, ng_error *error)
{
    size_t k = ngi_smaller(x.rows, x.cols), mark = work->used;
    double p[NGI_POLAR_MAX_STEPS][3];
    int steps = ngi_polar_steps(options);
    ng_mat gram, square, other;
    TRY(ng_polar_coefficients(p, options->iteration, steps, options->lower_bound, error));
    TRY(ng_work_mat(work, &gram, k, k, x.dtype, error));
    TRY(ng_work_mat(work, &square, k, k, x.dtype, error));
    TRY(ng_work_mat(work, &other, x.rows, x.cols, x.dtype, error));
    /* the last step must write u */
    ng_mat from = steps % 2 == 1 ? other : u, to = steps % 2 == 1 ? u : other;
    TRY(ng_axpby(from, x, start_scale(x, unit, options), 0, error));
    for (int step = 0; step < steps; step++) {
        TRY(quintic(to, from, p[step], gram, square, error));
        swap(&from, &to);
    }
    info->route = "newton-schulz";
    info->rank = k;
    info->condition = NAN;
    work->used = mark;
    return NG_OK;
}

/* ---- On the Gram matrix ---------------------------------------------------------- */

/* Every product is of commuting symmetric matrices: W = a I + b R + c R^2 applied to Q (which
 * collects the factors) and twice to R. Rounding makes R indefinite after a few steps and the
 * polynomials grow there, hence the restarts: X <- Q X, R anew. */
enum { RESTART = 2, BLOCKS = 4 };

size_t ngi_polar_gram_newton_schulz_work(size_t m, size_t n, ng_dtype dtype)
{
    size_t k = ngi_smaller(m, n);
    return ngi_size_add(ngi_size_mul(4, ng_work_mat_size(k, k, dtype)),
                        ng_work_mat_size(m, n, dtype));
}

/* c <- a b where the product is known to be symmetric: only block rows up to the diagonal, which
 * is (BLOCKS + 1) / (2 BLOCKS) of a gemm; then mirrored. */
static ng_status symmetric_product(ng_mat c, ng_mat a, ng_mat b, ng_error *error)
{
    size_t n = c.rows, step = n / BLOCKS + 1;
    for (size_t i = 0; i < n; i += step) {
        size_t rows = n - i < step ? n - i : step;
        TRY(ng_gemm(ng_mat_block(c, i, 0, rows, i + rows), ng_mat_block(a, i, 0, rows, n),
                    NG_NOTRANS, ng_mat_block(b, 0, 0, n, i + rows), NG_NOTRANS, 1, 0, error));
    }
    ng_mirror(c);
    return NG_OK;
}

typedef struct {
    ng_mat r, w, q, scratch; /* k x k */
} gram_state;

static ng_status take(gram_state *s, size_t k, ng_dtype dtype, ng_work *work, ng_error *error)
{
    ng_mat *parts[4] = {&s->r, &s->w, &s->q, &s->scratch};
    for (int i = 0; i < 4; i++)
        TRY(ng_work_mat(work, parts[i], k, k, dtype, error));
    return NG_OK;
}

/* One quintic: q <- w q (q <- w on the first), and r <- w r w unless it is not needed again. */
static ng_status gram_step(gram_state *s, const double p[3], int first, int last, ng_error *error)
{
    ng_fill(s->w, 0);
    TRY(even_part(s->w, s->r, p, error));
    ng_add_diagonal(s->w, p[0]);
    ng_mirror(s->w);
    if (first)
        TRY(ng_copy(s->q, s->w, error));
    else {
        TRY(symmetric_product(s->scratch, s->w, s->q, error));
        swap(&s->scratch, &s->q);
    }
    if (last)
        return NG_OK;
    TRY(symmetric_product(s->scratch, s->w, s->r, error));
    return symmetric_product(s->r, s->scratch, s->w, error);
}

ng_status ngi_polar_gram_newton_schulz(ng_mat u, ng_polar_info *info, ng_mat x, double unit,
                                       const ng_polar_options *options, ng_work *work,
                                       ng_error *error)
{
    size_t k = ngi_smaller(x.rows, x.cols), mark = work->used;
    ng_side side = ngi_polar_side(x.rows, x.cols);
    double p[NGI_POLAR_MAX_STEPS][3];
    int steps = ngi_polar_steps(options);
    gram_state s;
    ng_mat from;
    TRY(ng_polar_coefficients(p, options->iteration, steps, options->lower_bound, error));
    TRY(take(&s, k, x.dtype, work, error));
    TRY(ng_work_mat(work, &from, x.rows, x.cols, x.dtype, error));
    TRY(ng_axpby(from, x, start_scale(x, unit, options), 0, error));
    for (int step = 0; step < steps; step++) {
        int first = step % RESTART == 0, last = step + 1 == steps || (step + 1) % RESTART == 0;
        if (first) {
            TRY(ngi_polar_gram_matrix(s.r, from, error));
            ng_mirror(s.r);
        }
        TRY(gram_step(&s, p[step], first, last, error));
        if (last)
            TRY(ng_symm(u, side, s.q, from, 1, 0, error));
        if (last && step + 1 < steps)
            TRY(ng_copy(from, u, error));
    }
    info->route = "gram newton-schulz";
    info->rank = k;
    info->condition = NAN;
    work->used = mark;
    return NG_OK;
}
