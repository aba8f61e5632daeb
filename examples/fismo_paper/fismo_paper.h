/* fismo_paper: the claims of Xu, Yan & Zhang, "FISMO: Fisher-Structured
 * Momentum-Orthogonalized Optimizer", arXiv:2601.21750 (2026), at a size that
 * runs in minutes. The pieces: main.c (command line), task.c (data and models),
 * run.c (one training run), sweep.c (learning rates: found, and read back),
 * compare.c (language, images), report.c (their tables, CSV and pictures),
 * condition.c, rate.c. */
#ifndef FISMO_PAPER_H
#define FISMO_PAPER_H

#include <stdio.h>

#include "examples/support/arguments.h"
#include "examples/support/plot.h"
#include "examples/support/progress.h"
#include "examples/support/table.h"
#include "examples/support/training.h"

enum { MAX_POINTS = 64 };

typedef enum { TASK_TEXT, TASK_PICTURES } task_kind;

typedef struct {
    task_kind kind;
    const char *data; /* "text:FILE", "mnist:DIR", ... as given, or NULL */
    methods methods;
    size_t steps, batch, threads;
    seed_list seeds;
    size_t layers, width, heads, context; /* of the transformer */
    size_t samples;                       /* pictures to train on and to judge by at most */
    int sweep;
    const char *rates; /* CSV of a sweep; NULL: the one among the sources */
    const char *out;   /* folder */
    ng_dtype dtype;
} config;

/* The sub-commands: 0, 1 failed, 2 usage; after reporting. */
int compare(const config *c); /* language and images */
int sweep(const config *c);
int condition(const config *c);
int rate(const config *c);

/* ---- Data and models --------------------------------------------------------------- */

typedef struct {
    ng_dataset *train, *held_out;
    const char *name, *held_out_name;
} task;

/* With validate the training set's last eighth is held out, and the samples
 * that judge the final comparison are not looked at. 0, 1 or 2. */
int task_open(task *t, const config *c, int validate);
void task_close(task *t);
const char *task_name(const config *c);
ng_status task_model(ng_model **model, const config *c, const task *t, ng_error *error);

/* ---- One run ------------------------------------------------------------------------ */

typedef struct {
    size_t step;
    double cpu; /* seconds of the processor in training, evaluations not counted */
    double train_loss, held_out_loss, held_out_accuracy;
} point;

typedef struct {
    const ng_preset *method;
    double lr, rest_lr; /* of the method, of AdamW beside it; 0: nothing is beside it */
    unsigned long seed;
    size_t
        evaluations; /* spread over the steps, < MAX_POINTS; of 2 and more one before the first */
    point points[MAX_POINTS];
    size_t count; /* points there are */
    int failed;   /* left the numbers: why */
    char why[256];
} run;

/* Called in each step before the optimizer's, and behind it; the texts of errors go to theirs. */
typedef struct {
    ng_status (*before)(ng_model *model, void *data, ng_error *error);
    ng_status (*after)(ng_model *model, size_t step, void *data, ng_error *error);
    void *data;
} watcher;

/* Trains from scratch with r's method, rates and seed under the preset's other
 * options, or `options` if not NULL; both rates warm up over a twentieth of the
 * steps and fall to a tenth by a cosine. watch may be NULL. 0, or 1 after reporting; a run that
 * diverges is no error. */
int run_train(run *r, const config *c, const task *t, const void *options, const watcher *watch,
              progress *bar);

/* The last point, all NaN if the run failed. */
const point *run_last(const run *r);

/* ---- Learning rates ------------------------------------------------------------------ */

typedef struct {
    double lr, rest_lr, lowest, highest; /* the best one by validation loss; the range tried */
    size_t tried;
} chosen;

/* The best rate of the method in the CSV that --rates names. 0, or 1 after reporting. */
int rates_find(chosen *best, const config *c, const ng_preset *method);

/* Where that file is. */
const char *rates_path(const config *c, char *path, size_t size);

/* ---- Output ---------------------------------------------------------------------------- */

/* Table, CSV, picture of language and images, and the verdicts but for ^C. 0 or 1. */
int report(const config *c, const task *t, const run *runs, size_t count);

#endif
