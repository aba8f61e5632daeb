/* What the representations share: the object, the table, numerical helpers. */
#ifndef NGI_FISHER_H
#define NGI_FISHER_H

#include <natgrad/fisher.h>
#include <natgrad/work.h>

#include "lib/core/mat.h"
#include "lib/core/memory.h"
#include "lib/linalg/lower.h"

/* State <- keep state + add sum; the mean pair is for what is a mean over rows
 * whatever the batch's normalisation and number of samples. */
typedef struct {
    double keep, add, keep_mean, add_mean;
} ngi_fisher_rates;

/* Rows of a layer's statistics: g carries the roots of the weights, a (with its
 * column of ones) does not, a_weighted does. */
typedef struct {
    ng_mat a, a_weighted, g;
} ngi_fisher_layer;

/* One representation. The front has checked every argument (shapes, dtypes,
 * finiteness) and that there are data; NULL slots are NG_EUNSUPPORTED. A slot
 * that fails leaves the object unchanged. Scratch comes from the pool, which the
 * front closes. */
typedef struct {
    const char *name;
    void (*destroy)(ng_fisher *f); /* frees the state, not f; also half-built */
    /* (all optional) in the dtype of f; rows carry the roots of their weights */
    ng_status (*accumulate)(ng_fisher *f, ng_mat rows, const ngi_fisher_rates *r, ngi_pool *pool,
                            ng_error *error);
    ng_status (*layer)(ng_fisher *f, const ngi_fisher_layer *l, const ngi_fisher_rates *r,
                       ngi_pool *pool, ng_error *error);
    ng_status (*set)(ng_fisher *f, ng_mat dense, ngi_pool *pool,
                     ng_error *error); /* lower triangle */
    ng_status (*set_factors)(ng_fisher *f, ng_mat p, ng_mat q, ngi_pool *pool, ng_error *error);
    /* both triangles */
    ng_status (*get_factors)(ng_fisher *f, ng_mat p, ng_mat q, ngi_pool *pool, ng_error *error);
    ng_status (*mul)(ng_fisher *f, ng_mat y, ng_mat x, ngi_pool *pool, ng_error *error);
    /* a <- x F x^T in double, both triangles (optional: by mul) */
    ng_status (*forms)(ng_fisher *f, ng_mat a, ng_mat x, ngi_pool *pool, ng_error *error);
    /* both triangles */
    ng_status (*to_dense)(ng_fisher *f, ng_mat dense, ngi_pool *pool, ng_error *error);
    ng_status (*gram)(ng_fisher *f, ng_mat gram, ngi_pool *pool,
                      ng_error *error); /* lower triangle */
    size_t (*rows)(const ng_fisher *f); /* of the scores kept */
    /* (all optional) in double */
    ng_status (*solve)(ng_fisher *f, ng_mat y, ng_mat x, double damping, ngi_pool *pool,
                       ng_error *error);
    /* by a sketch of as many columns as there are rows */
    ng_status (*solve_sketched)(ng_fisher *f, ng_mat y, ng_mat x, double damping,
                                const ng_sketch *sketch, ngi_pool *pool, ng_error *error);
    ng_status (*power)(ng_fisher *f, ng_mat y, ng_mat x, double exponent, double damping,
                       ngi_pool *pool, ng_error *error);
    /* a with its ones; values of the dtype of f */
    ng_status (*inverse_layer)(ng_fisher *f, ng_mat values, ng_mat a, ng_mat g, double damping,
                               ngi_pool *pool, ng_error *error);
    ng_status (*trace)(ng_fisher *f, double *value, ngi_pool *pool, ng_error *error);
    ng_status (*logdet)(ng_fisher *f, double *value, double damping, ngi_pool *pool,
                        ng_error *error);
    /* vectors none: values alone; else they come as zeros */
    ng_status (*eigen)(ng_fisher *f, ng_mat values, ng_mat vectors, ngi_pool *pool,
                       ng_error *error);
} ngi_fisher_table;

/* First member of every representation. */
struct ng_fisher {
    const ngi_fisher_table *table;
    size_t n;
    ng_dtype dtype;
    size_t outputs, inputs; /* factored ones; inputs with the bias's column */
    int bias;
    int has_data;
    int normalisation;     /* of the first accumulation; -1 before */
    double weight;         /* decayed number of samples in F */
    double mass;           /* decayed sum of the weights of their rows */
    double bound, bound_q; /* no element of F (or of P), and of Q, is larger */
};

/* A zeroed object of size bytes. NG_ENOMEM, NG_EARG, NG_ESHAPE, NG_EDTYPE. */
ng_status ngi_fisher_new(ng_fisher **f, size_t size, const ngi_fisher_table *table, size_t n,
                         ng_dtype dtype, ng_error *error);

/* The end of a create function: an object that could not be built is destroyed
 * and *f NULL. Returns status. */
ng_status ngi_fisher_built(ng_fisher **f, ng_status status);

/* y <- (l + damping I)^-1 x for the rows of x, all in double; l (lower triangle)
 * holds numbers of the dtype and becomes a Cholesky factor. NG_ESINGULAR as
 * ng_fisher_solve says. */
ng_status ngi_solve_damped(ng_mat y, ng_mat x, ng_mat l, double damping, ng_dtype dtype,
                           ng_error *error);

/* w[i] <- (w[i] + damping)^exponent. tiny: what counts as 0 relative to the
 * largest when damping is 0. NG_ESINGULAR, NG_ERANGE. */
ng_status ngi_shifted_power(double *w, size_t n, double exponent, double damping, double tiny,
                            ng_error *error);

/* *value = sum of log(w[i] + damping), with the same errors. */
ng_status ngi_shifted_logdet(double *value, const double *w, size_t n, double damping, double tiny,
                             ng_error *error);

/* y <- x V^T diag(w) V for k rows; V (r x n) has orthonormal rows; t: k x r. */
ng_status ngi_apply_basis(ng_mat y, ng_mat x, ng_mat v, const double *w, ng_mat t, ng_error *error);

/* a <- x F x^T by the product. */
ng_status ngi_forms_by_product(ng_fisher *f, ng_mat a, ng_mat x, ngi_pool *pool, ng_error *error);

/* Indices that put w[0 .. n) into ascending order. NG_ENOMEM. */
ng_status ngi_ascending(size_t **order, const double *w, size_t n, ngi_pool *pool, ng_error *error);

/* with_ones <- a, with a column of ones behind it when f has a bias, of the pool then. */
ng_status ngi_with_ones(ng_mat *with_ones, const ng_fisher *f, ng_mat a, ngi_pool *pool,
                        ng_error *error);

/* What two representations and the block-diagonal one share. */
extern const ngi_fisher_table ngi_fisher_dense;

#endif
