/* What is learnt and by what model. */
#include "examples/fismo_paper/fismo_paper.h"

#include <stdlib.h>
#include <string.h>

#include "examples/support/images.h"
#include "examples/support/samples.h"

static const size_t filters[] = {8, 16};

const char *task_name(const config *c)
{
    return c->kind == TASK_TEXT ? "language" : "images";
}

static ng_status open_text(task *t, const config *c, ng_error *error)
{
    const char *data = getenv("NATGRAD_DATA"), *path = NULL;
    char usual[MAX_PATH];
    ng_dataset *all;
    if (c->data != NULL && strncmp(c->data, "text:", 5) == 0 && c->data[5] != '\0')
        path = c->data + 5;
    else if (c->data != NULL && strcmp(c->data, "text") != 0)
        return ng_error_set(error, NG_EARG, "--data=%.60s: expected text:FILE", c->data);
    if (path == NULL && data == NULL)
        return ng_error_set(error, NG_EIO,
                            "no text: name a file with --data=text:FILE, or set NATGRAD_DATA to a "
                            "folder that holds tinyshakespeare.txt");
    if (path == NULL) {
        snprintf(usual, sizeof usual, "%s/tinyshakespeare.txt", data);
        path = usual;
    }
    ng_status status = ng_dataset_sequences(&all, path, c->context, error);
    return status != NG_OK ? status : samples_hold_out(&t->train, &t->held_out, all, 10, error);
}

/* The first c->samples of the training set. */
static ng_status fewer(task *t, const config *c, ng_error *error)
{
    ng_dataset *all = t->train;
    if (c->samples >= ng_dataset_count(all))
        return NG_OK;
    t->train = NULL;
    ng_status status = ng_dataset_view(&t->train, all, 0, c->samples, error);
    ng_dataset_destroy(all);
    return status;
}

static ng_status open_pictures(task *t, const config *c, ng_error *error)
{
    ng_status status;
    const char *data = c->data != NULL ? c->data : "mnist";
    if (strcmp(data, "digits") == 0)
        status = images_digits(&t->train, &t->held_out, error);
    else if (strcmp(data, "mnist") == 0 || strncmp(data, "mnist:", 6) == 0)
        status = images_mnist(&t->train, &t->held_out, data[5] == ':' ? data + 6 : NULL, error);
    else
        return ng_error_set(error, NG_EARG, "--data=%.60s: expected mnist, mnist:DIR or digits",
                            data);
    return status == NG_OK ? fewer(t, c, error) : status;
}

static ng_status hold_out(task *t, ng_error *error)
{
    ng_dataset *all = t->train;
    ng_dataset_destroy(t->held_out);
    t->train = t->held_out = NULL;
    t->held_out_name = "validation";
    return samples_hold_out(&t->train, &t->held_out, all, 8, error);
}

int task_open(task *t, const config *c, int validate)
{
    ng_error error = {NG_OK, ""};
    progress bar;
    memset(t, 0, sizeof *t);
    t->name = task_name(c);
    t->held_out_name = "held-out";
    progress_start(&bar, "reading", 0, "");
    ng_status status = c->kind == TASK_TEXT ? open_text(t, c, &error) : open_pictures(t, c, &error);
    progress_end(&bar);
    if (status == NG_OK && validate)
        status = hold_out(t, &error);
    if (status == NG_OK && c->batch > ng_dataset_count(t->train))
        status = ng_error_set(&error, NG_ENODATA, "%zu training samples are no batch of %zu",
                              ng_dataset_count(t->train), c->batch);
    if (status == NG_OK)
        return 0;
    program_error("%s", error.text);
    task_close(t);
    return status == NG_EARG ? 2 : 1;
}

void task_close(task *t)
{
    ng_dataset_destroy(t->train);
    ng_dataset_destroy(t->held_out);
    t->train = t->held_out = NULL;
}

static ng_status create_gpt(ng_model **model, const config *c, const task *t, ng_error *error)
{
    ng_gpt_options o;
    ng_gpt_init(&o);
    o.dtype = c->dtype;
    o.vocabulary = ng_dataset_classes(t->train);
    o.context = c->context;
    o.layers = c->layers;
    o.width = c->width;
    o.heads = c->heads;
    o.max_batch = c->batch;
    return ng_model_create_gpt(model, &o, error);
}

static ng_status create_cnn(ng_model **model, const config *c, const task *t, ng_error *error)
{
    ng_cnn_options o;
    size_t side = 1, features = ng_dataset_features(t->train);
    while (side * side < features)
        side++;
    *model = NULL;
    if (side * side != features)
        return ng_error_set(error, NG_ESHAPE, "%zu numbers are no square picture", features);
    ng_cnn_init(&o);
    o.dtype = c->dtype;
    o.height = o.width = side;
    o.filters = filters;
    o.stages = sizeof filters / sizeof *filters;
    o.classes = ng_dataset_classes(t->train);
    o.max_batch = c->batch;
    return ng_model_create_cnn(model, &o, error);
}

ng_status task_model(ng_model **model, const config *c, const task *t, ng_error *error)
{
    return c->kind == TASK_TEXT ? create_gpt(model, c, t, error) : create_cnn(model, c, t, error);
}
