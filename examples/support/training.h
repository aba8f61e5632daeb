/* A trainer from what a command line says of optimizers. */
#ifndef EXAMPLES_TRAINING_H
#define EXAMPLES_TRAINING_H

#include <natgrad-train.h>

#include "examples/support/methods.h"

/* A trainer whose method has `options`, or where they are NULL the preset with the settings made
 * of it; what that leaves goes to the preset adamw with its settings, whatever the method. how: the
 * rest of it, or NULL. NG_EOPTION after reporting where the settings are at fault. */
ng_status training_create(ng_trainer **trainer, ng_model *model, const ng_trainer_options *how,
                          const methods *settings, const ng_preset *preset, const void *options,
                          ng_error *error);

#endif
