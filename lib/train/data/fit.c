/* A schema fitted to some samples of a table: means and ranges in two passes over them. */
#include "lib/train/data/dataset.h"

#include <math.h>
#include <stdlib.h>

#include "lib/core/try.h"

/* Of the values of one column that are there. */
typedef struct {
    size_t count;
    double mean, squares; /* sum of (value - mean)^2 */
    double low, high;
} spread;

static void add_value(spread *s, double value)
{
    s->count++;
    s->mean += value; /* a sum until all are in */
    s->low = value < s->low ? value : s->low;
    s->high = value > s->high ? value : s->high;
}

static void add_square(spread *s, double value)
{
    s->squares += (value - s->mean) * (value - s->mean);
}

static void pass(spread *of, const ng_dataset *dataset, const ng_schema *schema,
                 void (*add)(spread *s, double value))
{
    const ng_mat table = dataset->store->table;
    for (size_t i = 0; i < dataset->count; i++) {
        size_t row = ngi_dataset_row(dataset, i);
        for (size_t j = 0; j < schema->columns; j++) {
            const ngi_column *column = &schema->column[j];
            if (column->role != NGI_CATEGORY && !ngi_is_scaled(column))
                continue;
            double value = ng_mat_get(table, row, column->slot);
            if (!isnan(value))
                add(&of[j], value);
        }
    }
}

static void measure(spread *of, const ng_dataset *dataset, const ng_schema *schema)
{
    for (size_t j = 0; j < schema->columns; j++)
        of[j] = (spread){.low = INFINITY, .high = -INFINITY};
    pass(of, dataset, schema, add_value);
    for (size_t j = 0; j < schema->columns; j++)
        of[j].mean = of[j].count > 0 ? of[j].mean / (double)of[j].count : 0;
    pass(of, dataset, schema, add_square);
}

static ng_status fit_column(ngi_column *column, const spread *s, ng_scaling scale,
                            const ng_dataset *dataset, ng_error *error)
{
    double deviation = s->count > 0 ? sqrt(s->squares / (double)s->count) : 0;
    double range = s->high - s->low;
    if (column->role == NGI_NUMBER || column->role == NGI_CATEGORY)
        if (!(s->low < s->high)) {
            column->role = NGI_CONSTANT;
            return NG_OK;
        }
    if (!ngi_is_scaled(column))
        return NG_OK;
    column->offset = 0;
    column->factor = 1;
    column->fill = isfinite(s->mean) ? s->mean : s->low / 2 + s->high / 2; /* of 1e308s */
    if (scale != NG_SCALE_NONE && s->low < s->high) {
        int standard = scale == NG_SCALE_STANDARD;
        column->offset = standard ? s->mean : s->low;
        column->factor = 1 / (standard ? deviation : range);
    }
    if (!isfinite(column->fill) || !isfinite(column->factor) || !(column->factor > 0))
        return ng_error_set(error, NG_ERANGE,
                            "%s: the numbers of column \"%.60s\" are too large or too close "
                            "together to be scaled: %g ... %g",
                            dataset->name, column->name, s->low, s->high);
    return NG_OK;
}

static ng_status fit(ng_schema *fitted, const ng_dataset *dataset, ng_scaling scale, spread *of,
                     ng_error *error)
{
    measure(of, dataset, fitted);
    for (size_t j = 0; j < fitted->columns; j++)
        TRY(fit_column(&fitted->column[j], &of[j], scale, dataset, error));
    ngi_schema_count_features(fitted);
    fitted->scale = scale;
    return fitted->features > 0
               ? NG_OK
               : ng_error_set(error, NG_EFORMAT, "%s: every feature is constant in its %zu rows",
                              dataset->name, dataset->count);
}

ng_status ngi_fit(ng_schema **fitted, const ng_dataset *dataset, ng_scaling scale, ng_error *error)
{
    TRY(ngi_schema_copy(fitted, dataset->schema, error));
    spread *of = malloc(((*fitted)->columns + 1) * sizeof *of);
    ng_status status = of != NULL ? fit(*fitted, dataset, scale, of, error)
                                  : ng_error_set(error, NG_ENOMEM, "no memory to fit a schema");
    free(of);
    if (status == NG_OK)
        return NG_OK;
    ng_schema_destroy(*fitted);
    *fitted = NULL;
    return status;
}

ng_scaling ngi_scale_of(const ngi_store *store, ng_scaling asked)
{
    if (!store->layout->table)
        return NG_SCALE_NONE;
    return asked == NG_SCALE_AUTO ? NG_SCALE_STANDARD : asked;
}
