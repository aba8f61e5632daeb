/* A posterior: its blocks, and what is known about it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

static const char *const names[] = {[NG_LAPLACE_LAST] = "last", [NG_LAPLACE_KRON] = "kron"};

const char *ng_laplace_structure_name(size_t i)
{
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

/* ---- Life --------------------------------------------------------------------------- */

/* Every parameter belongs to one layer that shares nothing. */
static ng_status check_layers(const ng_model *model, ng_error *error)
{
    size_t held = 0;
    for (size_t i = 0; i < model->layers; i++) {
        if (model->linear[i].shared)
            return ng_error_set(error, NG_EUNSUPPORTED, "kron: %s shares its weight",
                                model->linear[i].name);
        held += 1 + (model->linear[i].bias != NG_MODEL_NONE);
    }
    if (held != model->params)
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "kron: %zu of %zu parameters are outside of linear layers",
                            model->params - held, model->params);
    return NG_OK;
}

static ng_status create_block(ng_laplace *l, size_t layer, ng_error *error)
{
    const ngi_linear *linear = &l->model->linear[layer];
    int bias = linear->bias != NG_MODEL_NONE, kron = l->info.structure == NG_LAPLACE_KRON;
    size_t out = linear->g.cols, in = linear->a.cols, c = in + (size_t)bias;
    ngi_block *b = &l->block[l->blocks];
    if (out > SIZE_MAX / c)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu x %zu weights", out, c);
    TRY(kron ? ng_fisher_create_kron(&b->f, out, in, bias, NG_F64, error)
             : ng_fisher_create_dense(&b->f, out * c, NG_F64, error));
    b->layer = layer;
    l->blocks++;
    l->info.parameters += out * c;
    return NG_OK;
}

static ng_status build(ng_laplace *l, ng_error *error)
{
    int kron = l->info.structure == NG_LAPLACE_KRON;
    if (l->model->places != 1)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s: %zu rows of logits a sample",
                            ng_model_kind(l->model), l->model->places);
    if (kron)
        TRY(check_layers(l->model, error));
    l->block = calloc(l->model->layers, sizeof *l->block);
    if (l->block == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu layers", l->model->layers);
    for (size_t i = kron ? 0 : l->model->layers - 1; i < l->model->layers; i++)
        TRY(create_block(l, i, error));
    return NG_OK;
}

ng_status ngi_laplace_create(ng_laplace **laplace, ng_model *model, ng_laplace_structure structure,
                             ng_error *error)
{
    ng_laplace *l = calloc(1, sizeof *l);
    *laplace = l;
    if (l == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a posterior");
    l->model = model;
    l->likelihood = ngi_likelihood_of(model);
    l->info = (ng_laplace_info){.size = sizeof l->info,
                                .structure = structure,
                                .converged = 1,
                                .prior_precision = 1,
                                .noise_variance = 1};
    return build(l, error);
}

void ng_laplace_destroy(ng_laplace *laplace)
{
    if (laplace == NULL)
        return;
    for (size_t i = 0; i < laplace->blocks; i++)
        ng_fisher_destroy(laplace->block[i].f);
    free(laplace->block);
    ngi_heap_close(&laplace->memory, NG_OK);
    free(laplace);
}

ng_status ngi_laplace_built(ng_laplace **laplace, ng_status status)
{
    if (status != NG_OK) {
        ng_laplace_destroy(*laplace);
        *laplace = NULL;
    }
    return status;
}

/* ---- What is known about it --------------------------------------------------------------- */

ng_status ng_laplace_get(const ng_laplace *laplace, ng_laplace_info *info)
{
    if (info == NULL || info->size != sizeof *info)
        return NG_EOPTION;
    *info = laplace->info;
    return NG_OK;
}

ng_fisher *ng_laplace_fisher(ng_laplace *laplace, size_t *layer, size_t i)
{
    if (i >= laplace->blocks)
        return NULL;
    if (layer != NULL)
        *layer = laplace->block[i].layer;
    return laplace->block[i].f;
}

double ngi_laplace_norm(const ng_laplace *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->blocks; i++) {
        const ngi_linear *layer = &l->model->linear[l->block[i].layer];
        sum += pow(ng_norm(l->model->param[layer->weight].w), 2);
        if (layer->bias != NG_MODEL_NONE)
            sum += pow(ng_norm(l->model->param[layer->bias].w), 2);
    }
    return sum;
}
