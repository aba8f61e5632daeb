/* What the files of natgrad-predict know of each other:
 *   main.c      the command line, and everything in its order
 *   open.c      the model, the data, and what the one says of the other
 *   bars.c      the same with the uncertainty of the weights (--uncertainty)
 *   report.c    predictions.csv, measures, the lines for machines
 *   confusion.c, calibration.c, scatter.c   a table and its picture each */
#ifndef EXAMPLES_PREDICT_H
#define EXAMPLES_PREDICT_H

#include <natgrad-train.h>

#include "examples/support/arguments.h"
#include "examples/support/cell.h"
#include "examples/support/plot.h"
#include "examples/support/table.h"

typedef struct {
    const char *model, *data, *out; /* of the command line */
    ng_dataset_options reading;
    const char
        *uncertainty; /* what to fit it to, "" the one in the model's file; NULL: not asked */
    const char *save; /* where model and uncertainty go, or NULL */
    size_t batch;     /* samples at a time; 0: as the model was saved */
    int threads;
} config;

/* A model with its data and its answers. */
typedef struct {
    ng_model *model;
    ng_schema *schema;
    ng_dataset *data;
    size_t count;      /* samples predicted: all, or until ^C */
    int classes;       /* answers are probabilities of the schema's classes, */
    int values;        /* or values of its targets; else outputs without a name */
    int labelled;      /* the data say what is true */
    ng_mat answers;    /* samples x outputs */
    int *labels;       /* samples, of classes */
    ng_mat truth;      /* samples x targets, in the units of the data, of values */
    double loss;       /* mean; NaN without labels */
    ng_tensors *file;  /* the model's, */
    ng_laplace *bars;  /* and the posterior of its weights, if --uncertainty */
    ng_mat deviations; /* of values: samples x targets, in their units */
} prediction;

/* Each returns 0 or the exit status after reporting. Close it in any case. */
int prediction_open(prediction *p, const config *c);
int prediction_make(prediction *p);
void prediction_close(prediction *p);

/* DATA by the model's schema. */
int data_open(ng_dataset **data, const prediction *p, const config *c, const char *name);

/* The posterior is found or fitted, and saved if asked; answers and deviations of a batch;
 * the same in the units of the data, with their loss; the words about them. */
int bars_open(prediction *p, const config *c);
ng_status bars_predict(prediction *p, const size_t *index, size_t batch, ng_error *error);
void bars_finish(prediction *p);
void bars_report(const prediction *p, char *line, size_t size);

/* Everything that is written and printed. */
int report(const prediction *p, const config *c);

/* Their tables and pictures; *ece <- the calibration error. */
int confusion_leave(const prediction *p, const char *out);
int calibration_leave(const prediction *p, const char *out, double *ece);
int scatter_draw(const prediction *p, table *t);

#endif
