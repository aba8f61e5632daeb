/* What the files of Laplace's approximation share: the posterior, the samples it
 * is fitted to, the likelihoods, and scratch. */
#ifndef NGI_TRAIN_LAPLACE_H
#define NGI_TRAIN_LAPLACE_H

#include <natgrad/train/laplace.h>

/* ---- Scratch: heap.c ---------------------------------------------------------- */

/* Matrices of doubles, zero, that go together. {NULL} is an open one. */
typedef struct {
    void *top;
} ngi_heap;

ng_status ngi_heap_mat(ngi_heap *heap, ng_mat *mat, size_t rows, size_t cols, ng_error *error);

/* Frees everything. Returns status, the outcome of what it was for. */
ng_status ngi_heap_close(ngi_heap *heap, ng_status status);

/* ---- Likelihoods: likelihood.c ------------------------------------------------- */

/* For one row of k logits. */
typedef struct {
    int labels; /* else targets */
    int noise;  /* has a variance of its own */
    /* -log p up to a constant; d (k) <- its derivative. label or t */
    double (*loss)(size_t k, double *d, const double *z, int label, const double *t);
    /* p (k) <- the mean of what is predicted; p may be z */
    void (*mean)(size_t k, double *p, const double *z);
    /* p (k) <- its mean over logits N(z, c), c (k x k), about */
    void (*probit)(size_t k, double *p, const double *z, const double *c);
    /* r (k x k) <- rows whose outer products sum to the Fisher matrix, of the mean p */
    void (*root)(size_t k, double *r, const double *p);
} ngi_likelihood;

const ngi_likelihood *ngi_likelihood_of(const ng_model *model);

/* ---- The posterior --------------------------------------------------------------- */

typedef struct {
    ng_fisher *f; /* N F for s = 1 */
    size_t layer;
} ngi_block;

struct ng_laplace {
    ng_model *model;
    const ngi_likelihood *likelihood;
    ng_laplace_info info;
    size_t blocks;
    ngi_block *block;
    ng_mat covariance; /* last: Sigma; else none */
    ngi_heap memory;   /* of it */
};

/* A posterior without data: blocks of the structure with empty F. */
ng_status ngi_laplace_create(ng_laplace **laplace, ng_model *model, ng_laplace_structure structure,
                             ng_error *error);

/* A posterior that could not be built is destroyed and NULL. Returns status. */
ng_status ngi_laplace_built(ng_laplace **laplace, ng_status status);

/* covariance.c: once F, tau and s are there, what predictions need beside. */
ng_status ngi_laplace_finish(ng_laplace *l, ng_error *error);

/* sum of the squares of the weights of all blocks */
double ngi_laplace_norm(const ng_laplace *l);

/* ---- The samples ------------------------------------------------------------------ */

typedef struct {
    const ng_dataset *data;
    size_t count;
    ng_mat a;      /* count x c: inputs of the last layer, with the ones of its bias */
    int *labels;   /* or */
    ng_mat t;      /* count x outputs */
    size_t *index; /* of a batch */
    ngi_heap memory;
} ngi_samples;

ng_status ngi_samples_gather(ngi_samples *s, ng_laplace *l, const ng_dataset *data,
                             ng_error *error);
void ngi_samples_free(ngi_samples *s);

/* Samples first ... first + batch - 1 into the model's input, and forward. */
ng_status ngi_samples_forward(const ngi_samples *s, ng_model *model, size_t first, size_t batch,
                              ng_error *error);

/* ---- The last layer: head.c ---------------------------------------------------------- */

/* w (outputs x c) <- [W b] of the last layer, and back. */
ng_status ngi_head_read(const ng_model *model, ng_mat w, ng_error *error);
ng_status ngi_head_write(ng_model *model, ng_mat w, ng_error *error);

/* *loss <- the sum over the samples of the last layer with weights w; gradient
 * (as w) and fisher (n x n, both triangles) unless none. */
ng_status ngi_head_pass(const ng_laplace *l, const ngi_samples *s, double *loss, ng_mat gradient,
                        ng_mat fisher, ng_mat w, ng_error *error);

/* w <- the minimum of loss / s + tau/2 |w|^2, from w. */
ng_status ngi_head_newton(const ng_laplace *l, const ngi_samples *s, ng_mat w, ng_error *error);

/* ---- Fisher matrices: curvature.c ----------------------------------------------------- */

/* F of every block at the model's weights. */
ng_status ngi_laplace_curvature(ng_laplace *l, const ngi_samples *s, ng_error *error);

/* Layer's a (rows x in) and g (rows x out) in double. */
ng_status ngi_layer_widen(ng_mat *a, ng_mat *g, const ng_model_linear *layer, ngi_heap *heap,
                          ng_error *error);

/* ---- Predictions: covariance.c ------------------------------------------------------- */

/* covariance (batch x k^2, dense, zeros before) <- of the logits of the last forward pass. */
ng_status ngi_laplace_covariance(ng_mat covariance, ng_laplace *l, ngi_heap *heap, ng_error *error);

/* ---- Evidence: evidence.c ---------------------------------------------------------------- */

/* tau and s, where options leave them free, <- the maximum of the evidence; the numbers of
 * l->info that follow from them. loss: the sum over the samples. */
ng_status ngi_laplace_evidence(ng_laplace *l, const ng_laplace_options *options, double loss,
                               ng_error *error);

#endif
