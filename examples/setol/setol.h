/* What the parts of setol share. */
#ifndef EXAMPLES_SETOL_H
#define EXAMPLES_SETOL_H

#include "examples/support/paper.h"

enum { TRAINED = 1437, TESTED = 360 };

/* Drawn digits, or MNIST's of the usual folder (images.h): 8 x 8 grey values in [0, 1]. */
typedef struct {
    ng_dataset *train, *test;
} digits;

void digits_make(digits *d, const paper *p);
void digits_free(digits *d);

/* Of layers fc1 and fc2 after the last epoch. */
typedef struct {
    double alpha[2], gap[2];
    double test_error, epochs;
} outcome;

/* Trains 64-300-100-10 (ReLU, Glorot and Bengio's normal weights, batches of 32) by a preset with
 * settings until three epochs have not lowered the training loss by 1e-4, at most `epochs`. The
 * same seed is the same start and order. track (may be NULL): writes a row of that name an epoch.
 */
void train_one(outcome *r, paper *p, const digits *data, const char *preset, const char *settings,
               size_t epochs, size_t seed, const char *track);

#endif
