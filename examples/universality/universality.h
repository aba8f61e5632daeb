/* What the parts of universality share. */
#ifndef EXAMPLES_UNIVERSALITY_H
#define EXAMPLES_UNIVERSALITY_H

#include <natgrad-train.h>

#include "examples/support/paper.h"

enum { CLASSES = 3, DIMENSION = 40, WIDEST = 80, TESTED = 60000, DRAWS = 10 };

/* Samples of class c are x = tanh(W_c z + b_c), z from N(0, I); beside them stands the mixture of
 * normal laws with the same mean and covariance of every class. Sample i is of class i % CLASSES.
 */
typedef struct {
    size_t d, latent;  /* numbers of x, of z */
    ng_mat w[CLASSES]; /* d x latent, from N(0, 1 / latent) */
    ng_mat b;     /* CLASSES x d, from N(0, 0.125^2 40 / d): classes as far apart for every d */
    ng_mat means; /* CLASSES x d */
    ng_mat covariances; /* CLASSES d x d */
    const ng_mixture *matched;
} classes;

typedef enum { MAPPED = 0, NORMAL = 1 } law;

/* p->samples are tested of each setting, by ten draws of the classes or, if they are fewer, one for
 * ten thousand: how many draws, and how many samples of each, a multiple of CLASSES. */
size_t bed_draws(const paper *p);
size_t bed_tested(const paper *p);

/* The moments are exact to 1e-8: sums over a grid. */
void bed_make(classes *bed, const paper *p, size_t d, size_t latent, size_t stream);

/* Rows of x (n x d, n a multiple of CLASSES) <- samples. */
void bed_sample(const classes *bed, ng_mat x, law kind, const ng_random *random);

/* The rows of one class. */
ng_mat bed_class(ng_mat x, size_t c);

/* *data <- the rows with their classes, copied. */
void bed_dataset(ng_dataset **data, ng_mat x);

/* A softmax regression of x by SGD: batches of 50, the rate falling from 0.5 to 0 in 20 passes. */
ng_model *bed_train(ng_mat x, size_t seed);

/* The share of the samples of which the model says another class. */
double bed_error(ng_model *model, const ng_dataset *data);

/* The Fisher matrix of the model, E[(diag(p) - p p^T) (x) x x^T], at samples x. */
ng_mat bed_fisher(ng_model *model, ng_mat x);

/* The first stage: what must hold. */
void checks(paper *p);

#endif
