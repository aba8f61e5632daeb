/* The list of kinds of models, and making one by its name. */
#include "lib/train/model/model.h"

#include <string.h>

static const ngi_model_kind *const kinds[] = {&ngi_mlp_kind, &ngi_cnn_kind, &ngi_gpt_kind};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *ng_model_kind_name(size_t i)
{
    return i < KINDS ? kinds[i]->name : NULL;
}

const ngi_model_kind *ngi_model_kind_find(const char *name)
{
    for (size_t i = 0; i < KINDS && name != NULL; i++)
        if (strcmp(name, kinds[i]->name) == 0)
            return kinds[i];
    return NULL;
}

ng_status ng_model_create(ng_model **model, const char *kind, const void *options, ng_error *error)
{
    char known[64] = "";
    const ngi_model_kind *found = ngi_model_kind_find(kind);
    *model = NULL;
    if (found != NULL)
        return ngi_model_create(model, found, options, error);
    for (size_t i = 0; i < KINDS; i++)
        strcat(strcat(known, " "), kinds[i]->name);
    return ng_error_set(error, NG_EARG, "there is no model '%s'; there are%s",
                        kind != NULL ? kind : "NULL", known);
}
