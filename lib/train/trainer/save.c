/* A model file with all that its training needs to go on. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/checkpoint.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"
#include "lib/train/trainer/settings.h"

void ngi_position_pack(double position[NGI_POSITION], const ng_trainer *t)
{
    const ngi_position *at = &t->at;
    double damping = 0, of_model = 0; /* what steps move of the method's options */
    if (t->tells > 0) {
        ng_group_get(t->group, "damping", &damping);
        ng_group_get(t->group, "model_damping", &of_model);
    }
    const double all[NGI_POSITION] = {(double)at->epoch, (double)at->next,
                                      at->loss,          at->score,
                                      at->seconds,       (double)at->best,
                                      at->best_loss,     (double)at->waited,
                                      (double)at->count, (double)ng_average_count(t->average),
                                      damping,           of_model};
    memcpy(position, all, sizeof all);
}

void ngi_state_name(char name[NGI_NAME], const char *parameter, const char *slot)
{
    snprintf(name, NGI_NAME, "%s%.80s/%.30s", NGI_OPTIMIZER, parameter, slot);
}

/* What is written, all at once; owned. */
typedef struct {
    ng_model_extra *extra;
    ng_mat live, average;
    double position[NGI_POSITION];
    double *counts;
    uint64_t *order;
    unsigned char *random;
    char *settings;
    ng_mat *brought; /* tensors of other ranks, on rank 0 */
    size_t brought_count;
} freight;

static ng_status no_memory(ng_trainer *t)
{
    return ng_error_set(&t->error, NG_ENOMEM, "no memory to save where a training is");
}

/* ---- The weights that are trained, and the average beside them ---------------------------- */

static ng_status copy_row(ng_trainer *t, ng_mat *copy)
{
    TRY(ngi_trainer_row(t, copy));
    memcpy(copy->data, t->weights.data, copy->cols * ng_dtype_size(copy->dtype));
    return NG_OK;
}

/* The model holds the trained weights. */
static ng_status copy_hidden(ng_trainer *t, freight *f)
{
    TRY(copy_row(t, &f->live));
    if (ng_average_count(t->average) == 0)
        return NG_OK;
    TRY(ng_average_swap(t->average, &t->error));
    ng_status copied = copy_row(t, &f->average);
    TRY(ng_average_swap(t->average, &t->error));
    return copied;
}

/* Unless they are the model's own. */
static ng_status copy_weights(ng_trainer *t, freight *f)
{
    if (t->at.best == 0 && ng_average_count(t->average) == 0)
        return NG_OK;
    int shown = t->shown;
    TRY(ngi_trainer_hide(t));
    ng_status copied = copy_hidden(t, f);
    if (shown)
        TRY(ngi_trainer_show(t));
    return copied;
}

static ng_status pack_weights(ng_trainer *t, freight *f)
{
    TRY(copy_weights(t, f));
    if (f->live.data != NULL)
        TRY(ng_model_extra_add(f->extra, NGI_TRAINER "live", f->live, &t->error));
    if (f->average.data != NULL)
        TRY(ng_model_extra_add(f->extra, NGI_TRAINER "average", f->average, &t->error));
    if (t->at.best > 0)
        TRY(ng_model_extra_add(f->extra, NGI_TRAINER "best", t->best, &t->error));
    return NG_OK;
}

/* ---- The rest ------------------------------------------------------------------------------- */

_Static_assert(sizeof(ng_trainer_point) == NGI_POINT * sizeof(double), "points as rows");

static ng_status pack_position(ng_trainer *t, freight *f)
{
    const ngi_position *at = &t->at;
    size_t bytes = t->random.save(t->random.data, NULL, 0);
    f->order = malloc((at->count + 1) * sizeof *f->order);
    f->random = malloc(bytes);
    if (f->order == NULL || f->random == NULL)
        return no_memory(t);
    for (size_t i = 0; i < at->count; i++)
        f->order[i] = at->order[i];
    t->random.save(t->random.data, f->random, bytes);
    ngi_position_pack(f->position, t);
    TRY(ng_model_extra_add(f->extra, NGI_TRAINER "position", ng_f64(f->position, 1, NGI_POSITION),
                           &t->error));
    TRY(ng_model_extra_add_bytes(f->extra, NGI_TRAINER "order", f->order,
                                 at->count * sizeof *f->order, &t->error));
    TRY(ng_model_extra_add_bytes(f->extra, NGI_TRAINER "random", f->random, bytes, &t->error));
    if (at->point_count == 0)
        return NG_OK;
    return ng_model_extra_add(f->extra, NGI_TRAINER "points",
                              ng_f64(&at->points->seconds, at->point_count, NGI_POINT), &t->error);
}

/* Does another rank than 0 own it? */
static int is_elsewhere(const ng_trainer *t, int owner)
{
    return ngi_trainer_shares(t) && owner > 0;
}

static ng_status reserve_brought(ng_trainer *t, freight *f)
{
    const char *parameter, *slot;
    ng_mat view;
    int owner;
    size_t count = 0;
    while (ng_optimizer_entry(t->opt, &parameter, &slot, &view, &owner, count) == NG_OK)
        count++;
    f->brought = calloc(count + 1, sizeof *f->brought);
    for (size_t i = 0; i < count && f->brought != NULL; i++) {
        ng_optimizer_entry(t->opt, &parameter, &slot, &view, &owner, i);
        if (!is_elsewhere(t, owner) || t->exchange.rank != 0)
            continue;
        view.data = malloc(view.rows * view.cols * ng_dtype_size(view.dtype) + 1);
        f->brought[f->brought_count++] = view;
        if (view.data == NULL)
            return no_memory(t);
    }
    return f->brought != NULL ? NG_OK : no_memory(t);
}

/* Rank 0 gets the state that others own; all take part. */
static ng_status bring(ng_trainer *t, freight *f)
{
    const char *parameter, *slot;
    ng_mat view;
    int owner;
    if (!ngi_trainer_shares(t))
        return NG_OK;
    TRY(ngi_trainer_agree(t, reserve_brought(t, f), 0));
    for (size_t i = 0, k = 0;
         ng_optimizer_entry(t->opt, &parameter, &slot, &view, &owner, i) == NG_OK; i++)
        if (is_elsewhere(t, owner)) {
            ng_mat to = t->exchange.rank == 0 ? f->brought[k++] : ng_mat_none();
            t->exchange.bring(t->exchange.data, to, view, owner);
        }
    return NG_OK;
}

static ng_status pack_optimizer(ng_trainer *t, freight *f)
{
    char name[NGI_NAME];
    const char *parameter, *slot;
    ng_mat view;
    int owner;
    size_t count = ng_optimizer_counts(t->opt, NULL, 0);
    f->counts = malloc(count * sizeof *f->counts);
    if (f->counts == NULL)
        return no_memory(t);
    ng_optimizer_counts(t->opt, f->counts, count);
    TRY(ng_model_extra_add(f->extra, NGI_OPTIMIZER "counts", ng_f64(f->counts, 1, count),
                           &t->error));
    for (size_t i = 0, k = 0;
         ng_optimizer_entry(t->opt, &parameter, &slot, &view, &owner, i) == NG_OK; i++) {
        ngi_state_name(name, parameter, slot);
        if (is_elsewhere(t, owner) && t->exchange.rank == 0)
            view = f->brought[k++];
        if (view.data != NULL)
            TRY(ng_model_extra_add(f->extra, name, view, &t->error));
    }
    return NG_OK;
}

static ng_status pack(ng_trainer *t, freight *f)
{
    TRY(ng_model_extra_create(&f->extra, &t->error));
    TRY(ngi_settings_create(&f->settings, t, &t->error));
    TRY(ng_model_extra_add_text(f->extra, NGI_SETTINGS_KEY, f->settings, &t->error));
    TRY(pack_weights(t, f));
    TRY(pack_position(t, f));
    return pack_optimizer(t, f);
}

/* The model shows what is to be used while it is written. */
static ng_status write_shown(ng_trainer *t, const freight *f, const char *path,
                             const ng_schema *schema)
{
    int shown = t->shown;
    TRY(ngi_trainer_show(t));
    ng_status written = ng_model_save(t->model, schema, path, f->extra, &t->error);
    if (!shown)
        TRY(ngi_trainer_hide(t));
    return written;
}

static ng_status write(ng_trainer *t, freight *f, const char *path, const ng_schema *schema)
{
    if (t->exchange.rank > 0)
        return NG_OK;
    TRY(pack(t, f));
    return write_shown(t, f, path, schema);
}

static ng_status save(ng_trainer *t, freight *f, const char *path, const ng_schema *schema)
{
    TRY(bring(t, f));
    return ngi_trainer_agree(t, write(t, f, path, schema), 0);
}

ng_status ng_trainer_save(ng_trainer *t, const char *path, const ng_schema *schema)
{
    freight f = {.extra = NULL};
    if (t == NULL)
        return NG_EARG;
    t->error = (ng_error){NG_OK, ""};
    if (path == NULL || t->judging)
        return ng_error_set(&t->error, NG_EARG,
                            path == NULL ? "save: path is NULL" : "save: in an evaluation");
    ng_status status = save(t, &f, path, schema);
    ng_model_extra_destroy(f.extra);
    free(f.live.data);
    free(f.average.data);
    free(f.counts);
    free(f.order);
    free(f.random);
    free(f.settings);
    for (size_t i = 0; i < f.brought_count; i++)
        free(f.brought[i].data);
    free(f.brought);
    return status;
}
