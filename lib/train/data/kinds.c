/* The list of sources, and opening one by its name. Adding a source is its file and a row here. */
#include "lib/train/data/dataset.h"

#include <string.h>

static const ngi_kind *const kinds[] = {&ngi_kind_csv,       &ngi_kind_libsvm, &ngi_kind_npy,
                                        &ngi_kind_idx,       &ngi_kind_mnist,  &ngi_kind_text,
                                        &ngi_kind_sequences, &ngi_kind_digits, &ngi_kind_mixture};
enum { KINDS = sizeof kinds / sizeof *kinds };

const ng_dataset_kind *ng_dataset_kind_get(size_t i)
{
    return i < KINDS ? &kinds[i]->shown : NULL;
}

static const ngi_kind *find(const char *name, size_t length)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strlen(kinds[i]->shown.name) == length &&
            strncmp(kinds[i]->shown.name, name, length) == 0)
            return kinds[i];
    return NULL;
}

static ng_status unknown(const char *source, ng_error *error)
{
    char list[160] = "";
    for (size_t i = 0; i < KINDS; i++)
        strcat(strcat(list, i > 0 ? ", " : ""), kinds[i]->shown.name); /* less than 100 bytes */
    return ng_error_set(error, NG_EARG, "data \"%.60s\": expected KIND:WHAT with one of %s", source,
                        list);
}

ng_status ng_dataset_open_like(ng_dataset **dataset, const ng_schema *schema, const char *source,
                               const ng_dataset_options *options, ng_error *error)
{
    ng_dataset_options defaults;
    if (dataset == NULL || source == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", source == NULL ? "source" : "dataset");
    *dataset = NULL;
    ng_dataset_init(&defaults);
    const char *colon = strchr(source, ':'), *what = colon != NULL ? colon + 1 : "";
    const ngi_kind *kind = find(source, colon != NULL ? (size_t)(colon - source) : strlen(source));
    if (kind == NULL)
        return unknown(source, error);
    if (*what == '\0' && (!kind->generated || colon != NULL))
        return ng_error_set(error, NG_EARG, "data \"%.60s\": a name is missing, expected %s:%s",
                            source, kind->shown.name, kind->shown.what);
    return ngi_open(dataset, kind, what, options != NULL ? options : &defaults, schema, NULL,
                    error);
}

ng_status ng_dataset_open(ng_dataset **dataset, const char *source,
                          const ng_dataset_options *options, ng_error *error)
{
    return ng_dataset_open_like(dataset, NULL, source, options, error);
}
