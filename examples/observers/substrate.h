/* Where the observer of good_regulator comes from. */
#ifndef EXAMPLES_SUBSTRATE_H
#define EXAMPLES_SUBSTRATE_H

#include "examples/observers/observers.h"

/* Evolves c->rule, says what its joinability check and causal graphs give, and cuts an observer of
 * at most c->spins vertices. Ends the program if the check fails or a spin is not boundary. */
void substrate_observer(topology *t, const config *c, const ng_random *random);

#endif
