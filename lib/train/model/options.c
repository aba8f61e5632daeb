/* The options of the models: defaults and ranges from their tables of fields. */
#include "lib/train/model/options.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

/* An enum lies there as an int does. */
_Static_assert(sizeof(ng_dtype) == sizeof(int), "enums as ints");

static void set(void *options, const ngi_field *f)
{
    char *at = (char *)options + f->offset;
    int small = (int)f->value;
    if (f->kind == NGI_COUNT)
        memcpy(at, &f->value, sizeof f->value);
    else if (f->kind != NGI_COUNTS)
        memcpy(at, &small, sizeof small);
}

ng_status ngi_options_init(void *options, size_t given_size, size_t size, const ngi_field *fields,
                           size_t count)
{
    const ngi_options head = {size, NG_F32};
    if (options == NULL || given_size != size)
        return NG_EOPTION;
    memset(options, 0, size);
    memcpy(options, &head, sizeof head);
    for (size_t i = 0; i < count; i++)
        set(options, &fields[i]);
    return NG_OK;
}

static size_t count_at(const void *options, size_t offset)
{
    size_t value;
    memcpy(&value, (const char *)options + offset, sizeof value);
    return value;
}

static ng_status check_counts(const void *options, const ngi_field *f, ng_error *error)
{
    const size_t *values;
    memcpy(&values, (const char *)options + f->offset, sizeof values);
    if (values == NULL)
        return ng_error_set(error, NG_EOPTION, "%s: NULL", f->name);
    for (size_t i = 0; i < count_at(options, f->length); i++)
        if (values[i] < f->min || values[i] > f->max)
            return ng_error_set(error, NG_EOPTION, "%s: %s[%zu] is %zu, not in %zu ... %zu",
                                f->name, f->name, i, values[i], f->min, f->max);
    return NG_OK;
}

static ng_status check_field(const void *options, const ngi_field *f, ng_error *error)
{
    int choice;
    size_t value;
    switch (f->kind) {
    case NGI_COUNT:
        value = count_at(options, f->offset);
        if (value < f->min || value > f->max)
            return ng_error_set(error, NG_EOPTION, "%s: %zu, not in %zu ... %zu", f->name, value,
                                f->min, f->max);
        return NG_OK;
    case NGI_COUNTS:
        return check_counts(options, f, error);
    case NGI_CHOICE:
        memcpy(&choice, (const char *)options + f->offset, sizeof choice);
        if (choice < 0 || f->text((size_t)choice) == NULL)
            return ng_error_set(error, NG_EOPTION, "%s: unknown %s %d", f->name, f->name, choice);
        return NG_OK;
    default:
        return NG_OK;
    }
}

ng_status ngi_options_check(const void *options, size_t size, const ngi_field *fields, size_t count,
                            const char *init, ng_error *error)
{
    const ngi_options *head = options;
    if (options == NULL)
        return ng_error_set(error, NG_EARG, "options: NULL");
    if (head->size != size)
        return ng_error_set(error, NG_EOPTION, "size: %zu, expected %zu: call %s first", head->size,
                            size, init);
    if (head->dtype != NG_F32 && head->dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "dtype: unknown dtype %d", (int)head->dtype);
    for (size_t i = 0; i < count; i++)
        TRY(check_field(options, &fields[i], error));
    return NG_OK;
}

/* ---- A copy ---------------------------------------------------------------------- */

/* The lists follow the struct. */
void *ngi_options_copy(const void *options, const ngi_field *fields, size_t count)
{
    size_t size = ((const ngi_options *)options)->size, room = size;
    for (size_t i = 0; i < count; i++)
        if (fields[i].kind == NGI_COUNTS)
            room += count_at(options, fields[i].length) * sizeof(size_t);
    char *copy = malloc(room), *at = copy + size;
    if (copy == NULL)
        return NULL;
    memcpy(copy, options, size);
    for (size_t i = 0; i < count; i++) {
        const size_t *values;
        if (fields[i].kind != NGI_COUNTS)
            continue;
        size_t bytes = count_at(options, fields[i].length) * sizeof *values;
        memcpy(&values, (const char *)options + fields[i].offset, sizeof values);
        memcpy(at, values, bytes);
        memcpy(copy + fields[i].offset, &at, sizeof at);
        at += bytes;
    }
    return copy;
}

/* ---- As text --------------------------------------------------------------------- */

static size_t write_counts(const void *options, const ngi_field *f, char *text, size_t size)
{
    const size_t *values;
    size_t length = 0;
    memcpy(&values, (const char *)options + f->offset, sizeof values);
    for (size_t i = 0; i < count_at(options, f->length); i++) {
        size_t at = length < size ? length : size;
        length += (size_t)snprintf(text != NULL ? text + at : NULL, size - at,
                                   i > 0 ? " %zu" : "%zu", values[i]);
    }
    return length;
}

size_t ngi_field_write(const void *options, const ngi_field *f, char *text, size_t size)
{
    int choice;
    if (f->kind == NGI_COUNTS)
        return write_counts(options, f, text, size);
    if (f->kind == NGI_COUNT)
        return (size_t)snprintf(text, size, "%zu", count_at(options, f->offset));
    memcpy(&choice, (const char *)options + f->offset, sizeof choice);
    return (size_t)snprintf(text, size, "%s",
                            f->kind == NGI_SWITCH ? (choice ? "yes" : "no")
                                                  : f->text((size_t)choice));
}

/* *value <- the digits *text begins with, which are passed over. */
static int take_count(const char **text, size_t *value)
{
    const char *first = *text;
    for (*value = 0; **text >= '0' && **text <= '9'; ++*text) {
        size_t digit = (size_t)(**text - '0');
        if (*value > (SIZE_MAX - digit) / 10)
            return 0;
        *value = 10 * *value + digit;
    }
    return *text > first;
}

static int read_counts(void *options, const ngi_field *f, const char *text, size_t **room)
{
    size_t *values = *room, count = count_at(options, f->length);
    for (size_t i = 0; i < count; i++, ++*room) {
        if ((i > 0 && *text++ != ' ') || !take_count(&text, *room))
            return 0;
    }
    memcpy((char *)options + f->offset, &values, sizeof values);
    return *text == '\0';
}

static int read_choice(int *choice, const ngi_field *f, const char *text)
{
    if (f->kind == NGI_SWITCH) {
        *choice = strcmp(text, "yes") == 0;
        return *choice || strcmp(text, "no") == 0;
    }
    for (*choice = 0; f->text((size_t)*choice) != NULL; ++*choice)
        if (strcmp(text, f->text((size_t)*choice)) == 0)
            return 1;
    return 0;
}

int ngi_field_read(void *options, const ngi_field *f, const char *text, size_t **room)
{
    char *at = (char *)options + f->offset;
    size_t count;
    int choice;
    if (f->kind == NGI_COUNTS)
        return read_counts(options, f, text, room);
    if (f->kind == NGI_COUNT) {
        int good = take_count(&text, &count) && *text == '\0';
        memcpy(at, &count, sizeof count);
        return good;
    }
    int good = read_choice(&choice, f, text);
    memcpy(at, &choice, sizeof choice);
    return good;
}
