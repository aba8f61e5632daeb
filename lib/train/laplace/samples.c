/* The samples a posterior is fitted to: once through the model, what the last
 * layer sees of them kept in double. */
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

static const ngi_linear *head(const ng_model *model)
{
    return &model->linear[model->layers - 1];
}

static ng_status check(const ng_laplace *l, const ng_dataset *data, ng_error *error)
{
    size_t features = ng_dataset_features(data), inputs = l->model->input.cols;
    if (ng_dataset_count(data) == 0)
        return ng_error_set(error, NG_ENODATA, "%s: no samples", ng_dataset_name(data));
    if (features != inputs)
        return ng_error_set(error, NG_ESHAPE, "%s: %zu features, the model has %zu inputs",
                            ng_dataset_name(data), features, inputs);
    if (!ng_dataset_labelled(data))
        return ng_error_set(error, NG_ENODATA, "%s: no labels or targets", ng_dataset_name(data));
    return NG_OK;
}

static ng_status allocate(ngi_samples *s, const ng_laplace *l, ng_error *error)
{
    size_t outputs = l->model->logits.cols, n = s->count;
    size_t c = head(l->model)->a.cols + (head(l->model)->bias != NG_MODEL_NONE);
    TRY(ngi_heap_mat(&s->memory, &s->a, n, c, error));
    TRY(ngi_heap_mat(&s->memory, &s->t, l->likelihood->labels ? 0 : n, outputs, error));
    s->labels = calloc(n, sizeof *s->labels);
    s->index = calloc(l->model->max_batch, sizeof *s->index);
    if (s->labels == NULL || s->index == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu labels", n);
    return NG_OK;
}

ng_status ngi_samples_forward(const ngi_samples *s, ng_model *model, size_t first, size_t batch,
                              ng_error *error)
{
    for (size_t i = 0; i < batch; i++)
        s->index[i] = first + i;
    TRY(ng_dataset_gather(s->data, ng_model_input(model, batch), NULL, s->index, batch, error));
    return ng_model_forward(model, batch, error);
}

static ng_status check_labels(const ngi_samples *s, const ng_model *model, ng_error *error)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->labels[i] < 0 || (size_t)s->labels[i] >= model->logits.cols)
            return ng_error_set(error, NG_EARG,
                                "%s: sample %zu has label %d, the model %zu outputs",
                                ng_dataset_name(s->data), i, s->labels[i], model->logits.cols);
    return NG_OK;
}

/* The labels or targets of a batch whose indices stand in s->index. */
static ng_status truth(ngi_samples *s, const ng_laplace *l, size_t first, size_t batch,
                       ng_error *error)
{
    ng_mat x = ng_model_input(l->model, batch);
    if (l->likelihood->labels)
        return ng_dataset_gather(s->data, x, s->labels + first, s->index, batch, error);
    return ng_dataset_gather_targets(s->data, ng_mat_block(s->t, first, 0, batch, s->t.cols),
                                     s->index, batch, error);
}

static ng_status gather(ngi_samples *s, ng_laplace *l, ng_error *error)
{
    size_t batch, inputs = head(l->model)->a.cols;
    TRY(allocate(s, l, error));
    ng_fill(s->a, 1);
    for (size_t i = 0; i < s->count; i += batch) {
        batch = s->count - i < l->model->max_batch ? s->count - i : l->model->max_batch;
        TRY(ngi_samples_forward(s, l->model, i, batch, error));
        TRY(ng_copy(ng_mat_block(s->a, i, 0, batch, inputs), ngi_rows(head(l->model)->a, batch),
                    error));
        TRY(truth(s, l, i, batch, error));
    }
    TRY(l->likelihood->labels ? check_labels(s, l->model, error) : NG_OK);
    if (!ng_is_finite(s->a) || !ng_is_finite(s->t))
        return ng_error_set(error, NG_ENONFINITE,
                            "%s: NaN or infinity at the last layer or in a target",
                            ng_dataset_name(s->data));
    return NG_OK;
}

ng_status ngi_samples_gather(ngi_samples *s, ng_laplace *l, const ng_dataset *data, ng_error *error)
{
    TRY(check(l, data, error));
    s->data = data;
    s->count = ng_dataset_count(data);
    return gather(s, l, error);
}

void ngi_samples_free(ngi_samples *s)
{
    free(s->labels);
    free(s->index);
    ngi_heap_close(&s->memory, NG_OK);
}
