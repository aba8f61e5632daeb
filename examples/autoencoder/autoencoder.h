/* autoencoder: how many epochs and seconds each optimizer needs to reach the
 * loss AdamW has at the end, on the deep autoencoder that second-order methods
 * are traditionally measured with. The pieces: main.c (command line, order of
 * events), run.c (one training run), search.c (learning rates), report.c
 * (table, CSV, picture). */
#ifndef AUTOENCODER_H
#define AUTOENCODER_H

#include <stdio.h>

#include "examples/support/arguments.h"
#include "examples/support/progress.h"
#include "examples/support/training.h"

enum { MAX_EPOCHS = 1000, MAX_TRIALS = 16, PIXELS = 28 * 28 };

typedef struct {
    const char *data; /* "mnist", "digits" */
    methods methods;
    size_t samples; /* of the training set at most, 0 for all */
    int epochs, search_epochs;
    seed_list seeds;
    size_t batch, threads;
    const char *out;
} config;

typedef struct {
    double seconds, cpu; /* of training, evaluations not counted: on the wall, of the processor */
    double train_loss, held_out_loss; /* nats a picture */
} point;

typedef struct {
    const ng_preset *method;
    unsigned long seed;
    double lr;
    point points[MAX_EPOCHS + 1]; /* the first one before any step */
    int epochs;                   /* trained */
    int failed;                   /* left the numbers: why */
    char why[256];
} run;

/* What to train on and what to judge by. */
typedef struct {
    ng_dataset *train, *held_out;
} pictures;

/* Trains from scratch with the preset's options, its lr replaced, for at most
 * `epochs`, or until the training loss is at most `target`, or ^C. 0, or 1 after
 * reporting; a diverged run is no error. */
int run_train(run *r, const config *c, const pictures *p, int epochs, double target, progress *bar);

/* The learning rate of the lowest loss on the last eighth of the training set
 * after c->search_epochs epochs, found walking from the preset's by factors of
 * two: down as long as that helps, else up. Every trial prints a line. */
int search_lr(double *lr, const config *c, const ng_preset *method, const ng_dataset *train);

/* Table, CSV and picture of `count` runs. 0 or 1. */
int report_runs(const config *c, const pictures *p, const run *runs, size_t count, double target);

#endif
