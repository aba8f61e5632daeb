/* How the samples of any data set are divided. */
#ifndef EXAMPLES_SAMPLES_H
#define EXAMPLES_SAMPLES_H

#include <natgrad-train.h>

/* *rest <- a view of the last `part`-th of the samples of `all`, rounded; *first
 * <- of those before. `all` is destroyed. NG_ENODATA if either would be empty. */
ng_status samples_hold_out(ng_dataset **first, ng_dataset **rest, ng_dataset *all, size_t part,
                           ng_error *error);

#endif
