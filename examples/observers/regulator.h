/* What good_regulator measures and what its picture shows. */
#ifndef EXAMPLES_REGULATOR_H
#define EXAMPLES_REGULATOR_H

#include "examples/observers/observers.h"

enum { WORLDS = 2, TRACE = 200 }; /* realisable, not realisable; steps kept at most */

/* A descent: cross-entropy less its floor before each step. */
typedef struct {
    size_t points;
    double above[TRACE + 1];
} descent;

typedef struct {
    descent way[WORLDS][2]; /* natural gradient, gradient descent */
    ng_regime *regime;      /* of the fitted observer of the first world */
} findings;

void regulator_picture(const findings *f, const table *t);

#endif
