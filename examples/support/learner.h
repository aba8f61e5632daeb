/* A model with an optimizer of any preset: who steps what, and the half of a
 * training step that follows the loss. */
#ifndef EXAMPLES_LEARNER_H
#define EXAMPLES_LEARNER_H

#include <natgrad-train.h>
#include <natgrad.h>

#include "examples/support/methods.h"

typedef struct {
    ng_model *model;
    ng_optimizer *opt;
    ng_group *method;   /* what the preset steps */
    ng_group *rest;     /* what AdamW steps beside it; NULL if nothing */
    ng_group *captures; /* its parameters are layers that want their statistics; or NULL */
    size_t *captured;   /* which of it each of the model's layers is, or NG_MODEL_NONE */
    const methods *settings;
    ng_error error; /* of the last call that failed */
} learner;

/* The model, which is the learner's from now on, initialised from random. Its
 * parameters go
 *   to a method that asks for statistics (ng_options_want_capture): whole
 *     layers, weights and biases, unless their weight is shared; embeddings and
 *     norms to AdamW;
 *   to an element-wise method: everything;
 *   to any other method: hidden weights, those of fused layers each by itself;
 *     what ng_policy_elementwise names and the last layer to AdamW.
 * That AdamW is the preset adamw with the settings made of it, whatever the
 * method. options is the method's struct; settings must stay. The learner can be destroyed
 * afterwards also if it was not created. */
ng_status learner_create(learner *l, ng_model *model, const ng_random *random,
                         const ng_preset *preset, const void *options, const methods *settings);
void learner_destroy(learner *l);

/* Samples index[0 ... batch - 1] through the model: their mean loss, and the share of the
 * rows of logits (samples or, in a text, positions) that is right. labels: room for batch. */
ng_status learner_forward(learner *l, double *loss, double *share, int *labels,
                          const ng_dataset *data, const size_t *index, size_t batch);

/* Backward pass from a loss of a batch, and its statistics for the methods that
 * ask for them: the Fisher matrix is the one of that loss's targets. */
ng_status learner_capture(learner *l);

/* Backward pass and step; the statistics must have been captured. */
ng_status learner_step(learner *l);

/* Both from one backward pass: the empirical Fisher matrix. */
ng_status learner_capture_step(learner *l);

/* A run that leaves the numbers is a result of its settings, not a failure of
 * the program. */
int learner_diverged(ng_status status);

#endif
