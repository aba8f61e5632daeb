/* The table of losses and the calls that evaluate them at the logits. A new
 * loss: its function in loss_kernels.h, a row here, a name in the public enum. */
#include <float.h>
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"

#define T float
#define K(name) f32_##name
#define M(name) name##f
#include "lib/train/model/loss_kernels.h"
#undef T
#undef K
#undef M

#define T double
#define K(name) f64_##name
#define M(name) name
#include "lib/train/model/loss_kernels.h"
#undef T
#undef K
#undef M

typedef struct {
    const char *name;
    /* class labels or targets: one of the two is there (optional) */
    double (*labels[2])(size_t rows, size_t cols, void *g, size_t *correct, const void *z,
                        const int *labels, double scale);
    double (*targets[2])(size_t rows, size_t cols, void *g, const void *z, const void *t,
                         size_t ldt, double scale);
    double low, high; /* the range of a target */
} loss_row;

static const loss_row losses[] = {
    [NG_LOSS_SOFTMAX] = {"softmax", .labels = {f32_softmax, f64_softmax}},
    [NG_LOSS_BERNOULLI] = {"bernoulli", .targets = {f32_bernoulli, f64_bernoulli}, .high = 1},
    [NG_LOSS_SQUARED] = {"squared", .targets = {f32_squared, f64_squared}, .low = -DBL_MAX,
                         .high = DBL_MAX},
};

static size_t (*const outside[2])(size_t n, const void *t, double low,
                                  double high) = {[NG_F32] = f32_outside, [NG_F64] = f64_outside};

const char *ng_loss_name(ng_loss loss)
{
    size_t i = (size_t)loss;
    return i < sizeof losses / sizeof *losses ? losses[i].name : NULL;
}

/* Looks for the first place with a NaN or infinity, in the order of the pass. */
static ng_status nonfinite(const ng_model *m, double loss, ng_error *error)
{
    const char *name = losses[m->loss].name;
    if (!ng_is_finite(ngi_rows(m->input, m->batch)))
        return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: NaN or infinity in the input",
                            name, loss);
    for (size_t i = 0; i < m->params; i++)
        if (!ng_is_finite(m->param[i].w))
            return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: NaN or infinity in %s", name,
                                loss, m->param[i].name);
    for (size_t i = 0; i < m->layers; i++)
        if (!ng_is_finite(ngi_rows(m->linear[i].a, m->batch * m->linear[i].places)))
            return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: the inputs of %s overflow",
                                name, loss, m->linear[i].name);
    return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: the %s", name, loss,
                        ng_is_finite(ng_model_output(m)) ? "loss itself overflows"
                                                         : "logits overflow");
}

/* The loss takes this kind of truth, and a forward pass has been made, whose
 * last loss is out of date from here on. */
static ng_status begin(ng_model *m, int supported, const char *wants, ng_error *error)
{
    const char *name = losses[m->loss].name;
    if (!supported)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s loss: call %s", name, wants);
    if (m->stage < STAGE_FORWARD)
        return ng_error_set(error, NG_ENODATA, "%s loss: no forward pass yet", name);
    m->stage = STAGE_FORWARD;
    return NG_OK;
}

/* The mean, if it is a number; from here on backward has its derivative. */
static ng_status finish(ng_model *m, double *loss, double sum, size_t rows, ng_error *error)
{
    *loss = sum / (double)rows;
    if (!isfinite(*loss))
        return nonfinite(m, *loss, error);
    m->stage = STAGE_LOSS;
    return NG_OK;
}

/* ---- Class labels --------------------------------------------------------------- */

/* *rows <- one label a row of logits */
static ng_status find_labels(ng_model *m, const int **rows, const int *labels, size_t n,
                             ng_error *error)
{
    size_t count = m->batch * m->places, classes = m->logits.cols;
    if (labels == NULL)
        return ng_error_set(error, NG_EARG, "labels: NULL");
    *rows = m->kind->labels != NULL ? m->kind->labels(m, labels, n) : n == count ? labels : NULL;
    if (*rows == NULL && m->places == 1)
        return ng_error_set(error, NG_ESHAPE, "labels: %zu for a batch of %zu", n, m->batch);
    if (*rows == NULL)
        return ng_error_set(error, NG_ESHAPE, "labels: %zu for a batch of %zu or its %zu positions",
                            n, m->batch, count);
    for (size_t i = 0; i < count; i++)
        if ((*rows)[i] < 0 || (size_t)(*rows)[i] >= classes)
            return ng_error_set(error, NG_EARG, "labels: row %zu is %d, not in 0 ... %zu", i,
                                (*rows)[i], classes - 1);
    return NG_OK;
}

ng_status ng_model_loss_labels(ng_model *model, double *loss, size_t *correct, const int *labels,
                               size_t n, ng_error *error)
{
    const loss_row *row = &losses[model->loss];
    const int *row_labels = NULL;
    ng_mat g = model->linear[model->layers - 1].g, z = model->logits;
    TRY(begin(model, row->labels[z.dtype] != NULL, "ng_model_loss_targets", error));
    TRY(find_labels(model, &row_labels, labels, n, error));
    size_t rows = model->batch * model->places, hits = 0;
    double sum =
        row->labels[z.dtype](rows, z.cols, g.data, &hits, z.data, row_labels, 1.0 / (double)rows);
    if (correct != NULL)
        *correct = hits;
    return finish(model, loss, sum, rows, error);
}

/* ---- Targets ---------------------------------------------------------------------- */

static ng_status check_targets(const ng_model *m, ng_mat t, ng_error *error)
{
    const loss_row *row = &losses[m->loss];
    ng_mat z = ng_model_output(m);
    TRY(ng_mat_check(t, "targets", error));
    if (t.dtype != m->dtype)
        return ng_error_set(error, NG_EDTYPE, "targets: not the dtype of the model");
    if (t.rows != z.rows || t.cols != z.cols)
        return ng_error_set(error, NG_ESHAPE, "targets: %zu x %zu, expected %zu x %zu", t.rows,
                            t.cols, z.rows, z.cols);
    for (size_t i = 0; i < t.rows; i++) {
        size_t j = 0;
        ng_mat line = ng_mat_block(t, i, 0, 1, t.cols);
        if (outside[t.dtype](line.cols, line.data, row->low, row->high) == 0)
            continue;
        while (ng_mat_get(t, i, j) >= row->low && ng_mat_get(t, i, j) <= row->high)
            j++;
        return ng_error_set(error, NG_EARG, "targets: row %zu, column %zu is %g, not in [%g, %g]",
                            i, j, ng_mat_get(t, i, j), row->low, row->high);
    }
    return NG_OK;
}

ng_status ng_model_loss_targets(ng_model *model, double *loss, ng_mat targets, ng_error *error)
{
    const loss_row *row = &losses[model->loss];
    ng_mat g = model->linear[model->layers - 1].g, z = model->logits;
    TRY(begin(model, row->targets[z.dtype] != NULL, "ng_model_loss_labels", error));
    TRY(check_targets(model, targets, error));
    size_t rows = targets.rows;
    double sum = row->targets[z.dtype](rows, z.cols, g.data, z.data, targets.data, targets.stride,
                                       1.0 / (double)rows);
    return finish(model, loss, sum, rows, error);
}

/* ---- A derivative of the caller's own ------------------------------------------------ */

ng_status ng_model_loss_gradient(ng_model *model, ng_mat dz, ng_error *error)
{
    ng_mat z = ng_model_output(model), g = model->linear[model->layers - 1].g;
    if (model->stage < STAGE_FORWARD)
        return ng_error_set(error, NG_ENODATA, "loss gradient: no forward pass yet");
    model->stage = STAGE_FORWARD;
    TRY(ng_mat_check(dz, "dz", error));
    if (dz.rows != z.rows || dz.cols != z.cols)
        return ng_error_set(error, NG_ESHAPE, "dz: %zu x %zu, expected %zu x %zu", dz.rows, dz.cols,
                            z.rows, z.cols);
    TRY(ng_copy(ngi_rows(g, z.rows), dz, error));
    if (!ng_is_finite(ngi_rows(g, z.rows)))
        return ng_error_set(error, NG_ENONFINITE, "dz: NaN or infinity");
    model->stage = STAGE_LOSS;
    return NG_OK;
}
