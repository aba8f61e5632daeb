/* What the files of natgrad-spectrum know of each other:
 *   main.c      the command line, and everything in its order
 *   layers.c    which tensors are layers, reading and measuring them, by threads
 *   report.c    the table, spectrum.csv, esd.csv, the last lines
 *   picture.c   spectrum.svg: alpha and gap by depth; esd.svg: tails and their fits */
#ifndef EXAMPLES_SPECTRUM_H
#define EXAMPLES_SPECTRUM_H

#include <natgrad-train.h>

#include "examples/support/arguments.h"
#include "examples/support/cell.h"
#include "examples/support/plot.h"
#include "examples/support/table.h"

typedef struct {
    const char *model, *out; /* of the command line */
    size_t least;            /* eigenvalues a layer must have */
    int plain;               /* no comparison with random order */
    int threads;
    seed_list seeds;
} config;

/* What became of a tensor. */
typedef enum {
    LAYER_MEASURED,
    LAYER_STATE,  /* of an optimizer, beside the weights in a file of natgrad */
    LAYER_VECTOR, /* less than two dimensions */
    LAYER_SMALL,  /* fewer eigenvalues than asked for */
    LAYER_OTHER,  /* its dtype is none of f64, f32, f16, bf16 */
    LAYER_BAD,    /* not finite, or its spectrum failed: `why` */
    LAYER_LEFT,   /* ^C came before */
    LAYER_KINDS
} layer_kind;

typedef struct {
    const ng_tensor *tensor;
    layer_kind kind;
    size_t rows, cols; /* the first size, the product of the others */
    double cost;       /* of its spectrum, in products */
    ng_esd esd;
    double *values; /* esd.m, ascending; owned */
    ng_status status;
    char why[200];
} layer;

typedef struct {
    ng_tensors *file;
    layer *layer; /* ascending by name, numbers in it as numbers: layer 2 before layer 10 */
    size_t count, measured;
    int incomplete; /* a layer failed for want of memory or of the file: not for what is in it */
} model;

/* Each returns 0 or the exit status after reporting. Close it in any case. */
int model_open(model *m, const config *c);
int model_measure(model *m, const config *c);
void model_close(model *m);

/* Everything that is written and printed. */
int report(const model *m, const config *c);
int picture_depth(const model *m, table *t);
int picture_esd(const model *m, table *t);

#endif
