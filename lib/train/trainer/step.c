/* A batch through the model, and a step. */
#include <float.h>
#include <math.h>

#include <natgrad/natural.h>

#include "lib/core/try.h"
#include "lib/train/trainer/trainer.h"

void ngi_trainer_tell(ng_trainer *t, ng_trainer_event_kind kind)
{
    const ngi_position *at = &t->at;
    ng_trainer_event event = {.size = sizeof event,
                              .kind = kind,
                              .epoch = at->epoch + (kind != NG_TRAINER_EPOCH),
                              .done = kind == NG_TRAINER_EPOCH ? at->count : at->next,
                              .count = at->count,
                              .loss = at->loss,
                              .score = at->score};
    if (kind == NG_TRAINER_EPOCH)
        event.point = &at->points[at->point_count - 1];
    if (t->o.watch != NULL && t->o.watch(t, &event, t->o.watch_data) != 0)
        t->asked = 1;
}

ng_status ngi_trainer_loss(ng_trainer *t, double *loss, size_t *correct, const ng_dataset *data,
                           const size_t *index, size_t batch)
{
    if (t->targets.data == NULL)
        return ng_model_loss_labels(t->model, loss, correct, t->labels, batch, &t->error);
    ng_mat y = ng_mat_block(t->targets, 0, 0, batch, t->targets.cols);
    *correct = 0;
    TRY(ng_dataset_gather_targets(data, y, index, batch, &t->error));
    return ng_model_loss_targets(t->model, loss, y, &t->error);
}

ng_status ngi_trainer_pass(ng_trainer *t, double *loss, size_t *correct, const ng_dataset *data,
                           const size_t *index, size_t batch)
{
    ng_mat x = ng_model_input(t->model, batch);
    if (x.data == NULL || batch > (t->most > t->o.batch ? t->most : t->o.batch))
        return ng_error_set(&t->error, NG_ESHAPE, "%zu samples are more than the model takes",
                            batch);
    TRY(ng_dataset_gather(data, x, t->labels, index, batch, &t->error));
    TRY(ng_model_forward(t->model, batch, &t->error));
    return ngi_trainer_loss(t, loss, correct, data, index, batch);
}

ng_status ng_trainer_forward(ng_trainer *t, double *loss, double *share, const ng_dataset *data,
                             const size_t *index, size_t batch)
{
    double mean;
    size_t correct;
    if (t == NULL)
        return NG_EARG;
    if (data == NULL || index == NULL || batch == 0)
        return ng_error_set(&t->error, NG_EARG, "forward: no data or no samples");
    TRY(ngi_trainer_pass(t, &mean, &correct, data, index, batch));
    if (loss != NULL)
        *loss = mean;
    if (share != NULL)
        *share = t->targets.data != NULL ? (double)NAN
                                         : (double)correct / (double)ng_model_output(t->model).rows;
    return NG_OK;
}

ng_status ng_trainer_capture(ng_trainer *t)
{
    if (t == NULL)
        return NG_EARG;
    return ngi_trainer_capture(t, NG_TRAINER_FISHER_EMPIRICAL);
}

ng_status ng_trainer_step(ng_trainer *t)
{
    if (t == NULL)
        return NG_EARG;
    TRY(ng_model_backward(t->model, &t->error));
    return ngi_of_optimizer(t, ng_optimizer_step(t->opt));
}

ng_status ng_trainer_capture_step(ng_trainer *t)
{
    TRY(ng_trainer_capture(t));
    return ngi_of_optimizer(t, ng_optimizer_step(t->opt));
}

ng_status ngi_trainer_tell_loss(ng_trainer *t, double before, const ng_dataset *data,
                                const size_t *index, size_t batch)
{
    double after;
    size_t unused;
    if (t->tells == 0 || ng_optimizer_steps(t->opt) % t->tells != 0)
        return NG_OK;
    ng_status status = ngi_trainer_pass(t, &after, &unused, data, index, batch);
    if (status == NG_ENONFINITE) {
        t->error = (ng_error){NG_OK, ""};
        after = DBL_MAX;
    } else
        TRY(status);
    return ngi_of_optimizer(t, ng_group_adapt_damping(t->group, NULL, before, after));
}
