/* The last layer at the optimum of its prior: Newton's method, which for these
 * likelihoods is the natural gradient's, with a line search. */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"

enum { STEPS = 100, HALVINGS = 40 };

typedef struct {
    ng_fisher *f; /* dense, of the last layer */
    ng_mat w, tried, gradient, step, dense;
    double value, decrement; /* of the objective; gradient^T (its Hessian)^-1 gradient */
} search;

static ng_status allocate(search *n, ng_mat w, ngi_heap *heap, ng_error *error)
{
    size_t size = w.rows * w.cols;
    n->w = w;
    TRY(ngi_heap_mat(heap, &n->tried, w.rows, w.cols, error));
    TRY(ngi_heap_mat(heap, &n->gradient, w.rows, w.cols, error));
    TRY(ngi_heap_mat(heap, &n->step, w.rows, w.cols, error));
    TRY(ngi_heap_mat(heap, &n->dense, size, size, error));
    return ng_fisher_create_dense(&n->f, size, NG_F64, error);
}

/* A dense matrix as a row of all its elements. */
static ng_mat flat(ng_mat m)
{
    return ng_f64(m.data, 1, m.rows * m.cols);
}

/* loss + tau s / 2 |w|^2: s times the negative logarithm of the posterior */
static double objective(const ng_laplace *l, double loss, ng_mat w)
{
    return loss + 0.5 * l->info.prior_precision * l->info.noise_variance * ng_dot(w, w);
}

/* Value, gradient, step at w. */
static ng_status look(search *n, const ng_laplace *l, const ngi_samples *s, ng_error *error)
{
    double loss, damping = l->info.prior_precision * l->info.noise_variance;
    TRY(ngi_head_pass(l, s, &loss, n->gradient, n->dense, n->w, error));
    n->value = objective(l, loss, n->w);
    TRY(ng_axpby(n->gradient, n->w, damping, 1, error));
    TRY(ng_fisher_set(n->f, n->dense, (double)s->count, error));
    TRY(ng_fisher_solve(n->f, flat(n->step), flat(n->gradient), damping, error));
    n->decrement = ng_dot(n->gradient, n->step);
    return NG_OK;
}

/* w <- w - t step with the first t = 1, 1/2, ... that lowers the objective enough.
 * *moved: there was one. */
static ng_status move(search *n, int *moved, const ng_laplace *l, const ngi_samples *s,
                      ng_error *error)
{
    double t = 1, loss;
    *moved = 0;
    for (int k = 0; k < HALVINGS && !*moved; k++, t /= 2) {
        TRY(ng_lincomb(n->tried, 1, n->w, -t, n->step, error));
        TRY(ngi_head_pass(l, s, &loss, ng_mat_none(), ng_mat_none(), n->tried, error));
        *moved = objective(l, loss, n->tried) <= n->value - 1e-4 * t * n->decrement;
    }
    return *moved ? ng_copy(n->w, n->tried, error) : NG_OK;
}

/* Until the decrement, twice what is left to gain, is rounding next to the value. */
static int converged(const search *n, double before)
{
    double size = 1 + fabs(n->value);
    return n->decrement <= 1e-20 * size ||
           (n->decrement <= 1e-10 * size && n->decrement > before / 4);
}

static ng_status descend(search *n, const ng_laplace *l, const ngi_samples *s, ng_error *error)
{
    double before = INFINITY;
    int moved = 1;
    for (int k = 0; k < STEPS && moved; k++) {
        TRY(look(n, l, s, error));
        if (converged(n, before))
            return NG_OK;
        before = n->decrement;
        if (before <= 1e-10 * (1 + fabs(n->value))) /* values can no longer tell */
            TRY(ng_axpby(n->w, n->step, -1, 1, error));
        else
            TRY(move(n, &moved, l, s, error));
    }
    return ng_error_set(error, NG_ENOCONV, "refit of the last layer: decrement %g at %g",
                        n->decrement, n->value);
}

static ng_status newton(search *n, const ng_laplace *l, const ngi_samples *s, ng_mat w,
                        ngi_heap *heap, ng_error *error)
{
    TRY(allocate(n, w, heap, error));
    return descend(n, l, s, error);
}

ng_status ngi_head_newton(const ng_laplace *l, const ngi_samples *s, ng_mat w, ng_error *error)
{
    ngi_heap heap = {NULL};
    search n = {.f = NULL};
    ng_status status = newton(&n, l, s, w, &heap, error);
    ng_fisher_destroy(n.f);
    return ngi_heap_close(&heap, status);
}
