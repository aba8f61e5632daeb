/* The list of kinds of models, and making one by its name. */
#include "lib/train/model/model.h"

#include <string.h>

static const ngi_model_kind *const kinds[] = {&ngi_mlp_kind, &ngi_cnn_kind, &ngi_gpt_kind};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *ng_model_kind_name(size_t i)
{
    return i < KINDS ? kinds[i]->name : NULL;
}

ng_status ng_model_create(ng_model **model, const char *kind, const void *options, ng_error *error)
{
    char known[64] = "";
    *model = NULL;
    for (size_t i = 0; i < KINDS; i++) {
        if (kind != NULL && strcmp(kind, kinds[i]->name) == 0)
            return ngi_model_create(model, kinds[i], options, error);
        strcat(strcat(known, " "), kinds[i]->name);
    }
    return ng_error_set(error, NG_EARG, "there is no model '%s'; there are%s",
                        kind != NULL ? kind : "NULL", known);
}
