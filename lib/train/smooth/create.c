/* The smooth net: options, memory, weights (natgrad/train/smooth.h). */
#include "lib/train/smooth/smooth.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "lib/core/try.h"

enum { MOST_INPUTS = 1024, MOST_WIDTH = 65536, MOST_LAYERS = 64, MOST_BATCH = 1 << 24 };

ng_status ng_smooth_init_sized(ng_smooth_options *options, size_t size)
{
    const ng_smooth_options defaults = {
        .size = sizeof defaults, .order = NG_SMOOTH_LAPLACIAN, .max_batch = 1024};
    if (options == NULL)
        return NG_EARG;
    if (size != sizeof *options)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

static ng_status check_count(const char *name, size_t value, size_t most, ng_error *error)
{
    if (value == 0 || value > most)
        return ng_error_set(error, NG_EOPTION, "smooth: %s = %zu, not in 1 ... %zu", name, value,
                            most);
    return NG_OK;
}

static ng_status check_options(const ng_smooth_options *o, ng_error *error)
{
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "smooth: options of %zu bytes, expected %zu",
                            o->size, sizeof *o);
    TRY(check_count("inputs", o->inputs, MOST_INPUTS, error));
    TRY(check_count("layers", o->layers, MOST_LAYERS, error));
    TRY(check_count("max_batch", o->max_batch, MOST_BATCH, error));
    if (o->widths == NULL)
        return ng_error_set(error, NG_EOPTION, "smooth: widths is NULL");
    for (size_t l = 0; l < o->layers; l++)
        TRY(check_count("widths", o->widths[l], MOST_WIDTH, error));
    if ((unsigned)o->activation > NG_SMOOTH_SILU || (unsigned)o->order > NG_SMOOTH_HESSIAN)
        return ng_error_set(error, NG_EOPTION, "smooth: activation %d of order %d",
                            (int)o->activation, (int)o->order);
    return NG_OK;
}

/* ---- The jet ---------------------------------------------------------------------------- */

/* C, and the terms z_i z_j of each second derivative */
static ng_status plan_jet(ng_smooth *net, ng_smooth_order order, ng_error *error)
{
    size_t d = net->inputs, pairs = d * (d + 1) / 2;
    net->jet = order == NG_SMOOTH_VALUE       ? 1
               : order == NG_SMOOTH_GRADIENT  ? 1 + d
               : order == NG_SMOOTH_LAPLACIAN ? 2 + d
                                              : 1 + d + pairs;
    net->second = order == NG_SMOOTH_VALUE ? 1 : 1 + d;
    net->term = calloc(pairs, sizeof *net->term);
    if (net->term == NULL)
        return ng_error_set(error, NG_ENOMEM, "smooth: no memory for %zu inputs", d);
    for (size_t i = 0; i < d && order >= NG_SMOOTH_LAPLACIAN; i++)
        for (size_t j = i; j < (order == NG_SMOOTH_HESSIAN ? d : i + 1); j++)
            net->term[net->terms++] = (ngi_smooth_term){
                1 + i, 1 + j, order == NG_SMOOTH_HESSIAN ? ng_smooth_pair(d, i, j) : 1 + d};
    if (net->jet > INT_MAX / net->max_batch)
        return ng_error_set(error, NG_ERANGE,
                            "smooth: %zu points with jets of %zu exceed the BLAS integer",
                            net->max_batch, net->jet);
    return NG_OK;
}

/* ---- Memory ------------------------------------------------------------------------------- */

static ng_status make(ng_mat *m, size_t rows, size_t cols, ng_error *error)
{
    double *data = calloc(rows * cols, sizeof *data); /* within 2^59 by the limits above */
    if (data == NULL)
        return ng_error_set(error, NG_ENOMEM, "smooth: no memory for %zu x %zu numbers", rows,
                            cols);
    *m = ng_f64(data, rows, cols);
    return NG_OK;
}

static ng_status make_layer(ng_smooth *net, size_t l, size_t in, size_t out, ng_error *error)
{
    ngi_smooth_layer *layer = &net->layer[l];
    size_t rows = net->jet * net->max_batch;
    ng_mat slopes = ng_mat_none();
    layer->in = in;
    layer->out = out;
    layer->first = net->count;
    net->count += out * (in + 1);
    TRY(make(&layer->a, rows, in + 1, error));
    TRY(make(&layer->z, rows, out, error));
    TRY(make(&layer->g, rows, out, error));
    if (l + 1 == net->layers)
        return NG_OK;
    TRY(make(&slopes, 3 * net->max_batch, out, error));
    for (size_t k = 0; k < 3; k++)
        layer->slope[k] = (double *)slopes.data + k * net->max_batch * out;
    return NG_OK;
}

static ng_status build(ng_smooth *net, const ng_smooth_options *o, ng_error *error)
{
    size_t in = o->inputs, widest = in;
    net->layer = calloc(o->layers, sizeof *net->layer);
    if (net->layer == NULL)
        return ng_error_set(error, NG_ENOMEM, "smooth: no memory for %zu layers", o->layers);
    net->inputs = o->inputs;
    net->layers = o->layers;
    net->max_batch = o->max_batch;
    net->activation = o->activation;
    net->outputs = o->widths[o->layers - 1];
    TRY(plan_jet(net, o->order, error));
    for (size_t l = 0; l < o->layers; l++) {
        TRY(make_layer(net, l, in, o->widths[l], error));
        widest = in > widest ? in : widest;
        in = o->widths[l];
    }
    if (net->count > INT_MAX)
        return ng_error_set(error, NG_ERANGE, "smooth: %zu weights exceed the BLAS integer",
                            net->count);
    return make(&net->below, net->jet * net->max_batch, widest + 1, error);
}

ng_status ng_smooth_create(ng_smooth **net, const ng_smooth_options *options, ng_error *error)
{
    if (net == NULL || options == NULL)
        return ng_error_set(error, NG_EARG, "smooth: no options, or no place for a net");
    *net = NULL;
    TRY(check_options(options, error));
    ng_smooth *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ng_error_set(error, NG_ENOMEM, "smooth: no memory for a net");
    ng_status status = build(made, options, error);
    if (status == NG_OK)
        *net = made;
    else
        ng_smooth_destroy(made);
    return status;
}

void ng_smooth_destroy(ng_smooth *net)
{
    if (net == NULL)
        return;
    for (size_t l = 0; l < net->layers && net->layer != NULL; l++) {
        free(net->layer[l].a.data);
        free(net->layer[l].z.data);
        free(net->layer[l].g.data);
        free(net->layer[l].slope[0]);
    }
    free(net->layer);
    free(net->term);
    free(net->below.data);
    free(net);
}

/* ---- Weights -------------------------------------------------------------------------------- */

size_t ng_smooth_count(const ng_smooth *net)
{
    return net != NULL ? net->count : 0;
}

size_t ng_smooth_jet(const ng_smooth *net)
{
    return net != NULL ? net->jet : 0;
}

ng_mat ng_smooth_layer(const ng_smooth *net, ng_mat w, size_t layer)
{
    if (net == NULL || layer >= net->layers || w.rows != 1 || w.cols != net->count ||
        w.dtype != NG_F64)
        return ng_mat_none();
    const ngi_smooth_layer *l = &net->layer[layer];
    return ng_f64((double *)w.data + l->first, l->out, l->in + 1);
}

ng_status ng_smooth_initialise(const ng_smooth *net, ng_mat w, const ng_random *random,
                               ng_error *error)
{
    if (net == NULL || random == NULL || random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "smooth: no net, or no normal numbers");
    TRY(ng_mat_check(w, "w", error));
    if (w.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "smooth: w is not NG_F64");
    if (w.rows != 1 || w.cols != net->count)
        return ng_error_set(error, NG_ESHAPE, "smooth: w is %zu x %zu, expected 1 x %zu", w.rows,
                            w.cols, net->count);
    for (size_t l = 0; l < net->layers; l++) {
        ng_mat v = ng_smooth_layer(net, w, l);
        double scale = sqrt(2 / (double)(v.rows + v.cols - 1));
        for (size_t i = 0; i < v.rows; i++) {
            double *row = (double *)v.data + i * v.cols;
            random->fill_normal(random->data, row, v.cols - 1);
            for (size_t j = 0; j + 1 < v.cols; j++)
                row[j] *= scale;
            row[v.cols - 1] = 0;
        }
    }
    return NG_OK;
}
