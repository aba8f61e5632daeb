/* One training with a preset, judged after each epoch, until a loss or a time. */
#include "tests/bench/target/target.h"

#include <math.h>
#include <stdlib.h>

#include "examples/support/progress.h"
#include "lib/core/try.h"

enum { MORE_EPOCHS = 100, MOST_EPOCHS = 4096 };

/* After an epoch. */
typedef struct {
    double time, least; /* of training, and the least loss so far */
} state;

typedef struct {
    race *r;
    double time; /* of training so far */
    double mark; /* of the clock at the last step */
    state past[MOST_EPOCHS];
    size_t count, half; /* of the states; the last one within half of the time */
} watching;

static int is_hopeless(watching *w)
{
    const race *r = w->r;
    double least = w->count > 0 ? fmin(w->past[w->count - 1].least, r->loss) : r->loss;
    if (w->count == MOST_EPOCHS)
        return 0;
    w->past[w->count++] = (state){w->time, least};
    while (w->half + 1 < w->count && w->past[w->half + 1].time <= w->time / 2)
        w->half++;
    state then = w->past[w->half];
    if (w->time < fmin(r->limit / 2, r->adamw) || then.time > w->time / 2)
        return 0;
    double slope = (least - then.least) / (w->time - then.time);
    return least + slope * (r->limit - w->time) > r->goal;
}

/* Evaluations lie between an epoch's last step and the event of its end. */
static int watch(ng_trainer *trainer, const ng_trainer_event *event, void *data)
{
    watching *w = data;
    race *r = w->r;
    (void)trainer;
    if (event->kind == NG_TRAINER_STEP) {
        double now = progress_cpu();
        w->time += now - w->mark;
        w->mark = now;
        return w->time > r->limit;
    }
    if (event->kind != NG_TRAINER_EPOCH)
        return 0;
    w->mark = progress_cpu();
    r->loss = event->point->loss;
    r->spent = w->time;
    if (r->curve != NULL)
        fprintf(r->curve->to, "%s,%s,%zu,%.5f,%.6g\n", r->task->name, r->racer->name, event->epoch,
                w->time, r->loss);
    if (!(r->loss <= r->goal))
        return isfinite(r->goal) && is_hopeless(w);
    r->seconds = w->time;
    return 1;
}

static ng_status fit(race *r, ng_model *model, void *method, void *rest, ng_error *error)
{
    ng_trainer_options o;
    ng_trainer *trainer;
    static watching w; /* large */
    w = (watching){.r = r};
    TRY(ng_options_set(method, "lr", r->lr, error));
    TRY(ng_options_set(rest, "lr", r->rest_lr, error));
    TRY(ng_trainer_init(&o));
    o.method = method;
    o.rest = rest;
    o.batch = r->task->batch;
    /* with a goal the time ends it */
    o.epochs = r->task->epochs * (isfinite(r->limit) ? MORE_EPOCHS : 1);
    o.seed = r->seed;
    o.watch = watch;
    o.watch_data = &w;
    TRY(ng_trainer_create(&trainer, model, &o, error));
    w.mark = progress_cpu();
    ng_status status = ng_trainer_fit(trainer, r->train, r->held_out);
    if (ng_trainer_diverged(status)) {
        r->loss = INFINITY;
        status = NG_OK;
    } else if (status < 0)
        ng_error_set(error, status, "%s, %s: %s", r->task->name, r->racer->name,
                     ng_trainer_error(trainer));
    ng_trainer_destroy(trainer);
    return status < 0 ? status : NG_OK;
}

ng_status race_options(void **options, const racer *of, ng_error *error)
{
    TRY(ng_options_new(options, of->preset->name, error));
    ng_status status = ng_options_set_all(*options, of->settings, NULL, 0, error);
    if (status != NG_OK) {
        ng_options_free(*options);
        *options = NULL;
    }
    return status;
}

ng_status race_run(race *r, ng_error *error)
{
    void *method = NULL, *rest = NULL;
    ng_model *model = NULL;
    r->seconds = r->loss = INFINITY;
    r->spent = 0;
    ng_status status = race_options(&method, r->racer, error);
    if (status == NG_OK)
        status = ng_options_new(&rest, "adamw", error);
    if (status == NG_OK)
        status = r->task->model(&model, r->task, r->train, error);
    if (status == NG_OK)
        status = fit(r, model, method, rest, error);
    ng_model_destroy(model);
    ng_options_free(rest);
    ng_options_free(method);
    return status;
}

ng_status race_open(race *r, ng_error *error)
{
    ng_dataset_options split;
    ng_dataset *data;
    TRY(ng_dataset_init(&split));
    TRY(r->task->open(&data, r->task, error));
    ng_status status = ng_dataset_split(&r->train, &r->held_out, data, &split, error);
    ng_dataset_destroy(data);
    return status;
}

void race_close(race *r)
{
    ng_dataset_destroy(r->train);
    ng_dataset_destroy(r->held_out);
}
