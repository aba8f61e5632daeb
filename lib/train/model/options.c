/* The options of the models: defaults and ranges from their tables of fields. */
#include "lib/train/model/options.h"

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
