/* The roles of a table's columns: as the options say, or as a schema that is there. */
#include "lib/train/data/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

/* The number (from 1) a text is; 0 */
static size_t number_of(ngi_span text)
{
    size_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || number > NGI_COLUMNS)
            return 0;
        number = 10 * number + (size_t)(text.at[i] - '0');
    }
    return number;
}

/* The column of that name, or of that number from 1; SIZE_MAX */
static size_t find(const ng_schema *schema, ngi_span text)
{
    size_t number = number_of(text);
    for (size_t j = 0; j < schema->columns && schema->header; j++) {
        const char *name = schema->column[j].name;
        if (strlen(name) == text.size && memcmp(name, text.at, text.size) == 0)
            return j;
    }
    return number >= 1 && number <= schema->columns ? number - 1 : SIZE_MAX;
}

static ng_status no_column(const ngi_opening *o, const char *option, ngi_span text)
{
    char shown[NGI_SHOWN];
    int number = number_of(text) > 0 || (text.size == 1 && *text.at == '0');
    return ngi_file_fail(&o->file, NG_EARG, "%s: %s column %s%s among the %zu", option,
                         number || o->schema->header ? "there is no"
                                                     : "without a header there is no",
                         number ? "" : "named ", ngi_shown(shown, text), o->schema->columns);
}

/* role for every column in the list; which must not have another yet */
static ng_status assign(ngi_opening *o, const char *option, const char *list, ngi_role role)
{
    ngi_span whole = ngi_span_of(list);
    size_t one = find(o->schema, whole);
    for (const char *at = list; at != NULL;) {
        const char *comma = one == SIZE_MAX ? strchr(at, ',') : NULL;
        ngi_span item = comma != NULL ? (ngi_span){at, (size_t)(comma - at)} : ngi_span_of(at);
        size_t j = find(o->schema, item);
        if (j == SIZE_MAX)
            return no_column(o, option, item);
        ngi_column *column = &o->schema->column[j];
        if (column->role != NGI_NUMBER && column->role != NGI_CATEGORY)
            return ngi_file_fail(&o->file, NG_EARG, "%s: column %zu is spoken for", option, j + 1);
        column->role = role;
        at = comma != NULL ? comma + 1 : NULL;
    }
    return NG_OK;
}

static ng_status assign_labels(ngi_opening *o, const ngi_columns *found)
{
    int regression = o->options->task == NG_TASK_REGRESSION;
    ngi_role role = regression ? NGI_TARGET : NGI_LABEL;
    if (found->label != SIZE_MAX)
        o->schema->column[found->label].role = role;
    else if (o->options->label != NULL)
        TRY(assign(o, "label", o->options->label, role));
    else
        o->schema->column[found->count - 1].role = role;
    size_t count = 0;
    for (size_t j = 0; j < found->count; j++)
        count += o->schema->column[j].role == role;
    if (count > 1 && !regression)
        return ngi_file_fail(&o->file, NG_EARG,
                             "%zu columns of labels, expected one, or "
                             "task=regression",
                             count);
    return NG_OK;
}

static ng_status name_columns(ngi_opening *o, const ngi_columns *found)
{
    char text[NGI_PLACE];
    for (size_t j = 0; j < found->count; j++) {
        ngi_column *column = &o->schema->column[j];
        snprintf(text, sizeof text, "%zu", j + found->first);
        ngi_span name =
            found->names != NULL ? ngi_name_at(text, found->names[j], j) : ngi_span_of(text);
        if (memchr(name.at, '\0', name.size) != NULL)
            return ngi_file_fail(&o->file, NG_EFORMAT, "a zero byte in the name of column %zu",
                                 j + 1);
        TRY(ngi_column_name(column, name, o->error));
        if (found->words != NULL && found->words[j])
            column->role = NGI_CATEGORY;
    }
    return NG_OK;
}

/* Two columns of one name could not be told apart later. */
static ng_status check_names(ngi_opening *o)
{
    size_t twice[2];
    TRY(ngi_schema_twice(o->schema, twice, o->error));
    return twice[0] == twice[1]
               ? NG_OK
               : ngi_file_fail(&o->file, NG_EFORMAT,
                               "the header names columns %zu and %zu both \"%.60s\"", twice[0] + 1,
                               twice[1] + 1, o->schema->column[twice[1]].name);
}

static ng_status make_schema(ngi_opening *o, const ngi_columns *found)
{
    ng_schema *schema = o->schema;
    TRY(ngi_schema_columns(schema, found->count, o->error));
    schema->task = o->options->task;
    schema->header = found->header;
    TRY(name_columns(o, found));
    if (found->header)
        TRY(check_names(o));
    TRY(assign_labels(o, found));
    if (o->options->ignore != NULL)
        TRY(assign(o, "ignore", o->options->ignore, NGI_IGNORED));
    if (o->options->categorical != NULL)
        TRY(assign(o, "categorical", o->options->categorical, NGI_CATEGORY));
    ngi_schema_count(schema);
    size_t inputs = 0;
    for (size_t j = 0; j < found->count; j++) {
        ngi_role role = schema->column[j].role;
        inputs += role == NGI_NUMBER || role == NGI_CATEGORY;
        o->column[j] = role == NGI_IGNORED ? SIZE_MAX : j;
    }
    return inputs > 0 ? NG_OK
                      : ngi_file_fail(&o->file, NG_EFORMAT, "%s, expected features and a label",
                                      found->count == 1 ? "one column" : "no column is a feature");
}

/* ---- Against a schema ----------------------------------------------------------------- */

static int is_answer(const ngi_column *column)
{
    return column->role == NGI_LABEL || column->role == NGI_TARGET;
}

/* Where the columns of a model are found: by name, ascending, or by their place in a file
 * without names. */
typedef struct {
    const ngi_column **column;
    size_t count;
    int named;
} ngi_map;

/* `answers`: the file has the labels or targets. */
static void fill_map(ngi_map *map, const ng_schema *model, int answers)
{
    for (size_t k = 0; k < model->columns; k++)
        if (map->named || answers || !is_answer(&model->column[k]))
            map->column[map->count++] = &model->column[k];
    if (map->named)
        qsort(map->column, map->count, sizeof *map->column, ngi_column_by_name);
}

static int name_against(const void *name, const void *column)
{
    const ngi_span *text = name;
    const char *other = (*(ngi_column *const *)column)->name;
    size_t size = strlen(other);
    int order = memcmp(text->at, other, text->size < size ? text->size : size);
    return order != 0 ? order : (text->size > size) - (text->size < size);
}

/* The model's column for the file's column j; SIZE_MAX */
static size_t look_up(const ngi_map *map, const ng_schema *model, ngi_span name, size_t j)
{
    const ngi_column *const *at =
        map->named ? bsearch(&name, map->column, map->count, sizeof *map->column, name_against)
        : j < map->count ? &map->column[j]
                         : NULL;
    return at != NULL ? (size_t)(*at - model->column) : SIZE_MAX;
}

/* The option ignore, a list of names and numbers or one name with commas, has the file's column j.
 */
static int is_left_out(const ngi_opening *o, ngi_span name, size_t j)
{
    const char *list = o->options->ignore;
    if (list != NULL && strlen(list) == name.size && memcmp(list, name.at, name.size) == 0)
        return 1;
    while (list != NULL) {
        size_t size = strcspn(list, ",");
        if ((size == name.size && memcmp(list, name.at, size) == 0) ||
            number_of((ngi_span){list, size}) == j + 1)
            return 1;
        list = list[size] == ',' ? list + size + 1 : NULL;
    }
    return 0;
}

static ng_status map_with(ngi_map *map, ngi_opening *o, const ngi_columns *found)
{
    const ng_schema *model = o->model;
    size_t answers = 0;
    for (size_t k = 0; k < model->columns; k++)
        answers += (size_t)is_answer(&model->column[k]);
    if (!map->named && found->count != model->columns && found->count != model->columns - answers)
        return ngi_file_fail(&o->file, NG_EFORMAT, "%zu columns, expected %zu, or %zu with %s",
                             found->count, model->columns - answers, model->columns,
                             model->task == NG_TASK_REGRESSION ? "targets" : "the label");
    fill_map(map, model, found->count == model->columns);
    for (size_t j = 0; j < found->count; j++) {
        char shown[NGI_SHOWN], text[NGI_PLACE];
        ngi_span name = map->named ? ngi_name_at(text, found->names[j], j) : (ngi_span){0};
        o->column[j] = look_up(map, model, name, j);
        if (o->column[j] == SIZE_MAX && !(map->named && is_left_out(o, name, j)))
            return ngi_file_fail(&o->file, NG_EFORMAT,
                                 "column %zu \"%s\" is not among those of the model", j + 1,
                                 ngi_shown(shown, name));
    }
    return NG_OK;
}

static ng_status map_columns(ngi_opening *o, const ngi_columns *found)
{
    ngi_map map = {.named = found->header && o->model->header};
    map.column = malloc((o->model->columns + 1) * sizeof *map.column);
    if (map.column == NULL)
        return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for its columns");
    ng_status status = map_with(&map, o, found);
    free(map.column);
    return status;
}

/* Every feature once; labels or all targets, or none of them. */
static ng_status check_map(ngi_opening *o, const ngi_columns *found, unsigned char *seen)
{
    const ng_schema *model = o->model;
    size_t answers = 0, given = 0;
    for (size_t j = 0; j < found->count; j++) {
        size_t k = o->column[j];
        if (k == SIZE_MAX)
            continue;
        if (seen[k]++)
            return ngi_file_fail(&o->file, NG_EFORMAT, "column \"%.60s\" is there twice",
                                 model->column[k].name);
        ngi_role role = model->column[k].role;
        if (role == NGI_CONSTANT || role == NGI_IGNORED)
            o->column[j] = SIZE_MAX;
    }
    for (size_t k = 0; k < model->columns; k++) {
        ngi_role role = model->column[k].role;
        answers += (size_t)is_answer(&model->column[k]);
        given += is_answer(&model->column[k]) && seen[k];
        if ((role == NGI_NUMBER || role == NGI_CATEGORY) && !seen[k])
            return ngi_file_fail(&o->file, NG_EFORMAT, "column \"%.60s\" of the model is missing",
                                 model->column[k].name);
    }
    if (given != 0 && given != answers)
        return ngi_file_fail(&o->file, NG_EFORMAT,
                             "%zu of the %zu targets of the model, expected "
                             "all or none",
                             given, answers);
    o->answers = given > 0;
    return NG_OK;
}

static ng_status follow_model(ngi_opening *o, const ngi_columns *found)
{
    TRY(map_columns(o, found));
    unsigned char *seen = calloc(o->model->columns + 1, 1);
    if (seen == NULL)
        return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for its columns");
    ng_status status = check_map(o, found, seen);
    free(seen);
    return status;
}

ng_status ngi_table_columns(ngi_opening *o, const ngi_columns *found)
{
    o->columns = found->count;
    o->column = calloc(found->count + 1, sizeof *o->column);
    if (o->column == NULL)
        return ngi_file_fail(&o->file, NG_ENOMEM, "no memory for %zu columns", found->count);
    o->answers = 1;
    TRY(o->model != NULL ? follow_model(o, found) : make_schema(o, found));
    o->store->targets = o->answers && o->schema->task == NG_TASK_REGRESSION;
    o->store->table.cols = o->store->table.stride = o->schema->slots;
    o->store->table.dtype = o->options->dtype;
    return NG_OK;
}
