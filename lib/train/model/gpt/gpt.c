/* The transformer: options, memory, labels. The passes are passes.c's. */
#include "lib/train/model/gpt/gpt.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Options ------------------------------------------------------------------ */

#define AT(name) offsetof(ng_gpt_options, name)
static const ngi_field fields[] = {
    {"vocabulary", NGI_COUNT, AT(vocabulary), .min = 1, .max = 1 << 24},
    {"context", NGI_COUNT, AT(context), .value = 64, .min = 1, .max = 1 << 20},
    {"layers", NGI_COUNT, AT(layers), .value = 2, .min = 1, .max = 4096},
    {"width", NGI_COUNT, AT(width), .value = 64, .min = 1, .max = 1 << 20},
    {"heads", NGI_COUNT, AT(heads), .value = 4, .min = 1, .max = 1 << 20},
    {"tied", NGI_SWITCH, AT(tied), .value = 0},
    {"max_batch", NGI_COUNT, AT(max_batch), .value = 16, .min = 1, .max = 1 << 20},
};
#undef AT

ng_status ng_gpt_init_sized(ng_gpt_options *options, size_t size)
{
    return ngi_options_init(options, size, sizeof *options, fields, sizeof fields / sizeof *fields);
}

static ng_status check(const void *options, ng_error *error)
{
    const ng_gpt_options *o = options;
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

static size_t plan_affine(ngi_plan *plan, const ngi_gpt *gpt, const char *name, double variance,
                          ng_mat a, ng_mat g)
{
    return ngi_plan_affine(
        plan, name, variance,
        (ngi_linear){.a = a, .g = g, .places = gpt->context, .scale = (double)gpt->context});
}

static void plan_block(ngi_plan *plan, ngi_gpt *gpt, size_t i, size_t rows)
{
    ngi_block *b = &gpt->block[i];
    size_t width = gpt->width;
    double residual = VARIANCE / (2 * (double)gpt->blocks);
    char name[32];
    b->qkv_z = ngi_plan_buffer(plan, rows, 3 * width);
    b->qkv_g = ngi_plan_buffer(plan, rows, 3 * width);
    b->p = ngi_plan_buffer(plan, ngi_times(rows, gpt->heads), gpt->context);
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
        plan->model->param[plan->model->linear[b->qkv].weight].blocks = 3;
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
    ngi_gpt *gpt = (ngi_gpt *)plan->model;
    size_t rows = ngi_times(o->max_batch, o->context);
    gpt->model.input = ngi_plan_buffer(plan, o->max_batch, o->context);
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
    gpt->model.logits = ngi_plan_buffer(plan, rows, o->vocabulary);
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
    gpt->head = ngi_plan_linear(plan, "head", &head);
}

/* ---- Life ------------------------------------------------------------------------ */

static ng_status create(ng_model *model, const void *options, ng_error *error)
{
    const ng_gpt_options *o = options;
    ngi_gpt *gpt = (ngi_gpt *)model;
    model->max_batch = o->max_batch;
    model->places = o->context;
    model->loss = NG_LOSS_SOFTMAX;
    gpt->kernels = o->dtype == NG_F32 ? &ngi_gpt_f32 : &ngi_gpt_f64;
    gpt->vocabulary = o->vocabulary;
    gpt->context = o->context;
    gpt->width = o->width;
    gpt->heads = o->heads;
    gpt->blocks = o->layers;
    gpt->tied = o->tied != 0;
    gpt->block = calloc(gpt->blocks, sizeof *gpt->block);
    gpt->x = calloc(2 * gpt->blocks + 1, sizeof *gpt->x);
    gpt->g = calloc(2 * gpt->blocks + 1, sizeof *gpt->g);
    if (gpt->block == NULL || gpt->x == NULL || gpt->g == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu blocks", gpt->blocks);
    return NG_OK;
}

static void destroy(ng_model *model)
{
    ngi_gpt *gpt = (ngi_gpt *)model;
    free(gpt->block);
    free(gpt->x);
    free(gpt->g);
}

/* One label a position, or the last position's: at the others the target is the
 * next token of the input. */
static const int *labels_of_rows(ng_model *model, const int *labels, size_t n)
{
    ngi_gpt *gpt = (ngi_gpt *)model;
    size_t context = gpt->context, rows = model->batch * context;
    if (n != model->batch && n != rows)
        return NULL;
    for (size_t r = 0; r < rows; r++)
        gpt->targets[r] = n == rows                    ? labels[r]
                          : r % context + 1 == context ? labels[r / context]
                                                       : gpt->tokens[r + 1];
    return gpt->targets;
}

const ngi_model_kind ngi_gpt_kind = {
    .name = "gpt",
    .options_size = sizeof(ng_gpt_options),
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .size = sizeof(ngi_gpt),
    .check = check,
    .create = create,
    .destroy = destroy,
    .lay_out = lay_out,
    .forward = ngi_gpt_forward,
    .backward = ngi_gpt_backward,
    .tangent = ngi_gpt_tangent,
    .labels = labels_of_rows,
};

ng_status ng_model_create_gpt(ng_model **model, const ng_gpt_options *options, ng_error *error)
{
    return ngi_model_create(model, &ngi_gpt_kind, options, error);
}
