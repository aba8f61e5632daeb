/* The transformer: options, memory, loss. The passes are passes.c's. */
#include "lib/train/model/gpt/gpt.h"

#include <stdio.h>
#include <stdlib.h>

void ng_gpt_options_init(ng_gpt_options *options)
{
    const ng_gpt_options defaults = {
        .size = sizeof *options,
        .dtype = NG_F32,
        .context = 64,
        .layers = 2,
        .width = 64,
        .heads = 4,
        .max_batch = 16,
    };
    *options = defaults;
}

static ng_status check_options(const ng_gpt_options *o, ng_error *error)
{
    const struct {
        const char *name;
        size_t value, limit;
    } sizes[] = {{"vocabulary", o->vocabulary, (size_t)1 << 24},
                 {"context", o->context, (size_t)1 << 20},
                 {"layers", o->layers, 4096},
                 {"width", o->width, (size_t)1 << 20},
                 {"heads", o->heads, (size_t)1 << 20},
                 {"max_batch", o->max_batch, (size_t)1 << 20}};
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "size: %zu, call ng_gpt_options_init first",
                            o->size);
    if (o->dtype != NG_F32 && o->dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "dtype: unknown dtype %d", (int)o->dtype);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value == 0 || sizes[i].value > sizes[i].limit)
            return ng_error_set(error, NG_EOPTION, "%s: %zu, not in 1 ... %zu", sizes[i].name,
                                sizes[i].value, sizes[i].limit);
    if (o->width % o->heads != 0)
        return ng_error_set(error, NG_EOPTION, "heads: %zu do not divide the width %zu", o->heads,
                            o->width);
    return NG_OK;
}

/* ---- The plan ------------------------------------------------------------------- */

static const double VARIANCE = 0.02 * 0.02;

static void plan_norm(ngi_plan *plan, ngi_norm *norm, const char *name, size_t rows, size_t width)
{
    norm->ln_w = ngi_plan_param(plan, 1, width, 0, 1, name, "weight");
    norm->ln_b = ngi_plan_param(plan, 1, width, 0, 0, name, "bias");
    norm->out = ngi_plan_buffer(plan, rows, width);
    norm->stats = ngi_plan_buffer(plan, rows, 2);
}

/* A layer with a bias: its number. */
static size_t plan_affine(ngi_plan *plan, const ngi_gpt *gpt, const char *name, double variance,
                          ng_mat a, ng_mat g)
{
    ngi_linear layer = {.a = a, .g = g, .places = gpt->context, .scale = (double)gpt->context};
    layer.weight = ngi_plan_param(plan, g.cols, a.cols, variance, 0, name, "weight");
    layer.bias = ngi_plan_param(plan, 1, g.cols, 0, 0, name, "bias");
    ngi_plan_linear(plan, name, &layer);
    return plan->layers - 1;
}

static void plan_block(ngi_plan *plan, ngi_gpt *gpt, size_t i, size_t rows)
{
    ngi_block *b = &gpt->block[i];
    size_t width = gpt->width;
    double residual = VARIANCE / (2 * (double)gpt->blocks);
    char name[32];
    b->qkv_z = ngi_plan_buffer(plan, rows, 3 * width);
    b->qkv_g = ngi_plan_buffer(plan, rows, 3 * width);
    b->p = ngi_plan_buffer(plan, rows * gpt->heads, gpt->context);
    b->y = ngi_plan_buffer(plan, rows, width);
    b->z = ngi_plan_buffer(plan, rows, 4 * width);
    b->h = ngi_plan_buffer(plan, rows, 4 * width);
    b->h_grad = ngi_plan_buffer(plan, rows, 4 * width);
    for (size_t node = 2 * i + 1; node <= 2 * i + 2; node++) {
        gpt->x[node] = ngi_plan_buffer(plan, rows, width);
        gpt->g[node] = ngi_plan_buffer(plan, rows, width);
    }
    snprintf(name, sizeof name, "h%zu.ln_1", i);
    plan_norm(plan, &b->norm1, name, rows, width);
    snprintf(name, sizeof name, "h%zu.attn.qkv", i);
    b->qkv = plan_affine(plan, gpt, name, VARIANCE, b->norm1.out, b->qkv_g);
    if (!plan->dry)
        plan->flat->param[plan->flat->linear[b->qkv].weight].blocks = 3;
    snprintf(name, sizeof name, "h%zu.attn.proj", i);
    b->proj = plan_affine(plan, gpt, name, residual, b->y, gpt->g[2 * i + 1]);
    snprintf(name, sizeof name, "h%zu.ln_2", i);
    plan_norm(plan, &b->norm2, name, rows, width);
    snprintf(name, sizeof name, "h%zu.mlp.fc", i);
    b->fc = plan_affine(plan, gpt, name, VARIANCE, b->norm2.out, b->h_grad);
    snprintf(name, sizeof name, "h%zu.mlp.proj", i);
    b->out = plan_affine(plan, gpt, name, residual, b->h, gpt->g[2 * i + 2]);
}

static void lay_out(ngi_plan *plan, const void *options)
{
    const ng_gpt_options *o = options;
    ngi_gpt *gpt = (ngi_gpt *)plan->flat;
    size_t rows = o->max_batch * o->context;
    gpt->flat.input = ngi_plan_buffer(plan, o->max_batch, o->context);
    gpt->tokens = ngi_plan_ints(plan, rows);
    gpt->targets = ngi_plan_ints(plan, rows);
    gpt->scratch = ngi_plan_buffer(plan, rows, o->width);
    gpt->attention = ngi_plan_buffer(plan, o->context, o->context);
    gpt->x[0] = ngi_plan_buffer(plan, rows, o->width);
    gpt->g[0] = ngi_plan_buffer(plan, rows, o->width);
    gpt->wte = ngi_plan_param(plan, o->vocabulary, o->width, VARIANCE, 0, "wte", "weight");
    gpt->wpe = ngi_plan_param(plan, o->context, o->width, VARIANCE, 0, "wpe", "weight");
    for (size_t i = 0; i < o->layers; i++)
        plan_block(plan, gpt, i, rows);
    plan_norm(plan, &gpt->last, "ln_f", rows, o->width);
    gpt->flat.logits = ngi_plan_buffer(plan, rows, o->vocabulary);
    ngi_linear head = {
        .bias = NG_MODEL_NONE,
        .a = gpt->last.out,
        .g = ngi_plan_buffer(plan, rows, o->vocabulary),
        .places = o->context,
        .scale = (double)o->context,
        .shared = gpt->tied,
    };
    head.weight =
        gpt->tied ? gpt->wte
                  : ngi_plan_param(plan, o->vocabulary, o->width, VARIANCE, 0, "head", "weight");
    ngi_plan_linear(plan, "head", &head);
    gpt->head = plan->layers - 1;
}

/* ---- Life ------------------------------------------------------------------------ */

static void destroy(ng_model *model)
{
    ngi_gpt *gpt = (ngi_gpt *)model;
    ngi_flat_release(&gpt->flat);
    free(gpt->block);
    free(gpt->x);
    free(gpt->g);
    free(gpt);
}

/* One label a position, or the last position's: at the others the target is the
 * next token of the input. */
static ng_status loss_labels(ng_model *model, double *loss, size_t *correct, const int *labels,
                             size_t n, ng_error *error)
{
    ngi_gpt *gpt = (ngi_gpt *)model;
    size_t batch = gpt->flat.batch, context = gpt->context, rows = batch * context;
    if (gpt->flat.stage < STAGE_FORWARD)
        return ng_error_set(error, NG_ENODATA, "softmax loss: no forward pass yet");
    gpt->flat.stage = STAGE_FORWARD;
    if (n != batch && n != rows)
        return ng_error_set(error, NG_ESHAPE, "labels: %zu for a batch of %zu or its %zu positions",
                            n, batch, rows);
    if (labels == NULL)
        return ng_error_set(error, NG_EARG, "labels: NULL");
    for (size_t r = 0; r < rows; r++)
        gpt->targets[r] = n == rows                    ? labels[r]
                          : r % context + 1 == context ? labels[r / context]
                                                       : gpt->tokens[r + 1];
    return ngi_flat_loss(&gpt->flat, loss, correct, gpt->targets, error);
}

static const ngi_model table = {
    .destroy = destroy,
    .initialise = ngi_flat_initialise,
    .input = ngi_flat_input,
    .forward = ngi_gpt_forward,
    .output = ngi_flat_output,
    .loss_labels = loss_labels,
    .backward = ngi_gpt_backward,
    .parameters = ngi_flat_parameters,
    .parameter = ngi_flat_parameter,
    .layers = ngi_flat_layers,
    .layer = ngi_flat_layer,
};

ng_status ng_gpt_create(ng_model **model, const ng_gpt_options *options, ng_error *error)
{
    *model = NULL;
    ng_status status = check_options(options, error);
    if (status != NG_OK)
        return status;
    ngi_gpt *gpt = calloc(1, sizeof *gpt);
    if (gpt == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a transformer");
    gpt->flat.model.table = &table;
    gpt->flat.dtype = options->dtype;
    gpt->flat.max_batch = options->max_batch;
    gpt->flat.places = options->context;
    gpt->kernels = options->dtype == NG_F32 ? &ngi_gpt_f32 : &ngi_gpt_f64;
    gpt->vocabulary = options->vocabulary;
    gpt->context = options->context;
    gpt->width = options->width;
    gpt->heads = options->heads;
    gpt->blocks = options->layers;
    gpt->tied = options->tied != 0;
    gpt->block = calloc(gpt->blocks, sizeof *gpt->block);
    gpt->x = calloc(2 * gpt->blocks + 1, sizeof *gpt->x);
    gpt->g = calloc(2 * gpt->blocks + 1, sizeof *gpt->g);
    if (gpt->block == NULL || gpt->x == NULL || gpt->g == NULL)
        status = ng_error_set(error, NG_ENOMEM, "no memory for %zu blocks", gpt->blocks);
    else
        status = ngi_flat_allocate(&gpt->flat, lay_out, options, error);
    if (status != NG_OK) {
        destroy(&gpt->flat.model);
        return status;
    }
    *model = &gpt->flat.model;
    return NG_OK;
}
