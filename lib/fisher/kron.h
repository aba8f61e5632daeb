/* What K-FAC and EKFAC share: an m x c matrix's parameters in the product of
 * two orthonormal bases. */
#ifndef NGI_FISHER_KRON_H
#define NGI_FISHER_KRON_H

#include "lib/fisher/fisher.h"

/* F = (u (x) v)^T diag(w) (u (x) v), all in double: u m x m, v c x c with
 * eigenvectors as rows, w m x c. */
typedef struct {
    ng_mat u, v, w;
} ngi_kron_basis;

typedef struct {
    ng_fisher base;
    ng_mat p, q; /* the factors, lower triangles */
    ngi_kron_basis basis;
    int fresh;              /* kron: the basis belongs to the factors */
    size_t refresh, counts; /* EKFAC: renewed when counts % refresh is 0 */
} ngi_fisher_factored;

/* An object with zero factors. */
ng_status ngi_kron_new(ng_fisher **f, const ngi_fisher_table *table, size_t outputs, size_t inputs,
                       int bias, ng_dtype dtype, ng_error *error);
void ngi_kron_destroy(ng_fisher *f);

ng_status ngi_kron_basis_new(ngi_kron_basis *b, size_t m, size_t c, ng_error *error);
void ngi_kron_basis_free(ngi_kron_basis *b);

/* The eigenbases of p and q and, in w, the products of their eigenvalues
 * (negative ones, which are rounding, as 0). b is allocated by the caller. */
ng_status ngi_kron_diagonalise(ngi_kron_basis *b, ng_mat p, ng_mat q, ngi_pool *pool,
                               ng_error *error);

/* The slot of that name. */
ng_status ngi_kron_get_factors(ng_fisher *f, ng_mat p, ng_mat q, ngi_pool *pool, ng_error *error);

/* What counts as zero relative to the largest eigenvalue. */
double ngi_kron_tiny(const ng_fisher *f);

/* Operations in a basis, in double. */
ng_status ngi_kron_power(const ngi_kron_basis *b, ng_mat y, ng_mat x, double exponent,
                         double damping, double tiny, ngi_pool *pool, ng_error *error);
ng_status ngi_kron_inverse_layer(const ngi_kron_basis *b, ng_mat values, ng_mat a, ng_mat g,
                                 double damping, double tiny, ngi_pool *pool, ng_error *error);
ng_status ngi_kron_eigen(const ngi_kron_basis *b, ng_mat values, ng_mat vectors, ngi_pool *pool,
                         ng_error *error);

#endif
