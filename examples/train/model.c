/* What --model builds for the data at hand. */
#include "examples/train/train.h"

#include <string.h>

static ng_status create_mlp(ng_model **model, const config *c, const source *s, size_t max_batch,
                            ng_error *error)
{
    ng_mlp_options o;
    size_t widths[MAX_WIDTHS];
    memcpy(widths, c->widths, sizeof widths);
    size_t classes = ng_dataset_classes(s->train);
    widths[c->width_count] = classes > 0 ? classes : ng_schema_targets(ng_dataset_schema(s->train));
    ng_mlp_init(&o);
    o.loss = classes > 0 ? NG_LOSS_SOFTMAX : NG_LOSS_SQUARED;
    o.dtype = c->dtype;
    o.inputs = ng_dataset_features(s->train);
    o.widths = widths;
    o.layers = c->width_count + 1;
    o.activation = c->activation;
    o.max_batch = max_batch;
    return ng_model_create_mlp(model, &o, error);
}

/* One channel; pictures are square. */
static ng_status create_cnn(ng_model **model, const config *c, const source *s, size_t max_batch,
                            ng_error *error)
{
    ng_cnn_options o;
    size_t side = 1, features = ng_dataset_features(s->train);
    *model = NULL;
    while (side * side < features)
        side++;
    if (side * side != features)
        return ng_error_set(error, NG_EARG, "--model=cnn: %zu numbers are no square picture",
                            features);
    ng_cnn_init(&o);
    o.dtype = c->dtype;
    o.height = o.width = side;
    o.filters = c->widths;
    o.stages = c->width_count;
    o.classes = ng_dataset_classes(s->train);
    o.max_batch = max_batch;
    return ng_model_create_cnn(model, &o, error);
}

static ng_status create_gpt(ng_model **model, const config *c, const source *s, size_t max_batch,
                            ng_error *error)
{
    ng_gpt_options o;
    ng_gpt_init(&o);
    o.dtype = c->dtype;
    o.vocabulary = ng_dataset_classes(s->train);
    o.context = c->context;
    o.layers = c->layers;
    o.width = c->width;
    o.heads = c->heads;
    o.max_batch = max_batch;
    return ng_model_create_gpt(model, &o, error);
}

ng_status model_create(ng_model **model, const config *c, const source *s, size_t max_batch,
                       ng_error *error)
{
    switch (c->model) {
    case MODEL_CNN:
        return create_cnn(model, c, s, max_batch, error);
    case MODEL_GPT:
        return create_gpt(model, c, s, max_batch, error);
    default:
        return create_mlp(model, c, s, max_batch, error);
    }
}
