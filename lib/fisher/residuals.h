/* Rows of residual derivatives: what the files of natgrad/residuals.h share, from below:
 * residuals.c, residuals_cg.c, residuals_solve.c. */
#ifndef NGI_RESIDUALS_H
#define NGI_RESIDUALS_H

#include <natgrad/residuals.h>

#include "lib/core/memory.h"

struct ng_residuals {
    size_t n, m;
    ng_residual_products products; /* times is NULL: the rows are in j */
    ng_mat j, r, s; /* of all the room there is: rows x n, 1 x rows, 1 x rows roots of weights */
    int centred;
    /* what ng_residuals_factor left; ready 0: nothing */
    int ready, dual;
    ng_residual_solving solving;
    double damping;
    ng_mat k;               /* p x p at the most so far: the lower factor */
    size_t room;            /* elements k has memory for */
    ng_mat basis, spectrum; /* of the sketch, k x p and 1 x k, in a block of their own */
};

static inline ng_mat ngi_residual_rows(const ng_residuals *r)
{
    return ng_mat_block(r->j, 0, 0, r->m, r->n);
}

static inline ng_mat ngi_residual_roots(const ng_residuals *r)
{
    return ng_mat_block(r->s, 0, 0, 1, r->m);
}

/* y (k x m) <- x J^T, x (k x n) <- y J: by the rows or the products, finite. */
ng_status ngi_residual_times(const ng_residuals *r, ng_mat y, ng_mat x, ng_error *error);
ng_status ngi_residual_transposed(const ng_residuals *r, ng_mat x, ng_mat y, ng_error *error);

/* Every row of y (k x m) times the roots of the weights; with centred rows free of s. */
void ngi_residual_weigh(const ng_residuals *r, ng_mat y);
void ngi_residual_project(const ng_residuals *r, ng_mat y);

/* x is 1 x n, y 1 x m. */
ng_status ngi_residual_check(const ng_residuals *r, ng_mat x, ng_mat y, ng_error *error);

/* Lower triangle of S J J^T S (m x m), of J^T C J (n x n). */
ng_status ngi_residual_dual(const ng_residuals *r, ng_mat k, ng_error *error);
ng_status ngi_residual_primal(const ng_residuals *r, ng_mat g, ng_error *error);

/* The sketch of the matrix that dual says; the solve z <- (A + damping I)^-1 b by conjugate
 * gradients, both 1 x p. */
ng_status ngi_residual_sketch(ng_residuals *r, ng_error *error);
ng_status ngi_residual_iterate(const ng_residuals *r, ng_mat z, ng_mat b, ngi_pool *pool,
                               ng_error *error);

#endif
