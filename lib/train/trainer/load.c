/* Where a training was, from a model file: everything is read and checked before anything
 * changes. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/checkpoint.h>
#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/model_file/model_file.h"
#include "lib/train/trainer/settings.h"

enum { RANDOM = 48 }; /* bytes of a generator's state */

/* What was read; owned. */
typedef struct {
    ng_trainer *t;
    ng_model *model;
    ng_tensors *file;
    double position[NGI_POSITION];
    ng_mat counts, points, live, average, best;
    ng_mat *state; /* of the optimizer, tensor by tensor */
    size_t states;
    size_t *order;
    unsigned char random[RANDOM];
} arrival;

/* ---- Reading ------------------------------------------------------------------------------- */

static ng_status find(const ng_tensor **tensor, const arrival *a, const char *name)
{
    *tensor = ng_tensors_find(a->file, name);
    return *tensor != NULL ? NG_OK
                           : ng_error_set(&a->t->error, NG_EFORMAT, "it has no '%.120s'", name);
}

/* *mat <- a tensor of that shape and type, in memory of its own. */
static ng_status read_mat(arrival *a, ng_mat *mat, const char *name, ng_mat like)
{
    const ng_tensor *tensor = NULL;
    TRY(find(&tensor, a, name));
    size_t size = ng_dtype_size(like.dtype);
    if (tensor->bytes / size != like.rows * like.cols)
        return ng_error_set(&a->t->error, NG_ESHAPE, "'%.80s' has %zu numbers, expected %zu x %zu",
                            name, tensor->count, like.rows, like.cols);
    *mat = (ng_mat){malloc(tensor->bytes + 1), like.rows, like.cols, like.cols, like.dtype};
    if (mat->data == NULL)
        return ng_error_set(&a->t->error, NG_ENOMEM, "no memory for '%.80s'", name);
    return ng_tensors_read_mat(a->file, *mat, tensor, &a->t->error);
}

static ng_status read_finite(arrival *a, ng_mat *mat, const char *name, ng_mat like)
{
    TRY(read_mat(a, mat, name, like));
    return ng_is_finite(*mat)
               ? NG_OK
               : ng_error_set(&a->t->error, NG_ENONFINITE, "NaN or infinity in '%.80s'", name);
}

static ng_status read_bytes(const arrival *a, void *bytes, const char *name, size_t size)
{
    const ng_tensor *tensor = NULL;
    TRY(find(&tensor, a, name));
    if (tensor->bytes != size || tensor->dtype != NG_TENSOR_U8)
        return ng_error_set(&a->t->error, NG_EFORMAT, "'%s' has %zu bytes, expected %zu", name,
                            tensor->bytes, size);
    return ng_tensors_read(a->file, bytes, tensor, 0, size, &a->t->error);
}

/* ---- The position ------------------------------------------------------------------------------
 */

static int whole(double x, double most)
{
    return x >= 0 && x <= most && x == floor(x);
}

/* What the elements of the position are, in the order of ngi_position_pack. */
enum {
    EPOCH,
    NEXT,
    LOSS,
    SCORE,
    SECONDS,
    BEST,
    BEST_LOSS,
    WAITED,
    COUNT,
    AVERAGED,
    DAMPING,
    OF_MODEL
};

/* Numbers that a training has; whether the count is that of the order is seen later. An epoch's
 * last step may be done and the epoch not yet judged. */
static ng_status check_position(const arrival *a)
{
    const double *p = a->position, most = 0x1p53, points = (double)a->points.rows;
    int place = whole(p[COUNT], most) && whole(p[NEXT], p[COUNT]) &&
                (p[NEXT] == p[COUNT] || fmod(p[NEXT], (double)a->t->o.batch) == 0);
    int epochs = whole(p[EPOCH], most) && (points == p[EPOCH] || points == p[EPOCH] + 1) &&
                 whole(p[BEST], points) && whole(p[WAITED], points) && whole(p[AVERAGED], most);
    int finite = p[SECONDS] >= 0 && isfinite(p[SECONDS]) && (p[NEXT] == 0 || isfinite(p[LOSS])) &&
                 (p[BEST] == 0 || isfinite(p[BEST_LOSS])) && p[DAMPING] >= 0 &&
                 isfinite(p[DAMPING]) && p[OF_MODEL] >= 0 && isfinite(p[OF_MODEL]);
    return place && epochs && finite ? NG_OK
                                     : ng_error_set(&a->t->error, NG_EFORMAT,
                                                    "no training is at epoch %g, sample %g of %g",
                                                    p[EPOCH], p[NEXT], p[COUNT]);
}

static ng_status check_order(const arrival *a, const uint64_t *order, unsigned char *seen)
{
    size_t count = (size_t)a->position[COUNT];
    for (size_t i = 0; i < count; i++) {
        if (order[i] >= count || seen[order[i]])
            return ng_error_set(&a->t->error, NG_EFORMAT, "its order of the samples is none");
        seen[order[i]] = 1;
        a->order[i] = (size_t)order[i];
    }
    return NG_OK;
}

static ng_status read_order(arrival *a)
{
    size_t count = (size_t)a->position[COUNT];
    const ng_tensor *tensor = NULL;
    TRY(find(&tensor, a, NGI_TRAINER "order"));
    if (tensor->bytes / sizeof(uint64_t) != count)
        return ng_error_set(&a->t->error, NG_EFORMAT, "its order is of %zu samples, not %zu",
                            tensor->bytes / sizeof(uint64_t), count);
    uint64_t *order = malloc(count * sizeof *order + 1);
    unsigned char *seen = calloc(count + 1, 1);
    a->order = malloc(count * sizeof *a->order + 1);
    ng_status status =
        order == NULL || seen == NULL || a->order == NULL
            ? ng_error_set(&a->t->error, NG_ENOMEM, "no memory for the order of %zu samples", count)
            : read_bytes(a, order, NGI_TRAINER "order", count * sizeof *order);
    if (status == NG_OK)
        status = check_order(a, order, seen);
    free(order);
    free(seen);
    return status;
}

static ng_status read_position(arrival *a)
{
    ng_mat position = {NULL, 0, 0, 0, NG_F64};
    const ng_tensor *points = ng_tensors_find(a->file, NGI_TRAINER "points");
    ng_status status = read_mat(a, &position, NGI_TRAINER "position",
                                (ng_mat){NULL, 1, NGI_POSITION, NGI_POSITION, NG_F64});
    if (status == NG_OK)
        memcpy(a->position, position.data, sizeof a->position);
    free(position.data);
    TRY(status);
    if (points != NULL)
        TRY(read_mat(a, &a->points, NGI_TRAINER "points",
                     (ng_mat){NULL, points->count / NGI_POINT, NGI_POINT, NGI_POINT, NG_F64}));
    TRY(check_position(a));
    TRY(read_order(a));
    return read_bytes(a, a->random, NGI_TRAINER "random", sizeof a->random);
}

/* ---- Weights and the optimizer
 * ---------------------------------------------------------------------- */

static ng_status read_weights(arrival *a)
{
    const ng_mat like = a->t->weights;
    int averaged = a->position[AVERAGED] > 0, best = a->position[BEST] > 0;
    if (averaged != 0 && a->t->average == NULL)
        return ng_error_set(&a->t->error, NG_EFORMAT, "an average without ema");
    if (best && a->t->best.data == NULL)
        return ng_error_set(&a->t->error, NG_EFORMAT, "best weights without patience");
    if (averaged)
        TRY(read_finite(a, &a->average, NGI_TRAINER "average", like));
    if (best)
        TRY(read_finite(a, &a->best, NGI_TRAINER "best", like));
    return averaged || best ? read_finite(a, &a->live, NGI_TRAINER "live", like) : NG_OK;
}

static ng_status read_state(arrival *a)
{
    char name[NGI_NAME];
    const char *parameter, *slot;
    ng_mat view;
    size_t count = 0;
    while (ng_optimizer_tensor(a->t->opt, &parameter, &slot, &view, count) == NG_OK)
        count++;
    a->state = calloc(count + 1, sizeof *a->state);
    if (a->state == NULL)
        return ng_error_set(&a->t->error, NG_ENOMEM, "no memory for the state of an optimizer");
    for (size_t i = 0; i < count; i++) {
        ng_optimizer_tensor(a->t->opt, &parameter, &slot, &view, i);
        ngi_state_name(name, parameter, slot);
        a->states = i + 1;
        TRY(read_finite(a, &a->state[i], name, view));
    }
    size_t counts = ng_optimizer_counts(a->t->opt, NULL, 0);
    return read_finite(a, &a->counts, NGI_OPTIMIZER "counts",
                       (ng_mat){NULL, 1, counts, counts, NG_F64});
}

static ng_status check_settings(arrival *a)
{
    const char *there = ng_tensors_text(a->file, NGI_SETTINGS_KEY);
    char *here;
    if (there == NULL)
        return ng_error_set(&a->t->error, NG_EFORMAT,
                            "a model alone: it does not say where its training was");
    TRY(ngi_settings_create(&here, a->t, &a->t->error));
    ng_status status = ngi_settings_agree(here, there, &a->t->error);
    free(here);
    return status;
}

static ng_status read_all(arrival *a, const char *path)
{
    TRY(ng_model_load(&a->model, NULL, &a->file, path, NULL, &a->t->error));
    TRY(check_settings(a));
    if (a->model->w.cols != a->t->weights.cols)
        return ng_error_set(&a->t->error, NG_ESHAPE, "its model has %zu weights, this one %zu",
                            a->model->w.cols, a->t->weights.cols);
    TRY(read_position(a));
    TRY(read_weights(a));
    return read_state(a);
}

/* ---- Taking it over
 * ------------------------------------------------------------------------------------- */

static void take_row(ng_mat to, ng_mat from)
{
    memcpy(to.data, from.data, to.cols * ng_dtype_size(to.dtype));
}

/* What may fail: the generator and the counts, both or none. */
static ng_status take_counts(arrival *a)
{
    ng_trainer *t = a->t;
    unsigned char before[RANDOM];
    t->random.save(t->random.data, before, sizeof before);
    if (t->random.load(t->random.data, a->random, sizeof a->random) != 0)
        return ng_error_set(&t->error, NG_EFORMAT, "its generator's state is none");
    ng_status status = ng_optimizer_set_counts(t->opt, a->counts.data, a->counts.cols);
    if (status == NG_OK)
        return NG_OK;
    t->random.load(t->random.data, before, sizeof before);
    return ng_error_set(&t->error, status, "%s", ng_optimizer_error(t->opt));
}

static void take_position(arrival *a)
{
    const double *p = a->position;
    ngi_position *at = &a->t->at;
    free(at->order);
    free(at->points);
    if (a->t->tells > 0) { /* a metric without a damping says no */
        ng_group_set(a->t->group, "damping", p[DAMPING]);
        ng_group_set(a->t->group, "model_damping", p[OF_MODEL]);
    }
    *at = (ngi_position){.epoch = (size_t)p[EPOCH],
                         .next = (size_t)p[NEXT],
                         .loss = p[LOSS],
                         .score = p[SCORE],
                         .seconds = p[SECONDS],
                         .best = (size_t)p[BEST],
                         .best_loss = p[BEST_LOSS],
                         .waited = (size_t)p[WAITED],
                         .count = (size_t)p[COUNT],
                         .order = a->order,
                         .points = a->points.data,
                         .point_count = a->points.rows};
    a->order = NULL;
    a->points.data = NULL;
}

static ng_status take_all(arrival *a)
{
    ng_trainer *t = a->t;
    const char *parameter, *slot;
    ng_mat view;
    TRY(ngi_trainer_hide(t));
    TRY(take_counts(a));
    for (size_t i = 0; i < a->states; i++) {
        ng_optimizer_tensor(t->opt, &parameter, &slot, &view, i);
        ng_copy(view, a->state[i], NULL);
    }
    if (a->average.data != NULL) {
        take_row(t->weights, a->average);
        TRY(ng_average_restore(t->average, (unsigned long long)a->position[AVERAGED], &t->error));
    }
    take_row(t->weights, a->live.data != NULL ? a->live : a->model->w);
    if (a->best.data != NULL)
        take_row(t->best, a->best);
    take_position(a);
    t->end = NG_TRAINER_BEGUN;
    return ngi_trainer_show(t);
}

static ng_status load(arrival *a, const char *path)
{
    TRY(ngi_trainer_agree(a->t, read_all(a, path), 0));
    return take_all(a);
}

ng_status ng_trainer_load(ng_trainer *t, const char *path)
{
    arrival a = {.t = t};
    if (t == NULL)
        return NG_EARG;
    t->error = (ng_error){NG_OK, ""};
    if (path == NULL)
        return ng_error_set(&t->error, NG_EARG, "load: path is NULL");
    ng_status status = load(&a, path);
    if (status != NG_OK)
        ngi_name_file(&t->error, path);
    for (size_t i = 0; i < a.states; i++)
        free(a.state[i].data);
    free(a.state);
    free(a.counts.data);
    free(a.points.data);
    free(a.live.data);
    free(a.average.data);
    free(a.best.data);
    free(a.order);
    ng_model_destroy(a.model);
    ng_tensors_close(a.file);
    return status;
}
