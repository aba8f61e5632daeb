/* What the parts of ska share. */
#ifndef EXAMPLES_SKA_H
#define EXAMPLES_SKA_H

#include <natgrad-train.h>

#include "examples/support/paper.h"

enum { LAYERS = 4, MOST = 501 };

extern const size_t ska_widths[LAYERS]; /* 256, 128, 64, 10 */

/* Of one layer at one forward pass; sums over samples and neurons. D = sigmoid(z), dD and dz are
 * what it and z have moved by since the pass before. */
typedef struct {
    double h;         /* -sum z dD / ln 2 */
    double middle;    /* the same with z half way */
    double net;       /* sum dz (D - z D' / ln 2), D' = D (1 - D): as the authors compute it */
    double net_other; /* sum dz (D + z D' / ln 2): as they write it */
    double flow;      /* |dz| / eta */
    double cosine;    /* of z and dD */
    double action;    /* -sum z D' dz */
    double norm;      /* |z| */
    double entropy;   /* sum of the Shannon entropy of D, in bits */
    double softplus;  /* sum log(1 + exp z) */
} pass;

typedef pass record[LAYERS][MOST];

typedef struct {
    ng_mat w, b;   /* in x out, 1 x out */
    ng_mat z, d;   /* samples x out */
    ng_mat z0, d0; /* of the pass before */
    ng_mat g;      /* what the entropy asks z to go against, samples x out */
} dense;

/* All layers sigmoid; x: samples x in, borrowed. */
typedef struct {
    ng_mat x;
    dense layers[LAYERS];
} network;

void net_make(network *net, ng_mat x);

/* Forward passes from weights of N(0, 0.01^2) and no biases, a step of length eta after each but
 * the first: W <- W - eta a^T g / samples, g = -(z D' + dD) / ln 2, where a is the input, or D of
 * the layer before at the pass before. */
void net_run(record r, network *net, double eta, size_t passes, const ng_random *start);

/* `count` digits of 28 x 28 grey values in [0, 1], from all parts of MNIST if it is where
 * $NATGRAD_DATA says (images.h), else drawn; *mnist <- which. */
ng_mat ska_images(const paper *p, size_t count, int *mnist);

/* Where r has the least h, from 1. */
size_t ska_least(const pass *r, size_t passes);

/* A row of the table a pass: "run,eta,layer,k,time,h,net,net_other,norm", h and net in bits a
 * neuron and sample and unit of time. */
void ska_rows(const paper *p, record r, const char *run, double eta, size_t passes);

/* Of ten starts. */
typedef struct {
    size_t stream;          /* of the random numbers of the one nearest to the mean */
    double depth_sd;        /* of the least h / eta of layer 2, per 1000 images */
    double bits_sd[LAYERS]; /* of the sum of h, a neuron and image */
} ska_spread;

extern ska_spread ska_starts;

/* Stages: one start at several steps, same time, and what holds along the paths; and what holds
 * of the formulas themselves. */
void steps(paper *p);
void formulas(paper *p);

/* Of the paper: the images, which stages share, and whether they are MNIST's. */
ng_mat ska_all(const paper *p, int *mnist);

#endif
