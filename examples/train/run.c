/* One training run: model, trainer, and what is said, kept and recorded on the way. */
#include "examples/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const config *c;
    const source *s;
    run *r;
    progress *bar;
    ng_model *model;
    ng_trainer *trainer;
    int status; /* what went wrong in `watch`, reported */
    ng_error error;
} session;

const point *run_kept(const run *r)
{
    static const point none = {NAN, NAN, NAN, NAN, NAN};
    return r->best > 0 && !r->failed ? &r->points[r->best - 1] : &none;
}

/* ---- Setting up ------------------------------------------------------------------ */

static int watch(ng_trainer *trainer, const ng_trainer_event *event, void *data);

static ng_status make_model(session *n)
{
    size_t evaluated = n->c->model == MODEL_GPT ? 0 : 500, batch = n->c->how.batch;
    return model_create(&n->model, n->c, n->s, batch > evaluated ? batch : evaluated, &n->error);
}

/* With the rest of the crew. */
static ng_status make_trainer(session *n, const void *options)
{
    const config *c = n->c;
    ng_trainer_options how = c->how;
    ng_exchange exchange;
    ng_status status = crew_exchange(&exchange, c->shards, n->r->regimes != NULL, &n->error);
    if (status != NG_OK)
        return status;
    how.seed = n->r->seed;
    how.watch = watch;
    how.watch_data = n;
    how.exchange = exchange.size > 0 ? &exchange : NULL;
    status =
        training_create(&n->trainer, n->model, &how, &c->methods, n->r->method, options, &n->error);
    if (status != NG_OK && exchange.destroy != NULL)
        exchange.destroy(exchange.data);
    return status;
}

/* --regimes and --spectra */
static ng_status watch_layers(session *n)
{
    const config *c = n->c;
    const run *r = n->r;
    ng_optimizer *optimizer = ng_trainer_optimizer(n->trainer);
    ng_status status = NG_OK;
    if (r->regimes != NULL)
        status = regimes_watch(r->regimes, optimizer, c->regimes, r->method, r->seed);
    if (status == NG_OK && r->spectra != NULL)
        status = spectra_watch(r->spectra, optimizer, c->spectra, r->method, r->seed);
    if (status != NG_OK)
        ng_error_set(&n->error, status, "%s", ng_optimizer_error(optimizer));
    return status;
}

static ng_status make(session *n, const void *options)
{
    ng_status status = make_trainer(n, options);
    if (status == NG_OK && n->r->resume != NULL &&
        (status = ng_trainer_load(n->trainer, n->r->resume)) != NG_OK)
        ng_error_set(&n->error, status, "--resume: %s", ng_trainer_error(n->trainer));
    return status == NG_OK ? watch_layers(n) : status;
}

/* ---- On the way ------------------------------------------------------------------- */

static void say_epoch(session *n, const ng_trainer_event *e)
{
    const point *p = e->point;
    char text[256], seed[32] = "";
    if (n->c->seeds.count > 1)
        snprintf(seed, sizeof seed, " seed %lu ", n->r->seed);
    snprintf(text, sizeof text, "%-11s%s %zu/%zu  train loss %.4f  %s %.4f  %s %.4f  %.1f s",
             n->r->method->name, seed, e->epoch, n->c->how.epochs, p->train_loss,
             n->s->held_out_name, p->loss, n->s->score, p->score, p->seconds);
    if (!n->r->quiet)
        progress_line(n->bar, text);
}

static void end_epoch(session *n, const ng_trainer_event *e)
{
    size_t count;
    const point *points = ng_trainer_points(n->trainer, &count);
    say_epoch(n, e);
    if (n->r->keep != NULL)
        n->status = keep_epoch(n->r->keep, n->trainer, n->s);
    if (n->status == 0 && n->r->record != NULL)
        n->status = record_write(n->r->record, n->r, points, count - 1, count);
}

static int watch(ng_trainer *trainer, const ng_trainer_event *e, void *data)
{
    session *n = data;
    char note[96];
    double done = (double)(e->epoch - 1) * (double)e->count + (double)e->done;
    (void)trainer;
    if (e->kind == NG_TRAINER_EPOCH)
        end_epoch(n, e);
    else if (e->kind == NG_TRAINER_JUDGE)
        progress_update(n->bar, done, "judging");
    else {
        int length =
            snprintf(note, sizeof note, "%zu/%zu  loss %.4f", e->epoch, n->c->how.epochs, e->loss);
        if (!isnan(e->score))
            snprintf(note + length, sizeof note - (size_t)length, "  accuracy %.4f", e->score);
        progress_update(n->bar, done, note);
    }
    return n->status != 0 || program_interrupted();
}

/* ---- Behind it ---------------------------------------------------------------------- */

static ng_status take_points(session *n)
{
    size_t count;
    const point *points = ng_trainer_points(n->trainer, &count);
    run *r = n->r;
    r->points = malloc((count + 1) * sizeof *r->points);
    if (r->points == NULL)
        return ng_error_set(&n->error, NG_ENOMEM, "no memory for %zu epochs", count);
    if (count > 0)
        memcpy(r->points, points, count * sizeof *points);
    r->epochs = (int)count;
    r->best = ng_trainer_best(n->trainer) > 0 ? (int)ng_trainer_best(n->trainer) : r->epochs;
    r->end = ng_trainer_ended(n->trainer);
    return NG_OK;
}

static ng_status finish(session *n)
{
    ng_status status = take_points(n);
    if (crew_agree(status != NG_OK) != 0)
        return status;
    if (n->s->test != NULL && n->r->epochs > 0 &&
        (status = ng_trainer_evaluate(n->trainer, &n->r->test_loss, &n->r->test_score,
                                      n->s->test)) != NG_OK)
        ng_error_set(&n->error, status, "%s", ng_trainer_error(n->trainer));
    if (status == NG_OK && n->r->keep != NULL && n->status == 0)
        n->status = keep_run(n->r->keep, n->trainer, n->s, n->r);
    return status;
}

static ng_status train(session *n)
{
    size_t count;
    const point *points = ng_trainer_points(n->trainer, &count);
    if (n->r->record != NULL && count > 0)
        n->status = record_write(n->r->record, n->r, points, 0, count);
    if (crew_agree(n->status) != 0)
        return NG_OK;
    ng_status status = ng_trainer_fit(n->trainer, n->s->train, n->s->held_out);
    n->status = crew_agree(n->status);
    if (status < NG_OK)
        ng_error_set(&n->error, status, "%s", ng_trainer_error(n->trainer));
    if (ng_trainer_diverged(status)) {
        n->r->failed = 1;
        snprintf(n->r->why, sizeof n->r->why, "%s", n->error.text);
        return take_points(n);
    }
    return status < NG_OK ? status : finish(n);
}

int run_train(run *r, const config *c, const source *s, const void *options, progress *bar)
{
    session n = {.c = c, .s = s, .r = r, .bar = bar};
    r->epochs = r->best = r->failed = 0;
    r->test_loss = r->test_score = NAN;
    ng_status status = make_model(&n);
    if (crew_agree(status != NG_OK) == 0) {
        status = make(&n, options);
        if (status == NG_OK)
            status = train(&n);
    }
    if (status < NG_OK) {
        progress_end(bar);
        program_error("%s: %s", r->method->name, n.error.text);
    }
    ng_trainer_destroy(n.trainer);
    ng_model_destroy(n.model);
    return crew_agree(status < NG_OK || n.status != 0);
}

void run_free(run *r)
{
    free(r->points);
    r->points = NULL;
}
