/* The table of losses and the calls that evaluate them at the logits. A new
 * loss: its function in loss_kernels.h, a row here, a name in the public enum. */
#include <float.h>
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/train/model/mlp/internal.h"

#define T float
#define K(name) f32_##name
#define M(name) name##f
#include "lib/train/model/mlp/loss_kernels.h"
#undef T
#undef K
#undef M

#define T double
#define K(name) f64_##name
#define M(name) name
#include "lib/train/model/mlp/loss_kernels.h"
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

double ngi_softmax_loss(ng_mat g, size_t *correct, ng_mat z, const int *labels, double scale)
{
    return losses[NG_LOSS_SOFTMAX].labels[z.dtype](z.rows, z.cols, g.data, correct, z.data, labels,
                                                   scale);
}

const char *ng_loss_name(ng_loss loss)
{
    size_t i = (size_t)loss;
    return i < sizeof losses / sizeof *losses ? losses[i].name : NULL;
}

/* Looks for the first place with a NaN or infinity, in the order of the pass. */
static ng_status nonfinite(const ng_net *net, double loss, ng_error *error)
{
    const char *name = losses[net->loss].name;
    if (!ng_is_finite(ngi_rows(net->input, net->batch)))
        return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: NaN or infinity in the input",
                            name, loss);
    for (size_t i = 0; i < net->layers; i++) {
        const ngi_layer *l = &net->layer[i];
        const char *where = !ng_is_finite(l->weight) ? l->weight_name
                            : !ng_is_finite(l->bias) ? l->bias_name
                                                     : NULL;
        if (where != NULL)
            return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: NaN or infinity in %s", name,
                                loss, where);
        if (!ng_is_finite(ngi_rows(l->z, net->batch)))
            return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: the outputs of %s overflow",
                                name, loss, l->name);
    }
    return ng_error_set(error, NG_ENONFINITE, "%s loss is %g: the loss itself overflows", name,
                        loss);
}

/* A forward pass has been made, and the loss takes this kind of truth. */
static ng_status check_call(const ng_net *net, int supported, const char *wants, ng_error *error)
{
    if (!supported)
        return ng_error_set(error, NG_EUNSUPPORTED, "%s loss: call %s", losses[net->loss].name,
                            wants);
    if (net->stage < STAGE_FORWARD)
        return ng_error_set(error, NG_ENODATA, "%s loss: no forward pass yet",
                            losses[net->loss].name);
    return NG_OK;
}

static ng_status check_labels(const ng_net *net, const int *labels, size_t n, ng_error *error)
{
    size_t classes = net->layer[net->layers - 1].z.cols;
    if (n != net->batch)
        return ng_error_set(error, NG_ESHAPE, "labels: %zu for a batch of %zu", n, net->batch);
    if (labels == NULL)
        return ng_error_set(error, NG_EARG, "labels: NULL");
    for (size_t i = 0; i < n; i++)
        if (labels[i] < 0 || (size_t)labels[i] >= classes)
            return ng_error_set(error, NG_EARG, "labels: row %zu is %d, not in 0 ... %zu", i,
                                labels[i], classes - 1);
    return NG_OK;
}

static ng_status check_targets(const ng_net *net, ng_mat t, ng_error *error)
{
    const loss_row *row = &losses[net->loss];
    size_t outputs = net->layer[net->layers - 1].z.cols;
    ng_status status = ng_mat_check(t, "targets", error);
    if (status != NG_OK)
        return status;
    if (t.dtype != net->dtype)
        return ng_error_set(error, NG_EDTYPE, "targets: not the dtype of the net");
    if (t.rows != net->batch || t.cols != outputs)
        return ng_error_set(error, NG_ESHAPE, "targets: %zu x %zu, expected %zu x %zu", t.rows,
                            t.cols, net->batch, outputs);
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

/* The mean, if it is a number; from here on backward has its derivative. */
static ng_status finish(ng_net *net, double *loss, double sum, ng_error *error)
{
    *loss = sum / (double)net->batch;
    if (!isfinite(*loss))
        return nonfinite(net, *loss, error);
    net->stage = STAGE_LOSS;
    return NG_OK;
}

ng_status ng_net_loss_labels(ng_net *net, double *loss, size_t *correct, const int *labels,
                             size_t n, ng_error *error)
{
    const loss_row *row = &losses[net->loss];
    ngi_layer *last = &net->layer[net->layers - 1];
    size_t hits = 0;
    ng_status status =
        check_call(net, row->labels[net->dtype] != NULL, "ng_net_loss_targets", error);
    if (status != NG_OK)
        return status;
    net->stage = STAGE_FORWARD;
    status = check_labels(net, labels, n, error);
    if (status != NG_OK)
        return status;
    double sum = row->labels[net->dtype](n, last->z.cols, last->g.data, &hits, last->z.data, labels,
                                         1.0 / (double)n);
    if (correct != NULL)
        *correct = hits;
    return finish(net, loss, sum, error);
}

ng_status ng_net_loss_targets(ng_net *net, double *loss, ng_mat targets, ng_error *error)
{
    const loss_row *row = &losses[net->loss];
    ngi_layer *last = &net->layer[net->layers - 1];
    ng_status status =
        check_call(net, row->targets[net->dtype] != NULL, "ng_net_loss_labels", error);
    if (status != NG_OK)
        return status;
    net->stage = STAGE_FORWARD;
    status = check_targets(net, targets, error);
    if (status != NG_OK)
        return status;
    double sum = row->targets[net->dtype](net->batch, last->z.cols, last->g.data, last->z.data,
                                          targets.data, targets.stride, 1.0 / (double)net->batch);
    return finish(net, loss, sum, error);
}
