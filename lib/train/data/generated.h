/* What the generated sets share: a count and a generator. */
#ifndef NGI_TRAIN_GENERATED_H
#define NGI_TRAIN_GENERATED_H

#include "lib/train/data/dataset.h"

/* Calls `draw` with the count behind the colon, 10,000 without one, and with the
 * opening's generator or one from the seed of the options. */
ng_status ngi_generate(ngi_opening *o,
                       ng_status (*draw)(ngi_opening *o, size_t count, const ng_random *random));

/* Opens "kind:count" with a generator of the caller's; options may be NULL. */
ng_status ngi_generated(ng_dataset **dataset, const ngi_kind *kind, size_t count,
                        const ng_dataset_options *options, const ng_random *random,
                        ng_error *error);

#endif
