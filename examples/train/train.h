/* natgrad-train: trains a feed-forward net, a convolutional net or a transformer on data of one's
 * own, digits or text, with one optimizer or several that it compares; natgrad-train-mpi: with all
 * ranks of MPI (crew.h). The pieces: config.c
 * (command line), help.c, source.c (data), model.c, run.c (one training run), keep.c (the file of
 * --save), record.c (--log), rate.c (--lr auto), layers.c, regimes.c, spectra.c (of its layers),
 * sweep.c (grids), report.c (tables, CSV), picture.c (what gnuplot draws of the CSV). */
#ifndef TRAIN_H
#define TRAIN_H

#include <stdio.h>

#include <natgrad-train.h>

#include "examples/support/arguments.h"
#include "examples/support/plot.h"
#include "examples/support/progress.h"
#include "examples/support/table.h"
#include "examples/support/training.h"
#include "examples/train/crew.h"

enum { MAX_WIDTHS = 16, MAX_EPOCHS = 10000 };

typedef enum { MODEL_MLP, MODEL_CNN, MODEL_GPT } model_kind;

typedef struct {
    model_kind model;
    const char *data;           /* "mnist", "mnist:DIR", ... as given */
    ng_dataset_options reading; /* but for its context and dtype */
    methods methods;
    size_t widths[MAX_WIDTHS]; /* hidden layers; filters of a convolutional net */
    size_t width_count;
    ng_trainer_options how; /* epochs, batch, schedule, ...; but for the method and the seed */
    int sweep, validate, threads;
    size_t context;
    size_t layers, width, heads; /* of a transformer */
    seed_list seeds;
    const char *out;
    ng_dtype dtype;
    ng_activation activation;
    int regimes, spectra;      /* steps from one report to the next; 0: none asked */
    const char *save, *resume; /* model files, or NULL */
    int bars;                  /* 1 + ng_laplace_structure of --uncertainty; 0: none asked */
    const char *log;           /* FILE.jsonl or FILE.csv, or NULL */
    const char *lr;            /* "auto", a number for all, or NULL: each its own */
    char **words;              /* the command line */
    size_t shards;             /* of a batch, of a crew */
} config;

/* Fills the config from the command line. 0, or the exit status after reporting. */
int config_parse(config *c, int argc, char **argv);

/* What to train on and what to judge by. */
typedef struct {
    ng_dataset *train, *held_out;
    ng_dataset *test;          /* looked at once, at the end, where held_out decides when to stop */
    char name[32];             /* "mnist" */
    const char *held_out_name; /* "test", or "validation" */
    const char *score;         /* "accuracy", or "r2" */
    int by_loss;               /* models are compared by held-out loss, else by accuracy */
} source;

/* What the held-out samples are for: judging alone (--validate: the last eighth of the training
 * set takes their place, and the test set is not looked at), or when to stop (the same, and the
 * test set judges at the end). */
typedef enum { HOLD_TEST, HOLD_VALIDATION, HOLD_BOTH } holding;

/* 0, or after reporting on stderr: 1 when data are missing or bad, 2 when --data
 * makes no sense. */
int source_open(source *s, const config *c, holding held);
void source_close(source *s);

/* The model the command line asks for, zero, with room for max_batch samples. */
ng_status model_create(ng_model **model, const config *c, const source *s, size_t max_batch,
                       ng_error *error);

typedef ng_trainer_point point; /* where a run stood after an epoch; loss and score: held-out */

typedef struct regime_log regime_log;
typedef struct spectra_log spectra_log;

/* --save: of one run after every epoch, of several the one of the lowest held-out loss. */
typedef struct {
    const char *path;
    int several;
    double lowest; /* of what is saved; INFINITY */
    char kept[64]; /* which run it is of, or "" */
} keeper;

/* --log: a line an epoch, as it comes. */
typedef struct {
    FILE *to;
    int json;
    const char *path;
} record;

typedef struct {
    /* given */
    const ng_preset *method;
    unsigned long seed;
    regime_log *regimes;  /* where the regimes of its layers go, or NULL */
    spectra_log *spectra; /* where their spectra go, or NULL */
    keeper *keep;         /* or NULL */
    record *record;       /* or NULL */
    const char *resume;   /* the file it goes on from, or NULL */
    int quiet;            /* a trial: no line an epoch */
    char label[96];       /* for a sweep: the settings tried */
    /* found */
    point *points; /* after each epoch */
    int epochs;    /* points there are */
    int best;      /* the epoch whose weights are kept: the best, or the last; 0: none */
    ng_trainer_end end;
    double test_loss, test_score; /* where source has a test set apart; else NaN */
    int failed;                   /* stopped early: why */
    char why[256];
} run;

/* The point of the weights that are kept; all NaN if the run failed. */
const point *run_kept(const run *r);

/* Trains r->method from scratch; options is the method's struct. 0, or 1 after
 * reporting; a diverged run is no error: failed is set and the points end early,
 * as they do after ^C. */
int run_train(run *r, const config *c, const source *s, const void *options, progress *bar);
void run_free(run *r);

/* 0, or 1 after reporting. */
int keep_open(keeper *k, const config *c);
int keep_epoch(keeper *k, ng_trainer *trainer, const source *s);
int keep_run(keeper *k, ng_trainer *trainer, const source *s, const run *r);

/* --uncertainty: in the end, error bars into the file: bars.c. */
int bars_keep(const config *c, const source *s);

/* 0, or 1 after reporting; points[first ... count - 1]: of the epochs that
 * follow `first`. */
int record_open(record *log, const char *path, const source *s);
int record_write(record *log, const run *r, const point *points, size_t first, size_t count);
int record_close(record *log, int status);

/* --lr: a number for every optimizer that runs; auto: a walk for each. Adds settings. 0, 1, 2. */
int rate_set(config *c);
int rate_search(config *c);

/* The help of --help. */
void help_print(void);
extern const char default_optimizers[];

/* All methods, all grid points; tables, CSV; 0 or 1. */
int sweep_all(const config *c);

/* Table, CSV, pictures and the machine lines. 0 or 1. */
int report_runs(const config *c, const source *s, const run *runs, size_t count);

/* Draws the curves, whose table they are, and says so. 0, or 1 after reporting. */
int picture_draw(const config *c, const source *s, const run *runs, size_t count, table *curves);

/* A table with a row a layer and report, and what its picture shows: of the first seed the curves
 * of the first few layers. */
enum { MAX_CURVES = 12 };
typedef struct {
    table t;
    const ng_preset *method; /* of the run at the moment */
    unsigned long seed, first_seed;
    struct {
        const ng_preset *method;
        char layer[64];
    } curves[MAX_CURVES];
    size_t curve_count;
    unsigned long long last; /* step with a row */
    int no_memory;           /* for a report */
} layer_log;

/* 0, or 1 after reporting; the log is to be closed either way, which writes what there is if
 * `status` is 0, draws it and frees it. draw: 0, or 1 after reporting. */
int layers_open(layer_log *log, const char *out, const char *name, const char *header);
int layers_close(layer_log *log, int status, int (*draw)(layer_log *log));

/* The run whose rows follow; the beginning of one, and that its layer has a curve. */
void layers_run(layer_log *log, const ng_preset *method, unsigned long seed);
void layers_row(layer_log *log, unsigned long long step, const char *layer);
void layers_remember(layer_log *log, const char *layer);

/* Panels of the logs' pictures, which stand in a row, over steps: y is what gnuplot shows of a row,
 * axis its settings, level where a line marks the ideal, or NAN. The last one has the key. */
void layers_begin(picture *p, const layer_log *log, const char *title, int panels);
void layers_panel(picture *p, const layer_log *log, const char *y, const char *label,
                  const char *axis, double level, int last);

/* --regimes: regimes.csv; --spectra: spectra.csv. Open and close as above; watch: from now on the
 * optimizer's layers are logged as that run's. */
struct regime_log {
    layer_log layers;
    ng_regime_monitor monitor;
};
int regimes_open(regime_log *log, const char *out);
int regimes_close(regime_log *log, int status);
ng_status regimes_watch(regime_log *log, ng_optimizer *optimizer, int interval,
                        const ng_preset *method, unsigned long seed);

struct spectra_log {
    layer_log layers;
    ng_esd_monitor monitor;
};
int spectra_open(spectra_log *log, const char *out);
int spectra_close(spectra_log *log, int status);
ng_status spectra_watch(spectra_log *log, ng_optimizer *optimizer, int interval,
                        const ng_preset *method, unsigned long seed);

#endif
