/* The convolutional net: options, memory, passes. */
#include "lib/train/model/cnn/cnn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/train/model/mlp/internal.h"

enum { MAX_STAGES = 16 };

/* One convolution with its relu and its maximum. Pictures have their channels
 * last, but for the input of the first. */
typedef struct {
    ngi_pictures in, out; /* out: before the maximum */
    ng_mat z, h, g;       /* places x filters: A W^T + b, relu, derivative at z */
    ng_mat patches, patches_grad;
    ng_mat small, small_grad; /* places / 4 x filters */
} stage;

typedef struct {
    ngi_flat flat;
    const ngi_cnn_kernels *kernels;
    size_t stages;
    stage stage[MAX_STAGES];
    ng_mat dense, dense_grad; /* the last small pictures as rows, one a sample */
} cnn;

void ng_cnn_options_init(ng_cnn_options *options)
{
    const ng_cnn_options defaults = {
        .size = sizeof *options, .dtype = NG_F32, .channels = 1, .max_batch = 64};
    *options = defaults;
}

static ng_status check_options(const ng_cnn_options *o, ng_error *error)
{
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "size: %zu, call ng_cnn_options_init first",
                            o->size);
    if (o->dtype != NG_F32 && o->dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "dtype: unknown dtype %d", (int)o->dtype);
    if (o->stages == 0 || o->stages > MAX_STAGES || o->filters == NULL)
        return ng_error_set(error, NG_EOPTION, "stages: %zu, not in 1 ... %d, or no filters",
                            o->stages, MAX_STAGES);
    const size_t least = (size_t)1 << o->stages;
    const struct {
        const char *name;
        size_t value, low, high;
    } sizes[] = {{"channels", o->channels, 1, 1 << 16},
                 {"height", o->height, least, 1 << 16},
                 {"width", o->width, least, 1 << 16},
                 {"classes", o->classes, 1, 1 << 20},
                 {"max_batch", o->max_batch, 1, 1 << 20}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < sizes[i].low || sizes[i].value > sizes[i].high)
            return ng_error_set(error, NG_EOPTION, "%s: %zu, not in %zu ... %zu", sizes[i].name,
                                sizes[i].value, sizes[i].low, sizes[i].high);
    for (size_t i = 0; i < o->stages; i++)
        if (o->filters[i] == 0 || o->filters[i] > 1 << 16)
            return ng_error_set(error, NG_EOPTION, "filters: filters[%zu] is %zu, not in 1 ... %d",
                                i, o->filters[i], 1 << 16);
    return NG_OK;
}

/* ---- The plan --------------------------------------------------------------------- */

static ngi_pictures channels_last(size_t count, size_t height, size_t width, size_t channels)
{
    const ngi_pictures p = {count, height, width, channels, 1, width * channels, channels};
    return p;
}

static void plan_stage(ngi_plan *plan, stage *s, size_t i, ngi_pictures in, size_t filters)
{
    size_t places = in.height * in.width, rows = in.count * places, taps = in.channels * NGI_TAPS;
    char name[32];
    s->in = in;
    s->out = channels_last(in.count, in.height, in.width, filters);
    s->patches = ngi_plan_buffer(plan, rows, taps);
    ng_mat none = {NULL, 0, taps, taps, plan->flat->dtype};
    s->patches_grad = i > 0 ? ngi_plan_buffer(plan, rows, taps) : none;
    s->z = ngi_plan_buffer(plan, rows, filters);
    s->h = ngi_plan_buffer(plan, rows, filters);
    s->g = ngi_plan_buffer(plan, rows, filters);
    size_t small = in.count * (in.height / 2) * (in.width / 2);
    s->small = ngi_plan_buffer(plan, small, filters);
    s->small_grad = ngi_plan_buffer(plan, small, filters);
    snprintf(name, sizeof name, "conv%zu", i + 1);
    ngi_linear layer = {
        .a = s->patches, .g = s->g, .places = places, .scale = sqrt((double)places)};
    layer.weight = ngi_plan_param(plan, filters, taps, 2 / (double)taps, 0, name, "weight");
    layer.bias = ngi_plan_param(plan, 1, filters, 0, 0, name, "bias");
    ngi_plan_linear(plan, name, &layer);
}

static void lay_out(ngi_plan *plan, const void *options)
{
    const ng_cnn_options *o = options;
    cnn *net = (cnn *)plan->flat;
    size_t places = o->height * o->width;
    ngi_pictures in = {o->max_batch, o->height, o->width, o->channels, places, o->width, 1};
    net->flat.input = ngi_plan_buffer(plan, o->max_batch, o->channels * places);
    for (size_t i = 0; i < o->stages; i++) {
        plan_stage(plan, &net->stage[i], i, in, o->filters[i]);
        in = channels_last(in.count, in.height / 2, in.width / 2, o->filters[i]);
    }
    size_t inputs = in.height * in.width * in.channels;
    const stage *last = &net->stage[o->stages - 1];
    net->dense = net->dense_grad = last->small;
    net->dense_grad.data = last->small_grad.data;
    net->dense.rows = net->dense_grad.rows = o->max_batch;
    net->dense.cols = net->dense.stride = net->dense_grad.cols = net->dense_grad.stride = inputs;
    net->flat.logits = ngi_plan_buffer(plan, o->max_batch, o->classes);
    ngi_linear layer = {.a = net->dense,
                        .g = ngi_plan_buffer(plan, o->max_batch, o->classes),
                        .places = 1,
                        .scale = 1};
    layer.weight = ngi_plan_param(plan, o->classes, inputs, 2 / (double)inputs, 0, "fc", "weight");
    layer.bias = ngi_plan_param(plan, 1, o->classes, 0, 0, "fc", "bias");
    ngi_plan_linear(plan, "fc", &layer);
}

/* ---- The passes ---------------------------------------------------------------------- */

/* z <- A W^T + b, h <- phi(z) */
static ng_status layer_forward(const cnn *net, size_t i, ng_mat z, ng_mat h,
                               ng_activation activation, ng_error *error)
{
    const ngi_linear *l = &net->flat.linear[i];
    size_t rows = net->flat.batch * l->places;
    ng_status status = ng_gemm(ngi_rows(z, rows), ngi_rows(l->a, rows), NG_NOTRANS,
                               net->flat.param[l->weight].w, NG_TRANS, 1, 0, error);
    if (status == NG_OK)
        ngi_activation_find(activation)
            ->forward[z.dtype](rows, z.cols, z.data, h.data, net->flat.param[l->bias].w.data);
    return status;
}

/* g <- g phi'(z), the gradients of weight and bias, the derivative at A */
static ng_status layer_backward(const cnn *net, size_t i, ng_mat a_grad, ng_mat z, ng_mat h,
                                ng_activation activation, ng_error *error)
{
    const ngi_linear *l = &net->flat.linear[i];
    ngi_activation_find(activation)
        ->backward[z.dtype](net->flat.batch * l->places, z.cols, l->g.data,
                            net->flat.param[l->bias].dw.data, z.data, h.data);
    return ngi_linear_backward(&net->flat, i, a_grad, error);
}

static ngi_pictures some(ngi_pictures p, size_t count)
{
    p.count = count;
    return p;
}

static ng_status forward(ng_model *model, size_t batch, ng_error *error)
{
    cnn *net = (cnn *)model;
    ng_status status = ngi_flat_begin(&net->flat, batch, error);
    const void *pictures = net->flat.input.data;
    for (size_t i = 0; i < net->stages && status == NG_OK; i++) {
        const stage *s = &net->stage[i];
        net->kernels->patches(some(s->in, batch), s->patches.data, pictures);
        status = layer_forward(net, i, s->z, s->h, NG_ACTIVATION_RELU, error);
        if (status == NG_OK)
            net->kernels->pool(some(s->out, batch), s->small.data, s->h.data);
        pictures = s->small.data;
    }
    /* h of the last layer goes to its g, which the loss overwrites */
    if (status == NG_OK)
        status = layer_forward(net, net->stages, net->flat.logits, net->flat.linear[net->stages].g,
                               NG_ACTIVATION_LINEAR, error);
    if (status == NG_OK)
        net->flat.stage = STAGE_FORWARD;
    return status;
}

static ng_status backward(ng_model *model, ng_error *error)
{
    cnn *net = (cnn *)model;
    size_t batch = net->flat.batch;
    if (net->flat.stage < STAGE_LOSS)
        return ng_error_set(error, NG_ENODATA, "backward: no loss since the last forward pass");
    net->flat.stage = STAGE_FORWARD;
    ng_status status = layer_backward(net, net->stages, net->dense_grad, net->flat.logits,
                                      net->flat.logits, NG_ACTIVATION_LINEAR, error);
    for (size_t i = net->stages; i-- > 0 && status == NG_OK;) {
        const stage *s = &net->stage[i];
        net->kernels->pool_backward(some(s->out, batch), s->g.data, s->h.data, s->small_grad.data);
        status = layer_backward(net, i, s->patches_grad, s->z, s->h, NG_ACTIVATION_RELU, error);
        if (status == NG_OK && i > 0)
            net->kernels->gather(some(s->in, batch), net->stage[i - 1].small_grad.data,
                                 s->patches_grad.data);
    }
    if (status == NG_OK)
        net->flat.stage = STAGE_BACKWARD;
    return status;
}

static ng_status loss_labels(ng_model *model, double *loss, size_t *correct, const int *labels,
                             size_t n, ng_error *error)
{
    cnn *net = (cnn *)model;
    if (net->flat.stage < STAGE_FORWARD)
        return ng_error_set(error, NG_ENODATA, "softmax loss: no forward pass yet");
    net->flat.stage = STAGE_FORWARD;
    if (n != net->flat.batch)
        return ng_error_set(error, NG_ESHAPE, "labels: %zu for a batch of %zu", n, net->flat.batch);
    if (labels == NULL)
        return ng_error_set(error, NG_EARG, "labels: NULL");
    return ngi_flat_loss(&net->flat, loss, correct, labels, error);
}

/* ---- Life ------------------------------------------------------------------------------ */

static void destroy(ng_model *model)
{
    ngi_flat_release((ngi_flat *)model);
    free(model);
}

static const ngi_model table = {
    .destroy = destroy,
    .initialise = ngi_flat_initialise,
    .input = ngi_flat_input,
    .forward = forward,
    .output = ngi_flat_output,
    .loss_labels = loss_labels,
    .backward = backward,
    .parameters = ngi_flat_parameters,
    .parameter = ngi_flat_parameter,
    .layers = ngi_flat_layers,
    .layer = ngi_flat_layer,
};

ng_status ng_cnn_create(ng_model **model, const ng_cnn_options *options, ng_error *error)
{
    *model = NULL;
    ng_status status = check_options(options, error);
    if (status != NG_OK)
        return status;
    cnn *net = calloc(1, sizeof *net);
    if (net == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a net");
    net->flat.model.table = &table;
    net->flat.dtype = options->dtype;
    net->flat.max_batch = options->max_batch;
    net->flat.places = 1;
    net->kernels = options->dtype == NG_F32 ? &ngi_cnn_f32 : &ngi_cnn_f64;
    net->stages = options->stages;
    status = ngi_flat_allocate(&net->flat, lay_out, options, error);
    if (status != NG_OK) {
        destroy(&net->flat.model);
        return status;
    }
    *model = &net->flat.model;
    return NG_OK;
}
