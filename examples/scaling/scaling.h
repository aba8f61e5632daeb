/* What the files of the scaling program share: what a step of the optimizer costs on many ranks. */
#ifndef EXAMPLES_SCALING_H
#define EXAMPLES_SCALING_H

#include <stddef.h>

#include <natgrad.h>

#include "examples/support/table.h"

enum { MAX_MATRICES = 640, MAX_RANKS = 1024, STEPS_OF_RANKS = 11, WAYS = 3 };

/* Muon for the matrices within, AdamW for embeddings and vectors, weights and gradients in f32. */
typedef struct {
    size_t rows, cols;
    int elementwise;
} matrix;

typedef struct {
    const char *name, *title;
    size_t layers, width, inner, words, context; /* inner: of the MLP */
    int gated; /* RMSNorm, a gated MLP, q, k and v apart, no bias, an output apart: as Llama */
    matrix list[MAX_MATRICES];
    size_t count;
    double weights;
} model;

extern model models[]; /* ends with a NULL name */

/* Fills list, count, weights. */
void model_fill(model *m);

/* Seconds: alpha a message, beta a byte; of muon m <= n: cubic m^3 + square m^2 n; of an element
 * of AdamW. */
typedef struct {
    double alpha, beta;
    double cubic, square, element;
} constants;

double step_seconds(const constants *c, const matrix *m);

/* Who makes the step of a matrix: ng_mpi_sharing. */
typedef struct {
    const char *name;
    double share; /* of the cost, for the cheapest matrices: what every rank does itself */
} way;
extern const way ways[WAYS];

/* One model, way and number of ranks; of the rank that has most. */
typedef struct {
    size_t ranks, divided; /* matrices that have an owner */
    double step, weights;  /* seconds: steps of its own, and exchange of the weights */
    double gradients;      /* seconds: their sum over ranks */
    double sent;           /* bytes a rank receives, weights and gradients */
    double held;           /* bytes of the optimizer */
    double memory;         /* bytes: weights, gradients, state, scratch, buffer */
    double imbalance;      /* most work of a rank over the lower bound of any assignment */
} plan;

/* 0, or 1 after reporting. */
int plan_make(plan *p, const constants *c, const model *m, const way *w, size_t ranks);

/* ---- Measured on the ranks of MPI_COMM_WORLD (measure_mpi.c): calls of all ---- */

/* What is not 0 already is left alone. 0, or 1 after reporting. */
int measure_constants(constants *c, size_t width);

/* Steps of two blocks of a transformer of that width: seconds, and bytes of the optimizer of the
 * rank that has most. */
typedef struct {
    double seconds, bytes;
} measured;
int measure_steps(measured *alone, measured *together, size_t width);

/* The model of those blocks. */
void block_model(model *m, size_t width);

/* ---- DIR/scaling.csv and its picture ---- */

int report_tables(const char *out, const constants *c);

#endif
