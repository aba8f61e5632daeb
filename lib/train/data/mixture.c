/* Gaussian mixtures. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/core/try.h"
#include "lib/train/data/generated.h"
#include "lib/train/data/table.h"

/* As the options say, or as the model has them. */
static size_t features_of(const ngi_opening *o)
{
    return o->model != NULL ? o->model->columns - 1 : o->options->features;
}

static size_t classes_of(const ngi_opening *o)
{
    return o->model != NULL ? o->model->labels.count : o->options->classes;
}

/* Two centres s z and s z' with z, z' ~ N(0, I_d) are s sqrt(2 d) apart in the
 * root mean square. */
static ng_status draw_rows(ngi_opening *o, double *centres, size_t count, const ng_random *random)
{
    const size_t d = features_of(o), classes = classes_of(o);
    const double scale = o->options->separation / sqrt(2 * (double)d);
    double *x = centres + classes * d;
    random->fill_normal(random->data, centres, classes * d);
    for (size_t i = 0; i < count; i++) {
        double u;
        random->fill_uniform(random->data, &u, 1);
        random->fill_normal(random->data, x, d);
        size_t k = (size_t)(u * (double)classes);
        k = k < classes ? k : classes - 1;
        TRY(ngi_table_row(o));
        for (size_t j = 0; j < d; j++)
            TRY(ngi_table_number(o, j, x[j] + scale * centres[k * d + j]));
        TRY(ngi_table_number(o, d, (double)k));
        TRY(ngi_table_keep(o));
    }
    return NG_OK;
}

static ng_status draw(ngi_opening *o, size_t count, const ng_random *random)
{
    const size_t d = features_of(o), classes = classes_of(o);
    if (o->model != NULL && (o->model->columns < 2 || classes == 0))
        return ng_error_set(o->error, NG_EFORMAT, "mixture: the model is of no mixture");
    if (count == 0)
        return ng_error_set(o->error, NG_EARG, "mixture: 0 samples, expected at least 1");
    if (d <= SIZE_MAX / 2 / sizeof(double) / (classes + 1))
        o->scratch = malloc((classes + 1) * d * sizeof(double));
    if (o->scratch == NULL)
        return ng_error_set(o->error, NG_ENOMEM, "no memory for %zu centres", classes);
    o->file.path = "mixture";
    ngi_columns found = {.count = d + 1, .first = 1, .label = d};
    TRY(ngi_table_columns(o, &found));
    if (o->model == NULL)
        TRY(ngi_schema_number_labels(o->schema, classes, o->error));
    return draw_rows(o, o->scratch, count, random);
}

static ng_status read_mixture(ngi_opening *o)
{
    return ngi_generate(o, draw);
}

const ngi_kind ngi_kind_mixture = {
    .shown = {"mixture", "[COUNT]", "a mixture of Gaussians (default: 10000)"},
    .layout = &ngi_tables,
    .read = read_mixture,
    .ordered = 1,
    .generated = 1,
};

ng_status ng_dataset_mixture(ng_dataset **dataset, size_t count, size_t classes, size_t features,
                             double separation, const ng_random *random, ng_error *error)
{
    ng_dataset_options options;
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    if (classes < 1 || classes > NGI_BYTES)
        return ng_error_set(error, NG_EARG, "%zu classes, expected 1 to %d", classes, NGI_BYTES);
    if (!(separation >= 0 && isfinite(separation)))
        return ng_error_set(error, NG_EARG, "separation %g, expected a number >= 0", separation);
    if (features == 0)
        return ng_error_set(error, NG_EARG, "%zu samples of 0 features: both must be positive",
                            count);
    ng_dataset_init(&options);
    options.classes = classes;
    options.features = features;
    options.separation = separation;
    options.dtype = NG_F64;
    options.scale = NG_SCALE_NONE;
    return ngi_generated(dataset, &ngi_kind_mixture, count, &options, random, error);
}
