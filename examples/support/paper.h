/* Short programs that check a paper against exact models: one command line, one table, a list of
 * stages with a bar, and what their stages need. Errors of the library and want of memory end the
 * program with a message and status 1; matrices and generators live until its end. */
#ifndef EXAMPLES_PAPER_H
#define EXAMPLES_PAPER_H

#include <natgrad-lab.h>

#include "examples/support/plot.h"
#include "examples/support/table.h"
#include "examples/support/target.h"

typedef struct paper paper;

struct paper {
    const char *name, *about;             /* the program's, and what its help says it does: lines */
    const char *header;                   /* of NAME.csv */
    const char *option;                   /* (optional) what --samples is called here */
    const char *counted;                  /* what it counts */
    size_t samples;                       /* <- --samples; the default stands here */
    size_t least, most;                   /* its bounds */
    size_t seed;                          /* <- --seed; the default stands here */
    void (*const *stages)(paper *p);      /* in order, ends with NULL; ^C stops between two */
    void (*draw)(FILE *script, paper *p); /* writes the script of NAME.svg */
    int width, height;                    /* of the picture */
    table rows;                           /* stages write here */
};

/* What main returns. */
int paper_main(paper *p, int argc, char **argv);

/* Ends the program unless the status is a success. */
void paper_must(ng_status status, const ng_error *error);

/* Zeros of NG_F64. */
ng_mat paper_mat(size_t rows, size_t cols);

/* Philox, `stream` of the seed of the program. */
const ng_random *paper_random(const paper *p, size_t stream);

/* x <- normal numbers */
void paper_normal(ng_mat x, const ng_random *random);

/* A mixture of K components, means K x d, covariances K d x d, the rest as of ng_mixture_create; or
 * all with the covariance `variance` I. */
ng_mixture *paper_laws(ng_mat means, ng_mat covariances, const double *weights, const int *labels);
ng_mixture *paper_mixture(ng_mat means, double variance, const double *weights, const int *labels);

/* ---- Numbers about samples: n x d, rows are points ---------------------------------- */

double paper_mean(ng_mat x, size_t column);
double paper_sd(ng_mat x, size_t column);

/* Kolmogorov and Smirnov's distance of column 0 from a distribution function; puts x in order. */
double paper_ks(ng_mat x, double (*cdf)(void *data, double x), void *data);

/* Wasserstein's distance W2 of two sets of as many points: on the line by order, else the
 * cheapest assignment, found exactly in n^3 steps. On the line both are put in order. */
double paper_w2(ng_mat x, ng_mat y);

#endif
