/* What the files of natgrad-predict know of each other:
 *   main.c      the command line, and everything in its order
 *   open.c      the model, the data, and what the one says of the other
 *   report.c    predictions.csv, measures, the lines for machines
 *   confusion.c, calibration.c, scatter.c   a table and its picture each */
#ifndef EXAMPLES_PREDICT_H
#define EXAMPLES_PREDICT_H

#include <natgrad-train.h>

#include "examples/support/arguments.h"
#include "examples/support/plot.h"
#include "examples/support/table.h"

typedef struct {
    const char *model, *data, *out; /* of the command line */
    ng_dataset_options reading;
    size_t batch; /* samples at a time; 0: as the model was saved */
    int threads;
} config;

/* A model with its data and its answers. */
typedef struct {
    ng_model *model;
    ng_schema *schema;
    ng_dataset *data;
    size_t count;   /* samples predicted: all, or until ^C */
    int classes;    /* answers are probabilities of the schema's classes, */
    int values;     /* or values of its targets; else outputs without a name */
    int labelled;   /* the data say what is true */
    ng_mat answers; /* samples x outputs */
    int *labels;    /* samples, of classes */
    ng_mat truth;   /* samples x targets, in the units of the data, of values */
    double loss;    /* mean; NaN without labels */
} prediction;

/* Each returns 0 or the exit status after reporting. Close it in any case. */
int prediction_open(prediction *p, const config *c);
int prediction_make(prediction *p);
void prediction_close(prediction *p);

/* Everything that is written and printed. */
int report(const prediction *p, const config *c);

/* Their tables and pictures; *ece <- the calibration error. */
int confusion_leave(const prediction *p, const char *out);
int calibration_leave(const prediction *p, const char *out, double *ece);
int scatter_draw(const prediction *p, table *t);

/* text <- a name for people: without control characters, cut. */
enum { SHOWN = 25 };
const char *shown(char text[SHOWN], const char *name);

/* A cell of a table: quoted where it must be. */
void put_cell(FILE *to, const char *text);

#endif
