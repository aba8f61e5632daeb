/* The net, its data, and its spectra as it learns. */
#include <math.h>
#include <string.h>

#include <natgrad-train.h>

#include "examples/setol/setol.h"
#include "examples/support/images.h"

enum { SIDE = 8, WHOLE = 28, COUNT = TRAINED + TESTED };

/* ---- Digits --------------------------------------------------------------------- */

/* row (8 x 8) <- means over blocks of 4 x 4 of the picture with an empty frame of two */
static void shrink(double *row, const double *drawn)
{
    memset(row, 0, SIDE * SIDE * sizeof *row);
    for (size_t i = 0; i < WHOLE; i++)
        for (size_t j = 0; j < WHOLE; j++)
            row[(i + 2) / 4 * SIDE + (j + 2) / 4] += drawn[i * WHOLE + j] / 16;
}

static ng_status shape_of(const ng_dataset *d, ng_error *error)
{
    if (ng_dataset_features(d) != WHOLE * WHOLE || ng_dataset_classes(d) != 10 ||
        ng_dataset_count(d) < COUNT)
        return ng_error_set(error, NG_ESHAPE,
                            "$NATGRAD_DATA: expected %d pictures of 28 x 28, 10 digits", COUNT);
    return NG_OK;
}

void digits_make(digits *d, const paper *p)
{
    ng_dataset *drawn, *small, *unused = NULL;
    char folder[4096];
    ng_error error = {NG_OK, ""};
    ng_mat x = paper_mat(COUNT, SIDE * SIDE), whole = paper_mat(1, WHOLE * WHOLE);
    int labels[COUNT];
    int mnist = images_usual_folder(folder, sizeof folder, &error) == NG_OK;
    paper_must(mnist ? ng_dataset_mnist(&drawn, &unused, folder, &error)
                     : ng_dataset_digits(&drawn, COUNT, paper_random(p, 1), &error),
               &error);
    paper_must(shape_of(drawn, &error), &error);
    for (size_t i = 0; i < COUNT; i++) {
        paper_must(ng_dataset_gather(drawn, whole, &labels[i], &i, 1, &error), &error);
        shrink((double *)x.data + i * SIDE * SIDE, whole.data);
    }
    ng_dataset_destroy(drawn);
    ng_dataset_destroy(unused);
    paper_must(ng_dataset_from_labels(&small, x, labels, 10, &error), &error);
    paper_must(ng_dataset_view(&d->train, small, 0, TRAINED, &error), &error);
    paper_must(ng_dataset_view(&d->test, small, TRAINED, TESTED, &error), &error);
    ng_dataset_destroy(small);
}

void digits_free(digits *d)
{
    ng_dataset_destroy(d->train);
    ng_dataset_destroy(d->test);
}

/* ---- Training -------------------------------------------------------------------- */

typedef struct {
    outcome *r;
    paper *p;
    ng_model *model;
    const digits *data;
    const char *track;
    double best;
    int idle; /* epochs without a drop */
} watched;

static void measure(const watched *w)
{
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i < 2; i++) {
        ng_model_linear layer;
        ng_model_param weight;
        ng_esd esd;
        paper_must(ng_model_layer(w->model, &layer, i, &error), &error);
        paper_must(ng_model_parameter(w->model, &weight, layer.weight, &error), &error);
        paper_must(ng_esd_measure(&esd, ng_mat_none(), weight.w, NULL, &error), &error);
        w->r->alpha[i] = esd.tail.alpha;
        w->r->gap[i] = esd.erg.gap;
    }
}

static int watch(ng_trainer *trainer, const ng_trainer_event *event, void *data)
{
    watched *w = data;
    if (event->kind != NG_TRAINER_EPOCH)
        return 0;
    (void)trainer;
    w->r->epochs = (double)event->epoch;
    w->r->test_error = 1 - event->point->score;
    measure(w);
    if (w->track != NULL)
        fprintf(w->p->rows.to, "%s,0,%zu,%.6g,%.6g,%.6g,%.6g,%.6g\n", w->track, event->epoch,
                w->r->alpha[0], w->r->gap[0], w->r->alpha[1], w->r->gap[1], w->r->test_error);
    int lower = event->point->train_loss < w->best - 1e-4;
    w->idle = lower ? 0 : w->idle + 1;
    w->best = fmin(w->best, event->point->train_loss);
    return w->idle >= 3 && w->track == NULL;
}

static void start(ng_model *model, const paper *p, size_t seed)
{
    ng_error error = {NG_OK, ""};
    paper_must(ng_model_initialise(model, paper_random(p, 10 + seed), &error), &error);
    for (size_t i = 0; i < ng_model_layers(model); i++) {
        ng_model_linear layer;
        ng_model_param weight;
        paper_must(ng_model_layer(model, &layer, i, &error), &error);
        paper_must(ng_model_parameter(model, &weight, layer.weight, &error), &error);
        /* from He's variance, 2 / in, to Glorot's, 2 / (in + out) */
        double in = (double)weight.w.cols, out = (double)weight.w.rows;
        ng_scale(weight.w, sqrt(in / (in + out)));
    }
}

static ng_model *net(void)
{
    static const size_t widths[3] = {300, 100, 10};
    ng_mlp_options o;
    ng_model *model;
    ng_error error = {NG_OK, ""};
    ng_mlp_init(&o);
    o.inputs = SIDE * SIDE;
    o.widths = widths;
    o.layers = 3;
    paper_must(ng_model_create_mlp(&model, &o, &error), &error);
    return model;
}

void train_one(outcome *r, paper *p, const digits *data, const char *preset, const char *settings,
               size_t epochs, size_t seed, const char *track)
{
    ng_error error = {NG_OK, ""};
    ng_model *model = net();
    watched w = {r, p, model, data, track, HUGE_VAL, 0};
    ng_trainer *trainer;
    ng_trainer_options o;
    void *options;
    *r = (outcome){.epochs = 0};
    start(model, p, seed);
    paper_must(ng_options_new(&options, preset, &error), &error);
    paper_must(ng_options_set_all(options, settings, NULL, 0, &error), &error);
    ng_trainer_init(&o);
    o.method = options;
    o.batch = 32;
    o.epochs = epochs;
    o.seed = p->seed + seed;
    o.keep_weights = 1;
    o.watch = watch;
    o.watch_data = &w;
    paper_must(ng_trainer_create(&trainer, model, &o, &error), &error);
    ng_status status = ng_trainer_fit(trainer, data->train, data->test);
    ng_error_set(&error, status, "%s %s: %s", preset, settings, ng_trainer_error(trainer));
    if (status < 0)
        paper_must(status, &error);
    ng_trainer_destroy(trainer);
    ng_options_free(options);
    ng_model_destroy(model);
}
