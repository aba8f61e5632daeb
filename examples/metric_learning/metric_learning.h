/* Two modalities of normal patches and anomalies that leave along directions of little variance. */
#ifndef EXAMPLES_METRIC_LEARNING_H
#define EXAMPLES_METRIC_LEARNING_H

#include "examples/support/fieldnet.h"
#include "examples/support/paper.h"

/* Each modality: N(0, R diag(WIDE^2 x LOOSE, NARROW^2 x TIGHT) R^T). An anomaly is displaced by
 * SHIFT narrow standard deviations in a uniform direction of the tight space of one modality,
 * either as likely. */
enum { MODALITIES = 2, LOOSE = 3, TIGHT = 3, D = LOOSE + TIGHT, BANK = 300, NEAREST = 5 };
#define NARROW 0.15
#define SHIFT 4.0

typedef struct {
    ng_mat rotation[MODALITIES]; /* D x D; rows: directions, the tight ones last */
    ng_mat bank[MODALITIES];     /* BANK x D: normal patches */
    double typical[MODALITIES];  /* mean distance of a normal patch to its nearest anchor */
} bed;

void bed_make(bed *b, const ng_random *random);

/* x[m] (n x D each) <- patches */
void bed_patches(const bed *b, ng_mat x[MODALITIES], int anomalous, const ng_random *random);

/* Coordinates of a patch along the directions, each over its standard deviation: its Fisher length
 * is theirs, since the Fisher matrix of the location is the inverse covariance. */
void bed_white(const bed *b, double white[D], const double *x, int modality);

/* ---- bayes.c: areas under the curve of detection, by quadrature
 * ------------------------------------ */

double area_of_likelihood(void);
double area_of_fisher_length(void);

/* the logarithm of the likelihood ratio, from the squared lengths in both tight spaces */
double log_ratio(const double square[MODALITIES]);

/* P(score of an anomaly > score of a normal patch), ties half; puts both in order */
double area(double *anomalous, double *normal, size_t n);

#endif
