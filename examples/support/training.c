#include "examples/support/training.h"

#include <stdlib.h>

ng_status training_create(ng_trainer **trainer, ng_model *model, const ng_trainer_options *how,
                          const methods *settings, const ng_preset *preset, const void *options,
                          ng_error *error)
{
    ng_trainer_options o;
    ng_trainer_init(&o);
    if (how != NULL)
        o = *how;
    *trainer = NULL;
    void *own = options == NULL ? methods_options(settings, preset) : NULL;
    void *rest = methods_rest(settings);
    o.method = options != NULL ? options : own;
    o.rest = rest;
    ng_status status = o.method == NULL || o.rest == NULL
                           ? ng_error_set(error, NG_EOPTION, "its options")
                           : ng_trainer_create(trainer, model, &o, error);
    free(own);
    free(rest);
    return status;
}
