/* bench_target: processor time to AdamW's best final validation loss, for every preset, on eight
 * small tasks; bench_defaults: the losses of a grid of settings on the same tasks. The pieces:
 * tasks.c (data and models), race.c (one training), racers.c (who runs, and with which learning
 * rates), main.c and picture.c (bench_target), defaults.c. */
#ifndef TARGET_H
#define TARGET_H

#include <natgrad-train.h>
#include <natgrad.h>

#include "examples/support/table.h"

enum { TASKS = 8, RATES = 6, DEFAULT_RATE = 3, SEEDS = 3, RACERS = 48 };

typedef struct task task;
struct task {
    const char *name, *what;
    size_t batch, epochs; /* AdamW's */
    ng_status (*open)(ng_dataset **all, const task *t, ng_error *error);
    ng_status (*model)(ng_model **model, const task *t, const ng_dataset *data, ng_error *error);
    size_t hidden, depth; /* width and number of hidden layers; of the transformer width, blocks */
    ng_activation activation;
};

extern const task tasks[TASKS];

/* Who races: a preset, perhaps with options of its own. */
typedef struct {
    const char *name;
    const ng_preset *preset;
    const char *settings; /* of ng_options_set_all; "": none */
    double lr;            /* the fourth of its six rates */
} racer;

typedef struct {
    racer racer[RACERS];
    size_t count;
} field;

/* Its rates are its lr times 1/8 ... 4. */
double racer_rate(const racer *of, int i);

/* The preset that a text begins with, "kfac" or "kfac rank=32"; NULL: none. */
const ng_preset *racer_preset(const char *text);

/* The strings are kept. NG_EOPTION beyond RACERS. */
ng_status racers_add(field *all, const char *name, const char *preset, const char *settings,
                     ng_error *error);
ng_status racers_add_text(field *all, const char *text, ng_error *error);

/* One training. */
typedef struct {
    /* given */
    const task *task;
    ng_dataset *train, *held_out;
    const racer *racer;
    double lr, rest_lr; /* of the racer, and of AdamW beside it */
    unsigned long seed;
    double goal;  /* stop at this validation loss; -inf: at the end of the epochs */
    double limit; /* stop after so many seconds of processor time; infinity: none */
    double adamw; /* seconds AdamW took to the goal */
    table *curve; /* a row an epoch, or NULL */
    /* found */
    double seconds; /* of training until the goal; infinity: not reached within the limit */
    double loss;    /* validation, at the end; infinity for a run that left the numbers */
    double spent;   /* of training in all */
} race;

/* A run also ends where it cannot reach its goal: as soon as it has taken AdamW's time or half of
 * its limit, when the straight line through the least losses until half of its time and until now,
 * below which a convex curve does not fall, is above the goal at the limit. Only what is no result
 * of the settings is an error. */
ng_status race_run(race *r, ng_error *error);

/* A task's data in two parts. */
ng_status race_open(race *r, ng_error *error);
void race_close(race *r);

/* A racer's options, its settings in force. */
ng_status race_options(void **options, const racer *of, ng_error *error);

/* Loss against time of each method at its best, a panel a task. 0 or 1. */
int target_picture(table *curves, const racer *racers, size_t count);

#endif
