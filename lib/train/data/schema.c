/* What columns mean: life and questions. fit.c fits one, schema_text.c writes it. */
#include "lib/train/data/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

const char ngi_schema_magic[] = "natgrad schema 1";
const char *const ngi_roles[NGI_ROLES] = {
    [NGI_NUMBER] = "number",   [NGI_CATEGORY] = "category", [NGI_CONSTANT] = "constant",
    [NGI_IGNORED] = "ignored", [NGI_LABEL] = "label",       [NGI_TARGET] = "target"};

const char *ng_task_name(ng_task task)
{
    static const char *const names[] = {
        [NG_TASK_CLASSIFICATION] = "classification", [NG_TASK_REGRESSION] = "regression"};
    return (unsigned)task < sizeof names / sizeof *names ? names[task] : NULL;
}

const char *ng_scaling_name(ng_scaling scale)
{
    static const char *const names[] = {[NG_SCALE_AUTO] = "auto",
                                        [NG_SCALE_NONE] = "none",
                                        [NG_SCALE_STANDARD] = "standard",
                                        [NG_SCALE_MINMAX] = "minmax"};
    return (unsigned)scale < sizeof names / sizeof *names ? names[scale] : NULL;
}

/* ---- Life -------------------------------------------------------------------------- */

ng_status ngi_schema_create(ng_schema **schema, const char *kind, ng_error *error)
{
    *schema = calloc(1, sizeof **schema);
    if (*schema == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a schema");
    atomic_init(&(*schema)->users, 1);
    (*schema)->scale = NG_SCALE_NONE;
    snprintf((*schema)->kind, sizeof(*schema)->kind, "%s", kind);
    return NG_OK;
}

ng_schema *ng_schema_share(const ng_schema *schema)
{
    ng_schema *shared = (ng_schema *)schema; /* the count alone changes */
    if (shared != NULL)
        atomic_fetch_add(&shared->users, 1);
    return shared;
}

void ng_schema_destroy(ng_schema *schema)
{
    if (schema == NULL || atomic_fetch_sub(&schema->users, 1) != 1)
        return;
    for (size_t j = 0; j < schema->columns; j++) {
        free(schema->column[j].name);
        ngi_names_free(&schema->column[j].categories);
    }
    free(schema->column);
    ngi_names_free(&schema->labels);
    free(schema);
}

ng_status ngi_schema_columns(ng_schema *schema, size_t columns, ng_error *error)
{
    if (columns > NGI_COLUMNS)
        return ng_error_set(error, NG_ERANGE, "%zu columns, expected at most %d", columns,
                            NGI_COLUMNS);
    schema->column = calloc(columns > 0 ? columns : 1, sizeof *schema->column);
    if (schema->column == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu columns", columns);
    schema->columns = columns;
    for (size_t j = 0; j < columns; j++)
        schema->column[j].factor = 1;
    return NG_OK;
}

ngi_span ngi_name_at(char text[NGI_PLACE], ngi_span name, size_t place)
{
    if (name.size > 0)
        return name;
    snprintf(text, NGI_PLACE, "column %zu", place + 1);
    return ngi_span_of(text);
}

ng_status ngi_column_name(ngi_column *column, ngi_span name, ng_error *error)
{
    column->name = malloc(name.size + 1);
    if (column->name == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the name of a column");
    memcpy(column->name, name.at, name.size);
    column->name[name.size] = '\0';
    return NG_OK;
}

static ng_status copy_into(ng_schema *to, const ng_schema *from, ng_error *error)
{
    TRY(ngi_schema_columns(to, from->columns, error));
    for (size_t j = 0; j < from->columns; j++) {
        ngi_column *column = &to->column[j];
        *column = from->column[j];
        column->name = NULL;
        column->categories = (ngi_names){0};
        TRY(ngi_column_name(column, ngi_span_of(from->column[j].name), error));
        if (ngi_names_copy(&column->categories, &from->column[j].categories) != NG_OK)
            return ng_error_set(error, NG_ENOMEM, "no memory for the categories of a column");
    }
    if (ngi_names_copy(&to->labels, &from->labels) != NG_OK)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu labels", from->labels.count);
    to->task = from->task;
    to->scale = from->scale;
    to->header = from->header;
    to->slots = from->slots;
    to->targets = from->targets;
    to->features = from->features;
    to->context = from->context;
    to->vocabulary_size = from->vocabulary_size;
    memcpy(to->vocabulary, from->vocabulary, sizeof to->vocabulary);
    return NG_OK;
}

ng_status ngi_schema_copy(ng_schema **copy, const ng_schema *schema, ng_error *error)
{
    TRY(ngi_schema_create(copy, schema->kind, error));
    ng_status status = copy_into(*copy, schema, error);
    if (status != NG_OK) {
        ng_schema_destroy(*copy);
        *copy = NULL;
    }
    return status;
}

/* ---- Counts -------------------------------------------------------------------------- */

int ngi_is_scaled(const ngi_column *column)
{
    return column->role == NGI_NUMBER || column->role == NGI_TARGET;
}

size_t ngi_column_width(const ngi_column *column)
{
    return column->role == NGI_NUMBER     ? 1
           : column->role == NGI_CATEGORY ? column->categories.count
                                          : 0;
}

void ngi_schema_count_features(ng_schema *schema)
{
    schema->features = 0;
    for (size_t j = 0; j < schema->columns; j++) {
        schema->column[j].before = schema->features;
        schema->features += ngi_column_width(&schema->column[j]);
    }
}

void ngi_schema_count(ng_schema *schema)
{
    ngi_schema_count_features(schema);
    schema->targets = schema->slots = 0;
    for (size_t j = 0; j < schema->columns; j++) {
        ngi_column *column = &schema->column[j];
        schema->targets += column->role == NGI_TARGET;
        column->slot = schema->slots;
        schema->slots += column->role != NGI_LABEL && column->role != NGI_IGNORED;
    }
}

int ngi_column_by_name(const void *a, const void *b)
{
    const ngi_column *first = *(ngi_column *const *)a, *second = *(ngi_column *const *)b;
    int order = strcmp(first->name, second->name);
    return order != 0 ? order : (first > second) - (first < second);
}

ng_status ngi_schema_twice(const ng_schema *schema, size_t twice[2], ng_error *error)
{
    const size_t n = schema->columns;
    const ngi_column **sorted = malloc((n + 1) * sizeof *sorted);
    if (sorted == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu columns", n);
    for (size_t j = 0; j < n; j++)
        sorted[j] = &schema->column[j];
    qsort(sorted, n, sizeof *sorted, ngi_column_by_name);
    twice[0] = twice[1] = 0;
    for (size_t j = 1; j < n && twice[0] == twice[1]; j++)
        if (strcmp(sorted[j - 1]->name, sorted[j]->name) == 0) {
            twice[0] = (size_t)(sorted[j - 1] - schema->column);
            twice[1] = (size_t)(sorted[j] - schema->column);
        }
    free(sorted);
    return NG_OK;
}

ng_status ngi_schema_number_labels(ng_schema *schema, size_t classes, ng_error *error)
{
    char text[32];
    size_t number;
    for (size_t k = 0; k < classes; k++) {
        snprintf(text, sizeof text, "%zu", k);
        if (ngi_names_add(&schema->labels, &number, ngi_span_of(text), NGI_NAMES) != NG_OK)
            return ng_error_set(error, NG_ENOMEM, "no memory for %zu labels", classes);
    }
    return NG_OK;
}

const ngi_column *ngi_schema_target(const ng_schema *schema, size_t target)
{
    for (size_t j = 0; j < schema->columns; j++)
        if (schema->column[j].role == NGI_TARGET && target-- == 0)
            return &schema->column[j];
    return NULL;
}

const ngi_column *ngi_schema_feature(const ng_schema *schema, size_t feature, size_t *category)
{
    size_t low = 0, high = schema->columns;
    if (high == 0)
        return NULL;
    while (high - low > 1) { /* the last column with no more features before it */
        size_t middle = low + (high - low) / 2;
        if (schema->column[middle].before <= feature)
            low = middle;
        else
            high = middle;
    }
    *category = feature - schema->column[low].before;
    return &schema->column[low];
}

/* ---- Questions ------------------------------------------------------------------------ */

const char *ng_schema_kind(const ng_schema *schema)
{
    return schema->kind;
}

ng_task ng_schema_task(const ng_schema *schema)
{
    return schema->task;
}

ng_scaling ng_schema_scale(const ng_schema *schema)
{
    return schema->scale;
}

size_t ng_schema_features(const ng_schema *schema)
{
    return schema->features;
}

size_t ng_schema_feature_name(const ng_schema *schema, size_t feature, char *text, size_t size)
{
    size_t category;
    if (size > 0)
        text[0] = '\0';
    if (feature >= schema->features)
        return 0;
    const ngi_column *column = ngi_schema_feature(schema, feature, &category);
    int length;
    if (column == NULL)
        length = snprintf(text, size, "feature %zu", feature + 1);
    else if (column->role == NGI_CATEGORY)
        length = snprintf(text, size, "%s=%s", column->name, column->categories.text[category]);
    else
        length = snprintf(text, size, "%s", column->name);
    return length > 0 ? (size_t)length : 0;
}

static ng_status scale_of(const ngi_column *column, double *offset, double *factor)
{
    int scaled = column != NULL && column->role != NGI_CATEGORY;
    *offset = scaled ? column->offset : 0;
    *factor = scaled ? column->factor : 1;
    return NG_OK;
}

ng_status ng_schema_feature_scale(const ng_schema *schema, size_t feature, double *offset,
                                  double *factor)
{
    size_t category;
    if (feature >= schema->features)
        return NG_ERANGE;
    return scale_of(ngi_schema_feature(schema, feature, &category), offset, factor);
}

size_t ng_schema_classes(const ng_schema *schema)
{
    return schema->labels.count;
}

const char *ng_schema_label(const ng_schema *schema, size_t k)
{
    return k < schema->labels.count ? schema->labels.text[k] : NULL;
}

size_t ng_schema_targets(const ng_schema *schema)
{
    return schema->targets;
}

const char *ng_schema_target_name(const ng_schema *schema, size_t target)
{
    const ngi_column *column = ngi_schema_target(schema, target);
    return column != NULL ? column->name : NULL;
}

ng_status ng_schema_target_scale(const ng_schema *schema, size_t target, double *offset,
                                 double *factor)
{
    const ngi_column *column = ngi_schema_target(schema, target);
    return column != NULL ? scale_of(column, offset, factor) : NG_ERANGE;
}
