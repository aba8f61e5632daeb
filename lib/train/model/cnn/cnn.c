/* The convolutional net: options, memory, passes. */
#include "lib/train/model/cnn/cnn.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/core/try.h"

enum { MAX_STAGES = 16, MAX_SIDE = 1 << 16 };

/* One convolution with its relu and its maximum. Pictures have their channels
 * last, but for the input of the first. */
typedef struct {
    ngi_pictures in, out; /* out: before the maximum */
    ng_mat z, h, g;       /* places x filters: A W^T + b, relu, derivative at z */
    ng_mat patches, patches_grad;
    ng_mat small, small_grad; /* places / 4 x filters */
} stage;

typedef struct {
    ng_model model;
    const ngi_cnn_kernels *kernels;
    size_t stages;
    stage stage[MAX_STAGES];
    ng_mat dense, dense_grad; /* the last small pictures as rows, one a sample */
} cnn;

/* ---- Options ---------------------------------------------------------------------- */

#define AT(name) offsetof(ng_cnn_options, name)
static const ngi_field fields[] = {
    {"channels", NGI_COUNT, AT(channels), .value = 1, .min = 1, .max = MAX_SIDE},
    {"height", NGI_COUNT, AT(height), .min = 2, .max = MAX_SIDE},
    {"width", NGI_COUNT, AT(width), .min = 2, .max = MAX_SIDE},
    {"stages", NGI_COUNT, AT(stages), .min = 1, .max = MAX_STAGES},
    {"filters", NGI_COUNTS, AT(filters), .min = 1, .max = MAX_SIDE, .length = AT(stages)},
    {"classes", NGI_COUNT, AT(classes), .min = 1, .max = 1 << 20},
    {"max_batch", NGI_COUNT, AT(max_batch), .value = 64, .min = 1, .max = 1 << 20},
};
#undef AT

ng_status ng_cnn_init_sized(ng_cnn_options *options, size_t size)
{
    return ngi_options_init(options, size, sizeof *options, fields, sizeof fields / sizeof *fields);
}

/* Every stage halves the picture. */
static ng_status check(const void *options, ng_error *error)
{
    const ng_cnn_options *o = options;
    const size_t least = (size_t)1 << o->stages;
    if (o->height < least || o->width < least)
        return ng_error_set(error, NG_EOPTION, "%s: %zu, at least %zu for %zu stages",
                            o->height < least ? "height" : "width",
                            o->height < least ? o->height : o->width, least, o->stages);
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
    size_t places = in.height * in.width, rows = ngi_times(in.count, places),
           taps = in.channels * NGI_TAPS;
    char name[32];
    s->in = in;
    s->out = channels_last(in.count, in.height, in.width, filters);
    s->patches = ngi_plan_buffer(plan, rows, taps);
    ng_mat none = {NULL, 0, taps, taps, plan->model->dtype};
    s->patches_grad = i > 0 ? ngi_plan_buffer(plan, rows, taps) : none;
    s->z = ngi_plan_buffer(plan, rows, filters);
    s->h = ngi_plan_buffer(plan, rows, filters);
    s->g = ngi_plan_buffer(plan, rows, filters);
    size_t small = ngi_times(in.count, (in.height / 2) * (in.width / 2));
    s->small = ngi_plan_buffer(plan, small, filters);
    s->small_grad = ngi_plan_buffer(plan, small, filters);
    snprintf(name, sizeof name, "conv%zu", i + 1);
    ngi_plan_affine(
        plan, name, 2 / (double)taps,
        (ngi_linear){.a = s->patches, .g = s->g, .places = places, .scale = sqrt((double)places)});
}

static void lay_out(ngi_plan *plan, const void *options)
{
    const ng_cnn_options *o = options;
    cnn *net = (cnn *)plan->model;
    size_t places = o->height * o->width;
    ngi_pictures in = {o->max_batch, o->height, o->width, o->channels, places, o->width, 1};
    net->model.input = ngi_plan_buffer(plan, o->max_batch, ngi_times(o->channels, places));
    for (size_t i = 0; i < o->stages; i++) {
        plan_stage(plan, &net->stage[i], i, in, o->filters[i]);
        in = channels_last(in.count, in.height / 2, in.width / 2, o->filters[i]);
    }
    size_t inputs = ngi_times(in.height * in.width, in.channels);
    const stage *last = &net->stage[o->stages - 1];
    net->dense = net->dense_grad = last->small;
    net->dense_grad.data = last->small_grad.data;
    net->dense.rows = net->dense_grad.rows = o->max_batch;
    net->dense.cols = net->dense.stride = net->dense_grad.cols = net->dense_grad.stride = inputs;
    net->model.logits = ngi_plan_buffer(plan, o->max_batch, o->classes);
    ng_mat g = ngi_plan_buffer(plan, o->max_batch, o->classes);
    ngi_plan_affine(plan, "fc", 2 / (double)inputs,
                    (ngi_linear){.a = net->dense, .g = g, .places = 1, .scale = 1});
}

/* ---- The passes ---------------------------------------------------------------------- */

static ngi_pictures some(ngi_pictures p, size_t count)
{
    p.count = count;
    return p;
}

/* h of the last layer goes to its g, which the loss overwrites. */
static ng_status forward(ng_model *model, ng_error *error)
{
    const cnn *net = (const cnn *)model;
    const void *pictures = model->input.data;
    for (size_t i = 0; i < net->stages; i++) {
        const stage *s = &net->stage[i];
        net->kernels->patches(some(s->in, model->batch), s->patches.data, pictures);
        TRY(ngi_linear_forward(model, i, s->z, s->h, NG_ACTIVATION_RELU, error));
        net->kernels->pool(some(s->out, model->batch), s->small.data, s->h.data, s->h.data);
        pictures = s->small.data;
    }
    return ngi_linear_forward(model, net->stages, model->logits, model->linear[net->stages].g,
                              NG_ACTIVATION_LINEAR, error);
}

static ng_status backward(ng_model *model, ng_error *error)
{
    const cnn *net = (const cnn *)model;
    size_t batch = model->batch;
    TRY(ngi_linear_backward(model, net->stages, net->dense_grad, model->logits, model->logits,
                            NG_ACTIVATION_LINEAR, error));
    for (size_t i = net->stages; i-- > 0;) {
        const stage *s = &net->stage[i];
        net->kernels->pool_backward(some(s->out, batch), s->g.data, s->h.data, s->small_grad.data);
        TRY(ngi_linear_backward(model, i, s->patches_grad, s->z, s->h, NG_ACTIVATION_RELU, error));
        if (i > 0)
            net->kernels->gather(some(s->in, batch), net->stage[i - 1].small_grad.data,
                                 s->patches_grad.data);
    }
    return NG_OK;
}

/* Unfolding is linear: the tangent's patches are those of the tangent. The first pictures do not
 * move. Each step reads one room and fills the other. */
static ng_status tangent(ng_model *model, ng_mat dz, ng_mat v, ng_error *error)
{
    const cnn *net = (const cnn *)model;
    ng_mat da = {NULL, 0, 0, 0, model->dtype};
    const void *pictures = NULL;
    for (size_t i = 0; i < net->stages; i++) {
        const stage *s = &net->stage[i];
        size_t rows = model->batch * s->in.height * s->in.width;
        ng_mat to = ngi_tangent_room(model, i % 2, rows, s->z.cols),
               other = ngi_tangent_room(model, 1 - i % 2, rows, s->patches.cols);
        if (i > 0) {
            da = other;
            net->kernels->patches(some(s->in, model->batch), da.data, pictures);
        }
        TRY(ngi_linear_tangent(model, i, to, da, v, 0, error));
        ngi_activation_tangent(model, to, s->z, s->h, NG_ACTIVATION_RELU);
        net->kernels->pool(some(s->out, model->batch), other.data, to.data, s->h.data);
        pictures = other.data;
    }
    da = ngi_tangent_room(model, net->stages % 2, model->batch, net->dense.cols);
    return ngi_linear_tangent(model, net->stages, dz, da, v, 0, error);
}

/* ---- Life ------------------------------------------------------------------------------ */

static ng_status create(ng_model *model, const void *options, ng_error *error)
{
    const ng_cnn_options *o = options;
    cnn *net = (cnn *)model;
    (void)error;
    model->max_batch = o->max_batch;
    model->places = 1;
    model->loss = NG_LOSS_SOFTMAX;
    net->kernels = o->dtype == NG_F32 ? &ngi_cnn_f32 : &ngi_cnn_f64;
    net->stages = o->stages;
    return NG_OK;
}

const ngi_model_kind ngi_cnn_kind = {
    .name = "cnn",
    .options_size = sizeof(ng_cnn_options),
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .size = sizeof(cnn),
    .check = check,
    .create = create,
    .lay_out = lay_out,
    .forward = forward,
    .backward = backward,
    .tangent = tangent,
};

ng_status ng_model_create_cnn(ng_model **model, const ng_cnn_options *options, ng_error *error)
{
    return ngi_model_create(model, &ngi_cnn_kind, options, error);
}
